//! Lists, whole or in pages, as objects or as a table.
//!
//! A page is of the version at which the first one was taken, whatever has changed since. What was asked for is found
//! before anything is rendered.
//!
//! **Chosen**: a page tells how many items remain also under a selector, where a real API server leaves that out.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ListMeta;
use serde::{Deserialize, Serialize};

use super::ask::{Ask, Form, Query};
use super::failure::{Cause, Failure};
use super::render::{self, Scene};
use super::resource::Resource;
use super::selectors::Selector;
use super::{Kube, answer};
use crate::sim::cluster::facts::{Record, Version};
use crate::sim::cluster::store::{Expired, Listing};

/// Answers with the objects that a selector means.
pub(super) fn list(kube: &Kube, ask: &Ask, selector: &Selector) -> Result<Response, Failure> {
    let (mut listing, after) = take(kube, ask)?;
    let is_left = |record: &Record| {
        let at = (&*record.key.namespace.0, &*record.key.name);
        after.as_ref().is_none_or(|token| at > (&*token.namespace, &*token.name))
    };
    listing.records.retain(|record| is_left(record) && selector.matches(record));
    let meta = cut(&mut listing, ask);
    let scene = kube.scene();
    let mut out = Vec::with_capacity(1024 + 4096 * listing.records.len());
    match ask.form {
        Form::Object => write_list(ask.resource, &meta, &listing.records, &scene, &mut out),
        Form::Table => write_table(ask, &meta, &listing.records, &scene, &mut out)?,
    }
    Ok(answer::written(out))
}

/// The version that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The newest one, whichever that is.
    Newest,
    /// The newest one, if it is not before this.
    Since(Version),
    /// This one.
    At(Version),
}

impl Wanted {
    /// Of a list.
    fn of_list(query: &Query) -> Result<Self, Failure> {
        let Query { resource_version, resource_version_match, .. } = query;
        let paged = query.continue_.is_some();
        let one = Self::of_one(query)?;
        let wrong = |cause| Failure::Invalid {
            group: "meta.k8s.io",
            kind: "ListOptions",
            name: String::new(),
            causes: vec![cause],
        };
        let forbidden = |why: &str| Err(wrong(Cause::forbidden("resourceVersionMatch", why)));
        match resource_version_match.as_str() {
            "" => {}
            _ if paged => {
                return forbidden("resourceVersionMatch is forbidden when continue is provided");
            }
            _ if resource_version.is_empty() => {
                return forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided");
            }
            "Exact" if resource_version == "0" => {
                return forbidden(r#"resourceVersionMatch "exact" is forbidden for resourceVersion "0""#);
            }
            "Exact" | "NotOlderThan" => {}
            other => {
                return Err(wrong(Cause::unsupported(
                    "resourceVersionMatch",
                    other,
                    &["Exact", "NotOlderThan", ""],
                )));
            }
        }
        match one {
            Self::Since(_) if paged => Err(Failure::BadRequest(
                "specifying resource version is not allowed when using continue".into(),
            )),
            // Pages without a word on how to match are of the very version, as they were before there was that word.
            Self::Since(version) => match resource_version_match.as_str() {
                "Exact" => Ok(Self::At(version)),
                "" if query.limit.is_some() => Ok(Self::At(version)),
                _ => Ok(Self::Since(version)),
            },
            other => Ok(other),
        }
    }

    /// Of one object.
    pub(super) fn of_one(query: &Query) -> Result<Self, Failure> {
        match version(&query.resource_version)? {
            None | Some(Version(0)) => Ok(Self::Newest),
            Some(version) => Ok(Self::Since(version)),
        }
    }
}

/// A version as a client writes it; nothing if it writes none.
///
/// **Chosen**: 400 for what is no number, where some releases of real API servers answer 500.
pub(in crate::api::kube) fn version(text: &str) -> Result<Option<Version>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    // A version has no sign, though Rust reads one; the sign alone is no number.
    let number = if text.starts_with('+') { "+".parse() } else { text.parse() };
    number.map(|number| Some(Version(number))).map_err(|error| {
        let why = super::ask::too_large_or(error.kind(), "invalid syntax");
        Failure::BadRequest(format!(
            "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: {why}"
        ))
    })
}

/// Refuses a version that is not there yet.
pub(in crate::api::kube) fn not_in_future(asked: Version, newest: Version) -> Result<(), Failure> {
    if asked <= newest {
        return Ok(());
    }
    Err(Failure::VersionTooLarge { asked: asked.0, newest: newest.0 })
}

/// A place in a list: what a client sends to get the next page.
#[derive(Serialize, Deserialize)]
struct Token {
    /// The version of the list.
    version: u64,
    /// The list: resource, and namespace or nothing.
    of: String,
    /// Where the last page ended.
    namespace: String,
    name: String,
}

impl Token {
    fn list(ask: &Ask) -> String {
        let Resource { group, plural, .. } = ask.resource;
        format!("{group}/{plural}/{}", ask.namespace.as_deref().unwrap_or_default())
    }

