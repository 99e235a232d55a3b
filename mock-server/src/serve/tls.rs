//! What the REST listener and the Kubernetes API prove themselves with. Job ports and the admin listener never speak TLS.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::listen::StartError;
use crate::config::Tls;

const CERTIFICATE: &str = "--tls-cert";
const KEY: &str = "--tls-key";

/// What the file behind a flag should hold.
pub(super) fn expected(flag: &str) -> &'static str {
    if flag == KEY {
        "a PEM file with the certificate's private key, not encrypted: PKCS #8 (-----BEGIN PRIVATE KEY-----), PKCS #1 or SEC 1"
    } else {
        "a PEM file with the server's certificate (-----BEGIN CERTIFICATE-----), then those that vouch for it"
    }
}

/// Certificate and key, ready to greet clients with.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) acceptor: TlsAcceptor,
    /// The certificate that was made for this server, if one was.
    pub(super) made: Option<String>,
    /// The certificate as PEM, wherever it came from.
    pub(super) pem: String,
}

impl Identity {
    /// Reads or makes what listeners at these addresses prove themselves with.
    pub(super) fn load(tls: &Tls, addresses: &[IpAddr]) -> Result<Self, StartError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (certified, made, pem) = match tls {
            Tls::Files { certificate, key } => {
                let certified = read(certificate, key, &provider)?;
                let pem = String::from_utf8_lossy(&text_of(certificate, CERTIFICATE)?).into_owned();
                (certified, None, pem)
            }
            Tls::SelfSigned => {
                let (certified, pem) = make(addresses, &provider).map_err(cannot_make)?;
                (certified, Some(pem.clone()), pem)
            }
        };
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(cannot_make)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), made, pem })
    }
}

/// Nothing the user gave can be the reason.
fn cannot_make(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StartError {
    StartError::Runtime(std::io::Error::other(error))
}

fn read(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, StartError> {
    let chain = text_of(certificate, CERTIFICATE)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|error| is_no_pem(certificate, CERTIFICATE, &error))?;
    if chain.is_empty() {
        return Err(holds(certificate, CERTIFICATE, "holds no certificate"));
    }
    let private = private_key(key)?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            StartError::TlsKeyOfAnother { certificate: certificate.to_owned(), key: key.to_owned() }
        }
        rustls::Error::InvalidCertificate(error) => {
            holds(certificate, CERTIFICATE, &format!("holds a certificate that cannot be used: {error:?}"))
        }
        error => holds(key, KEY, &format!("holds a key that cannot be used: {error}")),
    })
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, StartError> {
    let text = text_of(file, KEY)?;
    // In its own kind of section, or in a header of any other.
    if text.windows(9).any(|word| word == b"ENCRYPTED") {
        return Err(holds(
            file,
            KEY,
            "holds an encrypted key, and there is nobody to ask for its passphrase",
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => holds(file, KEY, "holds no private key"),
        error => is_no_pem(file, KEY, &error),
    })
}

fn text_of(file: &Path, flag: &'static str) -> Result<Vec<u8>, StartError> {
    std::fs::read(file).map_err(|error| StartError::TlsFile { file: file.to_owned(), flag, error })
}

fn is_no_pem(file: &Path, flag: &'static str, error: &pem::Error) -> StartError {
    holds(file, flag, &format!("is damaged: {error}"))
}

fn holds(file: &Path, flag: &'static str, wrong: &str) -> StartError {
    StartError::TlsContent { file: PathBuf::from(file), flag, wrong: wrong.to_owned() }
}

/// A certificate for the names under which a server on this machine is called, that vouches for itself.
fn make(
    addresses: &[IpAddr],
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, String), Box<dyn std::error::Error + Send + Sync>> {
    let mut names = vec![String::from("localhost"), String::from("127.0.0.1"), String::from("::1")];
    for address in addresses.iter().filter(|address| !address.is_unspecified()) {
        let own = address.to_string();
        if !names.contains(&own) {
            names.push(own);
        }
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "focus-mock");
    params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der())?;
    let certified = CertifiedKey::from_der(vec![certificate.der().clone()], private, provider)?;
    Ok((certified, certificate.pem()))
}
