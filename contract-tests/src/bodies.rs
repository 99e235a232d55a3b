//! Requests that many cases begin with.

use serde_json::{Value, json};

/// The configuration that the contract calls Base: 50 channels, live, multichannel.
#[must_use]
pub fn base() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "displayInfo": {"height": 1000},
           "channels": {"min": 1, "max": 50}, "frequencyRange": {"min": 0, "max": 500},
           "start_time": null, "end_time": null, "view_type": "0"})
}

/// The one it calls Light: 20 channels, short transforms.
#[must_use]
pub fn light() -> Value {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 512, "displayInfo": {"height": 800},
           "channels": {"min": 1, "max": 20}, "frequencyRange": {"min": 0, "max": 250},
           "start_time": null, "end_time": null, "view_type": "0"})
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
