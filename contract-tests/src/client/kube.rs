//! The Kubernetes API that a server works with. One request, one answer, both kept as they were; nothing is asked twice.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use k8s_openapi::api::autoscaling::v1::Scale;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::params::{DeleteParams, GetParams, ListParams, Patch, PatchParams, PostParams};
use kube::core::subresource::LogParams;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::rest::{Exchange, Request, Trust};
use crate::failure::{Failure, equal};
use crate::report::without_credentials;

/// The namespace of the product where nobody names another.
pub const NAMESPACE: &str = "panda";

/// Where a Kubernetes API is, who asks, and in which namespace.
#[derive(Clone, Debug)]
pub struct Access {
    config: kube::Config,
}

/// Which part of a kubeconfig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kubeconfigs {
    /// The files, of which the first that says something wins.
    pub files: Vec<PathBuf>,
    /// The context, if not the current one.
    pub context: Option<String>,
}

impl Access {
    /// The API at a base URL, with a bearer token if it wants one.
    ///
    /// # Errors
    /// When that is no URL, in words.
    pub fn at(url: &str, namespace: &str, token: Option<String>, trust: Trust) -> Result<Self, String> {
        let parsed = url.parse().map_err(|_| format!("{:?} is no URL", without_credentials(url)))?;
        let mut config = kube::Config::new(parsed);
        config.auth_info.token = token.map(Into::into);
        config.accept_invalid_certs = trust == Trust::Anyone;
        Ok(Self::of(config, namespace))
    }

    /// The API that a context of kubeconfig files names.
    ///
    /// # Errors
    /// When a file cannot be read or names no such context, in words.
    pub async fn by(kubeconfigs: &Kubeconfigs, namespace: &str) -> Result<Self, String> {
        let files = kubeconfigs.files.clone();
        // Reading blocks.
        let read = tokio::task::spawn_blocking(move || read(&files)).await;
        let kubeconfig = read.map_err(|error| error.to_string())??;
        let options = KubeConfigOptions { context: kubeconfigs.context.clone(), ..Default::default() };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        Ok(Self::of(config.map_err(|error| chain(&error))?, namespace))
    }

    fn of(mut config: kube::Config, namespace: &str) -> Self {
        namespace.clone_into(&mut config.default_namespace);
        // What a case sees must be what the API said to it, at once.
        config.default_retry = false;
        config.connect_timeout = Some(Duration::from_secs(10));
        Self { config }
    }

    /// Base of the API, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = self.config.cluster_url.to_string();
        without_credentials(url.trim_end_matches('/'))
    }

    /// The namespace of the product.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.config.default_namespace
    }
}

fn read(files: &[PathBuf]) -> Result<Kubeconfig, String> {
    let mut merged = Kubeconfig::default();
    for file in files {
        let said = |error| format!("{}: {}", file.display(), chain(&error));
        let next = Kubeconfig::read_from(file).map_err(said)?;
        merged = merged.merge(next).map_err(said)?;
    }
    Ok(merged)
}

/// An error with its reasons.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let reasons = std::iter::successors(Some(error), |error| error.source());
    let mut said: Vec<String> = Vec::new();
    for reason in reasons.map(ToString::to_string) {
        // Many repeat their reason already.
        if !said.last().is_some_and(|last| last.contains(&reason)) {
            said.push(reason);
        }
    }
    said.join(": ")
}

/// What can be asked for: a kind with its group and version.
pub trait Object:
    kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + Sync + 'static
{
}

impl<K> Object for K where
    K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + Send + Sync + 'static
{
}

/// Which objects of a kind: all, or those with these labels and fields.
#[derive(Clone, Debug, Default)]
pub struct Pick {
    labels: Option<String>,
    fields: Option<String>,
}

impl Pick {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Those that a label selector picks.
    #[must_use]
    pub fn labels(selector: impl Into<String>) -> Self {
        Self { labels: Some(selector.into()), fields: None }
    }

    /// Those that a field selector picks.
    #[must_use]
    pub fn fields(selector: impl Into<String>) -> Self {
        Self { labels: None, fields: Some(selector.into()) }
    }

    /// The label selector, if any.
    pub(super) fn label_selector(&self) -> Option<&str> {
        self.labels.as_deref()
    }

    /// The field selector, if any.
    pub(super) fn field_selector(&self) -> Option<&str> {
        self.fields.as_deref()
    }

    pub(super) fn words(&self) -> String {
        match self.labels.as_ref().or(self.fields.as_ref()) {
            Some(selector) => format!(" with {selector}"),
            None => String::new(),
        }
    }
}

