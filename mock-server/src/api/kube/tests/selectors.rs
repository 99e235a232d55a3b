//! Which objects a selector means, and what is said of one that is none.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Rig;
use crate::api::kube::failure::Failure;
use crate::api::kube::selectors::Selector;
use crate::sim::cluster::facts::Kind;

/// What is wrong with a selector of labels.
#[track_caller]
fn wrong(selector: &str) -> String {
    match Selector::parse(selector, "", Kind::Pod) {
        Err(Failure::BadRequest(why)) => why,
        other => panic!("{selector:?} is no selector: {other:?}"),
    }
}

/// What is wrong with a selector of fields.
#[track_caller]
fn wrong_fields(selector: &str, kind: Kind) -> String {
    match Selector::parse("", selector, kind) {
        Err(Failure::BadRequest(why)) => why,
        other => panic!("{selector:?} is no selector: {other:?}"),
    }
}

/// Whether a selector means an object with these labels.
#[track_caller]
fn means(selector: &str, labels: &[(&str, &str)]) -> bool {
    let record = Rig::new().service("panda", "a", labels);
    Selector::parse(selector, "", Kind::Service).expect(selector).matches(&record)
}

#[test]
fn labels_are_compared_as_the_grammar_says() {
    let labels = [("app", "grpc-job-1-3"), ("tier", ""), ("n", "7"), ("x.io/role", "a")];
    for selector in [
        "",
        "  ",
        "app=grpc-job-1-3",
        "app==grpc-job-1-3",
        " app = grpc-job-1-3 ",
        "app!=grpc-job-1-30",
        "app in (grpc-job-1-3)",
        "app in (x,grpc-job-1-3 , y)",
        "app notin (x)",
        "app",
        "!missing",
        "tier=",
        "tier",
        "tier in (,x)",
        "tier in (x,)",
        "missing!=x",
        "missing notin (x)",
        "n>6",
        "n<8",
        "app,tier,!missing",
        "x.io/role=a",
        "in notin (x)",
        "notin!=in",
        "app=grpc-job-1-3,tier=,n",
    ] {
        assert!(means(selector, &labels), "{selector:?}");
    }
    for selector in [
        "app=grpc-job-1-30",
        "app=grpc-job-1",
        "app!=grpc-job-1-3",
        "app in (x,y)",
        "app notin (x,grpc-job-1-3)",
        "missing",
        "!app",
        "app=",
        "missing=",
        "missing in (,)",
        "n>7",
        "n<7",
        "app>1",
        "missing>1",
        "app,missing",
        "app=grpc-job-1-3,tier=x",
        "in",
        "role=a",
    ] {
        assert!(!means(selector, &labels), "{selector:?}");
    }
}

#[test]
fn what_is_no_label_selector_is_told_with_what_was_found_and_what_was_expected() {
    let requirement = |why: &str| format!("unable to parse requirement: {why}");
    let operators = "in, notin, =, ==, !=, gt, lt";
    let cases = [
        ("a=(", requirement("found '(', expected: identifier")),
        ("a b", requirement(&format!("found 'b', expected: {operators}"))),
        ("a!", requirement(&format!("found '!', expected: {operators}"))),
        ("a(", requirement(&format!("found '(', expected: {operators}"))),
        ("!", requirement("found '', expected: identifier")),
        ("!!a", requirement("found '!', expected: identifier")),
        ("a in", requirement("found '' expected: '('")),
        ("a in x", requirement("found 'x' expected: '('")),
        ("a in (", requirement("found '', expected: ',', ')' or identifier")),
        ("a in (x", requirement("found '', expected: ',' or ')'")),
        ("a in (x y)", requirement("found 'y', expected: ',' or ')'")),
        ("a in (x,=)", requirement("found '=', expected: ',', or identifier")),
        (
            "a in ()",
            requirement(
                "values: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be empty",
            ),
        ),
        (
            "a>x",
            requirement(
                "values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
            ),
        ),
        ("=a", "found '=', expected: !, identifier, or 'end of string'".into()),
        (",a", "found ',', expected: !, identifier, or 'end of string'".into()),
        ("a,", "found '', expected: identifier after ','".into()),
        ("a,,b", "found ',', expected: identifier after ','".into()),
        ("a=b c", "found 'c', expected: ',' or 'end of string'".into()),
        ("!a=b", "found '=', expected: ',' or 'end of string'".into()),
    ];
    for (selector, why) in cases {
        assert_eq!(wrong(selector), why, "{selector:?}");
    }
}

