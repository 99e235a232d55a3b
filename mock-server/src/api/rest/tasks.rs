//! The task API: `/sensors`, `/config/{task_id}`, `/waterfall/{task_id}/{row_count}` and a task's `/metadata/{task_id}`.
//! Specified, never deployed.

use std::sync::Arc;

use axum::response::Response;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::ask::Ask;
use super::configure::{integer, object, range};
use super::{App, channels, json_of};
use crate::api::rejection::Rejection;
use crate::api::status::{TASK_HAS_DATA, TASK_HAS_EXITED};
use crate::domain::check::Given;
use crate::domain::check_task::TaskDraft;
use crate::domain::refusal::Refusal;
use crate::domain::task::TaskId;
use crate::domain::time::EpochSeconds;
use crate::domain::violation::{Field, Violation};
use crate::sim::tasks::{Poll, WaterfallRow, WaterfallRows};

#[derive(Serialize)]
struct SensorsBody {
    sensors: Sensors,
}

/// All sensors up to a number.
struct Sensors(u32);

impl Serialize for Sensors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(0..self.0)
    }
}

pub(super) fn sensors(app: &App) -> Response {
    json_of(&SensorsBody { sensors: Sensors(app.simulation.with(|world, _| world.sensors())) })
}

#[derive(Serialize)]
struct Received<'a> {
    status: &'static str,
    task_id: &'a str,
}

pub(super) async fn configure(app: Arc<App>, ask: Ask) -> Result<Response, Rejection> {
    // A name that is no text is no name either: it fails the same check.
    let id = ask.segment(0).unwrap_or_default();
    let body = ask.json_object(app.max_body_bytes).await?;
    let draft = draft(&body);
    let id: TaskId = app.simulation.with(|world, now| world.configure_task(&id, &draft, now))?;
    Ok(json_of(&Received { status: "Config received successfully", task_id: id.as_str() }))
}

fn draft(body: &Map<String, Value>) -> TaskDraft {
    TaskDraft {
        duration: number(body.get("displayTimeAxisDuration")),
        nfft: integer(body.get("nfftSelection")),
        canvas: object(body.get("canvasInfo"), |canvas| integer(canvas.get("height"))),
        sensors: object(body.get("sensors"), range),
        frequencies: object(body.get("frequencyRange"), |range| {
            (number(range.get("min")), number(range.get("max")))
        }),
        start: stamp(body.get("start_time")),
        end: stamp(body.get("end_time")),
    }
}

fn number(value: Option<&Value>) -> Given<f64> {
    match value {
        None | Some(Value::Null) => Given::Absent,
        Some(value) => value.as_f64().map_or(Given::Malformed, Given::Value),
    }
}

/// A time of 12 digits, `yymmddHHMMSS`, UTC, of this century.
fn stamp(value: Option<&Value>) -> Given<EpochSeconds> {
    match value {
        None | Some(Value::Null) => Given::Absent,
        Some(Value::String(text)) => stamped(text).map_or(Given::Malformed, Given::Value),
        Some(_) => Given::Malformed,
    }
}

fn stamped(text: &str) -> Option<EpochSeconds> {
    if text.len() != 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |at: usize| text.get(at..at + 2)?.parse::<i8>().ok();
    let year = 2000 + i16::from(part(0)?);
    let time = DateTime::new(year, part(2)?, part(4)?, part(6)?, part(8)?, part(10)?, 0).ok()?;
    Some(EpochSeconds(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
}

pub(super) fn waterfall(app: &App, ask: &Ask) -> Result<Response, Rejection> {
    let rows = row_count(&ask.segment(0).unwrap_or_default())?;
    let id = ask.segment(1).unwrap_or_default();
    match app.simulation.poll_task(&id, rows)? {
        Poll::Exited => Ok(with_status(Response::default(), TASK_HAS_EXITED)),
        Poll::NoData => Ok(Response::default()),
        Poll::Rows(rows) => Ok(with_status(json_of(&[Block::of(&id, &rows)]), TASK_HAS_DATA)),
    }
}

/// Metadata of a task: that of the fibre once it has data.
pub(super) fn metadata(app: &App, id: &str) -> Result<Response, Rejection> {
    match app.simulation.with(|world, now| world.task_has_data(id, now)) {
        None => Err(Refusal::UnknownJob.into()),
        Some(false) => Ok(Response::default()),
        Some(true) => Ok(with_status(channels::task_metadata(app), TASK_HAS_DATA)),
    }
}

fn with_status(mut response: Response, status: http::StatusCode) -> Response {
    *response.status_mut() = status;
    response
}

/// A whole number above 0; one beyond all counting asks for everything there is.
fn row_count(text: &str) -> Result<u64, Refusal> {
    let refused = |violation: Violation| Refusal::Invalid(violation.into());
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused(Violation::NotAnInteger(Field::RowCount)));
    }
    let zero = digits.bytes().all(|byte| byte == b'0');
    if zero || text.starts_with('-') {
        return Err(refused(Violation::NotPositive(Field::RowCount)));
    }
    Ok(digits.parse().unwrap_or(u64::MAX))
}

#[derive(Serialize)]
struct Block<'a> {
    rows: Vec<Row<'a>>,
    current_max_amp: f32,
    current_min_amp: f32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    canvas_id: &'a str,
    sensors: Intensities<'a>,
    start_timestamp: i64,
    end_timestamp: i64,
}

#[derive(Serialize)]
struct Intensity {
    id: u32,
    intensity: [f32; 1],
}

struct Intensities<'a>(u32, &'a [f32]);

impl Serialize for Intensities<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.1.len()))?;
        for (id, value) in (self.0..).zip(self.1) {
            list.serialize_element(&Intensity { id, intensity: [*value] })?;
        }
        list.end()
    }
}

impl<'a> Block<'a> {
    fn of(id: &'a str, rows: &'a WaterfallRows) -> Self {
        let row = |row: &'a WaterfallRow| Row {
            canvas_id: id,
            sensors: Intensities(rows.first_sensor, &row.amplitudes),
            start_timestamp: row.start,
            end_timestamp: row.end,
        };
        Self {
            rows: rows.rows.iter().map(row).collect(),
            current_max_amp: rows.maximum,
            current_min_amp: rows.minimum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_twelve_digits_of_a_date_that_exists() {
        assert_eq!(stamped("251205145823"), Some(EpochSeconds(1_764_946_703)));
        for text in [
            "",
            "25120514582",
            "2512051458230",
            "251305145823",
            "250230000000",
            "251205245823",
            "2512051458+3",
        ] {
            assert_eq!(stamped(text), None, "{text}");
        }
    }

    #[test]
    fn a_row_count_is_a_whole_number_above_zero() {
        assert_eq!(row_count("10"), Ok(10));
        assert_eq!(row_count("99999999999999999999999"), Ok(u64::MAX));
        for (text, violation) in [
            ("", Violation::NotAnInteger(Field::RowCount)),
            ("1.0", Violation::NotAnInteger(Field::RowCount)),
            ("+1", Violation::NotAnInteger(Field::RowCount)),
            ("-", Violation::NotAnInteger(Field::RowCount)),
            ("0", Violation::NotPositive(Field::RowCount)),
            ("-5", Violation::NotPositive(Field::RowCount)),
        ] {
            assert_eq!(row_count(text), Err(Refusal::Invalid(violation.into())), "{text:?}");
        }
    }
}
