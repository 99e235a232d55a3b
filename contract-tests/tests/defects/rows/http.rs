//! Servers that break what holds for every route.

use serde_json::json;

use crate::broken::{Defect, Spoil, Spoilable as _, answers, asks, body, header};
use crate::raw::Raw;

pub(crate) static ROWS: &[Defect] = &[
    Defect {
        name: "no allow",
        case: "http/methods",
        spoil: answers(|answer, _| header(answer, "allow", None)),
        says: "header allow is None and not GET",
    },
    Defect {
        name: "too much is allowed",
        case: "http/methods",
        spoil: answers(|answer, _| {
            if answer.header("allow") == Some("GET") {
                header(answer, "allow", Some("GET, HEAD"));
            }
        }),
        says: "header allow is Some(\"GET, HEAD\") and not GET",
    },
    Defect {
        name: "a slash behind a route is ignored",
        case: "http/unknown-routes",
        spoil: asks(|asked| asked.path = asked.path.trim_end_matches('/').to_owned()),
        says: "status 200 for a path that is not listed, instead of 404",
    },
    Defect {
        name: "another answer under the prefix",
        case: "http/prefix",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/focus-server/channels") {
                answer.change(|body| body["highest_channel"] = json!(100));
            }
        }),
        says: "/channels differs with and without",
    },
    Defect {
        name: "the prefix is not served",
        case: "http/prefix",
        spoil: asks(|asked| asked.path = asked.path.replace("/focus-server/", "/nope/")),
        says: "status 404",
    },
    Defect {
        name: "every id is replaced",
        case: "http/request-ids",
        spoil: answers(|answer, _| header(answer, "x-request-id", Some("4711"))),
        says: "header x-request-id is not what the contract says",
    },
    Defect {
        name: "every id is kept",
        case: "http/request-ids",
        spoil: answers(|answer, _| {
            let asked = answer.request.headers.iter().find(|(name, _)| name == "x-request-id");
            if let Some((_, id)) = asked.cloned().filter(|_| answer.status == 200) {
                header(answer, "x-request-id", Some(&id));
            }
        }),
        says: "header x-request-id is missing",
    },
    Defect {
        name: "whoever asks often is slowed down",
        case: "http/no-auth",
        spoil: answers(|answer, past| {
            if past.len() > 15 {
                answer.status = 429;
            }
        }),
        says: "status 429 is not listed",
    },
    Defect {
        name: "a refusal repeats the client",
        case: "http/http-hardening",
        spoil: answers(|answer, _| {
            let asked =
                String::from_utf8_lossy(answer.request.body.as_deref().unwrap_or_default()).into_owned();
            if answer.status == 422 && asked.contains("zq") {
                answer.change(|body| body["error"] = json!("view_type <script>alert('zq')</script>"));
            }
        }),
        says: "/error is not what the contract says",
    },
    Defect {
        name: "no JSON is the wrong JSON",
        case: "http/malformed-json",
        spoil: asks(|asked| {
            if asked.body.is_none() {
                asked.body = Some(b"{}".to_vec());
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "large bodies are read",
        case: "http/body-limit",
        spoil: asks(|asked| {
            if let Some(body) = &mut asked.body {
                body.truncate(1024 * 1024);
            }
        }),
        says: "the status is not what the contract says",
    },
    Defect {
        name: "fractions are cut off",
        case: "http/number-forms",
        spoil: asks(|asked| {
            asked.change(|body| {
                if body["displayTimeAxisDuration"] == json!(10.5) {
                    body["displayTimeAxisDuration"] = json!(10);
                }
            });
        }),
        says: "INV-REFUSE: what must be refused changed",
    },
    Defect {
        name: "the first of two keys counts",
        case: "http/duplicate-keys",
        spoil: asks(|asked| {
            let twice = br#","nfftSelection":1000}"#;
            if let Some(body) = asked.body.as_mut().filter(|body| body.ends_with(twice)) {
                body.truncate(body.len() - twice.len());
                body.push(b'}');
            }
        }),
        says: "INV-REFUSE: what must be refused changed",
    },
    Defect {
        name: "retry-after with what will not change",
        case: "http/uniform-errors",
        spoil: answers(|answer, _| header(answer, "retry-after", Some("1"))),
        says: "header retry-after is not what the contract says",
    },
    Defect {
        name: "a refusal tells its stack",
        case: "http/uniform-errors",
        spoil: answers(|answer, _| {
            answer.change(|body| body["error"] = json!("Traceback (most recent call last)"));
        }),
        says: "the answer contains \"traceback\", which no answer may",
    },
    Defect {
        name: "a refusal is printed prettily",
        case: "http/uniform-errors",
        spoil: answers(|answer, _| {
            let text = answer.text().replace("\":", "\": ");
            answer.body = text.into_bytes();
        }),
        says: "a refusal must be compact JSON",
    },
    Defect {
        name: "two request ids",
        case: "http/uniform-errors",
        spoil: answers(|answer, _| header(answer, "x-request-id", Some("other"))),
        says: "request_id is not the value of header x-request-id",
    },
    Defect {
        name: "the size is judged before the route",
        case: "http/refusal-order",
        spoil: answers(|answer, _| {
            let large = answer.request.body.as_ref().is_some_and(|body| body.len() > 1024 * 1024);
            if large && answer.status == 404 {
                answer.status = 413;
            }
        }),
        says: "status 413 for a path that is not listed, instead of 404",
    },
    Defect {
        name: "a route is not documented",
        case: "http/openapi-published",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                drop(body["paths"].as_object_mut().and_then(|paths| paths.shift_remove("/sensors")));
            });
        }),
        says: "the list of paths is not what the contract says",
    },
    Defect {
        name: "a status is not documented",
        case: "http/openapi-published",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                let responses = body["paths"]["/configure"]["post"]["responses"].as_object_mut();
                drop(responses.and_then(|responses| responses.shift_remove("409")));
            });
        }),
        says: "409 is not among the responses of post /configure",
    },
    Defect {
        name: "an answer that is no HTTP",
        case: "http/openapi-published",
        spoil: Spoil::Raw(Raw::Garbage),
        says: "GET /openapi.json: no whole answer",
    },
    Defect {
        name: "the document has another bound",
        case: "http/openapi-configure",
        spoil: answers(|answer, _| {
            answer.change(|body| {
                body["components"]["schemas"]["ConfigureRequest"]["properties"]["view_type"]["enum"] =
                    json!(["0"]);
            });
        }),
        says: "ConfigureRequest",
    },
    Defect {
        name: "the page loads from elsewhere",
        case: "http/docs-page",
        spoil: answers(|answer, _| {
            if !answer.is("GET", "/docs") {
                return;
            }
            let page =
                answer.text().replace("<body>", "<body><script src=\"https://cdn.example/x.js\"></script>");
            body(answer, "text/html; charset=utf-8", &page);
        }),
        says: "the page has src=\"http",
    },
    Defect {
        name: "an answer tells a path",
        case: "http/data-exposure",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/live_metadata") {
                answer.change(|body| body["fiber_description"] = json!("/var/lib/focus"));
            }
        }),
        says: "the answer tells a path or address: it contains \"/\"",
    },
    Defect {
        name: "an answer with its keys turned round",
        case: "snapshots/reads",
        spoil: answers(|answer, _| {
            if answer.is("GET", "/channels") {
                answer.change(|body| {
                    let lowest = body.as_object_mut().and_then(|body| body.shift_remove("lowest_channel"));
                    body["lowest_channel"] = lowest.unwrap_or_default();
                });
            }
        }),
        says: "the answer is not the approved snapshot channels",
    },
    Defect {
        name: "a refusal in other words",
        case: "snapshots/refusals",
        spoil: answers(|answer, _| {
            let text = answer.text().replace("height must be positive", "height must be above 0");
            answer.body = text.into_bytes();
        }),
        says: "the answer is not the approved snapshot configure-height",
    },
];
