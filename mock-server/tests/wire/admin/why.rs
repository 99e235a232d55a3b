//! Why a request got its answer, what became of a job, and whether all is well with the world.

use focus_mock::domain::quirk::Quirk;
use focus_mock::sim::faults::{Draw, Point, Route, RuleId, Step};
use focus_mock::sim::journal::{FaultHit, Happening, Reason};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::common::{Answer, Client, base, held, with};
use super::Admin;
use super::records::{request, write};

#[tokio::test]
async fn a_refusal_is_explained_by_the_check_that_made_it() {
    let server = held();
    let admin = Admin::of(&server);
    for (code, status, step) in [
        ("SERVER_DOWN", 503, 1),
        ("NOT_FOUND", 404, 2),
        ("METHOD_NOT_ALLOWED", 405, 2),
        ("BODY_TOO_LARGE", 413, 3),
        ("MALFORMED_JSON", 400, 4),
        ("INVALID_VALUE", 400, 5),
        ("INVALID_REQUEST", 422, 5),
        ("RECORDINGS_UNAVAILABLE", 503, 6),
        ("WAITING_FOR_FIBER", 503, 6),
        ("NO_RECORDING", 404, 7),
        ("BROKER_UNAVAILABLE", 503, 8),
        ("CAPACITY_EXHAUSTED", 503, 9),
        ("PORT_IN_USE", 409, 10),
        ("JOB_CREATION_FAILED", 503, 11),
    ] {
        let record = request(code, |record| {
            record.answered.status = Some(status);
            record.answered.code = Some(code);
            record.refusal = "one; two";
        });
        write(&server, Happening::Request(record));
        let why = admin.get(&format!("/__mock/explain?request={code}")).await;
        assert_eq!(why["check"]["step"], step, "{code}");
        let said = why["answer"].as_str().expect("a sentence");
        assert!(
            said.starts_with(&format!("it was refused with {status} {code} by check {step}, ")),
            "{said}"
        );
        let violations = if step == 5 { json!(["one", "two"]) } else { json!(["one; two"]) };
        assert_eq!(why["check"]["violations"], violations, "{code}");
    }
    let record = request("lookup", |record| {
        record.answered.status = Some(404);
        record.answered.code = Some("UNKNOWN_JOB");
    });
    write(&server, Happening::Request(record));
    let why = admin.get("/__mock/explain?request=lookup").await;
    assert_eq!(why["check"], json!({"step": null, "name": "the job is known", "violations": []}));
}

#[tokio::test]
async fn what_a_rule_did_is_explained_with_the_draw_and_all_that_went_into_it() {
    let server = held();
    let admin = Admin::of(&server);
    let hit = |rule: &str, request: Option<&str>| FaultHit {
        rule: RuleId::new(rule).expect("a name"),
        point: Point::Step(Step::Port),
        effect: Some("refuse"),
        delay: None,
        job: None,
        request: request.map(Into::into),
        draw: Some(Draw {
            resource: String::from("1-1"),
            step: String::from("step.port rule-1"),
            occurrence: 3,
            value: 0.125,
            below: 0.5,
        }),
    };
    write(&server, Happening::Fault(Box::new(hit("beside", Some("r1")))));
    write(&server, Happening::Fault(Box::new(hit("another", Some("r2")))));
    let record = request("r1", |record| {
        record.answered.status = Some(409);
        record.answered.code = Some("PORT_IN_USE");
        record.answered.why = vec![
            Reason::Rule(hit("inside", None)),
            Reason::Quirk(Quirk::HeightUnchecked, Some(String::from("height must be positive"))),
        ];
    });
    write(&server, Happening::Request(record));
    let why = admin.get("/__mock/explain?request=r1").await;
    let rules: Vec<_> = why["rules"].as_array().expect("a list").iter().map(|hit| &hit["rule"]).collect();
    assert_eq!(rules, ["inside", "beside"], "those of its record, and those that the journal has for it");
    let draw =
        json!({"resource": "1-1", "step": "step.port rule-1", "occurrence": 3, "value": 0.125, "below": 0.5});
    assert_eq!((&why["rules"][0]["draw"], &why["seed"]), (&draw, &json!(1)));
    let quirk = json!({"quirk": "height-unchecked", "let_pass": "height must be positive"});
    assert_eq!((&why["quirks"], &why["check"]), (&json!([quirk]), &Value::Null));
    assert_eq!(why["answer"], "it was refused with 409 PORT_IN_USE: rule beside did refuse at step.port");
}