#[test]
fn keys_and_values_are_those_that_labels_can_have() {
    let name = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
                alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
                '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    let key =
        |key: &str, why: &str| format!("unable to parse requirement: <nil>: Invalid value: {key:?}: {why}");
    assert_eq!(wrong("-a=b"), key("-a", name));
    assert_eq!(wrong("ä"), key("ä", name));
    assert_eq!(wrong("/a"), key("/a", "prefix part must be non-empty"));
    assert_eq!(wrong("a/"), key("a/", &format!("name part must be non-empty; {name}")));
    let long = "a".repeat(64);
    assert_eq!(wrong(&long), key(&long, "name part must be no more than 63 characters"));
    assert!(wrong("a/b/c").contains("a qualified name must consist of"), "{}", wrong("a/b/c"));
    assert!(wrong("A.io/c").contains("prefix part a lowercase RFC 1123 subdomain"), "{}", wrong("A.io/c"));
    assert!(wrong("a=-b").starts_with(
        "unable to parse requirement: values[0][a]: Invalid value: \"-b\": a valid label must be an empty string or \
         consist of alphanumeric characters"
    ));
    assert_eq!(
        wrong(&format!("a in (b,{long})")),
        format!(
            "unable to parse requirement: values[0][a]: Invalid value: \"{long}\": must be no more than 63 characters"
        ),
        "values are looked at in their order, not in that of the text"
    );
    assert!(means(&format!("{}=", "a".repeat(63)), &[(&"a".repeat(63), "")]));
}

#[test]
fn fields_are_compared_with_equality_alone() {
    let rig = Rig::new();
    let record = rig.service("panda", "a", &[]);
    let means =
        |selector: &str| Selector::parse("", selector, Kind::Service).expect(selector).matches(&record);
    for selector in [
        "",
        "metadata.name=a",
        "metadata.name==a",
        "metadata.name!=b",
        "metadata.namespace=panda",
        "metadata.name=a,metadata.namespace=panda",
        ",metadata.name=a,,",
        "metadata.name!=",
        r"metadata.name!=a\,b",
    ] {
        assert!(means(selector), "{selector:?}");
    }
    for selector in [
        "metadata.name=b",
        "metadata.name!=a",
        "metadata.name=",
        "metadata.name=a,metadata.namespace=other",
        r"metadata.name=a\,b",
        "metadata.name= a",
    ] {
        assert!(!means(selector), "{selector:?}");
    }
}

