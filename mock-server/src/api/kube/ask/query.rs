//! The parameters of a query. As a real API server does, the first of several with one name counts, those that mean
//! nothing where they stand are not looked at, and what cannot be decoded is as if it were not there.

use std::borrow::Cow;
use std::collections::BTreeMap;

use http::Method;
use http::request::Parts;

use super::{Query, Sub};
use crate::api::kube::body;
use crate::api::kube::failure::{Cause, Failure};

/// The parameters of a request for an object of that name, or for a list.
pub(super) fn parse(parts: &Parts, name: Option<&str>, sub: Option<Sub>) -> Result<Query, Failure> {
    let given = Given::of(parts.uri.query().unwrap_or_default());
    let mut query = Query {
        label_selector: given.text("labelSelector"),
        field_selector: given.text("fieldSelector"),
        resource_version: given.text("resourceVersion"),
        resource_version_match: given.text("resourceVersionMatch"),
        include_object: given.text("includeObject"),
        ..Query::default()
    };
    match (&parts.method, name, sub) {
        (&Method::GET, Some(name), Some(Sub::Log)) => log(&given, name, &mut query)?,
        (&Method::GET, None, None) => list(&given, &mut query)?,
        (&Method::GET, _, _) => {}
        _ => {
            query.grace_period_seconds = given.integer("gracePeriodSeconds")?;
            query.propagation_policy = given.get("propagationPolicy").map(String::from);
            if given.get("dryRun").is_some_and(|all| !all.is_empty()) {
                return Err(body::dry_run());
            }
        }
    }
    Ok(query)
}

fn list(given: &Given<'_>, query: &mut Query) -> Result<(), Failure> {
    query.watch = given.flag("watch");
    query.allow_watch_bookmarks = given.flag("allowWatchBookmarks");
    query.send_initial_events = given.flag("sendInitialEvents");
    query.continue_ = given.get("continue").filter(|token| !token.is_empty()).map(String::from);
    // No limit, as below 0.
    query.limit =
        given.integer("limit")?.and_then(|limit| u64::try_from(limit).ok()).filter(|limit| *limit > 0);
    // Without end; below 0, over at once.
    let timeout = given.integer("timeoutSeconds")?.filter(|seconds| *seconds != 0);
    query.timeout_seconds = timeout.map(|seconds| u64::try_from(seconds).unwrap_or(0));
    Ok(())
}

fn log(given: &Given<'_>, name: &str, query: &mut Query) -> Result<(), Failure> {
    query.container = given.get("container").filter(|name| !name.is_empty()).map(String::from);
    query.follow = given.flag("follow");
    query.timestamps = given.flag("timestamps");
    query.previous = given.flag("previous");
    let mut causes = Vec::new();
    let mut at_least = |key: &'static str, least: u64, why: &str| -> Result<Option<u64>, Failure> {
        let Some(number) = given.integer(key)? else { return Ok(None) };
        let fitting = u64::try_from(number).ok().filter(|fitting| *fitting >= least);
        if fitting.is_none() {
            causes.push(Cause::invalid(key, number, why));
        }
        Ok(fitting)
    };
    query.tail_lines = at_least("tailLines", 0, "must be greater than or equal to 0")?;
    query.limit_bytes = at_least("limitBytes", 1, "must be greater than 0")?;
    query.since_seconds = at_least("sinceSeconds", 1, "must be greater than 0")?;
    if causes.is_empty() {
        return Ok(());
    }
    Err(Failure::Invalid { group: "", kind: "PodLogOptions", name: name.into(), causes })
}

/// What was given, decoded.
struct Given<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl<'a> Given<'a> {
    fn of(query: &'a str) -> Self {
        let mut given = BTreeMap::new();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            given.entry(key).or_insert(value);
        }
        Self(given)
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(AsRef::as_ref)
    }

    fn text(&self, key: &str) -> String {
        self.get(key).unwrap_or_default().into()
    }

    /// Whatever is not said to be false is true, as for a real API server.
    fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    fn integer(&self, key: &str) -> Result<Option<i64>, Failure> {
        self.get(key).map(integer).transpose()
    }
}

fn integer(text: &str) -> Result<i64, Failure> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let why = too_large_or(error.kind(), "invalid syntax");
        Failure::BadRequest(format!("strconv.ParseInt: parsing {text:?}: {why}"))
    })
}

/// What an API server calls a number that is none.
pub(in crate::api::kube) fn too_large_or(
    error: &std::num::IntErrorKind,
    otherwise: &'static str,
) -> &'static str {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    if matches!(error, PosOverflow | NegOverflow) { "value out of range" } else { otherwise }
}
