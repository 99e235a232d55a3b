//! What a client of the Kubernetes API needs to find a server and to be let in: a kubeconfig.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::config::Token;

/// The cluster, the user and the context that it has are all called so.
pub const NAME: &str = "focus-mock";

/// Where an API is, and what it asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Reach<'a> {
    /// Scheme, address and port.
    pub url: &'a str,
    /// The namespace of commands that name none.
    pub namespace: &'a str,
    /// What the API asks its callers for.
    pub token: Option<&'a Token>,
    /// The certificate by which the API is known, as PEM.
    pub certificate: Option<&'a str>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [NamedCluster<'a>; 1],
    users: [NamedUser<'a>; 1],
    contexts: [NamedContext<'a>; 1],
    #[serde(rename = "current-context")]
    current_context: &'static str,
}

#[derive(Serialize)]
struct NamedCluster<'a> {
    name: &'static str,
    cluster: Cluster<'a>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    server: &'a str,
    #[serde(rename = "certificate-authority-data", skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(rename = "insecure-skip-tls-verify", skip_serializing_if = "Option::is_none")]
    unverified: Option<bool>,
}

#[derive(Serialize)]
struct NamedUser<'a> {
    name: &'static str,
    user: User<'a>,
}

#[derive(Serialize)]
struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

#[derive(Serialize)]
struct NamedContext<'a> {
    name: &'static str,
    context: Context<'a>,
}

#[derive(Serialize)]
struct Context<'a> {
    cluster: &'static str,
    user: &'static str,
    namespace: &'a str,
}

impl Reach<'_> {
    /// The kubeconfig, as YAML. An API that speaks TLS and whose certificate is not known is not verified.
    ///
    /// # Panics
    /// Never: all of it is texts.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        let is_unknown = self.url.starts_with("https:") && self.certificate.is_none();
        let document = Document {
            api_version: "v1",
            kind: "Config",
            clusters: [NamedCluster {
                name: NAME,
                cluster: Cluster {
                    server: self.url,
                    certificate: self.certificate.map(|pem| STANDARD.encode(pem)),
                    unverified: is_unknown.then_some(true),
                },
            }],
            users: [NamedUser { name: NAME, user: User { token: self.token.map(Token::reveal) } }],
            contexts: [NamedContext {
                name: NAME,
                context: Context { cluster: NAME, user: NAME, namespace: self.namespace },
            }],
            current_context: NAME,
        };
        serde_saphyr::to_string(&document).expect("texts are always YAML")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reach: &Reach<'_>) -> kube::config::Kubeconfig {
        kube::config::Kubeconfig::from_yaml(&reach.kubeconfig()).expect("a kubeconfig")
    }

    const PLAIN: Reach<'_> =
        Reach { url: "http://127.0.0.1:5002", namespace: "panda", token: None, certificate: None };

    #[test]
    fn it_is_written_as_people_write_one() {
        assert_eq!(
            PLAIN.kubeconfig(),
            "apiVersion: v1\nkind: Config\nclusters:\n- name: focus-mock\n  cluster:\n    server: http://127.0.0.1:5002\n\
             users:\n- name: focus-mock\n  user: {}\ncontexts:\n- name: focus-mock\n  context:\n    cluster: focus-mock\n    \
             user: focus-mock\n    namespace: panda\ncurrent-context: focus-mock\n"
        );
    }

    #[test]
    fn a_client_reads_the_token_and_the_certificate_as_they_are() {
        // Digits alone, a word and an end of line: what YAML might take for something else.
        for token in ["12345", "true", "0x1f", "~"] {
            let token = Token::new(token);
            let reach = Reach { token: token.as_ref(), namespace: "1e3", ..PLAIN };
            let config = read(&reach);
            let user = config.auth_infos[0].auth_info.clone().expect("a user");
            let said = token.as_ref().map(Token::reveal);
            assert_eq!(serde_json::to_value(user).expect("JSON")["token"].as_str(), said);
            let context = config.contexts[0].context.clone().expect("a context");
            assert_eq!(context.namespace.as_deref(), Some("1e3"));
        }
        let pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n";
        let reach = Reach { url: "https://127.0.0.1:1", certificate: Some(pem), ..PLAIN };
        let cluster = read(&reach).clusters[0].cluster.clone().expect("a cluster");
        let data = STANDARD.decode(cluster.certificate_authority_data.expect("data")).expect("base64");
        assert_eq!((data, cluster.insecure_skip_tls_verify), (pem.as_bytes().to_vec(), None));
        let cluster =
            read(&Reach { certificate: None, ..reach }).clusters[0].cluster.clone().expect("a cluster");
        assert_eq!(
            (cluster.certificate_authority_data, cluster.insecure_skip_tls_verify),
            (None, Some(true))
        );
    }
}
