//! Times as the admin interface takes and shows them.

use std::time::Duration;

use serde_json::Value;

use super::answer::No;
use crate::document::duration;
use crate::domain::time::Moment;

pub(super) fn rfc3339(moment: Moment) -> String {
    jiff::Timestamp::from_millisecond(moment.millis().0)
        .map_or_else(|_| String::new(), |time| time.to_string())
}

/// `"50s"`, `"1m 30s"`, or a number of seconds, 31 days at most.
pub(super) fn duration(value: &Value) -> Option<Duration> {
    let time = match value {
        Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok()?,
        Value::String(text) => duration::parse(text)?,
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (time <= duration::LONGEST).then_some(time)
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
