//! Servers that say one thing to everything: whatever a case claims, it is not so.

use std::time::Duration;

use focus_contract::case::{Capability, Case};
use focus_contract::cases;
use focus_contract::runner::{Manner, Outcome, tell_all};
use focus_contract::stop::Stop;
use libtest_mimic::{Failed, Trial};
use wiremock::ResponseTemplate;

use crate::broken::{Broken, Spoil};
use crate::raw::Raw;

/// A server, what it does, and the cases that may pass.
struct Whole {
    name: &'static str,
    says: Spoil,
    /// Those for whose claims that is the right answer, and why.
    pass: &'static [&'static str],
}

const JSON: &str = "application/json";

fn answer(status: u16, kind: &str, body: &str) -> ResponseTemplate {
    // As few other faults as can be: with an id, and of the kind that it says.
    ResponseTemplate::new(status)
        .insert_header("x-request-id", "a")
        .set_body_raw(body.as_bytes().to_vec(), kind)
}

const SERVERS: [Whole; 12] = [
    Whole { name: "an-empty-object", says: Spoil::Always(|| answer(200, JSON, "{}")), pass: &[] },
    Whole {
        name: "an-empty-body",
        says: Spoil::Always(|| ResponseTemplate::new(200).insert_header("x-request-id", "a")),
        // This is what /ack answers, whatever its headers and however often; that other methods are refused, others ask.
        pass: &["health/ack-headers", "load/ack-load"],
    },
    Whole {
        name: "a-page",
        says: Spoil::Always(|| answer(200, "text/html; charset=utf-8", "<!doctype html><html>hello</html>")),
        // No more is promised of the picture of the recordings than that it is a page.
        pass: &["recordings/timeline-html"],
    },
    Whole {
        name: "internal-errors",
        says: Spoil::Always(|| answer(500, JSON, r#"{"error":"no","code":"INTERNAL","request_id":"a"}"#)),
        pass: &[],
    },
    Whole {
        name: "not-found",
        says: Spoil::Always(|| {
            let body = r#"{"error":"Not Found","code":"NOT_FOUND","detail":"Not Found","request_id":"a"}"#;
            answer(404, JSON, body)
        }),
        // That there is nothing where there should be nothing is all that these ask.
        pass: &["http/unknown-routes"],
    },
    Whole { name: "closed-connections", says: Spoil::Raw(Raw::Close), pass: &[] },
    Whole { name: "reset-connections", says: Spoil::Raw(Raw::Reset), pass: &[] },
    Whole { name: "garbage", says: Spoil::Raw(Raw::Garbage), pass: &[] },
    Whole {
        name: "a-cluster-of-empty-objects",
        says: Spoil::Kube(
            |_| {},
            |answer, _| {
                answer.status = 200;
                answer.body = b"{}".to_vec();
            },
        ),
        pass: &[],
    },
    Whole {
        name: "a-cluster-of-internal-errors",
        says: Spoil::Kube(|_| {}, |answer, _| answer.status = 500),
        pass: &[],
    },
    Whole { name: "a-cluster-of-nothing", says: Spoil::Objects(|_| Vec::new()), pass: &[] },
    Whole { name: "a-cluster-of-closed-connections", says: Spoil::KubeRaw(Raw::Close), pass: &[] },
];

/// A test for each of them.
pub(crate) fn trials() -> impl Iterator<Item = Trial> {
    SERVERS.iter().map(|server| {
        Trial::test(format!("everything/{}", server.name), || told(server).map_err(Failed::from))
    })
}

/// Tells the whole registry, of which every case must fail by itself.
fn told(server: &Whole) -> Result<(), String> {
    // Whoever does not ask a cluster does not mind that it is broken.
    let minds = |case: &&Case| !server.says.is_of_cluster() || case.needs.contains(&Capability::K8s);
    let all: Vec<_> = cases::all().filter(minds).collect();
    // One after the other: behind what says the same to everything is one mock, and some cases make that fail.
    let manner = Manner { limit: Duration::from_secs(30), jobs: 1, ..Manner::default() };
    let told = crate::runtime()?.block_on(async {
        // What a watch never tells would be waited for as long as a case may take.
        let patience = server.says.is_of_cluster().then(|| Duration::from_secs(5));
        let target = Broken::start(server.says, patience).await?;
        Ok::<_, String>(tell_all(&all, &target, manner, &Stop::default(), |_| {}).await)
    })?;
    let mut passed = Vec::new();
    for one in told {
        match one.outcome {
            Outcome::Passed => passed.push(one.case.id),
            Outcome::Failed(failure) => {
                let by_itself = !failure.what.contains("panicked") && !failure.what.contains("did not end");
                by_itself.then_some(()).ok_or_else(|| format!("{}: {failure}", one.case.id))?;
            }
            other => return Err(format!("{}: {other:?}", one.case.id)),
        }
    }
    if passed == server.pass {
        return Ok(());
    }
    Err(format!("these pass: {passed:?}, and only these may: {:?}", server.pass))
}
