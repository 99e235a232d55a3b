//! What can be wrong with a configuration: one constructor per row of the contract's table of checks, in its order.
//!
//! A row belongs to one of two classes, which its type tells: shape, whose answer is 422, and value, whose answer is
//! 400. Numbers in a text are the caller's; text of a client is in none of them.

use crate::answer::{Refused, Violation};

/// Most channels in one request.
pub const MOST_CHANNELS: u32 = 2222;
/// Longest transform, unless a server is set to less.
pub const LONGEST_NFFT: u32 = 65536;

/// The refusal of a request with these violations, given in the order of the checks: 422 as soon as one is of shape.
#[must_use]
pub fn refused(violations: Vec<Violation>) -> Refused<'static> {
    if violations.iter().any(is_shape) { Refused::shape(violations) } else { Refused::value(violations) }
}

/// Whether it is of the class shape: missing, of another type, not allowed here, or naming something that is not there.
#[must_use]
pub fn is_shape(violation: &Violation) -> bool {
    [
        "dict_type",
        "int_type",
        "missing",
        "enum",
        "greater_than_equal",
        "less_than_equal",
        "extra_forbidden",
        "value_error",
    ]
    .contains(&violation.kind)
}

/// 1: JSON, but no object. Ends the check.
#[must_use]
pub fn body_no_object() -> Violation {
    Violation::new("", "dict_type", "Request body must be a JSON object")
}

/// 2, 4, 12 and the bounds of 18: absent or null.
#[must_use]
pub fn missing(field: &'static str) -> Violation {
    Violation::new(field, "missing", format!("{field} is required"))
}

/// 3: neither of the three views.
#[must_use]
pub fn view_unknown() -> Violation {
    Violation::new("view_type", "enum", "view_type is invalid: must be 0, 1 or 2")
}

/// 5, 12, 18: something else where an object must be.
#[must_use]
pub fn no_object(field: &'static str) -> Violation {
    Violation::new(field, "dict_type", format!("{field} must be an object"))
}

/// 5, 12, 14, 16, 18, 23: something else where a whole number must be.
#[must_use]
pub fn no_integer(field: &'static str) -> Violation {
    Violation::new(field, "int_type", format!("{field} must be an integer"))
}

/// 6: channels are counted from 1.
#[must_use]
pub fn channel_below_one() -> Violation {
    let msg = "channel range is invalid: channels.min must be at least 1";
    Violation::new("channels.min", "out_of_range", msg)
}

/// 7: the first channel is behind the last one.
#[must_use]
pub fn channels_reversed(min: i64, max: i64) -> Violation {
    let msg = format!("channel range is invalid: channels.min {min} must not exceed channels.max {max}");
    Violation::new("channels", "range_reversed", msg)
}

/// 8: before the fibre's first channel.
#[must_use]
pub fn channel_below_lowest(min: i64, lowest: u32) -> Violation {
    let msg = format!("channel range is invalid: channels.min {min} is below the lowest channel {lowest}");
    Violation::new("channels.min", "greater_than_equal", msg)
}

/// 9: behind the fibre's last channel.
#[must_use]
pub fn channel_above_highest(max: i64, highest: u32) -> Violation {
    let msg = format!("channel range is invalid: channels.max {max} is above the highest channel {highest}");
    Violation::new("channels.max", "less_than_equal", msg)
}

/// 10: more channels than a request may have, [`MOST_CHANNELS`] where nothing else is set.
#[must_use]
pub fn too_many_channels(amount: i64, limit: u32) -> Violation {
    let msg = format!("channel range is invalid: {amount} channels exceed the maximum {limit} per request");
    Violation::new("channels", "too_many_channels", msg)
}

/// 11: a range for the view of a single channel; not when 7 applies.
#[must_use]
pub fn single_channel_range() -> Violation {
    let msg = "channel range is invalid: SINGLECHANNEL needs channels.min equal to channels.max";
    Violation::new("channels", "single_channel_range", msg)
}

/// 13: no lines.
#[must_use]
pub fn height_not_positive() -> Violation {
    let msg = "displayInfo.height is invalid: height must be positive";
    Violation::new("displayInfo.height", "not_positive", msg)
}

/// 14, 16, 18: absent or null where a view with frequencies needs it.
#[must_use]
pub fn missing_for_spectrum(field: &'static str) -> Violation {
    Violation::new(field, "missing", format!("{field} is required for view_type 0 and 1"))
}

/// 14, 18: there where a waterfall must not have it.
#[must_use]
pub fn not_for_waterfall(field: &'static str) -> Violation {
    Violation::new(field, "extra_forbidden", format!("{field} is not allowed for WATERFALL"))
}

/// 15: no seconds.
#[must_use]
pub fn duration_not_positive() -> Violation {
    let msg = "displayTimeAxisDuration is invalid: duration must be positive";
    Violation::new("displayTimeAxisDuration", "not_positive", msg)
}

/// 16: a transform in a waterfall.
#[must_use]
pub fn nfft_for_waterfall() -> Violation {
    let msg = "nfftSelection is invalid: nfft must be 1 or absent for WATERFALL";
    Violation::new("nfftSelection", "value_error", msg)
}

/// 17: a length that no transform has, or one above the limit, [`LONGEST_NFFT`] where nothing else is set.
#[must_use]
pub fn nfft_unsupported(nfft: i64, limit: u32) -> Violation {
    let msg = format!(
        "nfftSelection {nfft} is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum \
         128, maximum {limit}"
    );
    Violation::new("nfftSelection", "nfft_unsupported", msg)
}

/// 19: below 0 Hz.
#[must_use]
pub fn frequency_negative() -> Violation {
    let msg = "frequency range is invalid: frequencyRange.min must not be negative";
    Violation::new("frequencyRange.min", "out_of_range", msg)
}

/// 20: a band without width, or the wrong way round.
#[must_use]
pub fn frequencies_reversed(min: i64, max: i64) -> Violation {
    let msg = format!(
        "frequency range is invalid: frequencyRange.min {min} must be less than frequencyRange.max {max}"
    );
    Violation::new("frequencyRange", "range_reversed", msg)
}

/// 21: beyond half the rate of the pulses.
#[must_use]
pub fn above_nyquist(max: i64, prr: u32) -> Violation {
    // Half of an odd rate is no whole number.
    let limit = f64::from(prr) / 2.0;
    let msg = format!("frequency range is invalid: {max} Hz exceeds the Nyquist limit of {limit} Hz");
    Violation::new("frequencyRange.max", "nyquist_exceeded", msg)
}

/// 22: one end of a window without the other; `absent` is the one that is not there.
#[must_use]
pub fn one_sided_window(absent: &'static str) -> Violation {
    let msg = "time range is ambiguous: give both start_time and end_time, or neither";
    Violation::new(absent, "missing", msg)
}

/// 24: before 1970.
#[must_use]
pub fn time_negative(field: &'static str) -> Violation {
    Violation::new(field, "out_of_range", format!("time range is invalid: {field} must not be negative"))
}

/// 25: a window without length, or the wrong way round.
#[must_use]
pub fn times_reversed() -> Violation {
    let msg = "time range is invalid: start_time must be before end_time";
    Violation::new("end_time", "range_reversed", msg)
}

/// 26: a window that ends later than now and the tolerance.
#[must_use]
pub fn time_in_future() -> Violation {
    Violation::new("end_time", "time_in_future", "time range is invalid: end_time is in the future")
}
