//! Servers that accept what they must refuse, or refuse it in another way.

use serde_json::{Value, json};

use crate::broken::{Defect, Spoil, Spoilable as _, answers, asks};

/// Another value where one is.
fn instead(body: &mut Value, pointer: &str, wrong: &Value, taken: Value) {
    if let Some(value) = body.pointer_mut(pointer).filter(|value| *value == wrong) {
        *value = taken;
    }
}

/// The request has been changed by [`asks`] and accepted; its refusal is told all the same.
const CREATES_AND_REFUSES: Spoil = Spoil::Rest(
    |asked| asked.change(|body| body["channels"] = json!({"min": 1, "max": 50})),
    |answer, _| {
        if answer.status == 200 && answer.is("POST", "/configure") {
            let id = answer.header("x-request-id").unwrap_or_default().to_owned();
            let detail =
                json!([{"loc": ["body", "channels"], "msg": "channels is required", "type": "missing"}]);
            answer.status = 422;
            answer.change(|body| {
                *body = json!({"error": "channels is required", "code": "INVALID_REQUEST",
                               "detail": detail, "request_id": id});
            });
        }
    },
);

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "a bad length is taken",
        case: "nfft/nfft-non-power-of-two",
        spoil: asks(|asked| {
            asked.change(|body| instead(body, "/nfftSelection", &json!(1000), json!(1024)));
        }),
        says: "NFFT 1000: the status is not what the contract says",
    },
    Defect {
        name: "a length is rounded down",
        case: "nfft/invalid-nfft",
        spoil: asks(|asked| asked.change(|body| instead(body, "/nfftSelection", &json!(129), json!(128)))),
        says: "NFFT 129: the status is not what the contract says",
    },
    Defect {
        name: "a length beyond the last is taken",
        case: "nfft/nfft-all-values",
        spoil: asks(|asked| {
            asked.change(|body| instead(body, "/nfftSelection", &json!(131_072), json!(65_536)));
        }),
        says: "view 0, NFFT 131072: the status is not what the contract says",
    },
    Defect {
        name: "a wrong value is a wrong shape",
        case: "nfft/zero-nfft",
        spoil: answers(|answer, _| {
            if answer.status == 400 {
                answer.status = 422;
            }
        }),
        says: "NFFT 0: the answer breaks the OpenAPI document: /code breaks its schema: \"INVALID_REQUEST\" was expected",
    },
    Defect {
        name: "no detail",
        case: "nfft/negative-nfft",
        spoil: answers(|answer, _| {
            answer.change(|body| drop(body.as_object_mut().and_then(|body| body.shift_remove("detail"))));
        }),
        says: "\"detail\" is a required property",
    },
    Defect {
        name: "one Hz beyond the limit is taken",
        case: "frequency/frequency-exceeds-nyquist",
        spoil: asks(|asked| {
            asked.change(|body| instead(body, "/frequencyRange/max", &json!(1001), json!(1000)));
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "a band without width is taken",
        case: "frequency/frequency-values",
        spoil: asks(|asked| {
            let none = json!({"min": 500, "max": 500});
            asked.change(|body| instead(body, "/frequencyRange", &none, json!({"min": 500, "max": 501})));
        }),
        says: "500 to 500 Hz: the status is not what the contract says",
    },
    Defect {
        name: "one channel too many is taken",
        case: "channels/channels-out-of-range",
        spoil: asks(|asked| {
            let many = json!({"min": 1, "max": 2223});
            asked.change(|body| instead(body, "/channels", &many, json!({"min": 1, "max": 2222})));
        }),
        says: "channels 1 to 2223: the status is not what the contract says",
    },
    Defect {
        name: "a range is cut to its first channel",
        case: "channels/single-channel-range",
        spoil: asks(|asked| asked.change(|body| instead(body, "/channels/max", &json!(6), json!(5)))),
        says: "channels 5 to 6: the status is not what the contract says",
    },
    Defect {
        name: "a missing transform has a default",
        case: "shape/view0-required",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["nfftSelection"].is_null() {
                    body["nfftSelection"] = json!(1024);
                }
            });
        }),
        says: "view 0 without nfftSelection: the status is not what the contract says",
    },
    Defect {
        name: "violations in another order",
        case: "shape/missing-fields",
        spoil: answers(|answer, _| {
            answer.change(|body| body["detail"].as_array_mut().expect("a list").reverse());
        }),
        says: "detail is not what the contract says",
    },
    Defect {
        name: "a forbidden field is ignored",
        case: "shape/waterfall-forbidden",
        spoil: asks(|asked| {
            asked.change(|body| instead(body, "/displayTimeAxisDuration", &json!(10), Value::Null));
        }),
        says: "displayTimeAxisDuration: the status is not what the contract says",
    },
    Defect {
        name: "true is a view",
        case: "shape/invalid-view-type",
        spoil: asks(|asked| asked.change(|body| instead(body, "/view_type", &json!(true), json!("0")))),
        says: "view_type true: the status is not what the contract says",
    },
    Defect {
        name: "a display without lines is taken",
        case: "shape/height-positive",
        spoil: asks(|asked| asked.change(|body| instead(body, "/displayInfo/height", &json!(0), json!(1)))),
        says: "view 0 with height 0: the status is not what the contract says",
    },
    Defect {
        name: "a refusal says nothing",
        case: "shape/error-message-clarity",
        spoil: answers(|answer, _| {
            if answer.status >= 400 {
                answer.change(|body| body["error"] = json!("Bad Request"));
            }
        }),
        says: "Bad Request",
    },
    Defect {
        name: "a refused request creates a job",
        case: "shape/invalid-no-orchestration",
        spoil: CREATES_AND_REFUSES,
        says: "INV-REFUSE: what must be refused changed",
    },
    Defect {
        name: "one second too far in the future is taken",
        case: "windows/future-timestamps",
        spoil: asks(|asked| {
            asked.change(|body| {
                let ends = body["start_time"].as_i64().zip(body["end_time"].as_i64());
                if let Some((_, end)) = ends.filter(|(start, end)| end - start == 3661) {
                    body["end_time"] = json!(end - 1);
                }
            });
        }),
        says: "-3600 to 61 s from now: the status is not what the contract says",
    },
    Defect {
        name: "a window the wrong way round is turned",
        case: "windows/reversed-range",
        spoil: asks(|asked| {
            asked.change(|body| {
                let ends = body["start_time"].as_i64().zip(body["end_time"].as_i64());
                if let Some((start, end)) = ends.filter(|(start, end)| start > end) {
                    (body["start_time"], body["end_time"]) = (json!(end), json!(start));
                }
            });
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "half a window is live",
        case: "windows/one-sided-window",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["start_time"].is_null() || body["end_time"].is_null() {
                    (body["start_time"], body["end_time"]) = (Value::Null, Value::Null);
                }
            });
        }),
        says: "only start_time: the status is not what the contract says",
    },
    Defect {
        name: "only the first mistake is told",
        case: "properties/all-defects-told",
        spoil: answers(|answer, _| {
            if answer.status == 400 || answer.status == 422 {
                answer.change(|body| {
                    body["detail"].as_array_mut().expect("a list").truncate(1);
                    body["error"] = body["detail"][0]["msg"].clone();
                });
            }
        }),
        says: "detail is not what the contract says",
    },
    Defect {
        name: "the last whole value is taken",
        case: "properties/no-json-refused",
        spoil: asks(|asked| {
            if let Some(text) = asked.body.as_mut() {
                let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
                if let Some(Ok(first)) = values.next() {
                    *text = first.to_string().into_bytes();
                }
            }
        }),
        says: "INV-REFUSE: what must be refused changed",
    },
    Defect {
        name: "a band below 0 Hz begins at 0",
        case: "properties/one-defect-refused",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["frequencyRange"]["min"].as_i64().is_some_and(|min| min < 0) {
                    body["frequencyRange"]["min"] = json!(0);
                }
            });
        }),
        says: "smallest input",
    },
];
