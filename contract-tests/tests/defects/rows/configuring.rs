//! Servers that accept a configuration and answer it with wrong numbers.

use serde_json::{Map, Value, json};

use crate::broken::{Defect, Spoilable as _, answers};
use focus_contract::client::rest::Exchange;

/// Changes what accepts a configuration.
fn accepted(answer: &mut Exchange, by: impl FnOnce(&mut Value)) {
    if answer.status == 200 && answer.is("POST", "/configure") {
        answer.change(by);
    }
}

/// Deals the channels out anew; it knows the place of a channel, and how many there are.
fn deal(body: &mut Value, stream: impl Fn(usize, usize) -> usize) {
    let map = body["channel_to_stream_index"].as_object_mut().expect("a map");
    let amount = map.len();
    let dealt: Map<_, _> =
        map.keys().enumerate().map(|(at, key)| (key.clone(), json!(stream(at, amount)))).collect();
    *map = dealt;
}

fn scaled(value: &mut Value, by: f64) {
    *value = json!(value.as_f64().unwrap_or_default() * by);
}

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "a bin is missing",
        case: "nfft/nfft-power-of-two",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                let list = body["frequencies_list"].as_array_mut().expect("a list");
                list.pop();
                body["frequencies_amount"] = json!(list.len());
            });
        }),
        says: "frequencies_amount is not what the contract says",
    },
    Defect {
        name: "the transform is half as long",
        case: "nfft/nfft-variations",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                let list = body["frequencies_list"].as_array_mut().expect("a list");
                *list = list.iter().step_by(2).cloned().collect();
                body["frequencies_amount"] = json!(list.len());
            });
        }),
        says: "NFFT 128: frequencies_amount is not what the contract says",
    },
    Defect {
        name: "a bin lies beyond the band",
        case: "frequency/frequency-within-nyquist",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                let list = body["frequencies_list"].as_array_mut().expect("a list");
                list.push(json!(800.5));
                body["frequencies_amount"] = json!(list.len());
            });
        }),
        says: "frequencies_amount is not what the contract says",
    },
    Defect {
        name: "frequencies are those of the next bin",
        case: "frequency/frequency-range-variations",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                for value in body["frequencies_list"].as_array_mut().expect("a list") {
                    *value = json!(value.as_f64().unwrap_or_default() + 2000.0 / 1025.0);
                }
            });
        }),
        says: "0 to 100 Hz: a frequency is not what the contract says",
    },
    Defect {
        name: "the smaller group comes first",
        case: "compatibility/high-throughput",
        spoil: answers(|answer, _| {
            accepted(answer, |body| deal(body, |at, _| if at < 66 { 0 } else { 1 + (at - 66) / 67 }));
        }),
        says: "channel_to_stream_index is not what the contract says",
    },
    Defect {
        name: "lines are twice as long",
        case: "compatibility/low-throughput",
        spoil: answers(|answer, _| accepted(answer, |body| scaled(&mut body["lines_dt"], 2.0))),
        says: "lines_dt is not what the contract says",
    },
    Defect {
        name: "the amount is not that of the list",
        case: "compatibility/resource-estimation",
        spoil: answers(|answer, _| accepted(answer, |body| body["frequencies_amount"] = json!(255))),
        says: "INV-COUNT: frequencies_amount 255, list of 256",
    },
    Defect {
        name: "channels are dealt out in turns",
        case: "channels/grouping",
        spoil: answers(|answer, _| accepted(answer, |body| deal(body, |at, amount| at % amount.min(3)))),
        says: "INV-STREAMS: the channels of a stream are not contiguous",
    },
    Defect {
        name: "the rest goes to the last group",
        case: "channels/grouping",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                deal(body, |at, amount| if amount < 4 { at } else { (at / (amount / 3)).min(2) });
            });
        }),
        says: "4 channels: channel_to_stream_index is not what the contract says",
    },
    Defect {
        name: "streams without channels",
        case: "channels/single-channel",
        spoil: answers(|answer, _| accepted(answer, |body| body["stream_amount"] = json!(3))),
        says: "channel 1: the answer breaks the OpenAPI document: /stream_amount breaks its schema: 1 was expected",
    },
    Defect {
        name: "more streams than the channels have",
        case: "channels/grouping",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                if body["channel_amount"] == 2 {
                    body["stream_amount"] = json!(3);
                }
            });
        }),
        says: "2 channels: INV-STREAMS: stream_amount 3 and the streams {0, 1}",
    },
    Defect {
        name: "a channel is left out",
        case: "channels/roi-independence",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                drop(body["channel_to_stream_index"].as_object_mut().and_then(|map| map.shift_remove("60")));
            });
        }),
        says: "INV-CHANNELS: channel_amount 50 and 49 channels",
    },
    Defect {
        name: "lines depend on the channels",
        case: "channels/roi-independence",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                if body["channel_amount"] == 11 {
                    scaled(&mut body["lines_dt"], 1.1);
                }
            });
        }),
        says: "what does not depend on channels is not what the contract says",
    },
    Defect {
        name: "a waterfall has a frequency",
        case: "shape/waterfall-minimal",
        spoil: answers(|answer, _| accepted(answer, |body| body["frequencies_list"] = json!([0.0]))),
        says: "/frequencies_list breaks its schema",
    },
    Defect {
        name: "the view is told as a text",
        case: "shape/view-type-forms",
        spoil: answers(|answer, _| accepted(answer, |body| body["view_type"] = json!("0"))),
        says: "/view_type breaks its schema",
    },
    Defect {
        name: "whole floats lose their fraction",
        case: "shape/response-invariants",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                if body["lines_dt"] == json!(1.0) {
                    body["lines_dt"] = json!(1);
                }
            });
        }),
        says: "frequencies and lines_dt must keep their fraction",
    },
    Defect {
        name: "an id with a leading zero",
        case: "shape/response-invariants",
        spoil: answers(|answer, _| accepted(answer, |body| body["job_id"] = json!("1-01"))),
        says: "1-01",
    },
    Defect {
        name: "bins of NFFT instead of NFFT + 1",
        case: "calculations/calculations",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                for value in body["frequencies_list"].as_array_mut().expect("a list") {
                    scaled(value, 1025.0 / 1024.0);
                }
            });
        }),
        says: "W1: a frequency is not what the contract says",
    },
    Defect {
        name: "lines are rounded to hundredths",
        case: "calculations/calculations",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                let rounded = (body["lines_dt"].as_f64().unwrap_or_default() * 100.0).round() / 100.0;
                body["lines_dt"] = json!(rounded);
            });
        }),
        says: "W2: lines_dt is not what the contract says",
    },
    Defect {
        name: "long lines of a single channel are longer still",
        case: "properties/valid-accepted",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                if body["view_type"] == 1 && body["lines_dt"].as_f64() > Some(0.1) {
                    scaled(&mut body["lines_dt"], 1.5);
                }
            });
        }),
        says: "smallest input",
    },
    Defect {
        name: "a job with its keys turned round",
        case: "snapshots/jobs",
        spoil: answers(|answer, _| {
            accepted(answer, |body| {
                let status = body.as_object_mut().and_then(|body| body.shift_remove("status"));
                body["status"] = status.unwrap_or_default();
            });
        }),
        says: "the answer is not the approved snapshot configure-multichannel",
    },
];
