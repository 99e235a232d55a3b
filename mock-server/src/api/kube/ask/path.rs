//! Where a path leads.

use percent_encoding::percent_decode_str;

use super::Sub;
use crate::api::kube::discovery::Document;
use crate::api::kube::failure::{Failure, NO_SCHEMAS};
use crate::api::kube::resource::{Resource, TABLE, groups};

/// A place that a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Health,
    Document(Document),
    Object { resource: &'static Resource, namespace: Option<String>, name: Option<String>, sub: Option<Sub> },
}

/// The place. As a real API server does, the path is decoded first and split then: an encoded slash is a slash, and no
/// name has one. One slash too many at the end does no harm.
pub(super) fn place(path: &str) -> Result<Place, Failure> {
    let path = percent_decode_str(path).decode_utf8_lossy();
    let path = path.strip_prefix('/').unwrap_or(&path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments: Vec<_> = path.split('/').collect();
    if segments.contains(&"") {
        return Err(Failure::no_such_path(""));
    }
    match segments[..] {
        ["healthz" | "livez" | "readyz"] => Ok(Place::Health),
        ["version"] => Ok(Place::Document(Document::Version)),
        ["api"] => Ok(Place::Document(Document::Core)),
        ["apis"] => Ok(Place::Document(Document::Groups)),
        ["openapi", ..] => Err(Failure::no_such_path(NO_SCHEMAS)),
        ["api", version, ref rest @ ..] => below("", version, rest),
        ["apis", group, ref rest @ ..] => in_group(group, rest),
        _ => Err(Failure::no_such_path("")),
    }
}

fn in_group(group: &str, rest: &[&str]) -> Result<Place, Failure> {
    let Some((group, version)) = groups().into_iter().find(|(known, _)| *known == group) else {
        let known: Vec<_> = groups().into_iter().map(|(known, _)| known).collect();
        return Err(Failure::no_such_path(&format!(
            "the group {group:?} is not simulated, but {}",
            known.join(", ")
        )));
    };
    match rest {
        [] => Ok(Place::Document(Document::Group { group, version })),
        [version, rest @ ..] => below(group, version, rest),
    }
}

/// What is behind group and version.
fn below(group: &str, version: &str, rest: &[&str]) -> Result<Place, Failure> {
    let Some(row) = TABLE.iter().find(|row| (row.group, row.version) == (group, version)) else {
        return Err(Failure::no_such_path(&format!("the version {version:?} is not simulated")));
    };
    let find = |plural: &str| {
        Resource::find(group, version, plural).ok_or_else(|| Failure::no_such_path(&unknown(group, plural)))
    };
    let core = group.is_empty();
    let (namespace, plural, rest) = match *rest {
        [] => return Ok(Place::Document(Document::Resources { group: row.group, version: row.version })),
        ["watch", ..] => {
            let why = "the old paths of watches are not simulated; lists are watched with ?watch=1";
            return Err(Failure::no_such_path(why));
        }
        // Of a namespace itself there are these parts, and no resource is called so.
        ["namespaces", _, part @ ("status" | "finalize")] if core => {
            return Err(Failure::no_such_path(&part_unknown("namespaces", part)));
        }
        ["namespaces", namespace, plural, ref rest @ ..] => (Some(namespace), plural, rest),
        [plural, ref rest @ ..] => (None, plural, rest),
    };
    let resource = find(plural)?;
    // What is in a namespace can be listed over all, but has a name only there.
    let possible =
        if namespace.is_some() { resource.namespaced } else { !resource.namespaced || rest.is_empty() };
    if !possible {
        return Err(Failure::no_such_path(""));
    }
    let (name, sub) = match *rest {
        [] => (None, None),
        [name] => (Some(name), None),
        [name, part, ..] => {
            let known = resource.parts().find(|known| known.name == part && rest.len() == 2);
            let known = known.ok_or_else(|| Failure::no_such_path(&part_unknown(plural, part)))?;
            (Some(name), Some(known.sub))
        }
    };
    Ok(Place::Object { resource, namespace: namespace.map(String::from), name: name.map(String::from), sub })
}

fn unknown(group: &str, plural: &str) -> String {
    let known: Vec<_> = TABLE.iter().filter(|row| row.group == group).map(|row| row.plural).collect();
    format!("{plural:?} is not simulated, but {}", known.join(", "))
}

fn part_unknown(plural: &str, part: &str) -> String {
    format!("{plural}/{part} is not simulated")
}
