//! Where the API is, and who is let in.

use focus_mock::{Addresses, MockServer, PortChoice, StartError, Tls, Token};
use kube::config::Kubeconfig;

use super::{WATCH, address, get};
use crate::common::{held, held_as};
use crate::faults::records;
use crate::raw::{Wire, request};

#[test]
fn a_server_of_its_own_has_it_on_the_documented_port_beside_the_others() {
    let server = held();
    let kube = address(&server);
    assert_eq!((kube.ip(), kube.port()), (server.rest().ip(), 5002));
    assert_eq!(server.kube_url(), Some(format!("http://{kube}")));
    let answer = get(&server, "/healthz", &[]);
    assert_eq!((answer.status.as_u16(), answer.body), (200, b"ok".to_vec()));
}

#[test]
fn it_can_be_left_out_and_a_port_that_is_taken_is_told_with_its_flag() {
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let at = |kube| Addresses::Given { listen: free, admin: None, kube, ports: PortChoice::FreeBlock };
    let server = held_as(|config| config.addresses = at(None));
    assert_eq!((server.kube(), server.kube_url(), server.kubeconfig()), (None, None, None));
    let taken = std::net::TcpListener::bind(free).expect("a port").local_addr().expect("an address");
    let taken = std::net::TcpListener::bind(taken).expect("the same port");
    let taken = taken.local_addr().map(|address| (taken, address)).expect("an address");
    let config = crate::common::held_config(|config| config.addresses = at(Some(taken.1)));
    let Err(error) = MockServer::start(config) else { panic!("the port is taken") };
    assert!(matches!(error, StartError::AddressInUse { flag: "--kube", .. }), "{error}");
}

#[test]
fn with_a_token_only_probes_are_answered_without_it() {
    let server = held_as(|config| config.kube.token = Token::new("open-sesame"));
    for (path, said, status) in [
        ("/api/v1/pods", None, 401),
        (WATCH, None, 401),
        ("/nowhere", None, 401),
        ("/healthz/x", None, 401),
        ("/nowhere", Some("Bearer open-sesam"), 401),
        ("/nowhere", Some("Basic open-sesame"), 401),
        ("/nowhere", Some("Bearer open-sesame"), 404),
        ("/healthz", None, 200),
        ("/healthz", Some("Bearer wrong"), 200),
    ] {
        let said: Vec<_> = said.map(|said| ("authorization", said)).into_iter().collect();
        assert_eq!(get(&server, path, &said).status, status, "{path} {said:?}");
    }
    let refused = get(&server, "/api/v1/pods", &[]).json();
    assert_eq!(
        (&refused["kind"], &refused["reason"], &refused["code"]),
        (&"Status".into(), &"Unauthorized".into(), &401.into())
    );
    let kept = format!("{:?}", server.simulation().journal().since(0));
    assert!(!kept.contains("sesame"), "the token is in no record");
}

#[test]
fn its_token_is_not_that_of_the_admin_interface() {
    let server = held_as(|config| config.admin_token = Token::new("open-sesame"));
    assert_eq!(get(&server, "/nowhere", &[]).status, 404);
}

#[test]
fn a_request_is_in_the_journal_under_the_id_of_its_answer() {
    let server = held();
    let answer = get(&server, "/api/v1/namespaces/panda/pods/x?a=b", &[("x-request-id", "mine")]);
    assert_eq!(answer.headers["audit-id"], "mine");
    let made = get(&server, "/version", &[]).headers["audit-id"].clone();
    let records = records(&server);
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.id(), record.method(), record.path(), record.route.name(), record.code))
        .collect();
    let made = made.to_str().expect("text");
    assert_eq!(told[0], ("mine", "GET", "/api/v1/namespaces/panda/pods/x?a=b", "kube.get", Some("NotFound")));
    assert_eq!((told[1].0, told[1].3, told.len()), (made, "kube.discovery", 2));
}

#[test]
fn requests_of_the_cluster_change_no_id_of_the_product() {
    let ids = |polls: usize| {
        let server = held();
        (0..polls).for_each(|_| drop(get(&server, "/healthz", &[])));
        let mut wire = Wire::to(server.rest());
        wire.send(&request("GET", "/ack", &[], b""));
        wire.head().headers["x-request-id"].clone()
    };
    assert_eq!(ids(3), ids(0));
}

#[test]
fn a_body_above_the_limit_is_refused_before_it_is_read() {
    let server = held();
    let mut wire = Wire::to(address(&server));
    let length = [("content-length", "3145729"), ("expect", "100-continue")];
    wire.send(&request("POST", "/api/v1/namespaces/panda/services", &length, b""));
    let answer = wire.answer();
    assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (413, &"RequestEntityTooLarge".into()));
}

/// What a client of the real API makes of the kubeconfig.
async fn healthy(kubeconfig: &str) -> Result<String, kube::Error> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("a kubeconfig");
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.expect("a config");
    assert_eq!(config.default_namespace, "panda");
    let client = kube::Client::try_from(config).expect("a client");
    client.request_text(http::Request::get("/healthz").body(Vec::new()).expect("a request")).await
}

#[tokio::test]
async fn its_kubeconfig_leads_a_client_to_it_over_plain_http_and_over_tls() {
    for tls in [false, true] {
        for rest in [None, Some(Tls::SelfSigned)] {
            let server = held_as(|config| {
                config.kube.tls = tls;
                config.kube.token = Token::new("open-sesame");
                config.tls = rest.clone();
            });
            let kubeconfig = server.kubeconfig().expect("a kubeconfig");
            let url = server.kube_url().expect("a URL");
            assert!(url.starts_with(if tls { "https://127." } else { "http://127." }), "{url}");
            assert_eq!(kubeconfig.contains("certificate-authority-data"), tls, "{kubeconfig}");
            assert_eq!(healthy(&kubeconfig).await.expect("an answer"), "ok");
        }
    }
}
