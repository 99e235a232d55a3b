//! Any rule and any change that makes sense.

use std::num::{NonZeroU16, NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use focus_mock::document::rules::METHODS;
use focus_mock::domain::ids::NodePort;
use focus_mock::domain::quirk::{Profile, Quirk};
use focus_mock::domain::refusal::{ContractError, PortHolder};
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::change::{Change, LimitsChange, Outside, PortRef};
use focus_mock::sim::faults::{
    AnyRoute, At, Clocked, Corruption, Delay, Effect, Frames, GrpcCode, Match, Probability, Rule, RuleId,
    Schedule, StatusDetails,
};
use focus_mock::sim::setup::{RecordingPlan, When};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use wildmatch::WildMatch;

const MONTH: u64 = 31 * 86_400;
const HOUR: u64 = 3600;

fn duration(seconds: u64) -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..seconds).prop_map(Duration::from_secs),
        (0..seconds, 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos)),
        Just(Duration::from_secs(seconds)),
    ]
}

fn some_time(seconds: u64) -> impl Strategy<Value = Duration> {
    duration(seconds).prop_map(|duration| duration.max(Duration::from_millis(1)))
}

fn wild(pattern: &'static str) -> impl Strategy<Value = WildMatch> {
    pattern.prop_map(|text| WildMatch::new(&text))
}

fn delay() -> BoxedStrategy<Delay> {
    let two = || (duration(HOUR), duration(HOUR));
    prop_oneof![
        duration(HOUR).prop_map(Delay::Fixed),
        two().prop_map(|(a, b)| Delay::Uniform { least: a.min(b), most: a.max(b) }),
        two().prop_map(|(mean, deviation)| Delay::Normal { mean, deviation }),
        (some_time(HOUR), 1e-9..=10.0_f64).prop_map(|(median, sigma)| Delay::LogNormal { median, sigma }),
        vec((0.000_001..100.0_f64, duration(HOUR)), 0..5).prop_map(percentiles),
    ]
    .boxed()
}

fn percentiles(inner: Vec<(f64, Duration)>) -> Delay {
    let (mut at, mut times): (Vec<_>, Vec<_>) = inner.into_iter().unzip();
    at.sort_by(f64::total_cmp);
    at.dedup();
    times.truncate(at.len());
    times.sort();
    let mut points = vec![(0.0, Duration::ZERO)];
    points.extend(at.into_iter().zip(times));
    points.push((100.0, Duration::from_secs(HOUR)));
    Delay::Percentiles(points)
}

/// Any text, those that YAML takes for something else included.
fn text(longest: usize) -> impl Strategy<Value = String> {
    let odd =
        select(vec!["", "null", "true", "- a", "a: b", "#a", "12", "\n", "a\tb\r\n", "\"'", "\u{2028}"]);
    prop_oneof![odd.prop_map(str::to_owned), vec(any::<char>(), 0..20).prop_map(String::from_iter)]
        .prop_map(move |text: String| text.chars().filter(|one| *one != '\0').collect::<String>())
        .prop_filter("short", move |text| text.len() <= longest)
}

