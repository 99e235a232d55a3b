//! Checks 1 to 26 of the contract, as a judge of any request: what must it be refused with?
//!
//! The judge reads JSON and knows nothing of how the request was made, so it also tells what several mistakes together
//! must give. It does not know about what comes after the checks: recordings, dependencies, capacity.

use serde_json::{Map, Value};

use super::Bounds;
use crate::answer::{Refused, Violation};
use crate::checks;

/// A check that a request does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Number of the check.
    pub row: u8,
    /// What the answer says about it.
    pub violation: Violation,
}

/// The refusal that these checks give together, if there are any.
#[must_use]
pub fn refusal(found: &[Found]) -> Option<Refused<'static>> {
    let violations: Vec<_> = found.iter().map(|found| found.violation.clone()).collect();
    (!violations.is_empty()).then(|| checks::refused(violations))
}

/// Every check that a request does not pass, in their order.
#[must_use]
pub fn found(body: &Value, bounds: &Bounds) -> Vec<Found> {
    let Some(body) = body.as_object() else {
        return vec![Found { row: 1, violation: checks::body_no_object() }];
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
    fn note(&mut self, row: u8, violation: Violation) {
        self.found.push(Found { row, violation });
    }

    fn view(&mut self) -> Option<u8> {
        let Some(value) = field(self.body, "view_type") else {
            self.note(2, checks::missing("view_type"));
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
            self.note(3, checks::view_unknown());
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
            self.note(missing, checks::missing(loc));
            return None;
        };
        let number = whole(value);
        if number.is_none() {
            self.note(mistyped, checks::no_integer(loc));
        }
        number
    }

    /// An object of the request.
    fn object(
        &mut self,
        loc: &'static str,
        (missing, mistyped): (u8, u8),
        required: fn(&'static str) -> Violation,
    ) -> Option<Map<String, Value>> {
        let Some(value) = field(self.body, loc) else {
            self.note(missing, required(loc));
            return None;
        };
        let object = value.as_object().cloned();
        if object.is_none() {
            self.note(mistyped, checks::no_object(loc));
        }
        object
    }

    fn channels(&mut self, view: Option<u8>) {
        let Some(channels) = self.object("channels", (4, 5), checks::missing) else { return };
        let min = self.integer_in(&channels, "channels.min", (4, 5));
        let max = self.integer_in(&channels, "channels.max", (4, 5));
        let Bounds { lowest, highest, most_channels, .. } = *self.bounds;
        if let Some(min) = min.filter(|min| *min < i64::from(lowest)) {
            if min < 1 {
                self.note(6, checks::channel_below_one());
            } else {
                self.note(8, checks::channel_below_lowest(min, lowest));
            }
        }
        if let Some(max) = max.filter(|max| *max > i64::from(highest)) {
            self.note(9, checks::channel_above_highest(max, highest));
        }
        let Some((min, max)) = min.zip(max) else { return };
        let amount = max - min + 1;
        if min > max {
            self.note(7, checks::channels_reversed(min, max));
        } else if view == Some(1) && min != max {
            self.note(11, checks::single_channel_range());
        }
        if amount > i64::from(most_channels) {
            self.note(10, checks::too_many_channels(amount, most_channels));
        }
    }

    fn display(&mut self) {
        let Some(display) = self.object("displayInfo", (12, 12), checks::missing) else { return };
        let height = self.integer_in(&display, "displayInfo.height", (12, 12));
        if height.is_some_and(|height| height <= 0) {
            self.note(13, checks::height_not_positive());
        }
    }

    /// What waterfalls must not have.
    fn waterfall(&mut self) {
        for (row, loc) in [(14, "displayTimeAxisDuration"), (18, "frequencyRange")] {
            if field(self.body, loc).is_some() {
                self.note(row, checks::not_for_waterfall(loc));
            }
        }
        if field(self.body, "nfftSelection").is_some_and(|nfft| whole(nfft) != Some(1)) {
            self.note(16, checks::nfft_for_waterfall());
        }
    }

    /// What the other views must have.
    fn spectrogram(&mut self) {
        if self.needed(14, "displayTimeAxisDuration").is_some_and(|duration| duration <= 0) {
            self.note(15, checks::duration_not_positive());
        }
        if let Some(nfft) = self.needed(16, "nfftSelection") {
            let longest = self.bounds.largest_nfft;
            let power = u64::try_from(nfft).is_ok_and(u64::is_power_of_two);
            if !power || !(128..=i64::from(longest)).contains(&nfft) {
                self.note(17, checks::nfft_unsupported(nfft, longest));
            }
        }
        self.frequencies();
    }

    fn needed(&mut self, row: u8, loc: &'static str) -> Option<i64> {
        if field(self.body, loc).is_none() {
            self.note(row, checks::missing_for_spectrum(loc));
            return None;
        }
        self.integer_in(self.body, loc, (row, row))
    }

    fn frequencies(&mut self) {
        let required = checks::missing_for_spectrum;
        let Some(range) = self.object("frequencyRange", (18, 18), required) else { return };
        let min = self.integer_in(&range, "frequencyRange.min", (18, 18));
        let max = self.integer_in(&range, "frequencyRange.max", (18, 18));
        if min.is_some_and(|min| min < 0) {
            self.note(19, checks::frequency_negative());
        }
        if let Some((min, max)) = min.zip(max).filter(|(min, max)| min >= max) {
            self.note(20, checks::frequencies_reversed(min, max));
        }
        let prr = self.bounds.prr;
        // Twice, because half of an odd rate is no whole number.
        if let Some(max) = max.filter(|max| max.saturating_mul(2) > i64::from(prr)) {
            self.note(21, checks::above_nyquist(max, prr));
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
            self.note(22, checks::one_sided_window(absent));
        }
        let time = |judge: &mut Self, loc: &'static str, given: bool| {
            let time = given.then(|| judge.integer_in(judge.body, loc, (23, 23))).flatten();
            if time.is_some_and(|time| time < 0) {
                judge.note(24, checks::time_negative(loc));
            }
            time
        };
        let start = time(self, "start_time", start.is_some());
        let end = time(self, "end_time", end.is_some());
        if start.zip(end).is_some_and(|(start, end)| start >= end) {
            self.note(25, checks::times_reversed());
        }
        if end.is_some_and(|end| end > self.bounds.now + self.bounds.tolerance) {
            self.note(26, checks::time_in_future());
        }
    }
}
