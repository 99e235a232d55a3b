//! The journal in pages, and verifications of what it has. Requests are written to it here as a transport would.

use std::time::Duration;

use focus_mock::MockServer;
use focus_mock::domain::time::{EpochSeconds, Moment};
use focus_mock::sim::faults::{Point, Route, RuleId, Step};
use focus_mock::sim::journal::{
    Answered, FaultHit, Happening, JournalLimits, Paper, Reason, RequestRecord, Texts,
};
use focus_mock::sim::setup::Setup;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::common::{START, held, held_with};
use super::Admin;

/// What a request is recorded with.
pub(super) struct Told {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) caller: &'static str,
    pub(super) refusal: &'static str,
    pub(super) answered: Answered,
}

/// A request to configure, as it would be recorded, and whatever differs from that.
pub(super) fn request(id: &str, differs: impl FnOnce(&mut Told)) -> RequestRecord {
    let answered = Answered {
        route: Route::Configure.into(),
        body: br#"{"view_type":"0"}"#.as_slice().into(),
        came: Moment::from_seconds(EpochSeconds(START)),
        status: Some(200),
        code: None,
        job: None,
        why: Vec::new(),
    };
    let mut told =
        Told { method: "POST", path: "/configure", caller: "127.0.0.1:4711", refusal: "", answered };
    differs(&mut told);
    let Told { method, path, caller, refusal, answered } = told;
    let headers = || [("host", b"localhost".as_slice())].into_iter();
    let texts = Texts { id, method, path, caller, refusal };
    RequestRecord::new(texts, headers, answered, &JournalLimits::default(), &mut Paper::default())
}

pub(super) fn write(server: &MockServer, what: Happening) -> u64 {
    let simulation = server.simulation();
    simulation.journal().write(simulation.clock().now(), what)
}

fn requested(server: &MockServer, id: &str, differs: impl FnOnce(&mut Told)) -> u64 {
    write(server, Happening::Request(request(id, differs)))
}

fn numbers(page: &Value) -> Vec<u64> {
    page["entries"].as_array().expect("a list").iter().filter_map(|entry| entry["number"].as_u64()).collect()
}

#[tokio::test]
async fn the_journal_comes_in_pages_that_miss_nothing_and_repeat_nothing() {
    let server = held();
    let admin = Admin::of(&server);
    for number in 0..5 {
        requested(&server, &format!("r{number}"), |_| {});
    }
    let first = admin.get("/__mock/journal?limit=2").await;
    assert_eq!((numbers(&first), &first["next"], &first["more"]), (vec![1, 2], &json!(2), &json!(true)));
    let second = admin.get("/__mock/journal?limit=2&after=2").await;
    assert_eq!((numbers(&second), &second["more"]), (vec![3, 4], &json!(true)));
    let last = admin.get("/__mock/journal?limit=2&after=4").await;
    assert_eq!((numbers(&last), &last["next"], &last["more"]), (vec![5], &json!(5), &json!(false)));
    let none = admin.get("/__mock/journal?after=5").await;
    assert_eq!((numbers(&none), &none["next"]), (vec![], &json!(5)));
    assert_eq!((&none["written"], &none["dropped"]), (&json!(5), &json!(0)));
    assert_eq!(none["limits"]["bytes"], 32 * 1024 * 1024);
    assert_eq!(none["limits"]["redacted"][0], "authorization");
    // What matches is far between, and the cursor skips what was looked at.
    requested(&server, "late", |record| record.answered.status = Some(404));
    let found = admin.get("/__mock/journal?status=404&limit=1").await;
    assert_eq!((numbers(&found), &found["next"], &found["more"]), (vec![6], &json!(6), &json!(false)));
}

#[tokio::test]
async fn an_entry_of_a_request_has_everything_about_it() {
    let server = held();
    requested(&server, "r1", |record| {
        record.answered.status = Some(400);
        record.answered.code = Some("INVALID_VALUE");
        record.refusal = "height must be positive";
        record.answered.job = "1-1".parse().ok();
    });
    let page = Admin::of(&server).get("/__mock/journal").await;
    assert_eq!(
        page["entries"][0],
        json!({"number": 1, "at_ms": START * 1000, "event": "request", "job": "1-1", "request_id": "r1",
               "method": "POST", "path": "/configure", "route": "configure", "caller": "127.0.0.1:4711",
               "came_ms": START * 1000, "headers": "host: localhost\n", "body": r#"{"view_type":"0"}"#,
               "body_bytes": 17, "status": 400, "code": "INVALID_VALUE", "refusal": "height must be positive",
               "why": []})
    );
}

