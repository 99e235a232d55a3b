//! One request, taken apart: what of which resource, and how it shall be answered.

use bytes::Bytes;

use super::resource::Resource;

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
    pub(crate) dry_run: bool,
}

/// How objects shall be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// As JSON.
    Object,
    /// As a `Table` (`as=Table;v=v1;g=meta.k8s.io`), for `kubectl get`.
    Table,
}