fn effect(name: &'static str) -> BoxedStrategy<Effect> {
    let kind = "[a-z]{1,8}/[a-z0-9+.-]{1,8}(; charset=[a-z0-9-]{1,8})?";
    match name {
        "fail" => Just(Effect::Fail).boxed(),
        "refuse" => select(ContractError::ALL.to_vec()).prop_map(Effect::Refuse).boxed(),
        "status" => {
            let kind = prop_oneof![Just(String::from("text/plain")), kind.prop_map(|text| text)];
            (200..=599_u16, text(65_536), kind, of(0..=86_400_u32))
                .prop_map(|(status, body, content_type, retry_after)| Effect::Status {
                    status,
                    body,
                    content_type,
                    retry_after,
                })
                .boxed()
        }
        "rate_limit" => (0..=1_000_000_u32, some_time(HOUR), 0..=86_400_u32)
            .prop_map(|(requests, per, retry_after)| Effect::RateLimit { requests, per, retry_after })
            .boxed(),
        "reset" => Just(Effect::Reset).boxed(),
        "close" => Just(Effect::Close).boxed(),
        "empty" => Just(Effect::Empty).boxed(),
        "garbage" => (1..=65_536_u32).prop_map(|bytes| Effect::Garbage { bytes }).boxed(),
        "truncate" => any::<u32>().prop_map(|bytes| Effect::Truncate { bytes }).boxed(),
        "drip" => (1..u32::MAX).prop_map(|bytes_per_second| Effect::Drip { bytes_per_second }).boxed(),
        "content_length" => any::<i32>()
            .prop_filter("wrong", |off_by| *off_by != 0)
            .prop_map(|off_by| Effect::ContentLength { off_by })
            .boxed(),
        "content_type" => kind.prop_map(Effect::ContentType).boxed(),
        "end_call" => {
            let details = (text(63), text(253), of(duration(MONTH)))
                .prop_map(|(reason, domain, retry_after)| StatusDetails { reason, domain, retry_after });
            (select(GrpcCode::ALL.to_vec()), text(1024), of(details))
                .prop_map(|(code, message, details)| Effect::EndCall { code, message, details })
                .boxed()
        }
        "silence" => Just(Effect::Silence).boxed(),
        "goaway" => any::<u32>().prop_map(|code| Effect::GoAway { code }).boxed(),
        "corrupt" => select(Corruption::ALL.to_vec()).prop_map(Effect::Corrupt).boxed(),
        "duplicate" => Just(Effect::Duplicate).boxed(),
        "reorder" => Just(Effect::Reorder).boxed(),
        _ => panic!("a new effect: {name}"),
    }
}

fn matches() -> BoxedStrategy<Match> {
    let frames = (0..1000_u64, of(0..1000_u64))
        .prop_map(|(first, more)| Frames { first, last: more.map(|more| first + more) });
    let headers = vec(("[a-z][a-z0-9-]{0,10}", wild("\\PC{0,20}")), 0..3).prop_map(|mut headers| {
        headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        headers.dedup_by(|(one, _), (other, _)| one == other);
        headers
    });
    let who = (of(wild("[0-9*?-]{1,20}")), headers, of(wild("[0-9a-f.:*?]{1,20}")));
    let what = (of(0..=2_u8), of(any::<u32>()), of(frames));
    (of(select(AnyRoute::all().collect::<Vec<_>>())), of(select(METHODS.to_vec())), what, who)
        .prop_map(|(route, method, (view, stream, frames), (job, headers, caller))| Match {
            route,
            method: method.map(str::to_owned),
            job,
            view,
            stream,
            frames,
            headers,
            caller,
        })
        .boxed()
}

fn schedule() -> BoxedStrategy<Schedule> {
    let clocked = || {
        prop_oneof![
            duration(MONTH).prop_map(Clocked::After),
            any::<u64>().prop_map(|nanos| Clocked::At(Moment::from_nanos(nanos))),
        ]
    };
    let probability = (1e-12..=1.0_f64).prop_map(|number| Probability::new(number).expect("one"));
    let counts = (0..=1_000_000_000_u64, 1..=1_000_000_000_u64, of(1..=1_000_000_000_u64));
    let times = (of(clocked()), of(clocked()), of(some_time(MONTH)));
    (counts, of(probability), times)
        .prop_map(|((after, every, first), probability, (from, until, ttl))| Schedule {
            after,
            every: NonZeroU64::new(every).expect("above 0"),
            first,
            probability,
            from,
            until,
            ttl,
        })
        .boxed()
}

/// Rules at any point; what cannot be had there is left out.
pub(crate) fn rule() -> BoxedStrategy<Rule> {
    let at = select(At::all().collect::<Vec<_>>());
    at.prop_flat_map(|at| {
        let can = Effect::at(at);
        let effects: Vec<_> = can.iter().copied().filter(|name| *name != "delay").collect();
        let delay = if can.contains(&"delay") { of(delay()).boxed() } else { Just(None).boxed() };
        let id = of("[A-Za-z0-9._-]{1,64}").prop_map(|id| id.and_then(|id| RuleId::new(&id)));
        let parts = (id, of(matches()), of(schedule()), delay, select(effects).prop_flat_map(effect));
        parts.prop_map(move |(id, matches, schedule, delay, effect)| {
            let (matches, schedule) = (matches.unwrap_or_default(), schedule.unwrap_or_default());
            let new = |matches, schedule| {
                Rule::new(id.clone(), at, matches, schedule, delay.clone(), Some(effect.clone()))
            };
            // Not everything can be matched everywhere, and windows may be reversed.
            new(matches.clone(), schedule.clone())
                .or_else(|_| {
                    new(Match { headers: matches.headers.clone(), ..Match::default() }, schedule.clone())
                })
                .or_else(|_| new(matches, Schedule::default()))
                .or_else(|_| new(Match::default(), Schedule::default()))
                .expect("a rule without match and schedule")
        })
    })
    .boxed()
}

