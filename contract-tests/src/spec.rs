//! Every answer against the OpenAPI document, whatever a case itself demands of it.
//!
//! A status that the document does not list for a route, a body that its schema refuses, a content type that is not
//! the listed one, a header that is missing: each is a breach of the contract on its own.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::client::rest::Exchange;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(focus_proto::OPENAPI_JSON).expect("focus-proto built this JSON itself")
});

/// Validators by the JSON pointer of what they validate: compiling one costs more than a case.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

/// Substrings that no JSON answer may contain, whatever it is about; known suites search for them.
const FORBIDDEN: [&str; 15] = [
    "traceback",
    "file \"/",
    "line ",
    "/home/",
    "/root/",
    "stack trace",
    "exception:",
    "at 0x",
    "mongodb://",
    "redis://",
    "amqp://",
    "password",
    "secret",
    "token",
    "api_key",
];

/// Everything in which an answer breaks the document.
#[must_use]
pub fn breaches(exchange: &Exchange) -> Vec<String> {
    let mut breaches = Vec::new();
    if exchange.header("x-request-id").is_none_or(str::is_empty) {
        breaches.push(String::from("header x-request-id is missing"));
    }
    match Listed::of(exchange) {
        Ok(listed) => listed.hold(exchange, &mut breaches),
        Err(breach) => breaches.push(breach),
    }
    if exchange.status >= 400 && exchange.request.method != Method::HEAD {
        error_body(exchange, &mut breaches);
    }
    forbidden(exchange, &mut breaches);
    // The document lists some of what holds for every answer.
    breaches.dedup();
    breaches
}

/// What the document lists for an answer.
struct Listed {
    pointer: String,
    response: Value,
}

impl Listed {
    fn of(exchange: &Exchange) -> Result<Self, String> {
        let method = exchange.request.method.as_str().to_lowercase();
        let status = exchange.status.to_string();
        if is_down(exchange) {
            // A server that is down looks at no route: whatever is asked of it is answered alike.
            return Self::at("/components/responses/ServerDown", exchange, 503);
        }
        let Some(path) = template(exchange.route()) else {
            return Self::at("/components/responses/NotFound", exchange, 404);
        };
        let item = &DOCUMENT["paths"][path];
        let Some(operation) = item.get(&method) else {
            return Self::method_not_allowed(item, exchange);
        };
        let response = operation["responses"]
            .get(&status)
            .ok_or_else(|| format!("status {status} is not listed for {} {path}", exchange.request.method))?;
        let pointer =
            format!("/paths/{}/{method}/responses/{status}", path.replace('~', "~0").replace('/', "~1"));
        Ok(Self::resolved(pointer, response))
    }

    fn method_not_allowed(item: &Value, exchange: &Exchange) -> Result<Self, String> {
        let operations: Vec<_> =
            item.as_object().into_iter().flat_map(Map::keys).filter(|key| is_method(key)).collect();
        let allow: Vec<_> = operations.iter().map(|method| method.to_uppercase()).collect();
        let listed = operations.first().and_then(|method| item[method.as_str()]["responses"].get("405"));
        if exchange.status == 405 && exchange.header("allow") != Some(allow.join(", ").as_str()) {
            return Err(format!(
                "header allow is {:?} and not {}",
                exchange.header("allow"),
                allow.join(", ")
            ));
        }
        match listed {
            Some(response) if exchange.status == 405 => Ok(Self::resolved(String::new(), response)),
            _ => Err(format!("status {} for a method that is not listed, instead of 405", exchange.status)),
        }
    }

    fn at(pointer: &str, exchange: &Exchange, status: u16) -> Result<Self, String> {
        if exchange.status != status {
            return Err(format!(
                "status {} for a path that is not listed, instead of {status}",
                exchange.status
            ));
        }
        let response = DOCUMENT.pointer(pointer).cloned();
        Ok(Self { pointer: pointer.to_owned(), response: response.unwrap_or_else(error_response) })
    }

    fn resolved(pointer: String, response: &Value) -> Self {
        match response["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
            Some(shared) => Self {
                pointer: shared.to_owned(),
                response: DOCUMENT.pointer(shared).cloned().unwrap_or_default(),
            },
            None => Self { pointer, response: response.clone() },
        }
    }

    fn hold(&self, exchange: &Exchange, breaches: &mut Vec<String>) {
        self.hold_headers(exchange, breaches);
        if exchange.request.method == Method::HEAD {
            return;
        }
        let sent = exchange.header("content-type");
        let Some(content) = self.response["content"].as_object() else {
            if !exchange.body.is_empty() || sent.is_some() {
                breaches.push(format!(
                    "an empty body without content-type is listed, not {sent:?} {:?}",
                    exchange.text()
                ));
            }
            return;
        };
        let Some((media, listed)) = content.iter().next() else { return };
        if sent.is_none() && exchange.body.is_empty() && self.may_be_empty(exchange) {
            return;
        }
        if sent != Some(media.as_str()) {
            breaches.push(format!("content-type {} is listed, not {sent:?}", media));
            return;
        }
        if media == "application/json" {
            self.hold_body(&listed["schema"], exchange, breaches);
        }
    }

