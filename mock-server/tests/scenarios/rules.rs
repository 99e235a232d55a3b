//! Each key of a rule, and what it means.

use std::num::NonZeroU64;
use std::time::Duration;

use focus_mock::document::rules::{FORMS, render, rule};
use focus_mock::domain::refusal::ContractError;
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::faults::{
    At, Clocked, Corruption, Delay, Effect, Frames, GiveBack, GrpcCode, KubeRoute, Phase, Probability, Route,
    Rule, RuleId, StatusDetails, Step, StreamPoint,
};

fn read(text: &str) -> Rule {
    rule(text, "r.yaml").unwrap_or_else(|wrong| panic!("{wrong}\nin {text}"))
}

fn effect(at: &str, text: &str) -> Effect {
    read(&format!("at: {at}\ndo: {text}\n")).effect().expect("an effect").clone()
}

fn delay(text: &str) -> Delay {
    read(&format!("at: grpc.open\ndelay: {text}\n")).delay().expect("a delay").clone()
}

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn the_parts_of_a_rule_are_where_it_says() {
    let rule = read(
        "id: dying-stream\nat: grpc.frame\nmatch: {job: \"1-*\", view: 0, stream: 1, frame: 5, headers: {X-Client: \"a*\"}, \
         caller: \"127.0.0.*\"}\nwhen: {after: 2, every: 3, first: 1, probability: 0.25, from: 10s, until: 20s, ttl: 60s}\n\
         delay: 500ms\ndo: silence\n",
    );
    assert_eq!(rule.id().map(RuleId::as_str), Some("dying-stream"));
    assert_eq!(rule.at().to_string(), "grpc.frame");
    let matches = rule.matches();
    assert!(matches.job.as_ref().expect("a job").matches("1-17"));
    assert!(!matches.job.as_ref().expect("a job").matches("11-7"));
    assert_eq!((matches.view, matches.stream), (Some(0), Some(1)));
    assert_eq!(matches.frames, Some(Frames { first: 5, last: Some(5) }));
    let (name, value) = &matches.headers[0];
    assert!(name == "x-client" && value.matches("abc") && !value.matches("bc"));
    assert!(matches.caller.as_ref().expect("a caller").matches("127.0.0.9"));
    let when = rule.schedule();
    assert_eq!((when.after, when.every, when.first), (2, NonZeroU64::new(3).expect("3"), Some(1)));
    assert_eq!(when.probability, Probability::new(0.25));
    assert_eq!(when.from, Some(Clocked::After(Duration::from_secs(10))));
    assert_eq!(when.until, Some(Clocked::After(Duration::from_secs(20))));
    assert_eq!(when.ttl, Some(Duration::from_secs(60)));
    assert_eq!((rule.delay(), rule.effect()), (Some(&Delay::Fixed(MS(500))), Some(&Effect::Silence)));
}

#[test]
fn a_rule_for_every_route_can_name_one_and_its_method() {
    let rule = read("{at: rest.before, match: {route: configure, method: POST}, delay: 1s}");
    assert_eq!(rule.at().to_string(), "rest.before");
    assert_eq!(
        (rule.matches().route, rule.matches().method.as_deref()),
        (Some(Route::Configure.into()), Some("POST"))
    );
}

#[test]
fn a_window_can_lie_on_the_clock_and_frames_can_go_on_for_ever() {
    let rule = read(
        "{at: grpc.frame, match: {frame: {from: 5}}, do: reset, when: {from: 2025-12-05T14:58:23Z, until: 2025-12-06T00:00:00Z}}",
    );
    assert_eq!(rule.matches().frames, Some(Frames { first: 5, last: None }));
    let moment = |second| Some(Clocked::At(Moment::from_seconds(EpochSeconds(second))));
    assert_eq!((rule.schedule().from, rule.schedule().until), (moment(1_764_946_703), moment(1_764_979_200)));
    let some = read("{at: grpc.frame, match: {frame: {to: 9}}, do: reset}");
    assert_eq!(some.matches().frames, Some(Frames { first: 0, last: Some(9) }));
}

