//! Certificates and keys from files, and what is said of files that are none.

use std::path::{Path, PathBuf};

use focus_mock::{MockServer, StartError, Tls};
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use tempfile::TempDir;

use super::{asks, dial, trusting};
use crate::common::held_config;

/// A folder with files in it.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).expect("a writable folder");
        path
    }
}

fn start(certificate: &Path, key: &Path) -> Result<MockServer, StartError> {
    let files = Tls::Files { certificate: certificate.to_owned(), key: key.to_owned() };
    MockServer::start(held_config(|config| config.tls = Some(files)))
}

/// What is said of two files, with the folder left out.
fn told(files: &Files, certificate: &Path, key: &Path) -> String {
    let error = start(certificate, key).err().expect("such files are refused");
    error.to_string().replace(&format!("{}/", files.0.path().display()), "")
}

fn certificate_for(name: &str) -> (String, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    (params.self_signed(&key).expect("a certificate").pem(), key)
}

#[test]
fn a_certificate_and_its_key_are_what_clients_meet() {
    let files = Files::new();
    let (certificate, key) = certificate_for("focus.example");
    let (own, its) = (files.file("cert.pem", &certificate), files.file("key.pem", key.serialize_pem()));
    let server = start(&own, &its).expect("a good pair");
    asks(&mut dial(trusting(&certificate), "focus.example", server.rest()));
    assert_eq!(server.certificate_pem(), None, "they have it already");
    assert!(server.base_url().starts_with("https://"));
    // Both may stand in one file, among other things.
    let both = files.file("both.pem", format!("our server\n{certificate}\n{}", key.serialize_pem()));
    let server = start(&both, &both).expect("a good pair");
    asks(&mut dial(trusting(&certificate), "focus.example", server.rest()));
}

#[test]
fn a_chain_is_shown_to_clients_that_trust_its_end() {
    let key = |()| KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new([]).expect("no names");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(authority.clone(), key(())).expect("a root");
    authority.distinguished_name.push(rcgen::DnType::CommonName, "between");
    let between = CertifiedIssuer::signed_by(authority, key(()), &root).expect("one between");
    let own = key(());
    let params = CertificateParams::new([String::from("focus.example")]).expect("a name");
    let leaf = params.signed_by(&own, &between).expect("a certificate");
    let files = Files::new();
    let chain = files.file("chain.pem", format!("{}{}", leaf.pem(), between.pem()));
    let server = start(&chain, &files.file("key.pem", own.serialize_pem())).expect("a good chain");
    asks(&mut dial(trusting(&root.pem()), "focus.example", server.rest()));
}

const A_CERTIFICATE: &str = "expected a PEM file with the server's certificate (-----BEGIN CERTIFICATE-----), then those \
                             that vouch for it";
const A_KEY: &str = "expected a PEM file with the certificate's private key, not encrypted: PKCS #8 \
                     (-----BEGIN PRIVATE KEY-----), PKCS #1 or SEC 1";

#[test]
fn a_file_that_cannot_be_used_is_named_with_what_is_wrong_and_what_would_be_right() {
    let files = Files::new();
    let (certificate, key) = certificate_for("localhost");
    let (cert, good) = (files.file("cert.pem", &certificate), files.file("key.pem", key.serialize_pem()));
    let wrapped = |kind: &str, text: &str| format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n");
    let missing = files.0.path().join("missing.pem");
    let empty = files.file("empty.pem", "");
    let binary = files.file("cert.der", [0x30, 0x82, 1, 2, 3]);
    let damaged = files.file("damaged.pem", wrapped("CERTIFICATE", "???"));
    let nonsense = files.file("nonsense.pem", wrapped("CERTIFICATE", "bm9uc2Vuc2U="));
    let no_key = files.file("no-key.pem", wrapped("PRIVATE KEY", "bm9uc2Vuc2U="));
    let locked = files.file("locked.pem", wrapped("ENCRYPTED PRIVATE KEY", "bm9uc2Vuc2U="));
    let old = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nbm9uc2Vuc2U=";
    let old_locked = files.file("old-locked.pem", wrapped("RSA PRIVATE KEY", old));
    let none = "holds no certificate";
    let encrypted = "holds an encrypted key, and there is nobody to ask for its passphrase";
    for (certificate, key, at_fault, wrong, expected) in [
        (&empty, &good, "empty.pem (--tls-cert)", none, A_CERTIFICATE),
        (&binary, &good, "cert.der (--tls-cert)", none, A_CERTIFICATE),
        (&good, &good, "key.pem (--tls-cert)", none, A_CERTIFICATE),
        (&damaged, &good, "damaged.pem (--tls-cert)", "is damaged: ", A_CERTIFICATE),
        (
            &nonsense,
            &good,
            "nonsense.pem (--tls-cert)",
            "holds a certificate that cannot be used: ",
            A_CERTIFICATE,
        ),
        (&cert, &empty, "empty.pem (--tls-key)", "holds no private key", A_KEY),
        (&cert, &cert, "cert.pem (--tls-key)", "holds no private key", A_KEY),
        (&cert, &no_key, "no-key.pem (--tls-key)", "holds a key that cannot be used: ", A_KEY),
        (&cert, &locked, "locked.pem (--tls-key)", encrypted, A_KEY),
        (&cert, &old_locked, "old-locked.pem (--tls-key)", encrypted, A_KEY),
    ] {
        let told = told(&files, certificate, key);
        assert!(told.starts_with(&format!("{at_fault} {wrong}")), "{told}");
        assert!(told.ends_with(&format!("; {expected}")), "{told}");
    }
    for (certificate, key, at_fault, expected) in [
        (&missing, &good, "missing.pem (--tls-cert)", A_CERTIFICATE),
        (&cert, &missing, "missing.pem (--tls-key)", A_KEY),
    ] {
        let told = told(&files, certificate, key);
        assert!(told.starts_with(&format!("cannot read {at_fault}: ")), "{told}");
        assert!(told.ends_with(&format!("; {expected}")), "{told}");
    }
}

#[test]
fn a_key_of_another_certificate_is_told_apart_from_a_bad_one() {
    let files = Files::new();
    let ((certificate, _), (_, other)) = (certificate_for("localhost"), certificate_for("localhost"));
    let (cert, key) = (files.file("cert.pem", certificate), files.file("other.pem", other.serialize_pem()));
    assert!(matches!(start(&cert, &key), Err(StartError::TlsKeyOfAnother { .. })));
    assert_eq!(
        told(&files, &cert, &key),
        "the key in other.pem (--tls-key) is not that of the certificate in cert.pem (--tls-cert): give the two that were \
         made together; in a chain the server's own certificate comes first"
    );
}

#[test]
fn a_server_that_does_not_start_for_its_files_leaves_its_addresses_free() {
    let files = Files::new();
    let (certificate, key) = certificate_for("localhost");
    let cert = files.file("cert.pem", certificate);
    let missing = files.0.path().join("missing.pem");
    let free = MockServer::start(held_config(|_| ())).expect("a server").rest();
    let at = |key: &Path| {
        let tls = Tls::Files { certificate: cert.clone(), key: key.to_owned() };
        let ports = focus_mock::PortChoice::FreeBlock;
        MockServer::start(held_config(|config| {
            config.addresses = focus_mock::Addresses::Given { listen: free, admin: None, kube: None, ports };
            config.tls = Some(tls);
        }))
    };
    assert!(matches!(at(&missing), Err(StartError::TlsFile { flag: "--tls-key", .. })));
    assert!(at(&files.file("key.pem", key.serialize_pem())).is_ok());
}
