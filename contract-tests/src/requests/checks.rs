//! Checks 1 to 26 of the contract, as a judge of any request: what must it be refused with?
//!
//! The judge reads JSON and knows nothing of how the request was made, so it also tells what several mistakes together
//! must give. It does not know about what comes after the checks: recordings, dependencies, capacity.

use serde_json::{Map, Value};

use super::Bounds;
use crate::answer::{Refused, Violation};

/// A check that a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Number of the check.
    pub row: u8,
    /// Whether the request's shape is wrong, not only a value.
    pub shape: bool,
    /// What the answer says about it.
    pub violation: Violation,
}

/// The refusal that these checks give together, if there are any.
#[must_use]
pub fn refusal(found: &[Found]) -> Option<Refused<'static>> {
    let violations = found.iter().map(|found| found.violation.clone()).collect();
    match found {
        [] => None,
        found if found.iter().any(|found| found.shape) => Some(Refused::shape(violations)),
        _ => Some(Refused::value(violations)),
    }
}

/// Every check that a request does not pass, in their order.
#[must_use]
pub fn found(body: &Value, bounds: &Bounds) -> Vec<Found> {
    let Some(body) = body.as_object() else {
        let violation = Violation::new("", "dict_type", "Request body must be a JSON object");
        return vec![Found { row: 1, shape: true, violation }];
    };
    let mut judge = Judge { body, bounds, found: Vec::new() };
    let view = judge.view();
    judge.channels(view);
    judge.display();
    match view {
        Some(2) => judge.waterfall(),
        Some(_) => judge.spectrogram(),
        None => {}
    }
    judge.times();
    // A check may concern several fields: its number goes before the order of the fields.
    judge.found.sort_by_key(|found| found.row);
    judge.found
}

/// A whole number as the contract counts them: 30.0 is one, and beyond 2^53 there are none.
fn whole(value: &Value) -> Option<i64> {
    const FURTHEST: i64 = 1 << 53;
    let number = match value.as_i64() {
        Some(number) => number,
        None => {
            let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
            (number.abs() <= FURTHEST as f64).then_some(number as i64)?
        }
    };
    (number.abs() <= FURTHEST).then_some(number)
}

/// What there is in place of a field; null is nothing.
fn field<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

struct Judge<'a> {
    body: &'a Map<String, Value>,
    bounds: &'a Bounds,
    found: Vec<Found>,
}

