//! A request as rules see it.

use std::borrow::Cow;
use std::sync::OnceLock;

use http::HeaderMap;

use super::ask::Asked;
use super::configure;
use crate::domain::check::{Given, ViewNumber};
use crate::domain::ids::JobId;
use crate::sim::faults::{Route, Subject};
use crate::sim::journal::{FaultHit, Reason};
use crate::sim::seed::Seed;

/// What is found out about a request when it is first wanted.
#[derive(Default)]
pub(super) struct Facts {
    job: OnceLock<JobId>,
    view: OnceLock<Option<u8>>,
}

impl Facts {
    pub(super) fn made(&self, job: JobId) {
        // A request makes one job.
        let _ = self.job.set(job);
    }

    /// The job that it made or that its path names.
    pub(super) fn job(&self, asked: &Asked) -> Option<JobId> {
        if let Some(job) = self.job.get() {
            return Some(*job);
        }
        if !matches!(asked.route, Route::Metadata | Route::Cancel) {
            return None;
        }
        let named = asked.segment(0)?.parse().ok()?;
        Some(*self.job.get_or_init(|| named))
    }

    fn view(&self, asked: &Asked) -> Option<u8> {
        *self.view.get_or_init(|| {
            let body = (asked.route == Route::Configure).then(|| asked.json_object().ok())??;
            match configure::view(body.get("view_type")) {
                Given::Value(ViewNumber::MultiChannel) => Some(0),
                Given::Value(ViewNumber::SingleChannel) => Some(1),
                Given::Value(ViewNumber::Waterfall) => Some(2),
                Given::Absent | Given::Malformed => None,
            }
        })
    }
}

/// A header as rules see it, by its name in lower case.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // Among few, looking at all is faster than a hash.
    let value = if headers.len() <= 8 {
        headers.iter().find(|(other, _)| other.as_str() == name).map(|(_, value)| value)
    } else {
        headers.get(name)
    };
    value?.to_str().ok()
}

impl Subject for Asked {
    /// The id that the client gave, else who asks for what: requests that cannot be told apart share their draws, and
    /// each further one is the next occurrence.
    fn resource(&self) -> String {
        if let Some(id) = self.id.sent() {
            return id.to_owned();
        }
        let body = self.body();
        // The draws of a seed are spread by the seed; this is only to tell one body from another.
        let digest = Seed(0).digest(&body);
        let (caller, parts) = (self.ends.peer.ip(), &self.parts);
        let path = parts.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
        format!("{caller} {} {path} {digest:016x}", parts.method)
    }

    fn method(&self) -> Option<&str> {
        Some(self.parts.method.as_str())
    }

    fn header(&self, name: &str) -> Option<&str> {
        header(&self.parts.headers, name)
    }

    fn header_names(&self, tell: &mut dyn FnMut(&str)) -> bool {
        self.parts.headers.keys().for_each(|name| tell(name.as_str()));
        true
    }

    fn caller(&self) -> Option<Cow<'_, str>> {
        Some(self.ends.address.as_str().into())
    }

    fn job(&self) -> Option<JobId> {
        self.facts.job(self)
    }

    fn view(&self) -> Option<u8> {
        self.facts.view(self)
    }

    fn request(&self) -> Option<&str> {
        Some(self.id.as_str())
    }

    fn was_hit(&self, hit: &FaultHit) {
        self.because(Reason::Rule(hit.clone()));
    }
}
