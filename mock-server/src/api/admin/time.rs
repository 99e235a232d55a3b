//! Times as the admin interface takes and shows them.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo, SpanTotal, Unit};
use serde_json::Value;

use super::answer::No;
use crate::domain::time::Moment;

/// Longest time: each simulated job takes a sample every ten seconds, and the world stands still meanwhile.
pub(super) const FURTHEST: Duration = Duration::from_secs(31 * 24 * 3600);

pub(super) fn rfc3339(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment.millis().0)
        .map_or_else(|_| String::new(), |time| time.to_string())
}

/// `"50s"`, `"1m 30s"`, or a number of seconds, 31 days at most.
pub(super) fn duration(value: &Value) -> Option<Duration> {
    let duration = match value {
        Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
        Value::String(text) => {
            // A day has 24 hours here, as it has in world files.
            let seconds = SpanTotal::from(Unit::Second).relative(SpanRelativeTo::days_are_24_hours());
            Duration::try_from_secs_f64(text.parse::<Span>().ok()?.total(seconds).ok()?).ok()?
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (duration <= FURTHEST).then_some(duration)
}

/// How long a change lasts that goes back by itself.
pub(super) fn lasts(value: Option<&Value>) -> Result<Option<Duration>, No> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    duration(value).filter(|time| !time.is_zero()).map(Some).ok_or_else(|| {
        No::wrong(
            "for: expected a duration such as \"60s\" or \"1m 30s\", or a number of seconds, above 0, 31 days at most",
        )
    })
}