/// A list, and the version of the store that it shows.
#[derive(Clone, Debug)]
pub struct Listed<K> {
    /// The objects, in the order in which they came.
    pub items: Vec<K>,
    /// From where a watch goes on.
    pub version: String,
}

/// An answer that was not looked at yet.
#[derive(Clone, Debug)]
pub struct Said {
    what: String,
    exchange: Arc<Exchange>,
}

impl Said {
    /// HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.exchange.status
    }

    /// The answer and what was asked, as they were.
    #[must_use]
    pub fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// A failure that this answer shows.
    pub fn broken(&self, what: impl std::fmt::Display) -> Failure {
        Failure::broken(format!("{}: {what}", self.what)).shown_by(&self.exchange)
    }

    /// The body as one object, of an answer with that status.
    ///
    /// # Errors
    /// When it is another answer.
    pub fn read<T: DeserializeOwned>(&self, status: u16) -> Result<T, Failure> {
        if self.status() != status {
            let text: String = self.exchange.text().chars().take(300).collect();
            let what = format!("the status is {}, and not {status}: {text}", self.status());
            return Err(self.broken(what));
        }
        serde_json::from_slice(&self.exchange.body)
            .map_err(|error| self.broken(format!("the answer cannot be read: {error}")))
    }

    /// Demands a `Status` object: a refusal with that code, for that reason.
    ///
    /// # Errors
    /// When it is another answer.
    pub fn is_refused(&self, code: u16, reason: &str) -> Result<&Self, Failure> {
        let status: Value = self.read(code)?;
        let got = ["kind", "status", "reason", "code"].map(|key| status[key].clone());
        let expected = [Value::from("Status"), "Failure".into(), reason.into(), code.into()];
        equal("kind, status, reason and code of a refusal", &got, &expected).map_err(|failure| {
            self.broken(failure.what.clone())
                .between(Value::from(expected.to_vec()), Value::from(got.to_vec()))
        })?;
        Ok(self)
    }
}

