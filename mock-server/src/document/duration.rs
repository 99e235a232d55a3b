//! Durations as people write them: `500ms`, `10s`, `1m 30s`, `2d`, or a number of seconds.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::section::Section;
use super::tree::{Node, Value};

/// Longest time that anything can be told to take or last: 31 days.
pub(crate) const LONGEST: Duration = Duration::from_secs(31 * 86_400);

/// The duration of a text; `None` if it is none, or below zero.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let relative = SpanRelativeTo::days_are_24_hours();
    let span = text.parse::<Span>().ok()?.to_duration(relative).ok()?;
    (!span.is_negative()).then(|| SignedDuration::unsigned_abs(span))
}

/// A duration as [`parse`] reads it, to the nanosecond.
#[must_use]
pub fn show(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), u64::from(duration.subsec_nanos()));
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
        (nanos / 1_000_000, "ms"),
        (nanos / 1000 % 1000, "us"),
        (nanos % 1000, "ns"),
    ];
    let parts: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if parts.is_empty() { String::from("0s") } else { parts.join(" ") }
}

/// The duration of a node.
pub(super) fn of(node: &Node) -> Option<Duration> {
    match &node.value {
        Value::Text(text) => parse(text),
        Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
        Value::Number(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
        Value::Nothing | Value::Flag(_) | Value::List(_) | Value::Mapping(_) => None,
    }
}

impl Section<'_> {
    /// A duration within bounds, unless it is left out.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let node = self.get(key)?;
        self.as_duration(&self.name(key), node, bounds)
    }

    /// A duration within bounds that must not be left out.
    pub(super) fn required_duration(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let node = self.require(key)?;
        self.as_duration(&self.name(key), node, bounds)
    }

    pub(super) fn as_duration(
        &mut self,
        name: &str,
        node: &Node,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let duration = of(node).filter(|duration| bounds.contains(duration));
        if duration.is_none() {
            let (least, most) = (show(*bounds.start()), show(*bounds.end()));
            let text = format!(
                "{name} must be a duration such as 500ms, 10s or \"1m 30s\", or a number of seconds, from {least} to \
                 {most}, not {node}"
            );
            self.mistake(node, text);
        }
        duration
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("1m 30s", 90_000),
            ("2d", 172_800_000),
            ("1.5s", 1500),
            ("0s", 0),
            ("PT1M", 60_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "soon", "-1s", "10", "1 month", "1y"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_shown_is_read_as_the_same_duration(seconds in 0..LONGEST.as_secs(), nanos in 0..1_000_000_000_u32) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(parse(&show(duration)), Some(duration));
        }
    }
}
