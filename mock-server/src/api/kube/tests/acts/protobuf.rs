//! Bodies in protobuf say what the same bodies in JSON say, and whatever comes is an answer.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::kube::write::{creation, deletion};
use crate::sim::cluster::edit::Edit;

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What `kubectl create service nodeport left-over --tcp=5000:5000 --node-port=12301` of release 1.32 sends.
const SERVICE: &[u8] = b"k8s\0\n\r\n\x02v1\x12\x07Service\x12~\n+\n\tleft-over\x12\0\x1a\0\"\0*\x002\x008\0B\0Z\x10\n\
    \x03app\x12\tleft-over\x12K\n\x1f\n\t5000-5000\x12\x03TCP\x18\x88'\"\x07\x08\0\x10\x88'\x1a\0(\x8d`\x12\x10\n\x03app\
    \x12\tleft-over\x1a\0\"\x08NodePort:\0B\0R\0Z\0`\0h\0\x1a\x02\n\0\x1a\0\"\0";

fn sent(resource: &'static Resource, body: impl Into<Bytes>) -> Ask {
    Ask { content_type: PROTOBUF.into(), body: body.into(), ..ask(resource) }
}

#[test]
fn a_service_that_kubectl_sends_is_the_one_that_json_would_be() {
    let service = json!({
        "metadata": { "name": "left-over", "labels": { "app": "left-over" } },
        "spec": {
            "type": "NodePort",
            "selector": { "app": "left-over" },
            "ports": [{ "name": "5000-5000", "protocol": "TCP", "port": 5000, "targetPort": 5000, "nodePort": 12301 }],
        },
    });
    let as_json = Ask { body: service.to_string().into(), ..ask(Resource::of(Kind::Service)) };
    let expected = creation(&as_json).expect("a service");
    assert_eq!(creation(&sent(Resource::of(Kind::Service), SERVICE)), Ok(expected));
}

#[test]
fn options_of_a_deletion_are_read() {
    // gracePeriodSeconds 0; a precondition of uid `u`; propagationPolicy Foreground.
    let body = b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x13\x08\0\x12\x03\n\x01u\"\nForeground";
    let ask = Ask { name: Some("x".into()), ..sent(Resource::of(Kind::Pod), &body[..]) };
    let (edit, preconditions) = deletion(&ask).expect("options");
    assert!(matches!(edit, Edit::Delete { grace: Some(grace), .. } if grace.is_zero()), "{edit:?}");
    assert_eq!(preconditions.and_then(|held| held.uid).as_deref(), Some("u"));
    let dry = b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x05*\x03All";
    let ask = Ask { body: dry[..].into(), ..ask };
    assert_eq!(told(&deletion(&ask).expect_err("it would be carried out")).0, 400);
}

#[test]
fn what_is_no_service_is_told() {
    for (body, why) in [
        (&b""[..], "it does not begin with \"k8s\\0\""),
        (b"{}", "it does not begin with \"k8s\\0\""),
        (b"k8s\0\xff", "cannot be read as a Service: "),
        (b"k8s\0\n\n\n\x02v1\x12\x04Nope", "it is a \"Nope\""),
    ] {
        let (code, message) = told(&creation(&sent(Resource::of(Kind::Service), body)).expect_err("none"));
        assert_eq!(code, 400, "{message}");
        assert!(message.contains(why), "{why:?} is missing in {message:?}");
    }
    // An envelope around nothing is a Service without a name.
    let (code, message) =
        told(&creation(&sent(Resource::of(Kind::Service), &b"k8s\0"[..])).expect_err("none"));
    assert_eq!((code, message.contains("metadata.name: Required value")), (422, true), "{message}");
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..64), place in 0..SERVICE.len()) {
        let mut body = SERVICE.to_vec();
        body.splice(place.., bytes);
        if let Err(failure) = creation(&sent(Resource::of(Kind::Service), body)) {
            prop_assert!(matches!(told(&failure).0, 400 | 422));
        }
    }
}
