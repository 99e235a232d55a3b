//! The REST interface of a server. One request, one answer, both kept as they were.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// A request as it is sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path below the base, encoded as it shall be on the wire.
    pub path: String,
    /// Headers beside those that HTTP needs.
    pub headers: Vec<(String, String)>,
    /// Body, if any.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::of(Method::GET, path)
    }

    /// A request with any method and no body.
    #[must_use]
    pub fn of(method: Method, path: &str) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: None }
    }

    /// A request with a JSON body.
    #[must_use]
    pub fn post(path: &str, body: &Value) -> Self {
        Self::of(Method::POST, path).header("content-type", "application/json").body(body.to_string())
    }

    /// Whether a server may create or end something because of it, if only by mistake.
    #[must_use]
    pub fn writes(&self) -> bool {
        let path = self.path.strip_prefix(PREFIX).unwrap_or(&self.path);
        match self.method {
            Method::POST => path.starts_with("/config"),
            Method::DELETE => path.starts_with("/job/"),
            _ => false,
        }
    }

    /// With another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With these bytes as its body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }
}

/// A request with its answer, as they were.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// Base that the path was below.
    pub base: String,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
    /// From the first byte sent to the last one read.
    pub took: Duration,
}

/// What a proxy in front of a server adds to every path; servers answer with and without it.
pub const PREFIX: &str = "/focus-server";

impl Exchange {
    /// The path without query and prefix, as the OpenAPI document lists it.
    #[must_use]
    pub fn route(&self) -> &str {
        let path = self.request.path.split('?').next().unwrap_or_default();
        if has_path(&self.base) {
            return path;
        }
        path.strip_prefix(PREFIX).filter(|route| route.starts_with('/')).unwrap_or(path)
    }

    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, what is no text replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// There was no whole answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{method} {path}: no whole answer: {why}")]
pub struct NoAnswer {
    /// HTTP method.
    pub method: Method,
    /// Path below the base.
    pub path: String,
    /// What the client library says, innermost reason last.
    pub why: String,
}

/// Whose certificates count, where a server has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Anybody's: servers under test have certificates of their own making.
    #[default]
    Anyone,
    /// Those that this machine trusts.
    SystemRoots,
}

/// What this machine trusts, read once.
static SYSTEM_ROOTS: LazyLock<Vec<reqwest::Certificate>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs().certs;
    found.iter().filter_map(|certificate| reqwest::Certificate::from_der(certificate).ok()).collect()
});

/// How long a whole answer may take, and a frame of a stream, where a target says nothing else.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Rest {
    http: reqwest::Client,
    base: String,
    patience: Duration,
}

impl Rest {
    /// A client of the server at a base URL, whatever its certificate.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn of(base: &str) -> Result<Self, reqwest::Error> {
        Self::trusting(base, Trust::Anyone)
    }

    /// A client of the server at a base URL.
    ///
    /// # Errors
    /// When the client cannot be built.
    pub fn trusting(base: &str, trust: Trust) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = match trust {
            Trust::Anyone => http.danger_accept_invalid_certs(true),
            Trust::SystemRoots => {
                SYSTEM_ROOTS.iter().cloned().fold(http, |http, root| http.add_root_certificate(root))
            }
        };
        Ok(Self { http: http.build()?, base: base.trim_end_matches('/').to_owned(), patience: PATIENCE })
    }

    /// With another time in which an answer must be whole.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Base of the routes.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// One request, one answer.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn send(&self, request: Request) -> Result<Arc<Exchange>, NoAnswer> {
        let failed = |error: reqwest::Error| NoAnswer {
            method: request.method.clone(),
            path: request.path.clone(),
            why: chain(&error),
        };
        let url = format!("{}{}", self.base, request.path);
        let mut sent = self.http.request(request.method.clone(), url).timeout(self.patience);
        for (name, value) in &request.headers {
            sent = sent.header(name, value);
        }
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let began = crate::wall::now();
        let response = sent.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body = response.bytes().await.map_err(failed)?.to_vec();
        let took = began.elapsed();
        Ok(Arc::new(Exchange { request, base: self.base.clone(), status, headers, body, took }))
    }
}

/// Whether a base has a path of its own, such as the prefix.
#[must_use]
pub fn has_path(base: &str) -> bool {
    let host_and_path = base.split_once("://").map_or(base, |(_, rest)| rest);
    host_and_path.trim_end_matches('/').contains('/')
}

/// An error with its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let reasons = std::iter::successors(Some(error), |error| error.source());
    reasons.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