impl Judge<'_> {
    fn shape(&mut self, row: u8, loc: &'static str, kind: &'static str, msg: impl Into<String>) {
        self.found.push(Found { row, shape: true, violation: Violation::new(loc, kind, msg) });
    }

    fn value(&mut self, row: u8, loc: &'static str, kind: &'static str, msg: impl Into<String>) {
        self.found.push(Found { row, shape: false, violation: Violation::new(loc, kind, msg) });
    }

    fn view(&mut self) -> Option<u8> {
        let Some(value) = field(self.body, "view_type") else {
            self.shape(2, "view_type", "missing", "view_type is required");
            return None;
        };
        let view = match value.as_str() {
            Some("0") => Some(0),
            Some("1") => Some(1),
            Some("2") => Some(2),
            Some(_) => None,
            None => whole(value).filter(|view| (0..=2).contains(view)),
        };
        if view.is_none() {
            self.shape(3, "view_type", "enum", "view_type is invalid: must be 0, 1 or 2");
        }
        view.map(|view| view as u8)
    }

    /// An integer within an object, with the numbers of the checks for what is missing and what is of another type.
    fn integer_in(
        &mut self,
        object: &Map<String, Value>,
        loc: &'static str,
        (missing, mistyped): (u8, u8),
    ) -> Option<i64> {
        let Some(value) = field(object, loc.rsplit('.').next().unwrap_or(loc)) else {
            self.shape(missing, loc, "missing", format!("{loc} is required"));
            return None;
        };
        let number = whole(value);
        if number.is_none() {
            self.shape(mistyped, loc, "int_type", format!("{loc} must be an integer"));
        }
        number
    }

    /// An object of the request.
    fn object(
        &mut self,
        loc: &'static str,
        (missing, mistyped): (u8, u8),
        required: &str,
    ) -> Option<Map<String, Value>> {
        let Some(value) = field(self.body, loc) else {
            self.shape(missing, loc, "missing", required);
            return None;
        };
        let object = value.as_object().cloned();
        if object.is_none() {
            self.shape(mistyped, loc, "dict_type", format!("{loc} must be an object"));
        }
        object
    }

    fn channels(&mut self, view: Option<u8>) {
        let Some(channels) = self.object("channels", (4, 5), "channels is required") else { return };
        let min = self.integer_in(&channels, "channels.min", (4, 5));
        let max = self.integer_in(&channels, "channels.max", (4, 5));
        let Bounds { lowest, highest, most_channels, .. } = *self.bounds;
        let invalid = |what: String| format!("channel range is invalid: {what}");
        if let Some(min) = min.filter(|min| *min < i64::from(lowest)) {
            if min < 1 {
                let text = invalid(String::from("channels.min must be at least 1"));
                self.value(6, "channels.min", "out_of_range", text);
            } else {
                let text = invalid(format!("channels.min {min} is below the lowest channel {lowest}"));
                self.shape(8, "channels.min", "greater_than_equal", text);
            }
        }
        if let Some(max) = max.filter(|max| *max > i64::from(highest)) {
            let text = invalid(format!("channels.max {max} is above the highest channel {highest}"));
            self.shape(9, "channels.max", "less_than_equal", text);
        }
        let Some((min, max)) = min.zip(max) else { return };
        let amount = max - min + 1;
        if min > max {
            let text = invalid(format!("channels.min {min} must not exceed channels.max {max}"));
            self.value(7, "channels", "range_reversed", text);
        } else if view == Some(1) && min != max {
            let text = invalid(String::from("SINGLECHANNEL needs channels.min equal to channels.max"));
            self.value(11, "channels", "single_channel_range", text);
        }
        if amount > i64::from(most_channels) {
            let text = invalid(format!("{amount} channels exceed the maximum {most_channels} per request"));
            self.value(10, "channels", "too_many_channels", text);
        }
    }

    fn display(&mut self) {
        let Some(display) = self.object("displayInfo", (12, 12), "displayInfo is required") else { return };
        let height = self.integer_in(&display, "displayInfo.height", (12, 12));
        if height.is_some_and(|height| height <= 0) {
            let text = "displayInfo.height is invalid: height must be positive";
            self.value(13, "displayInfo.height", "not_positive", text);
        }
    }

    /// What waterfalls must not have.
    fn waterfall(&mut self) {
        for (row, loc) in [(14, "displayTimeAxisDuration"), (18, "frequencyRange")] {
            if field(self.body, loc).is_some() {
                self.shape(row, loc, "extra_forbidden", format!("{loc} is not allowed for WATERFALL"));
            }
        }
        if field(self.body, "nfftSelection").is_some_and(|nfft| whole(nfft) != Some(1)) {
            let text = "nfftSelection is invalid: nfft must be 1 or absent for WATERFALL";
            self.shape(16, "nfftSelection", "value_error", text);
        }
    }

    /// What the other views must have.
    fn spectrogram(&mut self) {
        if self.needed(14, "displayTimeAxisDuration").is_some_and(|duration| duration <= 0) {
            let text = "displayTimeAxisDuration is invalid: duration must be positive";
            self.value(15, "displayTimeAxisDuration", "not_positive", text);
        }
        if let Some(nfft) = self.needed(16, "nfftSelection") {
            let longest = self.bounds.largest_nfft;
            let power = u64::try_from(nfft).is_ok_and(u64::is_power_of_two);
            if !power || !(128..=i64::from(longest)).contains(&nfft) {
                let text = format!(
                    "nfftSelection {nfft} is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), \
                     minimum 128, maximum {longest}"
                );
                self.value(17, "nfftSelection", "nfft_unsupported", text);
            }
        }
        self.frequencies();
    }

    fn needed(&mut self, row: u8, loc: &'static str) -> Option<i64> {
        if field(self.body, loc).is_none() {
            self.shape(row, loc, "missing", format!("{loc} is required for view_type 0 and 1"));
            return None;
        }
        self.integer_in(self.body, loc, (row, row))
    }

    fn frequencies(&mut self) {
        let required = "frequencyRange is required for view_type 0 and 1";
        let Some(range) = self.object("frequencyRange", (18, 18), required) else { return };
        let min = self.integer_in(&range, "frequencyRange.min", (18, 18));
        let max = self.integer_in(&range, "frequencyRange.max", (18, 18));
        let invalid = |what: String| format!("frequency range is invalid: {what}");
        if min.is_some_and(|min| min < 0) {
            let text = invalid(String::from("frequencyRange.min must not be negative"));
            self.value(19, "frequencyRange.min", "out_of_range", text);
        }
        if let Some((min, max)) = min.zip(max).filter(|(min, max)| min >= max) {
            let text =
                invalid(format!("frequencyRange.min {min} must be less than frequencyRange.max {max}"));
            self.value(20, "frequencyRange", "range_reversed", text);
        }
        let nyquist = self.bounds.nyquist();
        if let Some(max) = max.filter(|max| *max > i64::from(nyquist)) {
            let text = invalid(format!("{max} Hz exceeds the Nyquist limit of {nyquist} Hz"));
            self.value(21, "frequencyRange.max", "nyquist_exceeded", text);
        }
    }

    fn times(&mut self) {
        let (start, end) = (field(self.body, "start_time"), field(self.body, "end_time"));
        let absent = match (start, end) {
            (Some(_), None) => Some("end_time"),
            (None, Some(_)) => Some("start_time"),
            _ => None,
        };
        if let Some(absent) = absent {
            let text = "time range is ambiguous: give both start_time and end_time, or neither";
            self.shape(22, absent, "missing", text);
        }
        let time = |judge: &mut Self, loc: &'static str, given: bool| {
            let time = given.then(|| judge.integer_in(judge.body, loc, (23, 23))).flatten();
            if time.is_some_and(|time| time < 0) {
                let text = format!("time range is invalid: {loc} must not be negative");
                judge.value(24, loc, "out_of_range", text);
            }
            time
        };
        let start = time(self, "start_time", start.is_some());
        let end = time(self, "end_time", end.is_some());
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            let text = "time range is invalid: start_time must be before end_time";
            self.value(25, "end_time", "range_reversed", text);
        }
        if end.is_some_and(|end| end > self.bounds.now + self.bounds.tolerance) {
            let text = "time range is invalid: end_time is in the future";
            self.value(26, "end_time", "time_in_future", text);
        }
    }
}
