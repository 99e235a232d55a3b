//! Well-formed HTTP with any content to every endpoint.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use focus_mock::MockServer;
use focus_mock::sim::snapshot::Snapshot;
use jsonschema::Validator;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::{Value, json};

use crate::common::{Answer, START, base, held, light, with};
use crate::judge;
use crate::raw::{Wire, request};
use crate::rest::{PREFIXES, ROUTES};

static CONFIGURED: LazyLock<Validator> = LazyLock::new(|| judge::validator("ConfigureResponse"));

#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if !self.body.is_empty() {
            bytes.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Whether the route reads the body. Where it does not, the server may end the connection rather than read on.
    fn is_read_to_its_end(&self) -> bool {
        self.body.is_empty()
            || (self.method == "POST"
                && ["/configure", "/recordings_in_time_range"].iter().any(|path| self.path.ends_with(path)))
    }

    fn may_write(&self) -> bool {
        match self.method.as_str() {
            "POST" => self.path.contains("/configure"),
            "DELETE" => self.path.contains("/job/"),
            _ => false,
        }
    }
}

fn methods() -> impl Strategy<Value = String> {
    let known = ["GET", "POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT"];
    prop_oneof![
        2 => select(known.to_vec()).prop_map(str::to_owned),
        1 => "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}",
    ]
}

/// One part of a path, with any bytes in it, as far as a path can spell them.
fn segments() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9._~!$&'()*+,;=:@-]{0,12}",
        "[0-9]{1,3}-[0-9]{1,3}",
        vec(any::<u8>(), 0..8)
            .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>()),
        select(&["..", ".", "%2e%2e", "..%2f", "1-1", "%31-1", "%", "%zz", "focus-server"][..])
            .prop_map(str::to_owned),
    ]
}

/// A method and a path that exist, or nearly.
fn targets() -> impl Strategy<Value = (String, String)> {
    let route = (select(&ROUTES[..]), select(&PREFIXES[..]), segments(), any::<[bool; 2]>());
    let routed = route.prop_map(|((method, path, documented), prefix, segment, [own_id, query])| {
        let path = match path.rsplit_once('/') {
            Some((parent, _)) if own_id && documented.contains('{') => format!("{parent}/{segment}"),
            _ => path.to_owned(),
        };
        let query = if query { format!("?{segment}=") } else { String::new() };
        (method.to_owned(), format!("{prefix}{path}{query}"))
    });
    let anywhere = vec(segments(), 1..5).prop_map(|segments| format!("/{}", segments.join("/")));
    let known = routed.boxed();
    prop_oneof![
        6 => known.clone(),
        2 => (methods(), known).prop_map(|(method, (_, path))| (method, path)),
        2 => (methods(), anywhere),
    ]
}

/// Headers that say nothing about where a request ends or whether the connection stays.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let known = [
        "host",
        "accept",
        "accept-encoding",
        "content-type",
        "content-encoding",
        "authorization",
        "cookie",
        "origin",
        "user-agent",
        "x-request-id",
        "x-forwarded-host",
        "range",
        "if-none-match",
        "forwarded",
        "referer",
    ];
    let name = prop_oneof![
        3 => select(known.to_vec()).prop_map(str::to_owned),
        1 => "x-[a-z0-9!#$%&'*+.^_`|~-]{1,10}",
    ];
    let byte = prop_oneof![8 => 0x21_u8..=0x7e, 1 => Just(b' '), 1 => 0x80_u8..=0xff, 1 => Just(b'\t')];
    vec((name, vec(byte, 0..40)), 0..6)
}

/// Any JSON, a few levels deep.
fn jsons() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        numbers(),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,8}", inner), 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Numbers on and around the bounds of something.
fn numbers() -> impl Strategy<Value = Value> {
    let bounds = [
        -1,
        0,
        1,
        2,
        50,
        127,
        128,
        1000,
        1001,
        1024,
        2222,
        2337,
        2338,
        65536,
        START,
        START + 60,
        START + 61,
        1 << 53,
        (1 << 53) + 1,
        i64::MIN,
        i64::MAX,
    ];
    prop_oneof![
        4 => select(bounds.to_vec()).prop_map(Value::from),
        1 => (0..5000_i64).prop_map(Value::from),
        1 => select(&[0.5, 30.0, 1e2, 1e16, 1e300, -0.0][..]).prop_map(Value::from),
        1 => (START - 40 * 86_400..START + 100).prop_map(Value::from),
    ]
}

