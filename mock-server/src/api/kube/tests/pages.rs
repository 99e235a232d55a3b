//! Pages of a list: together they are the list as it was when the first was taken.

use proptest::prelude::*;
use serde_json::Value;

use super::Rig;
use crate::sim::cluster::facts::Kind;

const EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You must start \
                       a new list without the continue parameter.";
const FOREIGN: &str = "The provided continue parameter is not from this list. You must start a new list without the \
                       continue parameter.";

fn with(names: &[&str]) -> Rig {
    let rig = Rig::new();
    for name in names {
        rig.service("panda", name, &[]);
    }
    rig
}

fn token(page: &Value) -> Option<String> {
    page["metadata"]["continue"].as_str().map(String::from)
}

#[test]
fn a_page_says_where_it_goes_on_and_how_much_remains() {
    let rig = with(&["a", "b", "c", "d", "e"]);
    let first = rig.get("/api/v1/services?limit=2");
    assert_eq!(first.names(), ["panda/a", "panda/b"]);
    assert_eq!(first.json()["metadata"]["remainingItemCount"], 3);
    let token = token(&first.json()).expect("there is more");
    let second = rig.get(&format!("/api/v1/services?limit=2&continue={token}"));
    assert_eq!(second.names(), ["panda/c", "panda/d"]);
    assert_eq!(second.json()["metadata"]["remainingItemCount"], 1);
    let rest = rig.get(&format!("/api/v1/services?continue={token}"));
    assert_eq!(rest.names(), ["panda/c", "panda/d", "panda/e"], "without a limit, all the rest");
    for whole in [rest, rig.get("/api/v1/services?limit=5"), rig.get("/api/v1/services?limit=0")] {
        let meta = whole.json()["metadata"].clone();
        assert_eq!(meta.as_object().unwrap().keys().collect::<Vec<_>>(), ["resourceVersion"]);
    }
    assert_eq!(rig.get("/api/v1/services?limit=-1").names().len(), 5);
}

#[test]
fn what_remains_is_what_the_selector_means() {
    let rig = Rig::new();
    for (name, app) in [("a", "x"), ("b", "y"), ("c", "x"), ("d", "y"), ("e", "x")] {
        rig.service("panda", name, &[("app", app)]);
    }
    let first = rig.get("/api/v1/services?limit=1&labelSelector=app%3Dx").json();
    assert_eq!(first["metadata"]["remainingItemCount"], 2);
    let path = format!("/api/v1/services?limit=1&labelSelector=app%3Dx&continue={}", token(&first).unwrap());
    assert_eq!(rig.get(&path).names(), ["panda/c"]);
}

#[test]
fn a_token_is_good_for_the_list_it_is_from_and_no_other() {
    let rig = with(&["a", "b"]);
    let token = token(&rig.get("/api/v1/services?limit=1").json()).unwrap();
    assert_eq!(rig.get(&format!("/api/v1/services?continue={token}")).names(), ["panda/b"]);
    for path in ["/api/v1/pods", "/api/v1/namespaces/panda/services", "/apis/batch/v1/jobs"] {
        let answer = rig.get(&format!("{path}?continue={token}"));
        assert_eq!(answer.refusal(), (410, FOREIGN.into()), "{path}");
        assert_eq!(answer.json()["reason"], "Expired", "{path}");
    }
    for garbled in ["x", "%00", "e30", "eyJ2ZXJzaW9uIjo5OX0", &token[1..], &token[..token.len() - 2]] {
        let answer = rig.get(&format!("/api/v1/services?continue={garbled}"));
        assert_eq!(answer.refusal(), (410, FOREIGN.into()), "{garbled}");
    }
    let younger = with(&["a"]);
    let answer = younger.get(&format!("/api/v1/services?continue={token}"));
    assert_eq!(answer.refusal(), (410, FOREIGN.into()), "from a server that was further");
}