fn recordings() -> BoxedStrategy<RecordingPlan> {
    let when = || {
        prop_oneof![
            (0..=253_402_300_799_i64).prop_map(|second| When::At(EpochSeconds(second))),
            (-3_000_000_000..=3_000_000_000_i64).prop_map(When::FromStart),
        ]
    };
    let in_order = |(one, other): (When, When)| match (one, other) {
        (When::At(one), When::At(other)) => one < other,
        (When::FromStart(one), When::FromStart(other)) => one < other,
        _ => true,
    };
    let pair = move || (when(), when()).prop_filter("in order", move |pair| in_order(*pair));
    let span = prop_oneof![
        pair().prop_map(|(start, end)| (start, Some(end))),
        when().prop_map(|start| (start, None))
    ];
    let series =
        (when(), (60..3_000_000_000_u32).prop_map(|length| NonZeroU32::new(length).expect("above 0")));
    (of(series), vec(pair(), 0..3), vec(span, 0..3))
        .prop_map(|(series, gaps, spans)| RecordingPlan { series, gaps, spans })
        .boxed()
}

fn limits() -> BoxedStrategy<LimitsChange> {
    let sizes = (of(0..=50_000_u32), of(1..=1_000_000_u32), of(7..=16_u32), of(0..=31_536_000_u32));
    (sizes, of(of(0..=1_000_000_u32)), any::<bool>())
        .prop_map(|((max_jobs, max_channels_per_request, nfft, future_tolerance_s), gpu_pool, full)| {
            LimitsChange {
                max_jobs,
                max_channels_per_request,
                nfft_max_multichannel: nfft.map(|power| 1 << power),
                future_tolerance_s,
                gpu_pool,
                gpu_reject_when_full: Some(full),
            }
        })
        .boxed()
}

/// Any change, and how long it lasts, where it can be made for a time.
pub(crate) fn change() -> BoxedStrategy<(Change, Option<Duration>)> {
    let port = || {
        prop_oneof![
            (1..=u16::MAX).prop_map(|port| PortRef::Number(NodePort::new(port).expect("above 0"))),
            (1..=50_000_u16).prop_map(|slot| PortRef::Slot(NonZeroU16::new(slot).expect("above 0"))),
            Just(PortRef::Next),
        ]
    };
    let holder = select(vec![PortHolder::Service, PortHolder::Process]);
    let jobs = || wild("[0-9*?-]{1,20}");
    let lasting = prop_oneof![
        select(Outside::all()).prop_map(Change::Outside),
        (select(Quirk::ALL.to_vec()), any::<bool>()).prop_map(|(quirk, on)| Change::Quirk(quirk, on)),
        select(Profile::ALL.to_vec()).prop_map(Change::Profile),
        limits().prop_map(Change::Limits),
        (port(), holder).prop_map(|(port, by)| Change::HoldPort(port, by)),
        rule().prop_map(|rule| Change::AddRule(Arc::new(rule))),
    ];
    let other = prop_oneof![
        port().prop_map(Change::ReleasePort),
        recordings().prop_map(Change::Recordings),
        "[A-Za-z0-9._-]{1,64}".prop_map(|id| Change::RemoveRule(RuleId::new(&id).expect("a name"))),
        Just(Change::RemoveRules),
        jobs().prop_map(Change::KillPods),
        jobs().prop_map(Change::DeleteCleanupJobs),
    ];
    prop_oneof![(lasting, of(some_time(MONTH))), other.prop_map(|change| (change, None))].boxed()
}
