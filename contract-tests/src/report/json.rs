//! JSON for programs: everything that there is to know about a run, with the requests and answers of what failed.

use serde_json::{Map, Value, json};

use super::{Run, Verdict, date, difference, words};
use crate::client::rest::Exchange;

pub(super) fn render(run: &Run) -> String {
    let totals: Map<String, Value> =
        run.totals().named().iter().map(|(name, count)| (name.replace(' ', "_"), json!(count))).collect();
    let report = json!({
        "target": run.target,
        "because": run.because,
        "environments": run.environments,
        "suite": run.suite,
        "seed": run.seed,
        "began": date(run.began),
        "ended": date(run.ended),
        "exit_status": run.exit_status(),
        "stopped": run.stopped,
        "totals": totals,
        "known_failing": run.rotten,
        "left_behind": run.left_behind().map(|(case, what)| json!({"case": case, "what": what})).collect::<Vec<_>>(),
        "cases": run.results.iter().map(|verdict| case(run, verdict)).collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn case(run: &Run, verdict: &Verdict) -> Value {
    let told = &verdict.told;
    let failure = verdict.failure().map(|failure| {
        json!({
            "what": failure.what,
            "difference": failure.difference.as_ref().map(difference),
            "exchange": failure.exchange.as_deref().map(exchange),
            "again": run.again(told.case.id),
        })
    });
    json!({
        "id": told.case.id,
        "claim": told.case.claim,
        "keys": told.case.keys,
        "tags": told.case.tags.iter().map(|tag| tag.name()).collect::<Vec<_>>(),
        "needs": told.case.needs.iter().map(|need| need.name()).collect::<Vec<_>>(),
        "outcome": verdict.meaning.name().replace(' ', "_"),
        "remark": verdict.remark(),
        "began": date(told.began),
        "seconds": told.took.as_secs_f64(),
        "requests": told.exchanges.len(),
        "notes": told.notes,
        "failure": failure,
    })
}

/// A request with its answer.
pub(super) fn exchange(exchange: &Exchange) -> Value {
    let headers = |given: &[(String, String)]| -> Vec<Value> {
        words::headers(given).map(|(name, value)| json!([name, value])).collect()
    };
    json!({
        "request": {
            "method": exchange.request.method.as_str(),
            "url": words::url(exchange),
            "headers": headers(&exchange.request.headers),
            "body": exchange.request.body.as_deref().map(words::body),
        },
        "answer": {
            "status": exchange.status,
            "headers": headers(&exchange.headers),
            "body": words::body(&exchange.body),
            "seconds": exchange.took.as_secs_f64(),
        },
    })
}
