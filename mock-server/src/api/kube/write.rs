//! What changes the cluster: deleting, creating, scaling, patching.
//!
//! Bodies are read into `k8s-openapi`'s types; of them, only what is simulated is taken.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, WARNING};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    DeleteOptions, ObjectMeta, Preconditions, Status, StatusDetails,
};
use serde::{Deserialize, Serialize};

use super::ask::{Ask, Sub};
use super::body;
use super::failure::{Cause, Failure};
use super::get::key;
use super::render;
use super::{Kube, patch, scale, service, warning, workload};
use crate::api::status;
use crate::sim::cluster::edit::{Edit, EditRefused, MOST_PLANTED, MOST_REPLICAS};
use crate::sim::cluster::facts::{Key, Kind, Namespace, Planted, Record};

/// How often a patch is tried, as by a real server.
const TRIES: u32 = 5;

const POLICIES: [&str; 4] = ["Foreground", "Background", "Orphan", "nil"];

/// The object of the path, if it is there.
pub(super) fn found(kube: &Kube, ask: &Ask) -> Result<Arc<Record>, Failure> {
    let key = key(ask)?;
    kube.simulation.object(&key).ok_or_else(|| Failure::not_found(ask.resource, &key.name))
}

/// What an object is called, as it is shown.
pub(super) fn metadata(kube: &Kube, record: &Record) -> ObjectMeta {
    #[derive(Deserialize)]
    struct Named {
        metadata: ObjectMeta,
    }
    let shown = serde_json::from_value(render::value(record, &kube.scene()));
    shown.map(|Named { metadata }| metadata).expect("what is rendered through a type is read back through it")
}

/// Does it, or tells why not as the cluster would.
pub(super) fn edit(kube: &Kube, ask: &Ask, edit: &Edit) -> Result<Arc<Record>, Failure> {
    kube.simulation.edit(edit).map_err(|refused| failure(ask, edit, refused))
}

pub(super) fn failure(ask: &Ask, edit: &Edit, refused: EditRefused) -> Failure {
    let (group, resource) = (ask.resource.group, ask.resource.plural);
    let text = refused.to_string();
    let named = |key: &Key| key.name.to_string();
    let wrong = |name: String, cause: Cause| Failure::Invalid {
        group,
        kind: ask.resource.kind_name,
        name,
        causes: vec![cause],
    };
    match refused {
        EditRefused::NotFound(key) => Failure::not_found(ask.resource, &key.name),
        EditRefused::AlreadyExists(key) => Failure::AlreadyExists { group, resource, name: named(&key) },
        EditRefused::Conflict(key) => Failure::Conflict { group, resource, name: named(&key) },
        EditRefused::PortAllocated { key, port } => {
            let ports = match edit {
                Edit::CreateService { service, .. } => service.ports.as_slice(),
                Edit::Delete { .. } | Edit::Workload { .. } | Edit::Node { .. } => &[],
            };
            let index = ports.iter().position(|one| one.node_port == Some(port)).unwrap_or_default();
            wrong(named(&key), Cause::invalid(format!("spec.ports[{index}].nodePort"), port, &text))
        }
        EditRefused::TooManyReplicas(replicas) => {
            let name = ask.name.clone().unwrap_or_default();
            let why = format!("must be less than or equal to {MOST_REPLICAS}");
            wrong(name, Cause::invalid("spec.replicas", replicas, &why))
        }
        EditRefused::TooManyServices => {
            let why = format!("{MOST_PLANTED} Services were created, as many as there can be: delete one");
            wrong(ask.name.clone().unwrap_or_default(), Cause::forbidden("metadata.name", &why))
        }
        EditRefused::AlwaysThere(_) => Failure::MethodNotAllowed(text),
    }
}

/// An object as an answer.
pub(super) fn object(kube: &Kube, record: &Record) -> Response {
    let mut body = Vec::new();
    render::write(record, &kube.scene(), &mut body);
    json(body)
}

/// Something else of the API as an answer.
pub(super) fn other(object: &impl Serialize) -> Response {
    json(serde_json::to_vec(object).expect("texts and numbers are written to memory"))
}

fn json(body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// DELETE of a pod, Job or Service.
pub(in crate::api::kube) async fn delete(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let (wanted, preconditions) = deletion(ask)?;
    if let Some(preconditions) = preconditions {
        hold(kube, ask, &preconditions)?;
    }
    let record = edit(kube, ask, &wanted)?;
    Ok(deleted(kube, ask, &record))
}

/// What a DELETE asks for.
pub(super) fn deletion(ask: &Ask) -> Result<(Edit, Option<Preconditions>), Failure> {
    if !matches!(ask.resource.kind, Kind::Pod | Kind::Job | Kind::Service) {
        return Err(Failure::MethodNotAllowed(format!("deleting {} is not simulated", ask.resource.plural)));
    }
    let options: DeleteOptions =
        if ask.body.is_empty() { DeleteOptions::default() } else { body::object(ask, "DeleteOptions")? };
    if options.kind.as_deref().is_some_and(|kind| kind != "DeleteOptions") {
        return Err(Failure::BadRequest("the body of a DELETE is DeleteOptions, or nothing".into()));
    }
    if options.dry_run.is_some_and(|stages| !stages.is_empty()) {
        return Err(body::dry_run());
    }
    let policy = options.propagation_policy.or_else(|| ask.query.propagation_policy.clone());
    let wrong = match policy.as_deref() {
        Some(_) if options.orphan_dependents.is_some() => Some(Cause::invalid(
            "propagationPolicy",
            format!("{:?}", policy.as_deref().unwrap_or_default()),
            "orphanDependents and deletionPropagation cannot be both set",
        )),
        Some(policy) if !POLICIES[..3].contains(&policy) => {
            Some(Cause::unsupported("propagationPolicy", policy, &POLICIES))
        }
        Some(_) | None => None,
    };
    if let Some(cause) = wrong {
        let (group, kind) = ("meta.k8s.io", "DeleteOptions");
        return Err(Failure::Invalid { group, kind, name: String::new(), causes: vec![cause] });
    }
    let grace = options.grace_period_seconds.or(ask.query.grace_period_seconds);
    // Less than nothing is taken for the shortest time there is, as by a real server.
    let grace = grace.map(|seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(1)));
    Ok((Edit::Delete { key: key(ask)?, grace }, options.preconditions))
}

