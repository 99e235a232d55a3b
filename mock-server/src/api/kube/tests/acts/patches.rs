//! Patches of every sort: what they ask for, and that no patch does harm.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::kube::render::value;
use crate::api::kube::write;
use crate::api::kube::{patch, scale, warning, workload};
use crate::sim::cluster::edit::Edit;
use crate::sim::cluster::facts::{Node, NodeName};

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

fn patch_of(resource: &'static Resource, content_type: &str, body: impl Into<Bytes>) -> Ask {
    Ask { content_type: content_type.into(), ..ask_of(resource, "x", body) }
}

impl Rig {
    fn patched(&self, record: &Record, ask: &Ask) -> Result<Option<Edit>, Failure> {
        workload::patched(ask, record, value(record, &self.kube.scene()))
    }

    fn node(&self, unschedulable: bool) -> Arc<Record> {
        let node =
            Node { name: NodeName::Worker, unschedulable, ready: true, ready_since: at(0), gpu_pool: None };
        self.put(Key::new(Kind::Node, &Namespace("".into()), "x"), Facts::Node(node))
    }
}

fn scaled(record: &Record, replicas: u32) -> Option<Edit> {
    let (workload, annotations) = (Workload::MongoDb, None);
    Some(Edit::Workload { workload, replicas: Some(replicas), annotations, at: Some(record.version) })
}