#[tokio::test]
async fn every_filter_takes_what_it_names_and_nothing_else() {
    let server = held();
    let admin = Admin::of(&server);
    let hit = FaultHit {
        rule: RuleId::new("slow").expect("a name"),
        point: Point::Step(Step::Port),
        effect: None,
        delay: Some(Duration::from_millis(1500)),
        job: None,
        request: Some("r3".into()),
        draw: None,
    };
    requested(&server, "r1", |_| {});
    requested(&server, "r2", |record| {
        record.method = "GET";
        record.path = "/metadata/7-7?x=1";
        record.answered.route = Route::Metadata.into();
        record.answered.status = Some(404);
        record.answered.code = Some("UNKNOWN_JOB");
        record.answered.job = "7-7".parse().ok();
    });
    requested(&server, "r3", |record| {
        record.caller = "[::1]:4712";
        record.answered.why = vec![Reason::Rule(hit.clone())];
    });
    write(&server, Happening::Fault(Box::new(hit)));
    write(&server, Happening::Started("7-8".parse().expect("an id")));
    write(&server, Happening::ServerUp);
    for (query, found) in [
        ("kind=request", &[1, 2, 3][..]),
        ("kind=fault", &[4]),
        ("kind=server-up", &[6]),
        ("kind=reset", &[]),
        ("method=get", &[2]),
        ("method=POST", &[1, 3]),
        ("path=/metadata/*", &[2]),
        ("path=/metadata/7-7", &[2]),
        ("path=/metadata/7", &[]),
        ("path=*x=1", &[2]),
        ("route=configure", &[1, 3]),
        ("status=404", &[2]),
        ("code=UNKNOWN_JOB", &[2]),
        ("job=7-*", &[2, 5]),
        ("job=7", &[]),
        ("rule=slow", &[3, 4]),
        ("caller=127.0.0.1", &[1, 2]),
        ("caller=*:4712", &[3]),
        ("request_id=r3", &[3, 4]),
        ("kind=request&rule=slow&method=POST", &[3]),
        ("kind=fault&method=POST", &[]),
        ("after=3", &[4, 5, 6]),
    ] {
        assert_eq!(numbers(&admin.get(&format!("/__mock/journal?{query}")).await), found, "{query}");
    }
    let fault = &admin.get("/__mock/journal?kind=fault").await["entries"][0];
    assert_eq!(
        (&fault["point"], &fault["delay_s"], &fault["effect"]),
        (&json!("step.port"), &json!(1.5), &Value::Null)
    );
    for (query, told) in [
        ("kind=requests", "there are configured, refused, "),
        ("route=config", "there are ack, channels, "),
        ("status=many", "invalid digit"),
        ("limit=0", "from 1 to 1000"),
        ("limit=1001", "from 1 to 1000"),
        ("after=-1", "invalid digit"),
        ("until=3", "unknown field `until`, expected one of `after`, `limit`, `kind`"),
    ] {
        let (status, error) =
            admin.refused(Method::GET, &format!("/__mock/journal?{query}"), &Value::Null).await;
        assert_eq!(status, 422, "{query}");
        assert!(error.contains(told), "{query}: {told:?} is missing in {error:?}");
    }
}

async fn verify(admin: &Admin, body: Value) -> (bool, u64) {
    let answer = admin.post("/__mock/verify", body).await;
    (answer["holds"] == true, answer["matched"].as_u64().expect("a number"))
}

#[tokio::test]
async fn a_verification_counts_the_requests_that_match() {
    let server = held();
    let admin = Admin::of(&server);
    requested(&server, "r1", |_| {});
    let second = requested(&server, "r2", |record| record.answered.status = Some(409));
    requested(&server, "r3", |record| record.answered.status = Some(409));
    // No request, so no matter of a verification.
    write(&server, Happening::ServerUp);
    for (body, found) in [
        (json!({"count": 3}), (true, 3)),
        (json!({"count": 2}), (false, 3)),
        (json!({"count": 4}), (false, 3)),
        (json!({"match": {"status": 409}, "count": 2}), (true, 2)),
        (json!({"match": {"status": 409}, "count": 1, "after": second}), (true, 1)),
        (json!({"match": {"status": 500}, "count": 0}), (true, 0)),
        (json!({"count": {"at_least": 3}}), (true, 3)),
        (json!({"count": {"at_least": 4}}), (false, 3)),
        (json!({"count": {"at_most": 3}}), (true, 3)),
        (json!({"count": {"at_most": 2}}), (false, 3)),
    ] {
        assert_eq!(verify(&admin, body.clone()).await, found, "{body}");
    }
    for (body, told) in [
        (json!({}), "missing field `count`"),
        (json!({"count": -1}), "count: expected a number"),
        (json!({"count": {"at_least": 1, "at_most": 2}}), "count: expected a number"),
        (json!({"count": {"more_than": 1}}), "count: expected a number"),
        (json!({"count": 1, "match": {"verb": "GET"}}), "unknown field `verb`, expected one of `method`"),
        (json!({"count": 1, "match": {"route": "config"}}), "there are ack, channels, "),
        (json!({"count": 1, "within": "soon"}), "within: expected a duration"),
        (json!({"count": 1, "until": 3}), "unknown field `until`"),
    ] {
        let (status, error) = admin.refused(Method::POST, "/__mock/verify", &body).await;
        assert_eq!(status, 422, "{error}");
        assert!(error.contains(told), "{told:?} is missing in {error:?}");
    }
}