/// A client of one API, in the namespace of the product.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: kube::Client,
    base: String,
    namespace: String,
    patience: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("base", &self.base)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// A client, which has not asked anything yet.
    ///
    /// # Errors
    /// When it cannot be built.
    pub fn of(access: &Access, patience: Duration) -> Result<Self, Failure> {
        let client = kube::Client::try_from(access.config.clone()).map_err(|error| {
            Failure::could_not_run(format!("no client of the cluster: {}", chain(&error)))
        })?;
        Ok(Self { client, base: access.shown(), namespace: access.namespace().to_owned(), patience })
    }

    /// The namespace of the product.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Longest that an answer, and what a watch must tell, is waited for in real time.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The path of a kind: in the namespace, where it has one.
    pub(super) fn requests<K: Object>(&self) -> kube::core::Request {
        let everywhere = ["nodes", "namespaces"].contains(&&*K::plural(&()));
        let namespace = (!everywhere).then_some(self.namespace.as_str());
        kube::core::Request::new(K::url_path(&(), namespace))
    }

    /// One request, one answer.
    pub(super) async fn ask(&self, what: String, request: Built) -> Result<Said, Failure> {
        let request = built(&what, request)?;
        let (method, path) = (request.method().clone(), request.uri().to_string());
        let body = Some(request.body().clone()).filter(|body| !body.is_empty());
        let asked = Request { method, path, headers: Vec::new(), body };
        let began = crate::wall::now();
        let asking = async {
            let response = self.client.send(request.map(Body::from)).await?;
            let (parts, body) = Response::into_parts(response);
            Ok::<_, kube::Error>((parts, body.collect_bytes().await?))
        };
        let answered = match tokio::time::timeout(self.patience, asking).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(error)) => {
                return Err(Failure::broken(format!("{what}: no whole answer: {}", chain(&error))));
            }
            Err(_) => {
                let patience = self.patience.as_secs_f64();
                return Err(Failure::broken(format!("{what}: no whole answer within {patience} s")));
            }
        };
        let (parts, body) = answered;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let exchange = Exchange {
            request: asked,
            base: self.base.clone(),
            status: parts.status.as_u16(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), text(value)))
                .collect(),
            body: body.to_vec(),
            took: began.elapsed(),
        };
        Ok(Said { what, exchange: Arc::new(exchange) })
    }

    /// What the API says of itself.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn version(&self) -> Result<Said, Failure> {
        let request = kube::core::Request::new("").get("version", &GetParams::default());
        self.ask(String::from("get the version of the cluster"), request).await
    }

    /// The objects of a kind, in the namespace where the kind has one.
    ///
    /// # Errors
    /// When they are not told.
    pub async fn list<K: Object>(&self, pick: &Pick) -> Result<Listed<K>, Failure> {
        let what = format!("list {}{}", K::plural(&()), pick.words());
        let params = ListParams {
            label_selector: pick.labels.clone(),
            field_selector: pick.fields.clone(),
            ..ListParams::default()
        };
        let said = self.ask(what, self.requests::<K>().list(&params)).await?;
        let list: Value = said.read(200)?;
        let kind = format!("{}List", K::kind(&()));
        if list["kind"] != kind.as_str() {
            return Err(said.broken("kind of the list").between(kind, &list["kind"]));
        }
        let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        if version.is_empty() || !list["items"].is_array() {
            return Err(said.broken("the list has no metadata.resourceVersion, or no items"));
        }
        let items = serde_json::from_value(list["items"].clone());
        let items = items.map_err(|error| said.broken(format!("the items cannot be read: {error}")))?;
        Ok(Listed { items, version })
    }

    /// What is said of one object.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn ask_for<K: Object>(&self, name: &str) -> Result<Said, Failure> {
        let what = format!("get {} {name}", K::kind(&()).to_lowercase());
        self.ask(what, self.requests::<K>().get(name, &GetParams::default())).await
    }

    /// One object, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub async fn get<K: Object>(&self, name: &str) -> Result<K, Failure> {
        self.ask_for::<K>(name).await?.read(200)
    }

    /// One object, or none: 404 with a `Status` that says so.
    ///
    /// # Errors
    /// When the answer is another.
    pub async fn find<K: Object>(&self, name: &str) -> Result<Option<K>, Failure> {
        let said = self.ask_for::<K>(name).await?;
        if said.status() == 404 {
            said.is_refused(404, "NotFound")?;
            return Ok(None);
        }
        said.read(200).map(Some)
    }

    /// Deletes one object; 200.
    ///
    /// # Errors
    /// When it is not deleted.
    pub async fn delete<K: Object>(&self, name: &str) -> Result<Said, Failure> {
        let what = format!("delete {} {name}", K::kind(&()).to_lowercase());
        let said = self.ask(what, self.requests::<K>().delete(name, &DeleteParams::default())).await?;
        said.read::<Value>(200)?;
        Ok(said)
    }

    /// Creates a Service, or is told why not.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn create_service(&self, service: &Service) -> Result<Said, Failure> {
        let name = service.metadata.name.as_deref().unwrap_or_default();
        let what = format!("create service {name}");
        let body = written(&what, service)?;
        self.ask(what, self.requests::<Service>().create(&PostParams::default(), body)).await
    }

    /// Changes some fields of an object by a strategic merge patch; tells the object that came of it.
    ///
    /// # Errors
    /// When it is not changed.
    pub async fn patch<K: Object>(&self, name: &str, patch: &Value) -> Result<K, Failure> {
        let what = format!("patch {} {name}", K::kind(&()).to_lowercase());
        let request = self.requests::<K>().patch(name, &PatchParams::default(), &Patch::Strategic(patch));
        self.ask(what, request).await?.read(200)
    }

    /// Sets the number of replicas of a workload.
    ///
    /// # Errors
    /// When it is not set.
    pub async fn scale<K: Object>(&self, name: &str, replicas: i32) -> Result<Scale, Failure> {
        let what = format!("scale {} {name} to {replicas}", K::kind(&()).to_lowercase());
        let patch = Patch::Merge(serde_json::json!({"spec": {"replicas": replicas}}));
        let request = self.requests::<K>().patch_subresource("scale", name, &PatchParams::default(), &patch);
        self.ask(what, request).await?.read(200)
    }

    /// What the container of a pod has written: all, or no more than the last lines.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn log(&self, pod: &str, tail: Option<i64>) -> Result<String, Failure> {
        let what = format!("read the log of pod {pod}");
        let params = LogParams { tail_lines: tail, ..LogParams::default() };
        let said = self.ask(what, self.requests::<Pod>().logs(pod, &params)).await?;
        if said.status() != 200 {
            said.read::<Value>(200)?;
        }
        String::from_utf8(said.exchange.body.clone()).map_err(|_| said.broken("the log is no text"))
    }

    /// What happened to the object of that name, in the order in which it came.
    ///
    /// # Errors
    /// When it is not told.
    pub async fn events(&self, object: &str) -> Result<Vec<Event>, Failure> {
        self.list(&Pick::fields(format!("involvedObject.name={object}"))).await.map(|listed| listed.items)
    }
}

/// A request that could be built, or why not.
pub(super) type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

pub(super) fn built(what: &str, request: Built) -> Result<http::Request<Vec<u8>>, Failure> {
    request.map_err(|error| Failure::could_not_run(format!("{what}: {error}")))
}

fn written(what: &str, object: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(object).map_err(|error| Failure::could_not_run(format!("{what}: {error}")))
}
