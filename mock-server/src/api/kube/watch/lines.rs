//! Lines of a watch, and the rendered objects in them, which all watches of one form share.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::api::kube::Kube;
use crate::api::kube::ask::{Ask, Form};
use crate::api::kube::failure::Failure;
use crate::api::kube::list::includes_object;
use crate::api::kube::render::{Scene, table, write};
use crate::api::kube::resource::Resource;
use crate::sim::cluster::facts::{Record, Version};

/// How objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    Object,
    /// A row of a table; with the whole object or only what it is called.
    Row {
        whole: bool,
    },
}

impl Shape {
    pub(super) fn of(ask: &Ask) -> Result<Self, Failure> {
        Ok(match ask.form {
            Form::Object => Self::Object,
            Form::Table => Self::Row { whole: includes_object(&ask.query)? },
        })
    }

    fn render(self, record: &Record, scene: &Scene, out: &mut Vec<u8>) {
        match self {
            Self::Object => write(record, scene, out),
            Self::Row { whole } => table::write_row(record, scene, whole, out),
        }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Added,
    Modified,
    Deleted,
}

impl Type {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// Objects of the newest changes as they were rendered for one watch, for the others.
#[derive(Default)]
pub(in crate::api::kube) struct Rendered {
    kept: Mutex<Kept>,
}

/// Of which change, in which shape, and whether it is the object as it was before.
type Which = (Version, Shape, bool);

#[derive(Default)]
struct Kept {
    objects: BTreeMap<Which, Bytes>,
    bytes: usize,
}

impl Rendered {
    /// Bytes that are kept; those of the oldest changes go first.
    pub(in crate::api::kube) const MOST: usize = 1024 * 1024;

    fn get_or(&self, which: Which, render: impl FnOnce() -> Vec<u8>) -> Bytes {
        if let Some(found) = self.kept().objects.get(&which) {
            return found.clone();
        }
        // Not under the lock: two that want the same at once both make it.
        let made = Bytes::from(render());
        let mut kept = self.kept();
        kept.bytes += made.len();
        if let Some(other) = kept.objects.insert(which, made.clone()) {
            kept.bytes -= other.len();
        }
        while kept.bytes > Self::MOST
            && let Some((_, oldest)) = kept.objects.pop_first()
        {
            kept.bytes -= oldest.len();
        }
        made
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(in crate::api::kube) fn bytes(&self) -> usize {
        self.kept().bytes
    }
}

/// Writes lines.
pub(super) struct Lines {
    resource: &'static Resource,
    shape: Shape,
    /// Whether columns were told: a table has them in its first event, as of real servers.
    headed: bool,
}

#[derive(Serialize)]
struct Line<T> {
    r#type: &'static str,
    object: T,
}

/// An object of which only that is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bookmark {
    kind: &'static str,
    api_version: String,
    metadata: ObjectMeta,
}

impl Lines {
    pub(super) fn new(resource: &'static Resource, shape: Shape) -> Self {
        Self { resource, shape, headed: false }
    }

    /// An object that was there before the watch.
    pub(super) fn present(&mut self, record: &Record, scene: &Scene, out: &mut Vec<u8>) {
        let mut object = Vec::new();
        self.shape.render(record, scene, &mut object);
        self.line(Type::Added, record.version, &object, out);
    }

    /// An object after a change, or before it, but with its version.
    pub(super) fn change(
        &mut self,
        what: Type,
        (record, is_before): (&Record, bool),
        kube: &Kube,
        scene: &Scene,
        out: &mut Vec<u8>,
    ) {
        let which = (record.version, self.shape, is_before);
        let object = kube.watches.rendered.get_or(which, || {
            let mut object = Vec::new();
            self.shape.render(record, scene, &mut object);
            object
        });
        self.line(what, record.version, &object, out);
    }

    fn line(&mut self, what: Type, version: Version, object: &[u8], out: &mut Vec<u8>) {
        let _ = write!(out, r#"{{"type":"{}","object":"#, what.name());
        match self.shape {
            Shape::Object => out.extend_from_slice(object),
            Shape::Row { .. } => {
                let _ = write!(
                    out,
                    r#"{{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{{"resourceVersion":"{version}"}},"columnDefinitions":"#
                );
                let columns = if self.headed { &[][..] } else { table::columns(self.resource.kind) };
                self.headed = true;
                json(&columns, out);
                out.extend_from_slice(br#","rows":["#);
                out.extend_from_slice(object);
                out.extend_from_slice(b"]}");
            }
        }
        out.extend_from_slice(b"}\n");
    }

    /// Where the watch is; `initial` where all that was there has been told.
    pub(super) fn bookmark(&self, version: Version, initial: bool, out: &mut Vec<u8>) {
        let annotations =
            initial.then(|| BTreeMap::from([("k8s.io/initial-events-end".to_owned(), "true".to_owned())]));
        let metadata =
            ObjectMeta { annotations, resource_version: Some(version.to_string()), ..ObjectMeta::default() };
        let Resource { group, version, kind_name: kind, .. } = self.resource;
        let api_version = if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
        json(&Line { r#type: "BOOKMARK", object: Bookmark { kind, api_version, metadata } }, out);
        out.push(b'\n');
    }

    /// The last line of a watch that cannot go on.
    pub(super) fn failure(failure: &Failure, out: &mut Vec<u8>) {
        json(&Line { r#type: "ERROR", object: failure.status() }, out);
        out.push(b'\n');
    }
}

fn json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("texts and numbers are written to memory");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_has_rendered_no_other_renders_again() {
        let rendered = Rendered::default();
        let which = (Version(1), Shape::Object, false);
        assert_eq!(rendered.get_or(which, || b"a".to_vec()), "a");
        assert_eq!(rendered.get_or(which, || unreachable!("it is kept")), "a");
        assert_eq!(rendered.get_or((Version(1), Shape::Object, true), || b"b".to_vec()), "b");
    }
}
