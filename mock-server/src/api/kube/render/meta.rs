//! What objects of every kind have: metadata, and references to other objects.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::known::labels;
use super::object::type_of;
use super::time::time;
use crate::sim::cluster::facts::{Owner, Record, Uid};

/// The metadata of an object; labels are always an object, be it an empty one.
pub(super) fn meta(record: &Record) -> ObjectMeta {
    // As in a real cluster, the time at which it will be gone, not the one at which that was asked for.
    let deletion_timestamp = record.deleting.map(|deleting| time(deleting.since.after(deleting.grace)));
    let grace = record.deleting.map(|deleting| deleting.grace.as_secs());
    ObjectMeta {
        name: Some(record.key.name.to_string()),
        namespace: namespace(&record.key.namespace.0),
        uid: Some(uid(record.uid)),
        resource_version: Some(record.version.to_string()),
        creation_timestamp: Some(time(record.created)),
        deletion_timestamp,
        deletion_grace_period_seconds: grace.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
        labels: Some(own(labels(record))),
        ..ObjectMeta::default()
    }
}

/// Texts of their own, in order of the keys.
pub(super) fn own<K: Into<String>, V: Into<String>>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect()
}

/// The reference of an object to the one that it belongs to.
pub(super) fn owned_by(owner: &Owner) -> OwnerReference {
    let (api_version, kind) = type_of(owner.key.kind);
    OwnerReference {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: owner.key.name.to_string(),
        uid: uid(owner.uid),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// A reference to an object.
pub(super) fn reference(object: &Owner) -> ObjectReference {
    let (api_version, kind) = type_of(object.key.kind);
    ObjectReference {
        api_version: Some(api_version.to_owned()),
        kind: Some(kind.to_owned()),
        namespace: namespace(&object.key.namespace.0),
        name: Some(object.key.name.to_string()),
        uid: Some(uid(object.uid)),
        ..ObjectReference::default()
    }
}

fn namespace(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

/// A uid as a UUID of version 4: clients take it for one.
pub(in crate::api::kube) fn uid(uid: Uid) -> String {
    const VERSION: u128 = 0xf << 76;
    const VARIANT: u128 = 0x3 << 62;
    let bits = (uid.0 & !VERSION & !VARIANT) | (0x4 << 76) | (0x2 << 62);
    let mut text = String::with_capacity(36);
    for (place, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.extend([byte >> 4, byte & 0xf].map(|half| char::from(b"0123456789abcdef"[usize::from(half)])));
    }
    text
}
