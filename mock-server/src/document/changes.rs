//! Changes to a world that goes on, as people write them: a mapping with one key, which says what is changed.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use wildmatch::WildMatch;

use super::duration::LONGEST;
use super::effects::add;
use super::place::Mistakes;
use super::recordings;
use super::rules::{self, RULE_ID, job_pattern, rule_of};
use super::section::Section;
use super::tree::{Node, Value};
use crate::domain::ids::NodePort;
use crate::domain::quirk::{NotAQuirk, Profile, Quirk};
use crate::domain::refusal::PortHolder;
use crate::domain::view::Nfft;
use crate::sim::change::{Change, LimitsChange, Outside, PortRef};
use crate::sim::faults::RuleId;

/// Keys of which a change has exactly one. `recordings` is a state where it is a word, and else what is recorded.
pub const KEYS: [&str; 18] = [
    "fiber",
    "mongodb",
    "rabbitmq",
    "recorder",
    "recordings",
    "cluster",
    "focus_server",
    "node",
    "quirk",
    "profile",
    "limits",
    "hold_port",
    "release_port",
    "add_rule",
    "remove_rule",
    "remove_rules",
    "kill_pods",
    "delete_cleanup_jobs",
];

/// Shortest time that something can last.
const SHORTEST: Duration = Duration::from_millis(1);

/// Reads one change, and how long it lasts where it says so with `for`; `name` is how mistakes name the text.
///
/// # Errors
/// When it has mistakes.
pub fn change(text: &str, name: &str) -> Result<(Change, Option<Duration>), Mistakes> {
    let change = super::read_all("a change", text, name, change_of)?;
    Ok(change.expect("what makes no change has a mistake"))
}

/// The change of a mapping, and how long it lasts.
pub(super) fn change_of(keys: &mut Section<'_>) -> Option<(Change, Option<Duration>)> {
    let lasts = keys.duration("for", SHORTEST..=LONGEST);
    let key = keys.exactly_one("change", &KEYS)?;
    let change = match key {
        "quirk" => quirk(keys),
        "profile" => {
            keys.one_of(key, &Profile::ALL.map(|profile| (profile.name(), profile))).map(Change::Profile)
        }
        "limits" => keys.optional(key, limits).flatten().map(Change::Limits),
        "hold_port" => keys.optional(key, hold).flatten(),
        "release_port" => keys.optional(key, port).flatten().map(Change::ReleasePort),
        "add_rule" => keys.optional(key, rule_of).flatten().map(|rule| Change::AddRule(Arc::new(rule))),
        "remove_rule" => keys.parsed(key, RULE_ID, RuleId::new).map(Change::RemoveRule),
        "remove_rules" => {
            let expected = "true (to remove one of them there is remove_rule)";
            keys.one_of_values(key, expected, |value| {
                matches!(value, Value::Flag(true)).then_some(Change::RemoveRules)
            })
        }
        "kill_pods" => job_pattern(keys, key).map(Change::KillPods),
        "delete_cleanup_jobs" => job_pattern(keys, key).map(Change::DeleteCleanupJobs),
        "recordings" if matches!(keys.get(key), Some(Node { value: Value::Mapping(_), .. })) => {
            keys.optional(key, recordings::plan).map(Change::Recordings)
        }
        outside => {
            let all = Outside::all().into_iter().filter(|one| one.name() == outside);
            let states: Vec<_> = all.map(|one| (one.state(), one)).collect();
            keys.one_of(outside, &states).map(Change::Outside)
        }
    }?;
    if lasts.is_some() && !can_last(&change) {
        let text = format!("{}: {key} cannot be made for a time only", keys.name("for"));
        keys.mistake_in("for", &text);
    }
    Some((change, lasts))
}

/// Whether a change can go back by itself.
fn can_last(change: &Change) -> bool {
    match change {
        Change::Outside(_)
        | Change::Quirk(..)
        | Change::Profile(_)
        | Change::Limits(_)
        | Change::HoldPort(..)
        | Change::AddRule(_) => true,
        Change::ReleasePort(_)
        | Change::Recordings(_)
        | Change::RemoveRule(_)
        | Change::RemoveRules
        | Change::KillPods(_)
        | Change::DeleteCleanupJobs(_) => false,
    }
}

fn quirk(keys: &mut Section<'_>) -> Option<Change> {
    let node = keys.get("quirk")?;
    let name = keys.name("quirk");
    let Value::Mapping(entries) = &node.value else {
        keys.mistake(
            node,
            format!("{name} must be a quirk with true or false, such as {{metadata-race: true}}, not {node}"),
        );
        return None;
    };
    let [(key, on)] = &entries[..] else {
        keys.mistake(
            node,
            format!("{name} must be one quirk, not {}: make a change for each", entries.len()),
        );
        return None;
    };
    let quirk = match &key.value {
        Value::Text(text) => text.parse::<Quirk>(),
        _ => Err(NotAQuirk),
    };
    let quirk = quirk.map_err(|wrong| keys.mistake(key, format!("{name} {key}: {wrong}"))).ok();
    let Value::Flag(on) = on.value else {
        keys.mistake(on, format!("{name}.{key} must be true or false, not {on}"));
        return None;
    };
    quirk.map(|quirk| Change::Quirk(quirk, on))
}