#[test]
fn a_delay_is_a_time_or_a_distribution() {
    assert_eq!(delay("500ms"), Delay::Fixed(MS(500)));
    assert_eq!(delay("1.5"), Delay::Fixed(MS(1500)));
    assert_eq!(delay("2"), Delay::Fixed(MS(2000)));
    assert_eq!(delay("{uniform: [10ms, 90ms]}"), Delay::Uniform { least: MS(10), most: MS(90) });
    let normal = Delay::Normal { mean: MS(100), deviation: MS(10) };
    assert_eq!(delay("{normal: {mean: 100ms, deviation: 10ms}}"), normal);
    let log_normal = Delay::LogNormal { median: MS(100), sigma: 0.5 };
    assert_eq!(delay("{lognormal: {median: 100ms, sigma: 0.5}}"), log_normal);
    let percentiles = vec![(0.0, MS(5)), (50.0, MS(20)), (99.9, MS(90)), (100.0, MS(400))];
    assert_eq!(
        delay("{percentiles: {0: 5ms, 50: 20ms, 99.9: 90ms, 100: 400ms}}"),
        Delay::Percentiles(percentiles)
    );
}

#[test]
fn each_effect_is_read_with_its_parameters() {
    assert_eq!(effect("undo.queue", "fail"), Effect::Fail);
    assert_eq!(effect("step.port", "{refuse: PORT_IN_USE}"), Effect::Refuse(ContractError::PortInUse));
    let status = |body: &str, content_type: &str, retry_after| Effect::Status {
        status: 503,
        body: body.to_owned(),
        content_type: content_type.to_owned(),
        retry_after,
    };
    assert_eq!(effect("rest.before", "{status: {code: 503}}"), status("", "text/plain", None));
    let whole = "{status: {code: 503, body: \"{}\", content_type: application/json, retry_after: 2}}";
    assert_eq!(effect("rest.before", whole), status("{}", "application/json", Some(2)));
    let limit = |retry_after| Effect::RateLimit { requests: 10, per: Duration::from_secs(1), retry_after };
    assert_eq!(effect("rest.before", "{rate_limit: {requests: 10, per: 1s}}"), limit(1));
    assert_eq!(effect("rest.before", "{rate_limit: {requests: 10, per: 1s, retry_after: 7}}"), limit(7));
    for (word, meant) in [("reset", Effect::Reset), ("close", Effect::Close), ("empty", Effect::Empty)] {
        assert_eq!(effect("rest.body", word), meant);
    }
    assert_eq!(effect("rest.body", "{garbage: 32}"), Effect::Garbage { bytes: 32 });
    assert_eq!(effect("rest.body", "{truncate: 100}"), Effect::Truncate { bytes: 100 });
    assert_eq!(effect("rest.body", "{drip: 64}"), Effect::Drip { bytes_per_second: 64 });
    assert_eq!(effect("rest.headers", "{content_length: -3}"), Effect::ContentLength { off_by: -3 });
    assert_eq!(effect("rest.headers", "{content_type: text/html}"), Effect::ContentType("text/html".into()));
    for (word, meant) in
        [("silence", Effect::Silence), ("duplicate", Effect::Duplicate), ("reorder", Effect::Reorder)]
    {
        assert_eq!(effect("grpc.frame", word), meant);
    }
    assert_eq!(effect("grpc.frame", "{goaway: 2}"), Effect::GoAway { code: 2 });
    assert_eq!(effect("grpc.frame", "{corrupt: shape}"), Effect::Corrupt(Corruption::Shape));
}