#[test]
fn what_is_no_field_selector_is_told_in_the_words_of_its_kind() {
    let pod = |selector| wrong_fields(selector, Kind::Pod);
    assert_eq!(pod("status.color=x"), "field label not supported: status.color");
    assert_eq!(pod("type=x"), "field label not supported: type");
    assert_eq!(
        wrong_fields("status.phase=x", Kind::Job),
        "field label \"status.phase\" not supported for Job"
    );
    assert_eq!(
        wrong_fields("status.phase=x", Kind::Deployment),
        "\"status.phase\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    );
    assert_eq!(pod("a"), "invalid selector: 'a'; can't understand 'a'");
    assert_eq!(pod("metadata.name=a,b"), "invalid selector: 'metadata.name=a,b'; can't understand 'b'");
    assert_eq!(
        pod("metadata.name=a=b"),
        "invalid field selector: unescaped character in value: 61",
        "the number of the equals sign"
    );
    assert_eq!(pod(r"metadata.name=a\b"), r"invalid field selector: invalid escape sequence: \b");
    assert_eq!(pod(r"metadata.name=a\"), r"invalid field selector: invalid escape sequence: \");
    assert_eq!(pod("=x"), "field label not supported: ");
}

#[test]
fn both_selectors_must_mean_an_object() {
    let record = Rig::new().service("panda", "a", &[("app", "x")]);
    let means = |labels, fields| Selector::parse(labels, fields, Kind::Service).unwrap().matches(&record);
    assert!(means("app=x", "metadata.name=a"));
    assert!(!means("app=y", "metadata.name=a"));
    assert!(!means("app=x", "metadata.name=b"));
}

/// A requirement as text, and what it says of labels, told again in the plainest way.
#[derive(Clone, Debug)]
enum Naive {
    Equal(String, String),
    NotEqual(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Missing(String),
}

impl Naive {
    fn text(&self, blank: &str) -> String {
        match self {
            Self::Equal(key, value) => format!("{key}{blank}={blank}{value}"),
            Self::NotEqual(key, value) => format!("{key}{blank}!={blank}{value}"),
            Self::In(key, values) => format!("{key} in{blank}({})", values.join(",")),
            Self::NotIn(key, values) => format!("{key} notin{blank}({blank}{})", values.join(",")),
            Self::Exists(key) => format!("{blank}{key}{blank}"),
            Self::Missing(key) => format!("!{blank}{key}"),
        }
    }

    fn holds(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Equal(key, value) => labels.get(key) == Some(value),
            Self::NotEqual(key, value) => labels.get(key) != Some(value),
            Self::In(key, values) => labels.get(key).is_some_and(|is| values.contains(is)),
            Self::NotIn(key, values) => !labels.get(key).is_some_and(|is| values.contains(is)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Missing(key) => !labels.contains_key(key),
        }
    }
}

/// Few keys and values, so that they meet; some are words of the grammar.
fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["app", "in", "notin", "x.io/a", "job_id", "A"]).prop_map(String::from)
}

fn values() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["1-3", "11-3", "1-30", "in", "notin", "a.b"]).prop_map(String::from)
}

fn requirements() -> impl Strategy<Value = Naive> {
    let some = || prop::collection::vec(values(), 1..4);
    prop_oneof![
        (keys(), values()).prop_map(|(key, value)| Naive::Equal(key, value)),
        (keys(), values()).prop_map(|(key, value)| Naive::NotEqual(key, value)),
        (keys(), some()).prop_map(|(key, values)| Naive::In(key, values)),
        (keys(), some()).prop_map(|(key, values)| Naive::NotIn(key, values)),
        keys().prop_map(Naive::Exists),
        keys().prop_map(Naive::Missing),
    ]
}

/// Text of the grammar's own characters, as far as it is not.
fn almost_selectors() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-c=!<>(), ./\\\\-]{0,24}",
        prop::collection::vec(
            prop::sample::select(vec![
                "a", "in", "notin", "(", ")", ",", "=", "==", "!=", "!", " ", "x.io/b", "\\"
            ]),
            0..12
        )
        .prop_map(|words| words.concat()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_sent_is_a_selector_or_a_bad_request(labels in almost_selectors(), fields in almost_selectors()) {
        for (labels, fields) in [(labels.as_str(), ""), ("", fields.as_str())] {
            match Selector::parse(labels, fields, Kind::Service) {
                Ok(_) => {}
                Err(Failure::BadRequest(why)) => prop_assert!(!why.is_empty()),
                Err(other) => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn a_selector_means_what_each_of_its_requirements_says(
        wanted in prop::collection::vec(requirements(), 0..4),
        labels in prop::collection::btree_map(keys(), values(), 0..4),
        blank in "[ \t]{0,2}",
    ) {
        let texts: Vec<_> = wanted.iter().map(|one| one.text(&blank)).collect();
        let selector = texts.join(",");
        let pairs: Vec<_> = labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        prop_assert_eq!(means(&selector, &pairs), wanted.iter().all(|one| one.holds(&labels)), "{}", selector);
    }
}