/// A valid body with some of its fields replaced.
fn nearly_valid() -> impl Strategy<Value = Value> {
    let valid = [
        base(),
        with(base(), &json!({"view_type": 1, "channels": {"min": 7, "max": 7}})),
        json!({"view_type": "2", "channels": {"min": 1, "max": 10}, "displayInfo": {"height": 256}}),
        with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600})),
        json!({"start_time": START - 7200, "end_time": START}),
    ];
    let places = [
        "/view_type",
        "/channels",
        "/channels/min",
        "/channels/max",
        "/displayInfo",
        "/displayInfo/height",
        "/displayTimeAxisDuration",
        "/nfftSelection",
        "/frequencyRange",
        "/frequencyRange/min",
        "/frequencyRange/max",
        "/start_time",
        "/end_time",
    ];
    let value = prop_oneof![3 => numbers(), 1 => jsons()];
    (select(valid.to_vec()), vec((select(places.to_vec()), value), 0..4)).prop_map(|(mut body, changes)| {
        for (place, value) in changes {
            if let Some(there) = body.pointer_mut(place) {
                *there = value;
            }
        }
        body
    })
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let text = |value: Value| value.to_string().into_bytes();
    prop_oneof![
        1 => Just(Vec::new()),
        1 => vec(any::<u8>(), 0..1500),
        1 => jsons().prop_map(text),
        5 => nearly_valid().prop_map(text),
        // Valid but for one byte.
        1 => (nearly_valid(), any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(value, at, byte)| {
            let mut body = text(value);
            let at = at.index(body.len());
            body[at] = byte;
            body
        }),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    (targets(), headers(), bodies()).prop_map(|((method, path), headers, body)| Request {
        method,
        path,
        headers,
        body,
    })
}

/// One server with one job, and what it looks like.
struct Table {
    server: MockServer,
    before: Snapshot,
    wire: Wire,
    seen: BTreeMap<u16, usize>,
}

impl Table {
    fn new() -> Self {
        let server = held();
        let (before, wire) = (judge::state(&server), Wire::to(server.rest()));
        let mut table = Self { server, before, wire, seen: BTreeMap::new() };
        table.start_over();
        table
    }

    fn start_over(&mut self) {
        self.server.simulation().reset();
        self.wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
        let answer = self.wire.answer();
        assert_eq!(answer.json()["job_id"], "1-1", "{}", String::from_utf8_lossy(&answer.body));
        self.before = judge::state(&self.server);
    }

    fn send(&mut self, request: &Request) {
        self.wire.send(&request.bytes());
        let head = request.method == "HEAD";
        let answer = if head { self.wire.head() } else { self.wire.answer() };
        let status = answer.status.as_u16();
        *self.seen.entry(status).or_default() += 1;
        assert!(status < 500, "{status}: {}", String::from_utf8_lossy(&answer.body));
        judge::answered(&answer);
        if status >= 400 && !head {
            judge::refusal(&answer);
        }
        if !request.is_read_to_its_end() {
            self.wire = Wire::to(self.server.rest());
        }
        if answer.status.is_success() && request.may_write() {
            if request.method == "POST" {
                accepted(&answer);
            }
            assert_ne!(judge::state(&self.server), self.before);
            self.start_over();
        } else {
            assert_eq!(judge::state(&self.server), self.before);
        }
    }
}

/// Checks what holds for the answer to every configuration that was accepted, however odd it is.
fn accepted(answer: &Answer) {
    let job = answer.json();
    let problems: Vec<String> = CONFIGURED.iter_errors(&job).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let groups = job["channel_to_stream_index"].as_object().expect("an object");
    let streams: BTreeSet<u64> = groups.values().filter_map(Value::as_u64).collect();
    assert_eq!(job["channel_amount"], groups.len());
    assert_eq!(job["stream_amount"], streams.len());
    assert_eq!(job["frequencies_amount"], job["frequencies_list"].as_array().expect("a list").len());
    assert_eq!(job["job_id"], "2-2");
}

#[test]
fn no_well_formed_request_gets_a_5xx_or_changes_the_world_without_saying_so() {
    let config = Config {
        cases: 256,
        failure_persistence: None,
        // Every run sends the same requests.
        rng_seed: RngSeed::Fixed(1),
        ..Config::default()
    };
    let table = RefCell::new(Table::new());
    let story = vec(requests(), 1..5);
    let result = TestRunner::new(config).run(&story, |requests| {
        let mut table = table.borrow_mut();
        for request in &requests {
            table.send(request);
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // The story is worth nothing if it never gets beyond the door.
    let seen = &table.borrow().seen;
    println!("{seen:?}");
    for status in [200, 400, 404, 405, 422] {
        assert!(seen.get(&status).is_some_and(|count| *count >= 20), "{status} in {seen:?}");
    }
}