#[test]
fn a_token_expires_with_its_version() {
    let rig = Rig::keeping(2);
    for name in ["a", "b"] {
        rig.service("panda", name, &[]);
    }
    let token = token(&rig.get("/api/v1/services?limit=1").json()).unwrap();
    let next = || rig.get(&format!("/api/v1/services?continue={token}"));
    rig.service("panda", "c", &[]);
    rig.service("panda", "d", &[]);
    assert_eq!(next().names(), ["panda/b"]);
    rig.service("panda", "e", &[]);
    assert_eq!(next().refusal(), (410, EXPIRED.into()));
    assert_eq!(next().json()["reason"], "Expired");
}

#[test]
fn a_token_has_its_version_and_takes_no_other() {
    let rig = with(&["a", "b"]);
    let token = token(&rig.get("/api/v1/services?limit=1").json()).unwrap();
    let at = |version: &str| rig.get(&format!("/api/v1/services?continue={token}&resourceVersion={version}"));
    assert_eq!(
        at("1").refusal(),
        (400, "specifying resource version is not allowed when using continue".into())
    );
    assert_eq!(at("0").names(), ["panda/b"]);
}

/// Something that happens to a Service between two pages.
#[derive(Clone, Debug)]
enum Between {
    Created(u8),
    Labelled(u8, u8),
    Removed(u8),
}

fn between() -> impl Strategy<Value = Between> {
    prop_oneof![
        (0..30u8).prop_map(Between::Created),
        (0..30u8, 0..3u8).prop_map(|(name, label)| Between::Labelled(name, label)),
        (0..30u8).prop_map(Between::Removed),
    ]
}

/// Names that are prefixes of each other, in two namespaces.
fn named(number: u8) -> (&'static str, String) {
    (if number.is_multiple_of(2) { "panda" } else { "default" }, format!("s-{number}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_of_any_size_are_together_the_list_at_one_version(
        at_first in prop::collection::btree_set(0..30u8, 0..25),
        sizes in prop::collection::vec(1..7u64, 1..8),
        changes in prop::collection::vec(prop::collection::vec(between(), 0..6), 1..8),
        selector in prop::sample::select(vec!["", "&labelSelector=n%3D1", "&labelSelector=n!%3D1"]),
    ) {
        let rig = Rig::new();
        for number in at_first {
            let (namespace, name) = named(number);
            rig.service(namespace, &name, &[("n", if number % 3 == 1 { "1" } else { "0" })]);
        }
        let whole = rig.get(&format!("/api/v1/services?limit=0{selector}")).json();
        let mut items = Vec::new();
        let (mut sizes, mut changes) = (sizes.iter().cycle(), changes.iter().cycle());
        let mut go_on = String::new();
        loop {
            let size = sizes.next().unwrap();
            let page = rig.get(&format!("/api/v1/services?limit={size}{selector}{go_on}")).json();
            let these = page["items"].as_array().unwrap();
            prop_assert_eq!(&page["metadata"]["resourceVersion"], &whole["metadata"]["resourceVersion"]);
            items.extend(these.iter().cloned());
            let all = whole["items"].as_array().unwrap().len();
            let Some(token) = token(&page) else { break };
            prop_assert_eq!(these.len() as u64, *size);
            prop_assert_eq!(page["metadata"]["remainingItemCount"].as_u64(), Some((all - items.len()) as u64));
            go_on = format!("&continue={token}");
            for change in changes.next().unwrap() {
                match change {
                    Between::Created(number) => {
                        let (namespace, name) = named(*number);
                        rig.service(namespace, &name, &[]);
                    }
                    Between::Labelled(number, label) => {
                        let (namespace, name) = named(*number);
                        rig.service(namespace, &name, &[("n", &label.to_string())]);
                    }
                    Between::Removed(number) => {
                        let (namespace, name) = named(*number);
                        let there = rig.get(&format!("/api/v1/namespaces/{namespace}/services/{name}"));
                        if there.code == 200 {
                            rig.remove(Kind::Service, namespace, &name);
                        }
                    }
                }
            }
        }
        prop_assert_eq!(Value::from(items), whole["items"].clone());
    }
}