#[test]
fn a_status_of_grpc_has_details_only_where_some_are_given() {
    let end = |details| Effect::EndCall { code: GrpcCode::Unavailable, message: "x".into(), details };
    assert_eq!(effect("grpc.end", "{end_call: {code: UNAVAILABLE, message: x}}"), end(None));
    let details =
        StatusDetails { reason: "R".into(), domain: "d".into(), retry_after: Some(Duration::from_secs(2)) };
    let text = "{end_call: {code: UNAVAILABLE, message: x, reason: R, domain: d, retry_after: 2s}}";
    assert_eq!(effect("grpc.end", text), end(Some(details)));
}

#[test]
fn the_example_of_every_effect_is_read_as_that_effect() {
    let names: Vec<_> = FORMS.iter().map(|form| form.name).collect();
    assert_eq!(names, ["delay"].into_iter().chain(Effect::NAMES).collect::<Vec<_>>());
    for form in FORMS {
        let at =
            At::all().find(|at| Effect::at(*at).contains(&form.name)).expect("a point for it").to_string();
        let key = if form.name == "delay" { "delay" } else { "do" };
        let rule = read(&format!("{{at: {at}, {key}: {}}}", form.example));
        assert_eq!(rule.effect().map_or("delay", Effect::name), form.name);
        assert!(form.doc.ends_with('.'), "{}", form.name);
    }
}

#[test]
fn json_is_read_as_well() {
    let yaml = read("{at: rest.before, when: {first: 2}, do: {status: {code: 500}}}");
    assert_eq!(read(r#"{"at":"rest.before","when":{"first":2},"do":{"status":{"code":500}}}"#), yaml);
}

#[test]
fn a_rule_is_shown_in_its_shortest_form() {
    for text in [
        r#"{"at":"grpc.frame","match":{"frame":5},"do":"silence"}"#,
        r#"{"id":"a","at":"grpc.frame","match":{"stream":1,"frame":{"from":5,"to":9}},"when":{"first":1},"do":{"goaway":2}}"#,
        r#"{"at":"rest.before","match":{"headers":{"x-client":"a*"}},"when":{"until":"2025-12-06T00:00:00Z"},"delay":"1m 30s"}"#,
        r#"{"at":"rest.body","delay":{"uniform":["10ms","90ms"]},"do":{"drip":64}}"#,
    ] {
        assert_eq!(render(&read(text)).to_string(), text);
    }
    let long = "{at: grpc.frame, match: {frame: {from: 5, to: 5}}, when: {after: 0, every: 1}, delay: 90, do: silence}";
    assert_eq!(
        render(&read(long)).to_string(),
        r#"{"at":"grpc.frame","match":{"frame":5},"delay":"1m 30s","do":"silence"}"#
    );
}

#[test]
fn the_readme_lists_every_point_with_its_line() {
    let readme = std::fs::read_to_string("README.md").expect("the README");
    let steps = Step::ALL.iter().map(|step| (format!("`step.{}`", step.name()), step.doc()));
    let undos = GiveBack::ALL.iter().map(|undo| (format!("`undo.{}`", undo.name()), undo.doc()));
    let routes = Route::ALL.iter().map(|route| (format!("`rest.{}.*`", route.name()), route.doc()));
    let phases = Phase::ALL.iter().map(|phase| {
        let name = phase.name();
        (format!("`rest.*.{name}`, `rest.{name}`"), phase.doc())
    });
    let kube = KubeRoute::ALL.iter().map(|route| (format!("`{}.*`", route.name()), route.doc()));
    let kube_phases = Phase::ALL.iter().map(|phase| {
        let name = phase.name();
        (format!("`kube.*.{name}`, `kube.{name}`"), phase.doc())
    });
    let streams = StreamPoint::ALL.iter().map(|point| (format!("`grpc.{}`", point.name()), point.doc()));
    for (point, doc) in
        steps.chain(undos).chain(routes).chain(phases).chain(streams).chain(kube).chain(kube_phases)
    {
        assert!(readme.contains(&format!("| {point} | {doc} |\n")), "missing: {point}");
    }
}
