//! What holds of every object.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::fixtures::{all, at, scene};
use super::{look, shown};
use crate::api::kube::render::meta::uid;
use crate::api::kube::render::object::type_of;
use crate::api::kube::render::time::{age, between, human, time};
use crate::api::kube::render::{Field, Scene, address, field, labels, object, value, write};
use crate::sim::cluster::facts::{Kind, PodAddress, ServiceAddress, Uid};

const PATHS: [&str; 11] = [
    "metadata.name",
    "metadata.namespace",
    "status.phase",
    "spec.nodeName",
    "involvedObject.name",
    "involvedObject.kind",
    "involvedObject.uid",
    "involvedObject.namespace",
    "involvedObject.apiVersion",
    "type",
    "reason",
];

#[test]
fn there_is_a_record_of_every_kind_to_test_with() {
    let kinds: BTreeSet<_> = all().iter().map(|record| record.key.kind).collect();
    assert_eq!(kinds, BTreeSet::from(Kind::ALL));
}

#[test]
fn an_object_read_back_through_the_same_types_is_the_object_that_was_written() {
    for record in all() {
        let mut bytes = b"before".to_vec();
        write(&record, &scene(), &mut bytes);
        let json = bytes.strip_prefix(b"before").expect("what was there stays");
        let read = object::read(record.key.kind, json).expect("reads");
        assert_eq!(read, object::object(&record, &scene()), "{record:?}");
        assert_eq!(serde_json::from_slice::<serde_json::Value>(json).expect("JSON"), shown(&record));
    }
}

#[test]
fn an_object_is_the_same_as_long_as_its_version_is() {
    for record in all() {
        let later = Scene { now: at(100_000), ..scene() };
        assert_eq!(value(&record, &later), shown(&record), "{record:?}");
    }
}

#[test]
fn every_object_says_what_it_is_and_has_the_metadata_of_its_record() {
    for record in all() {
        let shown = shown(&record);
        let (api_version, kind) = type_of(record.key.kind);
        assert_eq!((&shown["apiVersion"], &shown["kind"]), (&api_version.into(), &kind.into()));
        let metadata = &shown["metadata"];
        assert_eq!(metadata["name"], *record.key.name);
        assert_eq!(metadata["uid"], "01234567-89ab-4def-8123-456789abcdef");
        assert_eq!(metadata["resourceVersion"], "4711");
        assert_eq!(metadata["creationTimestamp"], "2025-12-05T16:58:23Z");
        assert!(metadata["labels"].is_object(), "{shown}");
        let is_namespaced = !matches!(record.key.kind, Kind::Node | Kind::Namespace);
        assert_eq!(metadata.get("namespace").is_some(), is_namespaced, "{shown}");
        assert_eq!(metadata.get("deletionTimestamp").is_some(), record.deleting.is_some());
        if record.deleting.is_some() {
            assert_eq!(metadata["deletionTimestamp"], "2025-12-05T17:01:35Z");
            assert_eq!(metadata["deletionGracePeriodSeconds"], 2);
        }
    }
}

#[test]
fn labels_are_those_of_the_rendered_object() {
    for record in all() {
        let rendered: BTreeMap<String, String> =
            serde_json::from_value(shown(&record)["metadata"]["labels"].clone()).expect("texts");
        let known = labels(&record);
        assert_eq!(known.len(), rendered.len(), "each once: {known:?}");
        let known: BTreeMap<String, String> =
            known.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect();
        assert_eq!(known, rendered, "{record:?}");
    }
}

#[test]
fn fields_are_those_of_the_rendered_object() {
    let mut compared = BTreeSet::new();
    for record in all() {
        let shown = shown(&record);
        for path in PATHS {
            let Some(known) = Field::parse(record.key.kind, path) else { continue };
            let rendered = look(&shown, &format!("/{}", path.replace('.', "/"))).as_str().unwrap_or_default();
            assert_eq!(field(&record, known), rendered, "{path} of {record:?}");
            if !rendered.is_empty() {
                compared.insert(path);
            }
        }
    }
    assert_eq!(compared, BTreeSet::from(PATHS), "each was compared with something");
}

#[test]
fn every_kind_is_selected_by_its_name_and_the_other_fields_belong_to_pods_events_and_namespaces() {
    for kind in Kind::ALL {
        let known: Vec<_> = PATHS.into_iter().filter(|path| Field::parse(kind, path).is_some()).collect();
        let expected: Vec<&str> = match kind {
            Kind::Pod => PATHS[..4].into(),
            Kind::Namespace => PATHS[..3].into(),
            Kind::Event => PATHS[..2].iter().chain(&PATHS[4..]).copied().collect(),
            _ => PATHS[..2].into(),
        };
        assert_eq!(known, expected, "{kind:?}");
    }
    for path in ["", "metadata", "metadata.uid", "metadata.name ", "Status.Phase", "spec.replicas"] {
        assert_eq!(Field::parse(Kind::Pod, path), None, "{path}");
    }
}

