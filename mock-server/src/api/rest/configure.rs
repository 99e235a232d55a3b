//! `POST /configure`: from a JSON object to a draft, and from a job to its answer.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Map, Value};

use super::ask::Ask;
use super::{App, jobs, json, quirky};
use crate::api::rejection::Rejection;
use crate::domain::check::{ConfigureDraft, Given, RangeDraft, ViewNumber, WindowDraft};
use crate::domain::ids::JobId;

/// Creates a job.
pub(super) async fn configure(app: Arc<App>, ask: Ask) -> Result<Response, Rejection> {
    let host = app.stream_base.host().map_or_else(|| ask.host(), str::to_owned);
    // The tree goes before the wait that a slow outage can be: only the draft is needed from here on.
    let quirks = ask.quirks();
    let draft = draft(&ask.json_object()?);
    match app.simulation.configure_for(&draft, host, &*ask) {
        Ok(terms) => {
            ask.made(terms.id);
            quirky::of_job(&terms).for_each(|reason| ask.because(reason));
            answer_time(&app, terms.id).await;
            Ok(json(jobs::write_answer(&app, &terms)))
        }
        Err(refusal) => Err(jobs::in_its_time(&app, refusal, quirks).await),
    }
}

/// Waits as long as the answer takes. The job exists by now, so a client that leaves meanwhile leaves a job like any
/// other.
async fn answer_time(app: &App, job: JobId) {
    let latency = app.simulation.configure_latency(job);
    if !latency.is_zero() {
        let clock = app.simulation.clock();
        clock.sleep_until(clock.now().after(latency), "configure answer", Some(job)).await;
    }
}

fn draft(body: &Map<String, Value>) -> ConfigureDraft {
    ConfigureDraft {
        view: view(body.get("view_type")),
        view_is_number: matches!(integer(body.get("view_type")), Given::Value(_)),
        channels: object(body.get("channels"), range),
        display: object(body.get("displayInfo"), |info| integer(info.get("height"))),
        duration: integer(body.get("displayTimeAxisDuration")),
        nfft: integer(body.get("nfftSelection")),
        frequencies: object(body.get("frequencyRange"), range),
        window: window(body),
    }
}

/// `start_time` and `end_time` of a body.
pub(super) fn window(body: &Map<String, Value>) -> WindowDraft {
    WindowDraft { start: integer(body.get("start_time")), end: integer(body.get("end_time")) }
}

pub(super) fn range(object: &Map<String, Value>) -> RangeDraft {
    RangeDraft { min: integer(object.get("min")), max: integer(object.get("max")) }
}

pub(super) fn object<T>(value: Option<&Value>, read: impl FnOnce(&Map<String, Value>) -> T) -> Given<T> {
    match value {
        None | Some(Value::Null) => Given::Absent,
        Some(Value::Object(object)) => Given::Value(read(object)),
        Some(_) => Given::Malformed,
    }
}

/// Known clients send the view as a string; a plain number means the same.
pub(super) fn view(value: Option<&Value>) -> Given<ViewNumber> {
    let number = match value {
        Some(Value::String(text)) => match text.as_str() {
            "0" => Given::Value(0),
            "1" => Given::Value(1),
            "2" => Given::Value(2),
            _ => Given::Malformed,
        },
        other => integer(other),
    };
    match number {
        Given::Absent => Given::Absent,
        Given::Value(0) => Given::Value(ViewNumber::MultiChannel),
        Given::Value(1) => Given::Value(ViewNumber::SingleChannel),
        Given::Value(2) => Given::Value(ViewNumber::Waterfall),
        Given::Value(_) | Given::Malformed => Given::Malformed,
    }
}

/// Integers that JSON carries exactly.
const EXACT: i64 = 1 << 53;

/// A whole number, also one written as `30.0`, up to 2^53 either way.
pub(super) fn integer(value: Option<&Value>) -> Given<i64> {
    let number = match value {
        None | Some(Value::Null) => return Given::Absent,
        Some(Value::Number(number)) => number,
        Some(_) => return Given::Malformed,
    };
    let whole = number.as_i64().or_else(|| number.as_f64().and_then(whole));
    match whole {
        Some(whole) if (-EXACT..=EXACT).contains(&whole) => Given::Value(whole),
        Some(_) | None => Given::Malformed,
    }
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "exact up to 2^53, which is checked"
)]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() <= EXACT as f64).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Given<i64> {
        integer(Some(&serde_json::from_str(text).expect("JSON of the test")))
    }

    #[test]
    fn a_float_without_fraction_is_an_integer_and_nothing_else_is() {
        for (text, value) in [("30", 30), ("30.0", 30), ("3e1", 30), ("-0.0", 0), ("9007199254740992", EXACT)]
        {
            assert_eq!(read(text), Given::Value(value), "{text}");
        }
        for text in [
            "30.5",
            "\"30\"",
            "true",
            "[]",
            "{}",
            "9007199254740993",
            "-9007199254740993",
            "1e300",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551615",
            "123456789012345678901234567890",
        ] {
            assert_eq!(read(text), Given::Malformed, "{text}");
        }
        assert_eq!(read("null"), Given::Absent);
        assert_eq!(integer(None), Given::Absent);
    }

    #[test]
    fn a_view_is_a_number_or_exactly_that_number_as_text() {
        let view = |text: &str| view(Some(&serde_json::from_str(text).expect("JSON of the test")));
        assert_eq!(view("\"0\""), Given::Value(ViewNumber::MultiChannel));
        assert_eq!(view("1"), Given::Value(ViewNumber::SingleChannel));
        assert_eq!(view("2.0"), Given::Value(ViewNumber::Waterfall));
        for text in ["\"02\"", "\"0 \"", "\"\"", "\"3\"", "3", "-1", "true", "[0]", "0.5", "1e99"] {
            assert_eq!(view(text), Given::Malformed, "{text}");
        }
    }
}