#[tokio::test]
async fn the_newest_request_of_an_id_is_explained_and_an_unknown_one_is_not_found() {
    let server = held();
    let admin = Admin::of(&server);
    for route in [Route::Ack, Route::Channels] {
        let record = request("mine", |record| record.answered.route = route.into());
        write(&server, Happening::Request(record));
    }
    let why = admin.get("/__mock/explain?request=mine").await;
    assert_eq!(
        (&why["request"]["route"], &why["answer"]),
        (&json!("channels"), &json!("it was answered 200"))
    );
    for (query, status, told) in [
        ("?request=other", 404, "no request \"other\" was answered"),
        ("?job=one", 422, "such as 1-7"),
        ("?request=mine&job=1-1", 422, "expected one of"),
        ("", 422, "expected one of"),
        ("?id=1", 422, "unknown field `id`, expected `request` or `job`"),
    ] {
        let (answered, error) =
            admin.refused(Method::GET, &format!("/__mock/explain{query}"), &Value::Null).await;
        assert_eq!(answered, status, "{query}");
        assert!(error.contains(told), "{query}: {told:?} is missing in {error:?}");
    }
}

#[tokio::test]
async fn a_job_is_explained_through_its_life_and_beyond_the_reset() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&base()).await;
    let fate = async |id: &str| admin.get(&format!("/__mock/explain?job={id}")).await["job"]["fate"].clone();
    assert_eq!(fate("1-1").await, json!({"is": "live", "state": "Running"}));
    assert_eq!(fate("2-2").await, json!({"is": "never-given-out"}));
    client.cancel("1-1").await;
    assert_eq!(fate("1-1").await, json!({"is": "live", "state": "Cancelled"}));
    admin.advance(json!("2s")).await;
    let why = admin.get("/__mock/explain?job=1-1").await;
    let gone = json!({"is": "removed", "why": "cancelled", "at": "2025-12-08T00:00:02Z", "at_ms": super::START_MS + 2000});
    assert_eq!(why["job"]["fate"], gone);
    let happened: Vec<_> =
        why["happened"].as_array().expect("a list").iter().map(|entry| &entry["event"]).collect();
    assert_eq!(happened, ["configured", "cancelled", "removed"]);
    client.job(&base()).await;
    admin.reset().await;
    assert_eq!(fate("1-2").await, json!({"is": "from-before-the-reset"}));
}

#[tokio::test]
async fn a_world_without_faults_has_no_leaks_and_holds_its_invariants() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    client.job(&base()).await;
    assert_eq!(admin.get("/__mock/leaks").await, json!({ "leaks": [] }));
    assert_eq!(admin.get("/__mock/invariants").await, json!({"holds": true, "broken": []}));
}

#[tokio::test]
async fn an_undo_that_fails_leaves_exactly_what_it_should_have_given_back() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    admin.post("/__mock/faults", json!({"at": "step.queue", "do": {"refuse": "JOB_CREATION_FAILED"}})).await;
    admin.post("/__mock/faults", json!({"at": "undo.service", "do": "fail"})).await;
    assert_eq!(client.configure(&base()).await.status, 503);
    let leaks = admin.get("/__mock/leaks").await;
    let service = json!({"kind": "service", "name": "grpc-service-1-1", "job": "1-1"});
    assert_eq!((&leaks["leaks"], &admin.state().await["leaks"]), (&json!([service]), &json!(1)));
    admin.reset().await;
    assert_eq!(admin.get("/__mock/leaks").await, json!({ "leaks": [] }));
}

#[tokio::test]
async fn an_answer_that_a_quirk_made_what_it_is_names_the_quirk() {
    let server = held();
    let (admin, client) = (Admin::of(&server), Client::of(&server));
    for quirk in ["height-unchecked", "status-empty", "metadata-race", "cancel-not-implemented", "parser-500"]
    {
        admin.put(&format!("/__mock/quirks/{quirk}"), json!({"on": true})).await;
    }
    let explained = async |answer: &Answer| {
        let id = answer.headers["x-request-id"].to_str().expect("a text").to_owned();
        admin.get(&format!("/__mock/explain?request={id}")).await["quirks"].clone()
    };
    let flat = with(base(), &json!({"displayInfo": {"height": 0}}));
    let forgiven = "displayInfo.height is invalid: height must be positive";
    assert_eq!(
        explained(&client.configure(&flat).await).await,
        json!([{"quirk": "height-unchecked", "let_pass": forgiven}, {"quirk": "status-empty", "let_pass": null}])
    );
    for (answer, quirk) in [
        (client.get("/metadata/1-1").await, "metadata-race"),
        (client.cancel("1-1").await, "cancel-not-implemented"),
        (client.configure(&json!({"view_type": 0})).await, "parser-500"),
    ] {
        assert_eq!(explained(&answer).await, json!([{"quirk": quirk, "let_pass": null}]));
    }
    assert_eq!(
        explained(&client.get("/metadata/9-9").await).await,
        json!([]),
        "no quirk knows that job either"
    );
}