fn limits(keys: &mut Section<'_>) -> Option<LimitsChange> {
    let nfft: Option<u32> =
        keys.optional_int("nfft_max_multichannel", i64::from(Nfft::MIN)..=i64::from(Nfft::MAX));
    if let Some(nfft) = nfft.filter(|nfft| !nfft.is_power_of_two()) {
        let text = format!("{} must be a power of two, not {nfft}", keys.name("nfft_max_multichannel"));
        keys.mistake_in("nfft_max_multichannel", &text);
    }
    let pool = |value: &Value| match value {
        Value::Text(text) if text == "unlimited" => Some(None),
        Value::Integer(shares @ 0..=1_000_000) => u32::try_from(*shares).ok().map(Some),
        _ => None,
    };
    let change = LimitsChange {
        max_jobs: keys.optional_int("max_jobs", 0..=50_000),
        max_channels_per_request: keys.optional_int("max_channels_per_request", 1..=1_000_000),
        nfft_max_multichannel: nfft,
        future_tolerance_s: keys.optional_int("future_tolerance_s", 0..=31_536_000),
        gpu_pool: keys.one_of_values("gpu_pool", "an integer from 0 to 1000000, or unlimited", pool),
        gpu_reject_when_full: keys.optional_flag("gpu_reject_when_full"),
    };
    if keys.names().next().is_none() {
        let text = format!("{} must have at least one of {}", keys.shown(), keys.asked().join(", "));
        keys.mistake_here(text);
    }
    Some(change)
}

fn hold(keys: &mut Section<'_>) -> Option<Change> {
    let port = port(keys);
    keys.require("by");
    let by = keys.one_of("by", &[("service", PortHolder::Service), ("process", PortHolder::Process)]);
    Some(Change::HoldPort(port?, by?))
}

fn port(keys: &mut Section<'_>) -> Option<PortRef> {
    match keys.exactly_one("port", &["slot", "port"])? {
        "slot" => keys.optional_int("slot", 1..=50_000).and_then(NonZeroU16::new).map(PortRef::Slot),
        key => keys.one_of_values(key, "a port from 1 to 65535, or next", |value| match value {
            Value::Text(text) if text == "next" => Some(PortRef::Next),
            Value::Integer(port) => u16::try_from(*port).ok().and_then(NodePort::new).map(PortRef::Number),
            _ => None,
        }),
    }
}

/// A change as it is read.
#[must_use]
pub fn render(change: &Change) -> Json {
    match change {
        Change::Outside(outside) => json!({ outside.name(): outside.state() }),
        Change::Quirk(quirk, on) => json!({ "quirk": { quirk.name(): on } }),
        Change::Profile(profile) => json!({ "profile": profile.name() }),
        Change::Limits(limits) => json!({ "limits": render_limits(limits) }),
        Change::HoldPort(port, by) => {
            let mut keys = render_port(*port);
            let by = match by {
                PortHolder::Service => "service",
                PortHolder::Process => "process",
            };
            keys.insert(String::from("by"), json!(by));
            json!({ "hold_port": keys })
        }
        Change::ReleasePort(port) => json!({ "release_port": render_port(*port) }),
        Change::Recordings(plan) => json!({ "recordings": recordings::render(plan) }),
        Change::AddRule(rule) => json!({ "add_rule": rules::render(rule) }),
        Change::RemoveRule(id) => json!({ "remove_rule": id.as_str() }),
        Change::RemoveRules => json!({ "remove_rules": true }),
        Change::KillPods(jobs) => json!({ "kill_pods": WildMatch::to_string(jobs) }),
        Change::DeleteCleanupJobs(jobs) => json!({ "delete_cleanup_jobs": WildMatch::to_string(jobs) }),
    }
}

fn render_limits(limits: &LimitsChange) -> Map<String, Json> {
    let LimitsChange {
        max_jobs,
        max_channels_per_request,
        nfft_max_multichannel,
        future_tolerance_s,
        gpu_pool,
        gpu_reject_when_full,
    } = limits;
    let mut keys = Map::new();
    add(&mut keys, "max_jobs", max_jobs.as_ref());
    add(&mut keys, "max_channels_per_request", max_channels_per_request.as_ref());
    add(&mut keys, "nfft_max_multichannel", nfft_max_multichannel.as_ref());
    add(&mut keys, "future_tolerance_s", future_tolerance_s.as_ref());
    let pool = gpu_pool.map(|pool| pool.map_or_else(|| json!("unlimited"), |shares| json!(shares)));
    add(&mut keys, "gpu_pool", pool.as_ref());
    add(&mut keys, "gpu_reject_when_full", gpu_reject_when_full.as_ref());
    keys
}

fn render_port(port: PortRef) -> Map<String, Json> {
    let (key, value) = match port {
        PortRef::Number(port) => ("port", json!(port.number())),
        PortRef::Slot(slot) => ("slot", json!(slot)),
        PortRef::Next => ("port", json!("next")),
    };
    Map::from_iter([(key.to_owned(), value)])
}
