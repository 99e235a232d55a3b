//! HTTPS on the REST listener: who is answered, who is shown out, and which files it can be started with.

mod files;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use focus_mock::{Addresses, Config, MockServer, PortChoice, Tls};
use focus_proto::pandadatastream::StreamDataRequest;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tonic::transport::Endpoint;

use super::common::{Answer, Client, held, held_as, light};
use super::raw::{self, Wire, request};

pub(crate) type TlsStream = StreamOwned<ClientConnection, TcpStream>;

const SOON: Duration = Duration::from_millis(200);

fn secure_as(change: impl FnOnce(&mut Config)) -> MockServer {
    held_as(|config| {
        config.tls = Some(Tls::SelfSigned);
        change(config);
    })
}

pub(crate) fn secure() -> MockServer {
    secure_as(|_| ())
}

/// What a client needs to trust one certificate and no other.
fn trusting(pem: &str) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Arc::new(config.expect("versions").with_root_certificates(roots).with_no_client_auth())
}

fn trusting_only(server: &MockServer) -> Arc<ClientConfig> {
    trusting(server.certificate_pem().expect("a certificate of its own"))
}

/// A client that dials an address by a name, in whatever way the configuration says.
fn dial(config: Arc<ClientConfig>, name: &str, address: SocketAddr) -> Wire<TlsStream> {
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let connection = ClientConnection::new(config, name).expect("a client");
    Wire::over(StreamOwned::new(connection, raw::connect(address)))
}

pub(crate) fn wire(server: &MockServer) -> Wire<TlsStream> {
    dial(trusting_only(server), "localhost", server.rest())
}

pub(crate) fn asks(wire: &mut Wire<TlsStream>) -> Answer {
    wire.send(&request("GET", "/channels", &[], b""));
    let answer = wire.answer();
    assert_eq!(answer.status, 200);
    answer
}

/// Why a client does not come to speak TLS.
fn refused(mut wire: Wire<TlsStream>) -> String {
    wire.try_send(&request("GET", "/ack", &[], b"")).expect_err("no handshake").to_string()
}

#[test]
fn a_client_that_trusts_its_certificate_gets_what_it_would_get_without() {
    let (server, plain) = (secure(), held());
    assert_eq!(server.base_url(), format!("https://{}", server.rest()));
    let mut wire = wire(&server);
    for (method, path, body) in [
        ("GET", "/openapi.json", ""),
        ("POST", "/configure", "{"),
        ("DELETE", "/job/1-1", ""),
        ("GET", "/", ""),
    ] {
        let sent = request(method, path, &[("x-request-id", "same")], body.as_bytes());
        wire.send(&sent);
        let (secure, mut known) = (wire.answer(), Wire::to(plain.rest()));
        known.send(&sent);
        let known = known.answer();
        assert_eq!((secure.status, secure.body), (known.status, known.body), "{method} {path}");
    }
    assert_eq!(wire.inner().conn.alpn_protocol(), None, "none was asked for");
}

#[test]
fn the_certificate_is_for_the_names_of_this_machine_and_the_address_it_listens_on() {
    let server = secure();
    let own = server.rest().ip().to_string();
    for name in ["localhost", "127.0.0.1", "::1", &own] {
        asks(&mut dial(trusting_only(&server), name, server.rest()));
    }
    let told = refused(dial(trusting_only(&server), "focus.example", server.rest()));
    assert!(told.contains("not valid for name"), "{told}");
    // Another server has another certificate.
    let told = refused(dial(trusting_only(&secure()), "localhost", server.rest()));
    assert!(told.contains("invalid peer certificate"), "{told}");
}

#[test]
fn a_server_on_every_address_has_a_certificate_all_the_same() {
    let every = SocketAddr::from(([0, 0, 0, 0], 0));
    let ports = PortChoice::FreeBlock;
    let server = secure_as(|config| {
        config.addresses = Addresses::Given { listen: every, admin: None, kube: None, ports }
    });
    let address = SocketAddr::from(([127, 0, 0, 1], server.rest().port()));
    asks(&mut dial(trusting_only(&server), "127.0.0.1", address));
}

