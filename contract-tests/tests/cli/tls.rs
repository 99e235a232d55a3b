//! Servers behind TLS, with certificates of their own making.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::common::{answer, ended, focus_contract, run};

/// Answers everything with an empty 200; gives its base.
async fn serve(listener: TcpListener) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([String::from("127.0.0.1")]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    while let Ok((connection, _)) = listener.accept().await {
        let Ok(mut connection) = acceptor.accept(connection).await else { continue };
        let _ = connection.read(&mut [0; 16_384]).await;
        let _ = connection.write_all(&answer(200, "", b"")).await;
        let _ = connection.shutdown().await;
    }
}

#[test]
fn certificates_count_only_if_somebody_says_so() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let base = format!("https://{}", listener.local_addr().expect("an address"));
    runtime.spawn(serve(listener));
    run(&["--target", &base, "--only", "health/ack-headers"]).with(0);
    let mut command = focus_contract(&["run", "--target", &base, "--only", "health/ack-headers"]);
    command.env("VERIFY_SSL", "true");
    ended(command).with(2).complains("cannot be reached").complains("certificate");
}
