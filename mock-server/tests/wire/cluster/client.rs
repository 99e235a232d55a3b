//! A server with a held clock and kube-rs as its client, beside one of the product.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use focus_mock::sim::setup::Setup;
use focus_mock::{Config, MockServer};
use futures_util::{AsyncBufReadExt, Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Endpoints, Event, Node, Pod, Service};
use kube::api::{Api, ListParams, LogParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::common::{Client, held_as, light};

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// What must come, or the test fails.
pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

pub(super) struct Cluster {
    pub(super) server: MockServer,
    pub(super) rest: Client,
    pub(super) kube: kube::Client,
}

impl Cluster {
    pub(super) async fn held() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn of(change: impl FnOnce(&mut Setup)) -> Self {
        Self::with(|config| change(&mut config.setup)).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let server = held_as(change);
        let kubeconfig = server.kubeconfig().expect("a kubeconfig");
        let kubeconfig = Kubeconfig::from_yaml(&kubeconfig).expect("a kubeconfig");
        let options = KubeConfigOptions::default();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a config");
        let kube = kube::Client::try_from(config).expect("a client");
        Self { rest: Client::of(&server), server, kube }
    }

    /// Objects of the jobs' namespace.
    pub(super) fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::default_namespaced(self.kube.clone())
    }

    pub(super) fn pods(&self) -> Api<Pod> {
        self.api()
    }

    pub(super) fn jobs(&self) -> Api<Job> {
        self.api()
    }

    pub(super) fn services(&self) -> Api<Service> {
        self.api()
    }

    pub(super) fn nodes(&self) -> Api<Node> {
        Api::all(self.kube.clone())
    }

    pub(super) fn advance(&self, milliseconds: u64) {
        self.server.simulation().advance(Duration::from_millis(milliseconds));
    }

    /// Configures a small live job.
    pub(super) async fn job(&self) -> Value {
        self.rest.job(&light()).await
    }

    /// Status and code of a configuration.
    pub(super) async fn configures(&self, body: &Value) -> (u16, String) {
        self.rest.configure(body).await.refusal()
    }

    /// The names of all objects of a kind that belong to a job.
    pub(super) async fn names_of<K>(&self, job: &str) -> Vec<String>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
    {
        let of_job = ListParams::default().labels(&format!("job_id={job}"));
        let list = self.api::<K>().list(&of_job).await.expect("a list");
        list.iter().map(ResourceExt::name_any).collect()
    }

    /// The pod of a job of the cluster.
    pub(super) async fn pod_of(&self, job: &str) -> Pod {
        let of_job = ListParams::default().labels(&format!("job-name={job}"));
        let mut pods = self.pods().list(&of_job).await.expect("a list").items;
        assert_eq!(pods.len(), 1, "{job}");
        pods.remove(0)
    }

    pub(super) async fn scale_deployment(&self, name: &str, replicas: u32) {
        let body = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let scaled = self.api::<Deployment>().patch_scale(name, &PatchParams::default(), &body).await;
        assert_eq!(scaled.expect("a scale").spec.expect("a spec").replicas, i32::try_from(replicas).ok());
    }

    pub(super) async fn scale_stateful_set(&self, name: &str, replicas: u32) {
        let body = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let scaled = self.api::<StatefulSet>().patch_scale(name, &PatchParams::default(), &body).await;
        assert_eq!(scaled.expect("a scale").spec.expect("a spec").replicas, i32::try_from(replicas).ok());
    }

    /// The one pod of a workload that is not being deleted, and whether it is ready; `None` if there is none.
    pub(super) async fn pod_of_workload(&self, labels: &str) -> Option<(String, bool)> {
        let pods = self.pods().list(&ListParams::default().labels(labels)).await.expect("a list");
        let mut staying = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
        let found = staying.next().map(|pod| (pod.name_any(), is_ready(pod)));
        assert_eq!(staying.count(), 0, "one pod of {labels} at most");
        found
    }

    /// Reasons of the events of an object, in order.
    pub(super) async fn reasons(&self, name: &str) -> Vec<String> {
        let about = ListParams::default().fields(&format!("involvedObject.name={name}"));
        let events = self.api::<Event>().list(&about).await.expect("a list");
        events.iter().map(|event| event.reason.clone().unwrap_or_default()).collect()
    }

    /// Addresses of an Endpoints object.
    pub(super) async fn addresses(&self, name: &str) -> usize {
        let endpoints = self.api::<Endpoints>().get(name).await.expect("endpoints");
        let subsets = endpoints.subsets.unwrap_or_default();
        subsets.into_iter().map(|subset| subset.addresses.unwrap_or_default().len()).sum()
    }

    /// Lines of a log as they come.
    pub(super) async fn follow(&self, pod: &str) -> Lines {
        let parameters = LogParams { follow: true, ..LogParams::default() };
        let stream = self.pods().log_stream(pod, &parameters).await.expect("a log");
        Box::pin(stream.lines().map(|line| line.expect("a line")))
    }

    /// What happens to the objects of a selector from now on.
    pub(super) async fn watch<K>(&self, labels: &str) -> Watching<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + 'static,
    {
        let api = self.api::<K>();
        let now = api.list(&ListParams::default()).await.expect("a list").metadata.resource_version;
        let parameters = WatchParams::default().labels(labels).disable_bookmarks();
        let events = api.watch(&parameters, &now.expect("a version")).await.expect("a watch");
        Watching(Box::pin(events))
    }
}

pub(super) type Lines = Pin<Box<dyn Stream<Item = String> + Send>>;

pub(super) struct Watching<K>(Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<K>>> + Send>>);

impl<K: Debug> Watching<K> {
    pub(super) async fn next(&mut self) -> WatchEvent<K> {
        within("an event", self.0.next()).await.expect("it goes on").expect("an event")
    }
}

/// The error that the API answered.
pub(super) fn refusal<T: Debug>(result: kube::Result<T>) -> (u16, String, String) {
    match result.expect_err("refused") {
        kube::Error::Api(status) => (status.code, status.reason, status.message),
        other => panic!("{other}"),
    }
}

pub(super) fn phase(pod: &Pod) -> String {
    pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default()
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What is true of a Job: types of its conditions.
pub(super) fn conditions(job: &Job) -> Vec<String> {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
}