#[test]
fn made_up_addresses_are_loopback_ones_and_pods_never_have_those_of_services() {
    assert_eq!(address::of_pod(PodAddress(0)).to_string(), "127.64.0.1");
    assert_eq!(address::of_pod(PodAddress(2_097_149)).to_string(), "127.95.255.254");
    assert_eq!(address::of_pod(PodAddress(2_097_150)).to_string(), "127.64.0.1");
    assert_eq!(address::of_service(ServiceAddress(0)).to_string(), "127.96.0.1");
    assert_eq!(address::of_service(ServiceAddress(u32::MAX)).octets()[..2], [127, 96]);
}

#[test]
fn labels_of_records_borrow_what_records_hold() {
    let record = all().into_iter().find(|record| &*record.key.name == "left-over").expect("planted");
    let labels = labels(&record);
    assert_eq!(labels, [(Cow::from("left"), Cow::from("over"))]);
    assert!(matches!(labels[0].1, Cow::Borrowed(_)));
}

#[test]
fn durations_are_printed_as_kubectl_does() {
    let day = 86_400;
    let year = 365 * day;
    for (seconds, text) in [
        (0, "0s"),
        (5, "5s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (599, "9m59s"),
        (600, "10m"),
        (659, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (12_300, "3h25m"),
        (28_799, "7h59m"),
        (28_800, "8h"),
        (172_799, "47h"),
        (2 * day, "2d"),
        (2 * day + 3 * 3600, "2d3h"),
        (8 * day, "8d"),
        (2 * year - 1, "729d"),
        (2 * year, "2y"),
        (2 * year + 40 * day, "2y40d"),
        (8 * year, "8y"),
        (9 * year + 40 * day, "9y"),
    ] {
        assert_eq!(human(Duration::from_secs(seconds)), text, "{seconds} s");
    }
}

#[test]
fn an_age_counts_whole_seconds_and_never_below_zero() {
    let almost = at(10).after(Duration::from_millis(999));
    assert_eq!(age(Some(&time(almost)), at(11)), "1s");
    assert_eq!(age(Some(&time(at(11))), at(10)), "0s");
    assert_eq!(age(None, at(10)), "<unknown>");
    assert_eq!(between(&time(at(1)), &time(at(8))), Duration::from_secs(7));
}

proptest! {
    #[test]
    fn a_printed_duration_never_says_more_than_it_was_and_at_most_a_ninth_less(seconds in 0..400_000_000_u64) {
        let text = human(Duration::from_secs(seconds));
        let unit = |sign: char| match sign {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'y' => 365 * 86_400,
            other => panic!("no unit {other} in {text}"),
        };
        let (mut read, mut number) = (0, 0);
        for sign in text.chars() {
            match sign.to_digit(10) {
                Some(digit) => number = number * 10 + u64::from(digit),
                None => read += std::mem::take(&mut number) * unit(sign),
            }
        }
        prop_assert!(read <= seconds && (seconds - read) * 9 <= seconds, "{text} for {seconds}");
    }

    #[test]
    fn every_uid_is_a_uuid_of_version_4_and_keeps_what_tells_it_from_others(high in any::<u64>(), low in any::<u64>()) {
        let bits = u128::from(high) << 64 | u128::from(low);
        let text = uid(Uid(bits));
        let parts: Vec<_> = text.split('-').collect();
        prop_assert_eq!(parts.iter().map(|part| part.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        prop_assert!(parts[2].starts_with('4'), "{}", text);
        prop_assert!(parts[3].starts_with(['8', '9', 'a', 'b']), "{}", text);
        let read = u128::from_str_radix(&text.replace('-', ""), 16).expect("hexadecimal digits");
        let fixed = (0xf << 76) | (0x3 << 62);
        prop_assert_eq!(read & !fixed, bits & !fixed);
    }

    #[test]
    fn addresses_stay_where_they_belong(count in any::<u32>()) {
        let (pod, service) = (address::of_pod(PodAddress(count)), address::of_service(ServiceAddress(count)));
        prop_assert!(pod.is_loopback() && (64..96).contains(&pod.octets()[1]), "{}", pod);
        prop_assert!(service.is_loopback() && (96..128).contains(&service.octets()[1]), "{}", service);
    }
}
