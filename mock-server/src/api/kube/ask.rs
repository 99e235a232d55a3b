//! One request, taken apart: what of which resource, and how it shall be answered.

mod form;
mod path;
mod query;

use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::request::Parts;

use super::discovery::Document;
use super::failure::Failure;
use super::resource::Resource;
use path::Place;
pub(in crate::api::kube) use query::too_large_or;

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    /// Whether the API server is well.
    Health,
    /// What it has; and where the client reached it.
    Discovery(Document, String),
    /// A resource.
    Resource(Box<Ask>),
}

/// A request about a resource.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: http::Method,
    pub(crate) resource: &'static Resource,
    /// `None` over all namespaces, and of what is in none.
    pub(crate) namespace: Option<String>,
    /// `None` of lists.
    pub(crate) name: Option<String>,
    pub(crate) sub: Option<Sub>,
    pub(crate) query: Query,
    pub(crate) form: Form,
    /// `content-type`, in lower case and without parameters; empty when there is none.
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
}

/// A part of an object that has a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sub {
    Log,
    Scale,
}

/// The parameters of the query that mean something; others are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) label_selector: String,
    pub(crate) field_selector: String,
    pub(crate) limit: Option<u64>,
    pub(crate) continue_: Option<String>,
    pub(crate) watch: bool,
    pub(crate) allow_watch_bookmarks: bool,
    pub(crate) send_initial_events: bool,
    pub(crate) timeout_seconds: Option<u64>,
    pub(crate) resource_version: String,
    pub(crate) resource_version_match: String,
    pub(crate) include_object: String,
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation_policy: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) tail_lines: Option<u64>,
    pub(crate) since_seconds: Option<u64>,
    pub(crate) limit_bytes: Option<u64>,
    pub(crate) follow: bool,
    pub(crate) timestamps: bool,
    pub(crate) previous: bool,
}

/// How objects shall be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// As JSON.
    Object,
    /// As a `Table` (`as=Table;v=v1;g=meta.k8s.io`), for `kubectl get`.
    Table,
}

impl Asked {
    /// Takes a request apart, as far as its head goes.
    pub(super) fn parse(parts: &Parts) -> Result<Self, Failure> {
        let place = path::place(parts.uri.path())?;
        if let Place::Object { resource, namespace, name, sub } = place {
            let ask = Ask {
                query: query::parse(parts, name.as_deref(), sub)?,
                method: parts.method.clone(),
                resource,
                namespace,
                name,
                sub,
                form: form::accepted(parts.headers.get_all(ACCEPT)),
                content_type: content_type(parts),
                body: Bytes::new(),
            };
            ask.check()?;
            return Ok(Self::Resource(Box::new(ask)));
        }
        if parts.method != Method::GET {
            return Err(Failure::MethodNotAllowed(String::new()));
        }
        Ok(match place {
            Place::Document(document) => {
                let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
                let host = host.or(parts.uri.authority().map(http::uri::Authority::as_str));
                Self::Discovery(document, host.unwrap_or_default().into())
            }
            Place::Health | Place::Object { .. } => Self::Health,
        })
    }
}

impl Ask {
    /// What discovery calls that which is to be done.
    pub(crate) fn verb(&self) -> &'static str {
        match self.method {
            Method::GET if self.name.is_some() => "get",
            Method::GET if self.query.watch => "watch",
            Method::GET => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE if self.name.is_some() => "delete",
            Method::DELETE => "deletecollection",
            _ => "",
        }
    }

    /// Whether what is sent with it is read.
    pub(super) fn has_body(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether that can be done there.
    fn check(&self) -> Result<(), Failure> {
        let Resource { plural, verbs, .. } = self.resource;
        let part = self.sub.and_then(|sub| self.resource.parts().find(|part| part.sub == sub));
        let (what, verbs) = match part {
            Some(part) => (format!("{plural}/{}", part.name), part.verbs),
            None => (String::from(*plural), *verbs),
        };
        let verb = self.verb();
        // Objects are created in the collection of one namespace, and changed or deleted one at a time.
        let misplaced = match verb {
            "create" => self.name.is_some() || (self.resource.namespaced && self.namespace.is_none()),
            "update" | "patch" => self.name.is_none(),
            _ => false,
        };
        if verbs.contains(&verb) && !misplaced {
            return Ok(());
        }
        let what = if verb.is_empty() { what } else { format!("{verb} of {what}") };
        Err(Failure::MethodNotAllowed(format!("{what} is not simulated here, but {}", verbs.join(", "))))
    }
}

/// Without parameters, in lower case.
fn content_type(parts: &Parts) -> String {
    let text = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