    fn write(&self) -> String {
        let mut json = Vec::new();
        answer::append(self, &mut json);
        URL_SAFE_NO_PAD.encode(json)
    }

    /// The token, if it was given out for this list.
    ///
    /// **Chosen**: what is no token of ours cannot be told from one of another server, so both are as expired.
    fn read(text: &str, ask: &Ask, newest: Version) -> Result<Self, Failure> {
        let json = URL_SAFE_NO_PAD.decode(text).ok();
        let token = json.and_then(|json| serde_json::from_slice::<Self>(&json).ok());
        let token = token.filter(|token| token.of == Self::list(ask) && token.version <= newest.0);
        token.ok_or_else(|| {
            let why = "The provided continue parameter is not from this list. You must start a new list without the \
                       continue parameter.";
            Failure::Expired(why.into())
        })
    }
}

/// The objects at the version that is asked for, and where the last page ended.
fn take(kube: &Kube, ask: &Ask) -> Result<(Listing, Option<Token>), Failure> {
    let (kind, namespace) = (ask.resource.kind, ask.namespace.as_deref());
    let (simulation, store) = (&kube.simulation, kube.simulation.store());
    let wanted = Wanted::of_list(&ask.query)?;
    if let Some(token) = &ask.query.continue_ {
        let token = Token::read(token, ask, store.version())?;
        let listing = store.list_at(kind, namespace, Version(token.version)).map_err(|Expired { .. }| {
            let why = "The provided continue parameter is too old to display a consistent list result. You must \
                       start a new list without the continue parameter.";
            Failure::Expired(why.into())
        })?;
        return Ok((listing, Some(token)));
    }
    let listing = match wanted {
        Wanted::Newest => simulation.objects(kind, namespace),
        Wanted::Since(version) => {
            let listing = simulation.objects(kind, namespace);
            not_in_future(version, listing.version)?;
            listing
        }
        Wanted::At(version) => {
            not_in_future(version, store.version())?;
            store.list_at(kind, namespace, version).map_err(|Expired { .. }| {
                Failure::Expired("The resourceVersion for the provided list is too old.".into())
            })?
        }
    };
    Ok((listing, None))
}

/// Leaves as much as a page may have.
fn cut(listing: &mut Listing, ask: &Ask) -> ListMeta {
    let mut meta = meta(listing.version);
    let most = ask.query.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    if listing.records.len() > most {
        let rest = listing.records.split_off(most);
        let last = listing.records.last().expect("a limit is above 0");
        let token = Token {
            version: listing.version.0,
            of: Token::list(ask),
            namespace: String::from(&*last.key.namespace.0),
            name: String::from(&*last.key.name),
        };
        meta.continue_ = Some(token.write());
        meta.remaining_item_count = i64::try_from(rest.len()).ok();
    }
    meta
}

/// What a list or table of a version says of itself.
pub(super) fn meta(version: Version) -> ListMeta {
    ListMeta { resource_version: Some(version.to_string()), ..ListMeta::default() }
}

fn write_list(
    resource: &Resource,
    meta: &ListMeta,
    records: &[Arc<Record>],
    scene: &Scene,
    out: &mut Vec<u8>,
) {
    let kind = format!("{}List", resource.kind_name);
    head(&kind, &resource.api_version(), meta, out);
    out.extend_from_slice(br#","items":["#);
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        render::write(record, scene, out);
    }
    out.extend_from_slice(b"]}");
}

/// Writes objects as a table, for `kubectl get`.
pub(super) fn write_table(
    ask: &Ask,
    meta: &ListMeta,
    records: &[Arc<Record>],
    scene: &Scene,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    let whole = includes_object(&ask.query)?;
    head("Table", "meta.k8s.io/v1", meta, out);
    out.extend_from_slice(br#","columnDefinitions":"#);
    answer::append(&render::table::columns(ask.resource.kind), out);
    out.extend_from_slice(br#","rows":["#);
    for (at, record) in records.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        render::table::write_row(record, scene, whole, out);
    }
    out.extend_from_slice(b"]}");
    Ok(())
}

/// Whether the rows of a table carry whole objects.
///
/// **Chosen**: with `None` they carry what they carry with `Metadata`.
pub(in crate::api::kube) fn includes_object(query: &Query) -> Result<bool, Failure> {
    match query.include_object.as_str() {
        "Object" => Ok(true),
        "" | "Metadata" | "None" => Ok(false),
        other => Err(Failure::BadRequest(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', \
             'Object', 'None', or empty"
        ))),
    }
}

/// The start of a list, up to the brace that is not closed yet.
fn head(kind: &str, api_version: &str, meta: &ListMeta, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Head<'a> {
        kind: &'a str,
        api_version: &'a str,
        metadata: &'a ListMeta,
    }
    answer::append(&Head { kind, api_version, metadata: meta }, out);
    let brace = out.pop();
    debug_assert_eq!(brace, Some(b'}'), "a struct ends with a brace");
}