    /// The metadata of a task that has no data are an empty 200, which the document can only say in words beside the
    /// schema of those of a job.
    fn may_be_empty(&self, exchange: &Exchange) -> bool {
        let id = exchange.route().strip_prefix("/metadata/").unwrap_or_default();
        let of_a_job = id.split_once('-').is_some_and(|(slot, sequence)| {
            let digits = |half: &str| !half.is_empty() && half.bytes().all(|byte| byte.is_ascii_digit());
            digits(slot) && digits(sequence)
        });
        self.pointer == "/paths/~1metadata~1{job_id}/get/responses/200" && !of_a_job
    }

    fn hold_headers(&self, exchange: &Exchange, breaches: &mut Vec<String>) {
        for (name, header) in self.response["headers"].as_object().into_iter().flatten() {
            let header = match header["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
                Some(shared) => DOCUMENT.pointer(shared).unwrap_or(header),
                None => header,
            };
            if header["required"] == json!(true) && exchange.header(name).is_none() {
                breaches.push(format!("header {name} is missing"));
            }
        }
    }

    fn hold_body(&self, schema: &Value, exchange: &Exchange, breaches: &mut Vec<String>) {
        let body: Value = match serde_json::from_slice(&exchange.body) {
            Ok(body) => body,
            Err(error) => return breaches.push(format!("the body is not JSON: {error}")),
        };
        let validator = validator(&self.pointer, schema);
        for error in validator.iter_errors(&body).take(MOST_ERRORS) {
            let error = nearest(&error);
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { String::from("the body") } else { place };
            breaches.push(format!("{place} breaks its schema: {}", cut(&error.to_string())));
        }
    }
}

/// Of what fits none of several schemas, what keeps it from the one that it is nearest to: that none fits says nothing.
fn nearest<'a>(error: &'a ValidationError<'a>) -> &'a ValidationError<'a> {
    let (ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }) =
        error.kind()
    else {
        return error;
    };
    let fewest = context.iter().min_by_key(|errors| errors.len()).and_then(|errors| errors.first());
    fewest.map_or(error, nearest)
}

/// More would only repeat each other.
const MOST_ERRORS: usize = 5;
/// Characters of a schema error; some repeat the whole answer.
const LONGEST: usize = 300;

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_method(key: &str) -> bool {
    ["get", "post", "put", "patch", "delete", "head", "options", "trace"].contains(&key)
}

/// The listed path that a request's route is one of.
fn template(path: &str) -> Option<&'static str> {
    let fits = |template: &str| {
        let (mut asked, mut listed) = (path.split('/'), template.split('/'));
        loop {
            match (asked.next(), listed.next()) {
                (None, None) => return true,
                (Some(asked), Some(listed)) if listed.starts_with('{') && !asked.is_empty() => {}
                (Some(asked), Some(listed)) if asked == listed => {}
                _ => return false,
            }
        }
    };
    DOCUMENT["paths"].as_object()?.keys().map(String::as_str).find(|template| fits(template))
}

fn validator(pointer: &str, schema: &Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let made = validators.entry(pointer.to_owned()).or_insert_with(|| {
        let mut whole = schema.as_object().cloned().unwrap_or_default();
        whole.insert(String::from("$schema"), json!("https://json-schema.org/draft/2020-12/schema"));
        whole.insert(String::from("components"), DOCUMENT["components"].clone());
        Arc::new(
            jsonschema::validator_for(&Value::Object(whole))
                .expect("the tests of focus-proto compile every schema"),
        )
    });
    Arc::clone(made)
}

/// Whether the server says that none of it is there.
fn is_down(exchange: &Exchange) -> bool {
    let body = serde_json::from_slice::<Value>(&exchange.body);
    exchange.status == 503 && body.is_ok_and(|body| body["code"] == "SERVER_DOWN")
}

fn error_response() -> Value {
    json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}})
}

/// The one body of every refusal: its keys in their order, compact, with the id of the header.
fn error_body(exchange: &Exchange, breaches: &mut Vec<String>) {
    let Ok(Value::Object(body)) = serde_json::from_slice(&exchange.body) else {
        return breaches.push(String::from("a refusal must have a JSON object as its body"));
    };
    let keys: Vec<_> = body.keys().map(String::as_str).collect();
    if keys != ["error", "code", "request_id"] && keys != ["error", "code", "detail", "request_id"] {
        breaches
            .push(format!("a refusal has the keys error, code, detail (or not), request_id, not {keys:?}"));
    }
    if Value::Object(body.clone()).to_string().as_bytes() != exchange.body {
        breaches.push(String::from("a refusal must be compact JSON"));
    }
    if body.get("request_id").and_then(Value::as_str) != exchange.header("x-request-id") {
        breaches.push(String::from("request_id is not the value of header x-request-id"));
    }
}

fn forbidden(exchange: &Exchange, breaches: &mut Vec<String>) {
    let is_json = exchange.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json || exchange.route() == "/openapi.json" {
        return;
    }
    let text = exchange.text().to_lowercase();
    for word in FORBIDDEN.iter().filter(|word| text.contains(*word)) {
        breaches.push(format!("the answer contains {word:?}, which no answer may"));
    }
}