/// Waits until the verification waits for the clock.
async fn until_it_waits(server: &MockServer) {
    let waits = async {
        while !server.simulation().clock().waiters().iter().any(|waiter| waiter.what == "verification") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waits).await.expect("it waits");
}

#[tokio::test]
async fn a_verification_waits_for_the_requests_that_are_missing() {
    let server = held();
    let admin = Admin::of(&server);
    requested(&server, "r1", |_| {});
    let come = async {
        until_it_waits(&server).await;
        requested(&server, "other", |record| record.answered.route = Route::Ack.into());
        requested(&server, "r2", |_| {});
    };
    let body = json!({"match": {"route": "configure"}, "count": 2, "within": "5s"});
    let (found, ()) = tokio::join!(verify(&admin, body), come);
    assert_eq!(found, (true, 2), "no moment of the clock has passed");
}

#[tokio::test]
async fn a_verification_ends_with_its_time_on_the_clock_of_the_server() {
    let server = held();
    let admin = Admin::of(&server);
    for (count, holds) in [(json!(1), false), (json!({"at_least": 1}), false), (json!({"at_most": 1}), true)]
    {
        let over = async {
            until_it_waits(&server).await;
            server.simulation().advance(Duration::from_secs(4));
            // A second before the end it waits on: it is still listed, and not because nobody woke it.
            assert!(server.simulation().clock().waiters().iter().any(|waiter| waiter.what == "verification"));
            server.simulation().advance(Duration::from_secs(1));
        };
        let body = json!({"count": count, "within": "5s"});
        let (found, ()) = tokio::join!(verify(&admin, body), over);
        assert_eq!(found, (holds, 0), "{count}");
    }
}

#[tokio::test]
async fn a_verification_that_cannot_come_true_any_more_does_not_wait() {
    let server = held();
    let admin = Admin::of(&server);
    let body = json!({"count": {"at_most": 0}, "within": "5s"});
    let comes = async {
        until_it_waits(&server).await;
        requested(&server, "r1", |_| {});
    };
    let (found, ()) = tokio::join!(verify(&admin, body), comes);
    assert_eq!(found, (false, 1));
}

#[tokio::test]
async fn a_verification_that_would_need_what_is_gone_says_so() {
    let journal = JournalLimits { bytes: 3500, ..JournalLimits::default() };
    let server = held_with(Setup { journal, ..Setup::default() });
    let admin = Admin::of(&server);
    for number in 0..20 {
        requested(&server, &format!("r{number}"), |_| {});
    }
    let journal = server.simulation().journal();
    let (gone, kept) = (journal.dropped(), journal.written() - journal.dropped());
    assert!(gone > 2 && kept > 2, "{gone} gone, {kept} kept");
    let text = |after: u64| {
        format!(
            "the journal has lost {} entries after number {after}, which this verification would need: verify \
             earlier, or give a later \"after\"",
            gone - after
        )
    };
    for (count, after) in
        [(json!(20), 0), (json!({"at_least": 20}), 0), (json!({"at_most": 20}), 0), (json!(kept), 1)]
    {
        let body = json!({"count": count, "after": after});
        let refused = admin.refused(Method::POST, "/__mock/verify", &body).await;
        assert_eq!(refused, (409, text(after)), "{body}");
    }
    // Whatever was in the entries that are gone, these come to the same.
    assert_eq!(verify(&admin, json!({"count": {"at_least": kept}})).await, (true, kept));
    assert_eq!(verify(&admin, json!({"count": {"at_most": kept - 1}})).await, (false, kept));
    assert_eq!(verify(&admin, json!({"count": kept, "after": gone})).await, (true, kept));
}

#[tokio::test]
async fn a_verification_counts_from_the_last_reset_on_and_takes_no_mark_that_is_still_to_come() {
    let server = held();
    let admin = Admin::of(&server);
    requested(&server, "before", |_| {});
    admin.reset().await;
    requested(&server, "behind", |_| {});
    let verify = async |more: Value| {
        let mut body = json!({"match": {"route": "configure"}, "count": 1});
        body.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        admin.send(Method::POST, "/__mock/verify", &body.to_string()).await
    };
    let (status, told) = verify(json!({})).await;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((status.as_u16(), &told["holds"], &told["after"]), (200, &json!(true), &json!(2)), "{told}");
    let (_, told) = verify(json!({"after": 0})).await;
    assert!(told.contains(r#""matched":2"#), "{told}");
    let (status, told) = verify(json!({"after": 4})).await;
    assert_eq!(status.as_u16(), 422, "{told}");
    assert!(told.contains("after: 4 is beyond the 3 entries that were written"), "{told}");
}