/// An object that is to be deleted must be the one that was meant.
fn hold(kube: &Kube, ask: &Ask, preconditions: &Preconditions) -> Result<(), Failure> {
    let record = found(kube, ask)?;
    let is = metadata(kube, &record);
    let differs = |wanted: &Option<String>, is: &Option<String>| wanted.is_some() && wanted != is;
    if differs(&preconditions.uid, &is.uid) || differs(&preconditions.resource_version, &is.resource_version)
    {
        let (group, resource) = (ask.resource.group, ask.resource.plural);
        return Err(Failure::Conflict { group, resource, name: record.key.name.to_string() });
    }
    Ok(())
}

/// The answer: the object as it was left; of a Job, that it is done.
pub(super) fn deleted(kube: &Kube, ask: &Ask, record: &Record) -> Response {
    if record.key.kind != Kind::Job {
        return object(kube, record);
    }
    let details = StatusDetails {
        name: Some(record.key.name.to_string()),
        group: Some(ask.resource.group.into()),
        kind: Some(ask.resource.plural.into()),
        uid: metadata(kube, record).uid,
        ..StatusDetails::default()
    };
    other(&Status { status: Some("Success".into()), details: Some(details), ..Status::default() })
}

/// POST of a Service.
pub(in crate::api::kube) async fn create_service(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let wanted = creation(ask)?;
    let namespace = Namespace(ask.namespace.as_deref().unwrap_or_default().into());
    let home = Key::new(Kind::Namespace, &Namespace("".into()), Arc::clone(&namespace.0));
    if kube.simulation.object(&home).is_none() {
        let name = namespace.0.to_string();
        return Err(Failure::NotFound { group: "", resource: "namespaces", name });
    }
    let record = edit(kube, ask, &wanted)?;
    Ok(created(kube, &record))
}

/// What a POST asks for.
pub(super) fn creation(ask: &Ask) -> Result<Edit, Failure> {
    let service: Service = body::object(ask, ask.resource.kind_name)?;
    body::names_fit(ask, None, service.metadata.namespace.as_deref())?;
    let name = service.metadata.name.clone().unwrap_or_default();
    let planted: Planted = service::planted(service).map_err(|causes| {
        let (group, kind) = (ask.resource.group, ask.resource.kind_name);
        Failure::Invalid { group, kind, name: name.clone(), causes }
    })?;
    let namespace = Namespace(ask.namespace.as_deref().unwrap_or_default().into());
    let key = Key::new(Kind::Service, &namespace, name);
    Ok(Edit::CreateService { key, service: Arc::new(planted) })
}

pub(super) fn created(kube: &Kube, record: &Record) -> Response {
    let mut response = object(kube, record);
    *response.status_mut() = status::OBJECT_CREATED;
    response
}

/// PATCH of a workload, of its scale, or of a node.
pub(in crate::api::kube) async fn patch(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    // What is read and what is written must be one version; another writer in between means to begin again.
    for _ in 1..TRIES {
        match try_patch(kube, ask) {
            Err(Failure::Conflict { .. }) => {}
            done => return done,
        }
    }
    try_patch(kube, ask)
}

fn try_patch(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let record = found(kube, ask)?;
    let (scene, is_scale) = (kube.scene(), ask.sub == Some(Sub::Scale));
    let mut ignored = Vec::new();
    let wanted = if is_scale {
        scale::patched(ask, &record, &scale::of(ask, &record, &scene)?)?
    } else {
        let before = render::value(&record, &scene);
        let wanted = workload::patched(ask, &record, before.clone())?;
        ignored = warning::ignored(&before, &patch::applied(ask, before.clone())?);
        wanted
    };
    let record = match wanted {
        Some(wanted) => edit(kube, ask, &wanted)?,
        None => record,
    };
    if is_scale {
        return Ok(other(&scale::of(ask, &record, &scene)?));
    }
    let mut response = object(kube, &record);
    if !ignored.is_empty() {
        let text = format!("not simulated, so nothing has changed there: {}", ignored.join(", "));
        response.headers_mut().insert(WARNING, warning::of(&text));
    }
    Ok(response)
}

/// GET of a scale.
pub(in crate::api::kube) async fn scale(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    let record = found(kube, ask)?;
    Ok(other(&scale::of(ask, &record, &kube.scene())?))
}

/// PUT of a scale; of nothing else.
pub(in crate::api::kube) async fn put(kube: &Kube, ask: &Ask) -> Result<Response, Failure> {
    if ask.sub != Some(Sub::Scale) {
        return Err(Failure::MethodNotAllowed(format!(
            "replacing {} is not simulated: use PATCH, or PUT of a scale",
            ask.resource.plural
        )));
    }
    let record = found(kube, ask)?;
    let record = edit(kube, ask, &scale::replaced(ask, &record)?)?;
    Ok(other(&scale::of(ask, &record, &kube.scene())?))
}
