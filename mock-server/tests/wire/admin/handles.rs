//! The typed client: what it takes it gives back.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::client::{Admin, Count, Error, Filter, Port, Rule};
use focus_mock::sim::faults::Route;
use focus_mock::sim::journal::Happening;
use serde_json::json;

use super::super::common::{base, held};
use super::records::{request, write};

fn admin(server: &MockServer) -> Admin {
    server.admin_client().expect("an admin listener")
}

/// Status of a configuration, asked for without a runtime.
fn configure(server: &MockServer) -> u16 {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let answer = agent.post(format!("{}/configure", server.base_url())).send(base().to_string());
    answer.expect("an answer").status().as_u16()
}

#[test]
fn a_rule_goes_with_its_handle_unless_it_is_kept() {
    let server = held();
    let admin = admin(&server);
    let busy = admin.add_fault(Rule::at("step.port").named("busy").refuse("PORT_IN_USE")).expect("a rule");
    assert_eq!((busy.id(), configure(&server), busy.hits()), ("busy", 409, Ok(1)));
    drop(busy);
    assert_eq!((configure(&server), admin.faults()), (200, Ok(Vec::new())));
    let kept = admin.add_fault("at: step.port\ndo: {refuse: PORT_IN_USE}\n").expect("a rule").keep();
    assert_eq!((kept.as_str(), configure(&server)), ("rule-1", 409));
    assert_eq!(admin.remove_faults(), Ok(1));
    let gone = admin.add_fault(Rule::at("step.port").refuse("PORT_IN_USE")).expect("a rule");
    admin.reset().expect("a reset");
    assert!(matches!(gone.hits(), Err(Error::Refused { status: 404, .. })));
}

#[test]
fn a_port_is_let_go_with_its_handle() {
    let server = held();
    let admin = admin(&server);
    let port = server.port_base() + 1;
    let held = admin.hold_port(Port::Number(port), "service", None).expect("a port");
    assert_eq!((held.port(), configure(&server)), (port, 409));
    drop(held);
    assert_eq!((admin.held_ports(), configure(&server)), (Ok(Vec::new()), 200));
}

#[test]
fn a_no_has_its_status_its_sentence_and_the_mistakes_with_their_places() {
    let server = held();
    let refused = admin(&server).world("limits:\n  max_job: 3\n").expect_err("no such key");
    let Error::Refused { status: 422, error, mistakes } = &refused else { panic!("{refused:?}") };
    assert!(error.contains("unknown key \"max_job\""), "{error}");
    assert_eq!((mistakes.len(), mistakes[0].line, mistakes[0].column), (1, 2, 3));
    assert!(refused.to_string().contains("line 2, column 3: "), "{refused}");
    let nobody = Admin::connect("http://127.0.0.1:1", None);
    assert!(matches!(nobody.state(), Err(Error::NoAnswer { .. })));
    let product = Admin::connect(&server.base_url(), None);
    let odd = product.state().expect_err("no admin interface");
    assert!(matches!(odd, Error::Refused { status: 404, .. }), "{odd}");
}

#[test]
fn the_clock_the_journal_and_verifications_are_typed() {
    let server = held();
    let admin = admin(&server);
    configure(&server);
    let advanced = admin.advance(Duration::from_secs(50)).expect("an advance");
    assert_eq!((advanced.fired_total, &advanced.fired[0]["event"]), (1, &json!("removed")));
    assert_eq!(admin.clock().expect("a clock").now_ms, advanced.clock.now_ms);
    assert_eq!(admin.set_clock("scaled:60").expect("a mode").mode, "scaled:60");
    admin.set_clock("manual").expect("a mode");
    let after = admin.journal(&Filter::default()).expect("a page").written;
    for (id, route) in [("a b&c", Route::Ack), ("r2", Route::Docs), ("r3", Route::Docs)] {
        write(&server, Happening::Request(request(id, |record| record.answered.route = route.into())));
    }
    let found = admin.journal(&Filter::default().kind("request").request_id("a b&c").after(after).limit(9));
    assert_eq!(found.expect("a page").entries.len(), 1, "whatever its characters");
    let docs = Filter::default().route("docs").status(200);
    for (count, holds) in [(Count::Exactly(2), true), (Count::AtLeast(3), false), (Count::AtMost(2), true)] {
        let verified = admin.verify(&docs, count, after, None).expect("a verification");
        assert_eq!((verified.holds, verified.matched), (holds, 2), "{count:?}");
    }
    assert_eq!(admin.explain_request("r3").expect("an explanation")["answer"], "it was answered 200");
    assert_eq!(admin.explain_job("9-9").expect("a fate")["job"]["fate"]["is"], "never-given-out");
}

#[test]
fn pods_are_killed_by_a_pattern() {
    let server = held();
    let admin = admin(&server);
    configure(&server);
    assert_eq!(admin.kill_pods("?-1"), Ok(vec![String::from("1-1")]));
    assert_eq!(admin.state().expect("a state")["jobs"][0]["state"], "Failed");
}
