//! Whatever is asked of a server with quirks, it neither panics nor answers with a defect of its own.

use focus_mock::domain::quirk::{Quirk, Quirks};
use focus_mock::sim::setup::Setup;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::common::{Client, START, held_with};

/// Numbers that lie at or beyond some bound.
fn numbers() -> impl Strategy<Value = Value> {
    let edges: [i64; 25] = [
        0,
        1,
        -1,
        2,
        7,
        127,
        128,
        1000,
        1024,
        2000,
        2222,
        2337,
        2338,
        10_000,
        10_001,
        65_536,
        131_072,
        131_073,
        2_147_483_647,
        4_294_967_296,
        1 << 53,
        -(1 << 53),
        i64::MAX,
        i64::MIN,
        START,
    ];
    prop_oneof![
        4 => select(edges.to_vec()).prop_map(|number| json!(number)),
        2 => (-3000_i64..3000).prop_map(|number| json!(number)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<f64>().prop_map(|number| json!(number)),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let range = (numbers(), numbers()).prop_map(|(min, max)| json!({"min": min, "max": max}));
    prop_oneof![
        6 => numbers(),
        3 => range,
        2 => numbers().prop_map(|height| json!({"height": height})),
        1 => select(vec![json!(null), json!(true), json!("1"), json!([]), json!({}), json!("")]),
    ]
}

/// A configuration in which some fields are anything.
fn requests() -> impl Strategy<Value = Value> {
    let view = select(vec![json!("0"), json!("1"), json!("2"), json!(0), json!(2)]);
    let range = || (numbers(), numbers()).prop_map(|(min, max)| json!({"min": min, "max": max}));
    let near = || (1_i64..2400, -50_i64..50).prop_map(|(min, more)| json!({"min": min, "max": min + more}));
    let time = || prop_oneof![4 => Just(Value::Null), 2 => numbers(), 2 => (-9_000_i64..9_000).prop_map(|by| json!(START + by))];
    let fields = (
        view,
        prop_oneof![2 => near(), 1 => range()],
        prop_oneof![2 => near(), 1 => range()],
        numbers().prop_map(|height| json!({"height": height})),
        prop_oneof![3 => (1_i64..1_000).prop_map(|seconds| json!(seconds)), 1 => numbers()],
        prop_oneof![2 => (1_i64..140_000).prop_map(|length| json!(length)), 1 => numbers()],
        time(),
        time(),
    );
    let wild = prop::collection::vec((select(KEYS.to_vec()), values()), 0..3);
    let left_out = subsequence(KEYS.to_vec(), 0..3);
    (fields, wild, left_out).prop_map(
        |((view, channels, frequencies, display, duration, nfft, start, end), wild, left_out)| {
            let named =
                KEYS.into_iter().zip([view, channels, frequencies, display, duration, nfft, start, end]);
            let mut body: Map<String, Value> = named.map(|(key, value)| (key.to_owned(), value)).collect();
            body.extend(wild.into_iter().map(|(key, value)| (key.to_owned(), value)));
            // Rarely: most of what is left out fails at once.
            if left_out.len() == 2 {
                left_out.into_iter().for_each(|key| drop(body.remove(key)));
            }
            Value::Object(body)
        },
    )
}

const KEYS: [&str; 8] = [
    "view_type",
    "channels",
    "frequencyRange",
    "displayInfo",
    "displayTimeAxisDuration",
    "nfftSelection",
    "start_time",
    "end_time",
];

fn some_quirks() -> impl Strategy<Value = Quirks> {
    prop_oneof![
        1 => Just(Quirk::ALL.iter().copied().collect::<Quirks>()),
        2 => subsequence(Quirk::ALL.to_vec(), 0..Quirk::ALL.len()).prop_map(|some| some.into_iter().collect()),
    ]
}

/// Asks one server for all of it, each to a world at its start; what was taken.
fn ask_all(quirks: Quirks, requests: &[Value]) -> Result<usize, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let server = held_with(Setup { quirks, ..Setup::default() });
    let client = Client::of(&server);
    let mut taken = 0;
    for request in requests {
        server.simulation().reset();
        let answer = runtime.block_on(client.configure(request));
        let status = answer.status.as_u16();
        let text = String::from_utf8_lossy(&answer.body);
        prop_assert!([200, 400, 404, 422, 500].contains(&status), "{status} {text}: {request}");
        prop_assert!(status != 500 || text.contains("Error parsing configuration"), "{text}: {request}");
        if status != 200 {
            continue;
        }
        taken += 1;
        prop_assert!(answer.body.len() < 4 << 20, "{} bytes: {request}", answer.body.len());
        let answer = answer.json();
        let list: Vec<f64> =
            serde_json::from_value(answer["frequencies_list"].clone()).expect("finite numbers");
        prop_assert_eq!(list.len() as u64, answer["frequencies_amount"].as_u64().expect("a number"));
        prop_assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{}", request);
        prop_assert!(answer["lines_dt"].as_f64().expect("a number") > 0.0);
        let map = answer["channel_to_stream_index"].as_object().expect("a map");
        prop_assert!((1..=10_000).contains(&map.len()), "{} channels: {request}", map.len());
        let indices: Vec<u64> = map.values().map(|index| index.as_u64().expect("an index")).collect();
        prop_assert!(indices.is_sorted() && indices[0] == 0, "{}", request);
        prop_assert_eq!(indices.last().map(|last| last + 1), answer["stream_amount"].as_u64());
        let channels: Vec<i64> = map.keys().map(|key| key.parse().expect("a number")).collect();
        prop_assert!(channels.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{}", request);
    }
    Ok(taken)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_request_to_any_quirky_server_gets_a_sane_job_or_a_refusal(
        quirks in some_quirks(),
        requests in prop::collection::vec(requests(), 40),
    ) {
        ask_all(quirks, &requests)?;
    }
}
