//! One object.

use axum::response::Response;

use super::ask::{Ask, Form};
use super::failure::Failure;
use super::list::{self, Wanted};
use super::resource::Resource;
use super::{Kube, answer, render};
use crate::sim::cluster::facts::{Key, Namespace};

/// Answers with the object that was asked for, as it is now.
pub(super) fn get(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let key = key(ask)?;
    // Whoever asks for one object at least as new as some version must not ask for one that is not there yet.
    if let Wanted::Since(asked) | Wanted::At(asked) = Wanted::of_one(&ask.query)? {
        list::not_in_future(asked, kube.simulation.store().version())?;
    }
    let record = kube.simulation.object(&key);
    let record = record.ok_or_else(|| Failure::not_found(ask.resource, &key.name))?;
    let scene = kube.scene();
    let mut out = Vec::with_capacity(4096);
    match ask.form {
        Form::Object => render::write(&record, &scene, &mut out),
        Form::Table => {
            let meta = list::meta(record.version);
            list::write_table(ask, &meta, &[record], &scene, &mut out)?;
        }
    }
    Ok(answer::written(out))
}

/// Which object a request with a name is about.
///
/// # Errors
/// 404 when it has no name; routes see to it that it has one.
pub(in crate::api::kube) fn key(ask: &Ask) -> Result<Key, Failure> {
    let Resource { kind, .. } = *ask.resource;
    let namespace = Namespace(ask.namespace.as_deref().unwrap_or_default().into());
    let name = ask.name.as_deref().ok_or_else(|| Failure::no_such_path(""))?;
    Ok(Key::new(kind, &namespace, name))
}