#[test]
fn every_sort_of_patch_sets_the_replicas_of_a_workload() {
    let rig = Rig::new();
    let record = rig.deployment("x");
    for (content_type, body) in [
        (MERGE, r#"{"spec":{"replicas":0}}"#),
        (STRATEGIC, r#"{"spec":{"replicas":0}}"#),
        ("application/json", r#"{"spec":{"replicas":0,"paused":true},"other":[1]}"#),
        (JSON_PATCH, r#"[{"op":"replace","path":"/spec/replicas","value":0}]"#),
        (
            JSON_PATCH,
            r#"[{"op":"test","path":"/spec/replicas","value":1},{"op":"add","path":"/spec/replicas","value":0}]"#,
        ),
    ] {
        let ask = patch_of(Resource::of(Kind::Deployment), content_type, body);
        assert_eq!(rig.patched(&record, &ask), Ok(scaled(&record, 0)), "{body}");
        let ask = Ask { sub: Some(Sub::Scale), ..ask };
        let is = scale::of(&ask, &record, &rig.kube.scene()).expect("it has one");
        assert_eq!(scale::patched(&ask, &record, &is), Ok(scaled(&record, 0)), "{body}");
    }
    let nothing = patch_of(Resource::of(Kind::Deployment), MERGE, r#"{"spec":{"replicas":1,"paused":true}}"#);
    assert_eq!(rig.patched(&record, &nothing), Ok(None));
}

#[test]
fn annotations_of_the_template_are_merged_and_null_takes_one_away() {
    let rig = Rig::new();
    let annotations = Arc::new([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())].into());
    let facts = Scale { annotations, ..scale_of(Workload::RabbitMq) };
    let key = Key::new(Kind::StatefulSet, &Namespace(HERE.into()), "x");
    let record = rig.put(key, Facts::StatefulSet(facts));
    let body = json!({ "spec": { "template": { "metadata": { "annotations": { "a": null, "c": "3" } } } } });
    let ask = patch_of(Resource::of(Kind::StatefulSet), STRATEGIC, body.to_string());
    let annotations = [("b".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())].into();
    let expected = Edit::Workload {
        workload: Workload::RabbitMq,
        replicas: None,
        annotations: Some(annotations),
        at: Some(record.version),
    };
    assert_eq!(rig.patched(&record, &ask), Ok(Some(expected)));
}

#[test]
fn a_node_is_cordoned_and_null_uncordons_it() {
    let rig = Rig::new();
    let cordon = patch_of(Resource::of(Kind::Node), STRATEGIC, r#"{"spec":{"unschedulable":true}}"#);
    let uncordon = patch_of(Resource::of(Kind::Node), STRATEGIC, r#"{"spec":{"unschedulable":null}}"#);
    let wanted = |unschedulable| Some(Edit::Node { name: NodeName::Worker, unschedulable });
    let open = rig.node(false);
    assert_eq!(rig.patched(&open, &cordon), Ok(wanted(true)));
    assert_eq!(rig.patched(&open, &uncordon), Ok(None));
    let cordoned = rig.node(true);
    assert_eq!(rig.patched(&cordoned, &uncordon), Ok(wanted(false)));
    assert_eq!(rig.patched(&cordoned, &cordon), Ok(None));
}

#[test]
fn bad_patches_are_refused() {
    let rig = Rig::new();
    let record = rig.deployment("x");
    let many = json!(vec![json!({ "op": "test", "path": "/kind", "value": "Deployment" }); 1001]).to_string();
    let deep = json!([{ "op": "add", "path": "/a".repeat(129), "value": 1 }]).to_string();
    for (content_type, body, code, text) in [
        ("application/apply-patch+yaml", "{}", 415, "server-side apply is not simulated"),
        ("", "{}", 415, "application/merge-patch+json"),
        (MERGE, "", 400, "cannot be read"),
        (MERGE, "{", 400, "cannot be read"),
        (MERGE, "[]", 400, "a merge patch is an object"),
        (MERGE, "null", 400, "a merge patch is an object"),
        (JSON_PATCH, "{}", 400, "cannot be read"),
        (JSON_PATCH, r#"[{"op":"grow","path":""}]"#, 400, "cannot be read"),
        (JSON_PATCH, r#"[{"op":"add","path":"a","value":1}]"#, 400, "cannot be read"),
        (
            JSON_PATCH,
            r#"[{"op":"remove","path":"/spec/x"}]"#,
            422,
            "operation 0, at \"/spec/x\": path is invalid",
        ),
        (JSON_PATCH, r#"[{"op":"test","path":"/spec/replicas","value":5}]"#, 422, "value did not match"),
        (JSON_PATCH, r#"[{"op":"replace","path":"","value":7}]"#, 422, "patch"),
        (JSON_PATCH, &many, 422, "1001 operations, where 1000 are done at most"),
        (JSON_PATCH, &deep, 422, "more than 128 levels deep"),
        (MERGE, r#"{"spec":{"replicas":-1}}"#, 422, "must be greater than or equal to 0"),
        (MERGE, r#"{"spec":{"replicas":1.5}}"#, 422, "must be a whole number"),
        (
            MERGE,
            r#"{"spec":{"template":{"metadata":{"annotations":{"a":1}}}}}"#,
            422,
            "the patch makes it no Deployment",
        ),
        (
            MERGE,
            r#"{"spec":{"template":{"metadata":{"annotations":{"a b":"1"}}}}}"#,
            422,
            "annotations: Invalid value: \"a b\"",
        ),
        (MERGE, r#"{"metadata":{"resourceVersion":"99999"}}"#, 409, "modified"),
    ] {
        let ask = patch_of(Resource::of(Kind::Deployment), content_type, body.to_owned());
        let (is, message) = told(&rig.patched(&record, &ask).expect_err(body));
        assert_eq!(is, code, "{body}: {message}");
        assert!(message.contains(text), "{text:?} is missing in {message:?}");
    }
    let null = Ask {
        sub: Some(Sub::Scale),
        ..patch_of(Resource::of(Kind::Deployment), MERGE, r#"{"spec":{"replicas":null}}"#)
    };
    let is = scale::of(&null, &record, &rig.kube.scene()).expect("it has one");
    assert_eq!(told(&scale::patched(&null, &record, &is).expect_err("none")).0, 422);
    let pod = patch_of(Resource::of(Kind::Service), MERGE, "{}");
    assert_eq!(told(&rig.patched(&rig.service("s", "x"), &pod).expect_err("not simulated")).0, 405);
}

#[test]
fn what_a_patch_changes_and_is_not_simulated_is_named() {
    let before = json!({"metadata": {"labels": {"a": "1"}, "resourceVersion": "1"}, "spec": {"replicas": 1, "template":
        {"metadata": {"labels": {}}, "spec": {"containers": [{"name": "a"}]}}}});
    let ignored = |patch: Value| {
        let mut after = before.clone();
        json_patch::merge(&mut after, &patch);
        warning::ignored(&before, &after)
    };
    let simulated = json!({"metadata": {"resourceVersion": "2"}, "spec": {"replicas": 2, "unschedulable": true,
        "template": {"metadata": {"annotations": {"a": "b"}}}}, "$setElementOrder/x": []});
    assert_eq!(ignored(simulated), [""; 0]);
    assert_eq!(ignored(json!({"metadata": {"labels": {"a": null}}})), ["metadata.labels.a"]);
    assert_eq!(
        ignored(json!({"spec": {"template": {"spec": {"containers": []}}, "paused": true}, "status": {}})),
        ["spec.template.spec.containers", "spec.paused", "status"]
    );
    let many: Value =
        (0..9).map(|number| (number.to_string(), json!(number))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(ignored(many), ["0", "1", "2", "3", "4", "..."]);
}

#[test]
fn a_warning_is_the_value_of_a_header_whatever_it_names() {
    assert_eq!(warning::of("a \"b\" \\ c"), r#"299 - "a \"b\" \\ c""#);
    assert_eq!(warning::of("a\r\nb: \u{e9}"), r#"299 - "a??b: ?""#);
    assert!(warning::of(&"\"".repeat(10_000)).len() < 520);
}

#[test]
fn a_patch_that_copies_itself_does_not_grow_without_end() {
    let double: Vec<_> =
        (0..40).map(|number| json!({ "op": "copy", "from": "", "path": format!("/c{number}") })).collect();
    let text = json!({ "op": "add", "path": "/text", "value": "x".repeat(1_000_000) });
    let copies: Vec<_> = std::iter::once(text)
        .chain((0..5).map(|n| json!({ "op": "copy", "from": "/text", "path": format!("/t{n}") })))
        .collect();
    for operations in [double, copies] {
        let ask = patch_of(Resource::of(Kind::Deployment), JSON_PATCH, json!(operations).to_string());
        let (code, message) = told(&patch::applied(&ask, json!({ "a": "b" })).expect_err("it grows"));
        assert_eq!(code, 422);
        assert!(message.contains("bytes are copied"), "{message}");
    }
    let nest: Vec<_> = (0..900)
        .map(|_| json!([{ "op": "move", "from": "", "path": "/a" }, { "op": "copy", "from": "/s", "path": "/s/s" }]))
        .flat_map(|pair| pair.as_array().cloned().unwrap_or_default())
        .filter(|operation| operation["op"] == "copy")
        .collect();
    let ask = patch_of(Resource::of(Kind::Deployment), JSON_PATCH, json!(nest).to_string());
    let (code, message) = told(&patch::applied(&ask, json!({ "s": {} })).expect_err("it deepens"));
    assert_eq!(code, 422);
    assert!(message.contains("levels deep"), "{message}");
}

#[tokio::test]
async fn a_patch_that_changes_nothing_is_answered_with_the_object() {
    let rig = Rig::new();
    let record = rig.deployment("x");
    let ask = patch_of(Resource::of(Kind::Deployment), MERGE, r#"{"spec":{"replicas":1}}"#);
    let (status, body) = answer(write::patch(&rig.kube, &ask).await).await;
    assert_eq!((status, &body["kind"]), (200, &"Deployment".into()));
    assert_eq!(body["metadata"]["resourceVersion"], record.version.to_string());
    let ask = Ask { sub: Some(Sub::Scale), ..ask };
    let (status, body) = answer(write::patch(&rig.kube, &ask).await).await;
    assert_eq!((status, &body["kind"], &body["spec"]["replicas"]), (200, &"Scale".into(), &1.into()));
    let missing = Ask { name: Some("y".into()), ..ask };
    assert_eq!(answer(write::patch(&rig.kube, &missing).await).await.0, 404);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z/~01-]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("spec".to_owned()),
        Just("replicas".to_owned()),
        Just("template".to_owned()),
        Just("metadata".to_owned()),
        Just("annotations".to_owned()),
        Just("resourceVersion".to_owned()),
        "[a-z$]{0,4}",
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_operation() -> impl Strategy<Value = Value> {
    let path = || {
        prop_oneof![
            Just(String::new()),
            Just("/spec".to_owned()),
            Just("/spec/replicas".to_owned()),
            Just("/spec/template/metadata/annotations/a".to_owned()),
            "(/[a-z0-9~-]{0,3}){0,4}",
            any::<String>(),
        ]
    };
    let op = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test", "x"]);
    (op, path(), path(), any_json())
        .prop_map(|(op, path, from, value)| json!({ "op": op, "path": path, "from": from, "value": value }))
}

proptest! {
    #[test]
    fn whatever_is_sent_as_a_patch_is_answered_with_a_deed_or_a_refusal(
        operations in prop::collection::vec(any_operation(), 0..12),
        merge in any_json(),
        raw in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let rig = Rig::new();
        let (workload, node) = (rig.deployment("x"), rig.node(false));
        let bodies = [json!(operations).to_string().into_bytes(), merge.to_string().into_bytes(), raw];
        for body in bodies {
            for content_type in [JSON_PATCH, MERGE, STRATEGIC, "application/json"] {
                for (resource, record) in [(Resource::of(Kind::Deployment), &workload), (Resource::of(Kind::Node), &node)] {
                    let ask = patch_of(resource, content_type, body.clone());
                    if let Err(failure) = rig.patched(record, &ask) {
                        prop_assert!([400, 409, 422].contains(&told(&failure).0), "{failure:?}");
                    }
                }
                let ask = Ask { sub: Some(Sub::Scale), ..patch_of(Resource::of(Kind::Deployment), content_type, body.clone()) };
                let is = scale::of(&ask, &workload, &rig.kube.scene()).expect("it has one");
                for result in [scale::patched(&ask, &workload, &is), scale::replaced(&ask, &workload).map(Some)] {
                    if let Err(failure) = result {
                        prop_assert!([400, 409, 415, 422].contains(&told(&failure).0), "{failure:?}");
                    }
                }
                let ask = Ask { content_type: String::new(), ..ask };
                let _ = write::creation(&ask);
                let _ = write::deletion(&Ask { resource: Resource::of(Kind::Pod), ..ask });
            }
        }
    }
}