#[test]
fn it_speaks_http_1_1_to_a_client_that_asks_what_it_speaks() {
    let server = secure();
    let asking = |protocols: &[&[u8]]| {
        let mut config = ClientConfig::clone(&trusting_only(&server));
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        dial(Arc::new(config), "localhost", server.rest())
    };
    let mut wire = asking(&[b"h2", b"http/1.1"]);
    asks(&mut wire);
    assert_eq!(wire.inner().conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let told = refused(asking(&[b"h2"]));
    assert!(told.contains("NoApplicationProtocol"), "{told}");
}

#[tokio::test]
async fn streams_and_the_admin_listener_stay_without() {
    let server = secure();
    let mut wire = wire(&server);
    wire.send(&request("POST", "/configure", &[], light().to_string().as_bytes()));
    let job = wire.answer().json();
    assert_eq!(job["stream_url"], "http://localhost");
    let port = format!("http://{}:{}", server.rest().ip(), job["stream_port"]);
    let channel = Endpoint::from_shared(port).expect("an address").connect().await.expect("plain HTTP/2");
    let call = DataStreamServiceClient::new(channel).stream_data(StreamDataRequest { stream_id: 0 }).await;
    assert!(call.expect("a stream").into_inner().message().await.expect("a frame").is_some());
    let admin = raw::ask(server.admin().expect("an admin listener"), "HEAD", "/livez", b"");
    assert_eq!(admin.status, 200);
}

#[test]
fn a_client_that_is_still_sending_what_is_refused_gets_the_answer() {
    let server = secure();
    let body = vec![b' '; 2 * 1024 * 1024];
    let mut wire = wire(&server);
    wire.send(&request("POST", "/configure", &[], &body));
    assert_eq!(wire.answer().status, 413);
    wire.assert_closed();
}

#[test]
fn a_handshake_that_stops_is_cut_off_wherever_it_does_and_nobody_else_minds() {
    let server = secure_as(|config| config.http.header_time = SOON);
    let mut normal = wire(&server);
    asks(&mut normal);
    let mut hello = Vec::new();
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(trusting_only(&server), name).expect("a client");
    client.write_tls(&mut hello).expect("into memory");
    // Nothing at all, some of the greeting, and all of it without an answer to the server's.
    for length in [0, 1, 5, hello.len() - 1] {
        let mut stalled = raw::connect(server.rest());
        stalled.write_all(&hello[..length]).expect("sent");
        let mut got = Vec::new();
        stalled.read_to_end(&mut got).expect("an orderly end");
        assert_eq!(got, b"", "after {length} bytes");
    }
    let mut stalled = raw::connect(server.rest());
    stalled.write_all(&hello).expect("sent");
    let mut got = Vec::new();
    stalled.read_to_end(&mut got).expect("an orderly end");
    assert_eq!(got[..3], [0x16, 3, 3], "the server's side of the handshake");
    asks(&mut normal);
}

#[test]
fn bytes_that_are_no_tls_get_an_alert_and_the_end_and_nobody_else_minds() {
    let server = secure();
    let mut normal = wire(&server);
    for bytes in [
        &request("GET", "/ack", &[], b"")[..],
        &request("POST", "/configure", &[], light().to_string().as_bytes()),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[0xff; 5000],
        b"\x16\x03\x01\x00\x05\x63\x00\x00\x01x",
    ] {
        let mut client = raw::connect(server.rest());
        client.write_all(bytes).expect("sent");
        let mut got = Vec::new();
        client.read_to_end(&mut got).expect("an orderly end");
        // An alert, of the first version there was, two bytes long, and fatal.
        assert_eq!(got.get(..6), Some(&[0x15, 3, 3, 0, 2, 2][..]), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(got.len(), 7);
        asks(&mut normal);
    }
    assert!(server.simulation().snapshot().jobs.is_empty());
}

#[test]
fn a_connection_without_a_request_ends_with_a_word() {
    let server = secure_as(|config| config.http.idle_time = SOON);
    let mut wire = wire(&server);
    asks(&mut wire);
    // An end without a word is an error to clients of TLS: it may be somebody else's.
    wire.assert_closed();
}

#[test]
fn connections_that_owe_their_handshake_make_room_for_others() {
    let server = secure_as(|config| config.http.max_connections = 4);
    let stalled: Vec<_> = (0..20).map(|_| raw::connect(server.rest())).collect();
    let mut wire = wire(&server);
    asks(&mut wire);
    for mut gone in stalled.into_iter().take(17) {
        assert_eq!(gone.read(&mut [0]).expect("an orderly end"), 0);
    }
}

#[tokio::test]
async fn a_server_without_a_certificate_tells_none() {
    let server = held();
    assert_eq!((server.certificate_pem(), server.base_url()), (None, format!("http://{}", server.rest())));
    assert_eq!(Client::of(&server).get("/ack").await.status, 200);
}
