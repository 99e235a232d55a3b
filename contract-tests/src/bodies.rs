//! Requests that many cases begin with.

use serde_json::{Value, json};

use crate::arithmetic::Request;

/// The numbers of the configuration that the contract calls Base: 50 channels, multichannel.
pub const BASE: Request =
    Request { view: 0, channels: (1, 50), nfft: 1024, frequencies: (0, 500), duration: 10, height: 1000 };

/// Those of the one it calls Light: 20 channels, short transforms.
pub const LIGHT: Request =
    Request { channels: (1, 20), nfft: 512, frequencies: (0, 250), height: 800, ..BASE };

/// Base, live.
#[must_use]
pub fn base() -> Value {
    of(&BASE)
}

/// Light, live.
#[must_use]
pub fn light() -> Value {
    of(&LIGHT)
}

/// A live configuration with these numbers and every field there is, as known clients send it: what a waterfall must
/// not have is null.
#[must_use]
pub fn of(request: &Request) -> Value {
    let spectrum = |value: Value| if request.view == 2 { Value::Null } else { value };
    let range = |(min, max): (u32, u32)| json!({"min": min, "max": max});
    json!({"displayTimeAxisDuration": spectrum(request.duration.into()),
           "nfftSelection": spectrum(request.nfft.into()), "displayInfo": {"height": request.height},
           "channels": range(request.channels), "frequencyRange": spectrum(range(request.frequencies)),
           "start_time": null, "end_time": null, "view_type": request.view.to_string()})
}

/// The smallest waterfall.
#[must_use]
pub fn waterfall() -> Value {
    json!({"displayInfo": {"height": 256}, "channels": {"min": 1, "max": 10}, "view_type": "2"})
}

/// The same request with other values; a key with a dot names a field of an object.
#[must_use]
pub fn with<const N: usize>(mut body: Value, changes: [(&str, Value); N]) -> Value {
    for (key, value) in changes {
        match key.split_once('.') {
            Some((object, field)) => body[object][field] = value,
            None => body[key] = value,
        }
    }
    body
}

/// The same request without some of its fields.
#[must_use]
pub fn without(mut body: Value, keys: &[&str]) -> Value {
    for key in keys {
        let (object, field) = match key.split_once('.') {
            Some((object, field)) => (body.get_mut(object), field),
            None => (Some(&mut body), *key),
        };
        // `shift_remove` keeps the order of the others, `remove` swaps.
        if let Some(object) = object.and_then(Value::as_object_mut) {
            object.shift_remove(field);
        }
    }
    body
}

/// The same request over a stretch of history.
#[must_use]
pub fn historic(body: Value, start: i64, end: i64) -> Value {
    with(body, [("start_time", start.into()), ("end_time", end.into())])
}
