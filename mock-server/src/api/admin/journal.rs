//! The journal in pages, and the filters that pick entries of it.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as value};
use wildmatch::WildMatch;

use super::World;
use super::answer::{Answer, No, json, names};
use super::body::Asked;
use super::entry::{KINDS, entry, job, kind};
use crate::sim::Simulation;
use crate::sim::faults::AnyRoute;
use crate::sim::journal::{Entry, Happening, Reason, RequestRecord};

/// Entries of one page.
const MOST: usize = 1000;

/// What entries must be like; what is left out matches all. `*` and `?` are wild in paths, jobs and callers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    method: Option<String>,
    path: Option<String>,
    route: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    job: Option<String>,
    rule: Option<String>,
    caller: Option<String>,
    request_id: Option<String>,
}

/// A filter whose names are known to exist.
#[derive(Default)]
pub(super) struct Wanted {
    method: Option<String>,
    path: Option<WildMatch>,
    route: Option<AnyRoute>,
    status: Option<u16>,
    code: Option<String>,
    job: Option<WildMatch>,
    rule: Option<String>,
    caller: Option<WildMatch>,
    request_id: Option<String>,
}

impl Filter {
    pub(super) fn checked(self) -> Result<Wanted, No> {
        let wild = |text: Option<String>| text.map(|text| WildMatch::new(&text));
        let route = self.route.map(|name| {
            let found = AnyRoute::all().find(|route| route.name() == name);
            let there = || names(AnyRoute::all().map(AnyRoute::name));
            found.ok_or_else(|| No::wrong(format!("route: no such route: there are {}", there())))
        });
        Ok(Wanted {
            method: self.method.map(|method| method.to_uppercase()),
            path: wild(self.path),
            route: route.transpose()?,
            status: self.status,
            code: self.code,
            job: wild(self.job),
            rule: self.rule,
            caller: wild(self.caller),
            request_id: self.request_id,
        })
    }
}

impl Wanted {
    /// Whether only requests can be like that.
    fn is_of_requests(&self) -> bool {
        self.method.is_some()
            || self.path.is_some()
            || self.route.is_some()
            || self.status.is_some()
            || self.caller.is_some()
    }

    /// Whether an entry is like that.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let is = |wanted: &Option<String>, said: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| said == Some(wanted))
        };
        let fits_job = self
            .job
            .as_ref()
            .is_none_or(|wild| job(&entry.what).is_some_and(|job| wild.matches(&job.to_string())));
        if !fits_job {
            return false;
        }
        match &entry.what {
            Happening::Request(record) => self.takes_request(record),
            _ if self.is_of_requests() => false,
            Happening::Fault(hit) => {
                self.code.is_none()
                    && is(&self.rule, Some(hit.rule.as_str()))
                    && is(&self.request_id, hit.request.as_deref())
            }
            Happening::RuleAdded(rule) | Happening::RuleRemoved(rule) => {
                self.code.is_none() && self.request_id.is_none() && is(&self.rule, Some(rule.as_str()))
            }
            Happening::Refused(refusal) | Happening::RolledBack { refusal, .. } => {
                let code = crate::api::rejection::Rejection::Refused(refusal.clone()).row().code;
                self.rule.is_none() && self.request_id.is_none() && is(&self.code, Some(code))
            }
            _ => self.rule.is_none() && self.request_id.is_none() && self.code.is_none(),
        }
    }

    /// Whether a request is like that, but for its job.
    fn takes_request(&self, record: &RequestRecord) -> bool {
        let is = |wanted: &Option<String>, said: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| said == Some(wanted))
        };
        let without_query = record.path().split('?').next().unwrap_or_default();
        let address = record.caller().rsplit_once(':').map_or(record.caller(), |(address, _)| address);
        let by_rule = |id: &str| {
            record.why.iter().any(|why| match why {
                Reason::Rule(hit) => hit.rule.as_str() == id,
                Reason::Quirk(..) => false,
            })
        };
        is(&self.method, Some(record.method()))
            && self
                .path
                .as_ref()
                .is_none_or(|wild| wild.matches(record.path()) || wild.matches(without_query))
            && self.route.is_none_or(|route| record.route == route)
            && self.status.is_none_or(|status| record.status == Some(status))
            && is(&self.code, record.code)
            && self.caller.as_ref().is_none_or(|wild| wild.matches(record.caller()) || wild.matches(address))
            && is(&self.request_id, Some(record.id()))
            && self.rule.as_deref().is_none_or(by_rule)
    }

    /// Whether an entry is a request and like that.
    pub(super) fn takes_requests(&self, entry: &Entry) -> bool {
        matches!(entry.what, Happening::Request(_)) && self.takes(entry)
    }
}

/// What is asked of the journal. The filter's keys stand here again: a query has no levels.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
    kind: Option<String>,
    method: Option<String>,
    path: Option<String>,
    route: Option<String>,
    status: Option<u16>,
    code: Option<String>,
    job: Option<String>,
    rule: Option<String>,
    caller: Option<String>,
    request_id: Option<String>,
}

impl Page {
    fn filter(self) -> Filter {
        Filter {
            method: self.method,
            path: self.path,
            route: self.route,
            status: self.status,
            code: self.code,
            job: self.job,
            rule: self.rule,
            caller: self.caller,
            request_id: self.request_id,
        }
    }
}

pub(super) async fn get(State(simulation): World, Asked(page): Asked<Page>) -> Answer {
    let (after, limit) = (page.after, page.limit.unwrap_or(100));
    if !(1..=MOST).contains(&limit) {
        return Err(No::wrong(format!("limit: expected a number from 1 to {MOST}, not {limit}")));
    }
    let wanted_kind = page.kind.clone();
    if let Some(kind) = wanted_kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
        return Err(No::wrong(format!("kind: no such kind {kind:?}: there are {}", names(KINDS))));
    }
    let wanted = page.filter().checked()?;
    let takes = |entry: &Entry| {
        wanted_kind.as_deref().is_none_or(|wanted| kind(&entry.what) == wanted) && wanted.takes(entry)
    };
    json(page_of(&simulation, after, limit, takes))
}

fn page_of(simulation: &Simulation, after: u64, limit: usize, takes: impl Fn(&Entry) -> bool) -> Value {
    // What is due has happened before anybody looks; and what is written after this is of the next page.
    let written = simulation.with(|_, _| simulation.journal().written());
    let journal = simulation.journal();
    let mut found = journal.select(after, limit + 1, |entry| entry.number <= written && takes(entry));
    let more = found.len() > limit;
    found.truncate(limit);
    let next = if more { found.last().map_or(written, |last| last.number) } else { written.max(after) };
    value!({
        "entries": found.iter().map(entry).collect::<Vec<_>>(),
        "next": next,
        "more": more,
        "written": written,
        "dropped": journal.dropped(),
        "bytes": journal.bytes(),
        "limits": {
            "bytes": journal.limits().bytes,
            "entry_bytes": journal.limits().entry_bytes,
            "redacted": journal.limits().redacted,
        },
    })
}
