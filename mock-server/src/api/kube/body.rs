//! Bodies of requests, read into the types of the API, and what is wrong with them.

use serde::de::DeserializeOwned;

use super::ask::Ask;
use super::failure::{Cause, Failure};
use super::protobuf::{self, FromProtobuf, PROTOBUF};

/// What bodies of whole objects can be.
const JSON: &str = "application/json";

/// The body as an object of the API, of that kind, in JSON or protobuf.
pub(super) fn object<T: DeserializeOwned + FromProtobuf>(ask: &Ask, kind: &str) -> Result<T, Failure> {
    match ask.content_type.as_str() {
        "" | JSON => serde_json::from_slice(&ask.body).map_err(|error| not_understood(ask, &error)),
        PROTOBUF => protobuf::object(&ask.body, kind)
            .map_err(|why| Failure::BadRequest(format!("the body cannot be read as a {kind}: {why}"))),
        other => Err(Failure::UnsupportedMediaType {
            asked: other.to_owned(),
            read: "application/json, application/vnd.kubernetes.protobuf",
        }),
    }
}

pub(super) fn only_json(ask: &Ask) -> Result<(), Failure> {
    match ask.content_type.as_str() {
        "" | JSON => Ok(()),
        other => Err(Failure::UnsupportedMediaType { asked: other.to_owned(), read: JSON }),
    }
}

pub(super) fn not_understood(ask: &Ask, error: &serde_json::Error) -> Failure {
    let kind = ask.resource.kind_name;
    Failure::BadRequest(format!("the body cannot be read as a {kind}, or as what is asked of one: {error}"))
}

/// What is wrong with an object of the asked-for kind.
pub(super) fn invalid(ask: &Ask, causes: Vec<Cause>) -> Failure {
    let (group, kind) = (ask.resource.group, ask.resource.kind_name);
    Failure::Invalid { group, kind, name: ask.name.clone().unwrap_or_default(), causes }
}

/// Nothing is done that the answer would then deny.
pub(super) fn dry_run() -> Failure {
    let why = "dryRun is not simulated: without it, the request would be carried out";
    Failure::BadRequest(why.into())
}

/// `name` and `namespace` of an object in a body must be those of the path, where they are given.
pub(super) fn names_fit(ask: &Ask, name: Option<&str>, namespace: Option<&str>) -> Result<(), Failure> {
    let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    if let (Some(name), Some(asked)) = (given(name), ask.name.as_deref())
        && name != asked
    {
        return Err(Failure::BadRequest(format!(
            "the name of the object ({name}) does not match the name on the URL ({asked})"
        )));
    }
    if given(namespace).is_some_and(|namespace| Some(namespace) != ask.namespace) {
        let text = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Failure::BadRequest(text.into()));
    }
    Ok(())
}

impl Cause {
    pub(super) fn required(field: impl Into<String>, why: &str) -> Self {
        let message = if why.is_empty() { "Required value".into() } else { format!("Required value: {why}") };
        Self { field: field.into(), reason: "FieldValueRequired", message }
    }

    pub(super) fn duplicate(field: impl Into<String>, value: impl std::fmt::Display) -> Self {
        let message = format!("Duplicate value: {value}");
        Self { field: field.into(), reason: "FieldValueDuplicate", message }
    }
}
