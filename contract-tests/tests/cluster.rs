//! The client of the Kubernetes API: what it sends, what it makes of answers, and what it says when there is none.

mod mocks;

use std::io::Write as _;
use std::time::Duration;

use focus_contract::bodies::light;
use focus_contract::case::Case;
use focus_contract::client::kube::{Access, Cluster, Kubeconfigs, NAMESPACE, Pick};
use focus_contract::client::rest::{Request, Rest, Trust};
use focus_contract::failure::{Failure, FailureKind};
use focus_contract::runner::{Manner, Outcome, tell};
use focus_contract::target::{Kube, Remote};
use focus_contract::workload::Workload;
use focus_mock::{Config, KubeApi, MockServer as Mock, Token};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use mocks::untold;
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock as Answer, MockServer, ResponseTemplate};

const PODS: &str = "/api/v1/namespaces/panda/pods";

fn client(url: &str, patience: Duration) -> Cluster {
    let token = Some(String::from("hush"));
    let access = Access::at(url, NAMESPACE, token, Trust::Anyone).expect("a URL");
    Cluster::of(&access, patience).expect("a client")
}

async fn answering(answer: ResponseTemplate) -> (MockServer, Cluster) {
    let server = MockServer::start().await;
    Answer::given(header("authorization", "Bearer hush")).respond_with(answer).mount(&server).await;
    let cluster = client(&server.uri(), Duration::from_millis(300));
    (server, cluster)
}

fn said(told: Result<impl Sized, Failure>) -> String {
    let Err(failure) = told else { panic!("it did not fail") };
    assert_eq!(failure.kind, FailureKind::Broken, "{failure}");
    failure.what
}

fn status(code: u16, reason: &str) -> serde_json::Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
}

#[tokio::test]
async fn a_refusal_is_told_with_what_was_asked_and_asked_once() {
    for code in [403, 429, 503, 504] {
        let (server, cluster) = answering(ResponseTemplate::new(code).set_body_string("no")).await;
        let told = said(cluster.list::<Pod>(&Pick::labels("app=grpc-job-1-1")).await);
        assert_eq!(told, format!("list pods with app=grpc-job-1-1: the status is {code}, and not 200: no"));
        let asked = server.received_requests().await.expect("a log");
        assert_eq!(asked.len(), 1, "{code}");
        assert_eq!(
            (asked[0].url.path(), asked[0].url.query()),
            (PODS, Some("&labelSelector=app%3Dgrpc-job-1-1"))
        );
    }
}

#[tokio::test]
async fn a_failure_keeps_the_request_and_its_answer() {
    let (_server, cluster) = answering(ResponseTemplate::new(500).set_body_string("boom")).await;
    let failure = cluster.delete::<Pod>("p").await.map(drop).expect_err("a failure");
    let exchange = failure.exchange.expect("an exchange");
    assert_eq!(
        (exchange.request.method.as_str(), exchange.request.path.as_str()),
        ("DELETE", "/api/v1/namespaces/panda/pods/p?")
    );
    assert_eq!((exchange.status, exchange.text().as_str()), (500, "boom"));
    // The token is none of anybody's business.
    assert!(!format!("{exchange:?}{cluster:?}").contains("hush"));
}

#[tokio::test]
async fn only_a_status_that_says_so_means_that_there_is_nothing() {
    let (_server, cluster) =
        answering(ResponseTemplate::new(404).set_body_json(status(404, "NotFound"))).await;
    assert!(cluster.find::<Pod>("p").await.expect("an answer").is_none());
    for body in [status(404, "Gone"), status(403, "NotFound"), json!({}), json!({"detail": "Not Found"})] {
        let (_server, cluster) = answering(ResponseTemplate::new(404).set_body_json(body)).await;
        let told = said(cluster.find::<Pod>("p").await);
        assert!(told.starts_with("get pod p: kind, status, reason and code of a refusal"), "{told}");
    }
    let (_server, cluster) =
        answering(ResponseTemplate::new(404).set_body_string("404 page not found")).await;
    let told = said(cluster.find::<Pod>("p").await);
    assert!(told.starts_with("get pod p: the answer cannot be read"), "{told}");
}

#[tokio::test]
async fn what_is_not_in_a_namespace_is_asked_for_without_one() {
    let (server, cluster) = answering(ResponseTemplate::new(404)).await;
    said(cluster.list::<Node>(&Pick::all()).await);
    said(cluster.find::<Node>("n").await);
    let asked = server.received_requests().await.expect("a log");
    let paths: Vec<_> = asked.iter().map(|asked| asked.url.path()).collect();
    assert_eq!(paths, ["/api/v1/nodes", "/api/v1/nodes/n"]);
}

#[tokio::test]
async fn a_list_must_be_one_with_a_version() {
    for (body, why) in [
        (json!({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": []}), None),
        (
            json!({"kind": "List", "metadata": {"resourceVersion": "7"}, "items": []}),
            Some("kind of the list"),
        ),
        (
            json!({"kind": "PodList", "metadata": {}, "items": []}),
            Some("the list has no metadata.resourceVersion"),
        ),
        (
            json!({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": null}),
            Some("or no items"),
        ),
        (
            json!({"kind": "PodList", "metadata": {"resourceVersion": "7"}, "items": [4711]}),
            Some("cannot be read"),
        ),
    ] {
        let (_server, cluster) = answering(ResponseTemplate::new(200).set_body_json(&body)).await;
        match (cluster.list::<Pod>(&Pick::all()).await, why) {
            (Ok(list), None) => assert_eq!(list.version, "7"),
            (told, why) => {
                let told = said(told);
                assert!(
                    why.is_some_and(|why| told.starts_with("list pods: ") && told.contains(why)),
                    "{body}: {told}"
                );
            }
        }
    }
}

#[tokio::test]
async fn workloads_are_scaled_at_their_scale() {
    let server = MockServer::start().await;
    let scale =
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {}, "spec": {"replicas": 0}});
    Answer::given(method("PATCH"))
        .and(path("/apis/apps/v1/namespaces/panda/deployments/mongodb/scale"))
        .and(header("content-type", "application/merge-patch+json"))
        .and(body_json(json!({"spec": {"replicas": 0}})))
        .respond_with(ResponseTemplate::new(200).set_body_json(scale))
        .mount(&server)
        .await;
    let scaled = client(&server.uri(), Duration::from_secs(5)).scale::<Deployment>("mongodb", 0).await;
    assert_eq!(scaled.expect("a scale").spec.and_then(|spec| spec.replicas), Some(0));
}

#[tokio::test]
async fn the_last_lines_of_a_log_are_asked_for() {
    let server = MockServer::start().await;
    Answer::given(path(format!("{PODS}/p/log")))
        .and(query_param("tailLines", "2"))
        .respond_with(ResponseTemplate::new(200).set_body_string("a\nb\n"))
        .mount(&server)
        .await;
    let cluster = client(&server.uri(), Duration::from_secs(5));
    assert_eq!(cluster.log("p", Some(2)).await.expect("a log"), "a\nb\n");
    let told = said(cluster.log("p", None).await);
    assert!(told.starts_with("read the log of pod p: the status is 404, and not 200"), "{told}");
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_patience_lasts() {
    let late = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    let (_server, cluster) = answering(late).await;
    assert_eq!(said(cluster.list::<Pod>(&Pick::all()).await), "list pods: no whole answer within 0.3 s");
    let watching = cluster.watch::<Pod>(&Pick::all(), "7").await.map(drop);
    assert_eq!(said(watching), "watch pods: no answer within 0.3 s");
    let nobody = client("http://127.0.0.1:1", Duration::from_secs(5));
    let told = said(nobody.get::<Pod>("p").await);
    assert!(told.starts_with("get pod p: no whole answer: "), "{told}");
}

fn event(kind: &str, name: &str) -> String {
    let object =
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": name, "resourceVersion": "8"}});
    format!("{}\n", json!({"type": kind, "object": object}))
}

#[tokio::test]
async fn a_watch_that_ends_says_what_it_did_not_tell() {
    let events = [event("ADDED", "a"), event("MODIFIED", "a"), event("DELETED", "a")].concat();
    for (last, why) in [
        (String::new(), "the server ended it"),
        (format!("{}\n", json!({"type": "ERROR", "object": status(410, "Expired")})), "410 "),
        (String::from("nonsense\n"), "Error deserializing"),
    ] {
        let body = format!("{events}{last}");
        let (server, cluster) = answering(ResponseTemplate::new(200).set_body_string(body)).await;
        let watching = cluster.watch::<Pod>(&Pick::fields("metadata.name=a"), "7").await.expect("a watch");
        let seen = watching.until("three events", |seen| seen.len() == 3).await.expect("three events");
        let changes: Vec<_> = seen.iter().map(|seen| format!("{:?}", seen.change)).collect();
        assert_eq!(changes, ["Added", "Modified", "Deleted"]);
        assert_eq!(watching.told(), ["a added", "a modified", "a deleted"]);
        let told = said(watching.until("pod b", |seen| seen.len() == 4).await);
        let begins = "watch pods with metadata.name=a: no sign of pod b: ";
        assert!(told.starts_with(begins) && told.contains(why), "{told}");
        let asked = server.received_requests().await.expect("a log");
        let query = asked[0].url.query().unwrap_or_default();
        for part in ["watch=true", "resourceVersion=7", "fieldSelector=metadata.name%3Da"] {
            assert!(query.contains(part), "no {part} in {query}");
        }
    }
}

fn written(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("room for it");
    file
}

async fn by(files: &[&tempfile::NamedTempFile], context: Option<&str>) -> Result<Access, String> {
    let files = files.iter().map(|file| file.path().to_owned()).collect();
    Access::by(&Kubeconfigs { files, context: context.map(str::to_owned) }, "elsewhere").await
}

#[tokio::test]
async fn a_kubeconfig_names_the_cluster_and_its_context() {
    let mock = Mock::start(Config::default()).expect("a mock");
    let file = written(&mock.kubeconfig().expect("a kubeconfig"));
    let access = by(&[&file], None).await.expect("a cluster");
    assert_eq!((Some(access.shown()), access.namespace()), (mock.kube_url(), "elsewhere"));
    let cluster = Cluster::of(&access, Duration::from_secs(5)).expect("a client");
    assert!(!cluster.list::<Node>(&Pick::all()).await.expect("nodes").items.is_empty());
    // The namespace is that of the flag, and there is nothing in it.
    assert!(cluster.list::<Pod>(&Pick::all()).await.expect("pods").items.is_empty());
    let unknown = by(&[&file], Some("nowhere")).await.expect_err("no such context");
    assert!(unknown.contains("nowhere"), "{unknown}");
    let other = written(
        "apiVersion: v1\nkind: Config\ncurrent-context: other\ncontexts: [{name: other, context: {cluster: other}}]\nclusters: [{name: other, cluster: {server: 'http://127.0.0.1:1'}}]\n",
    );
    assert_eq!(by(&[&other, &file], None).await.expect("the first").shown(), "http://127.0.0.1:1");
    let broken = written("contexts: 4711");
    let why = by(&[&broken], None).await.expect_err("no kubeconfig");
    assert!(why.starts_with(&broken.path().display().to_string()), "{why}");
}

/// As a real cluster is: over TLS, with an authority of its own, and for those who may.
#[tokio::test]
async fn a_cluster_that_asks_who_is_there_is_told_by_kubeconfig_or_token() {
    let kube = KubeApi { token: Token::new("let-me-in"), tls: true, ..KubeApi::default() };
    let mock = Mock::start(Config { kube, ..Config::default() }).expect("a mock");
    let url = mock.kube_url().expect("a Kubernetes API");
    assert!(url.starts_with("https://"), "{url}");
    let at = |token: Option<&str>, trust| {
        Access::at(&url, NAMESPACE, token.map(str::to_owned), trust).expect("a URL")
    };
    let nodes = async |access: Access| {
        let cluster = Cluster::of(&access, Duration::from_secs(5)).expect("a client");
        cluster.list::<Node>(&Pick::all()).await.map(|list| list.items.len())
    };
    let file = written(&mock.kubeconfig().expect("a kubeconfig"));
    assert_eq!(nodes(by(&[&file], None).await.expect("a cluster")).await.expect("nodes"), 2);
    assert_eq!(nodes(at(Some("let-me-in"), Trust::Anyone)).await.expect("nodes"), 2);
    let told = said(nodes(at(None, Trust::Anyone)).await);
    assert!(told.starts_with("list nodes: the status is 401, and not 200: "), "{told}");
    // Its certificate is one that this machine does not know.
    let told = said(nodes(at(Some("let-me-in"), Trust::SystemRoots)).await);
    assert!(told.starts_with("list nodes: no whole answer: ") && told.contains("certificate"), "{told}");
}

/// What a case did to a cluster that others use, too, is undone also if the case fails; and it is undone first, since a
/// server that is scaled down cancels no job.
#[tokio::test]
async fn a_case_that_fails_leaves_the_cluster_as_it_was() {
    static CASE: Case = untold("kubernetes/meddles", |story| {
        Box::pin(async move {
            let job = story.configure(&light()).await?;
            let planted = json!({"metadata": {"name": "left-over"}, "spec": {"type": "NodePort", "ports":
                [{"name": "grpc", "port": job.port + 1, "nodePort": job.port + 1, "protocol": "TCP"}]}});
            story.plant(&serde_json::from_value(planted).expect("a Service")).await?;
            for workload in [Workload::MongoDb, Workload::FocusServer] {
                story.scale(workload, 0).await?;
                story.until_empty(workload).await?;
            }
            story.scale(Workload::MongoDb, 3).await?;
            Err(Failure::broken("on purpose"))
        })
    });
    let mock = Mock::start(Config::default()).expect("a mock");
    let access = Access::at(&mock.kube_url().expect("a Kubernetes API"), NAMESPACE, None, Trust::Anyone);
    let access = access.expect("a URL");
    let cluster = Cluster::of(&access, Duration::from_secs(5)).expect("a client");
    let remote = Remote {
        base: mock.base_url(),
        admin: mock.admin().map(|admin| format!("http://{admin}")),
        kube: Some(Kube::At(Box::new(access))),
        allow_writes: true,
        ..Remote::default()
    };
    let told = tell(&CASE, &remote, Manner::default()).await;
    assert!(
        matches!(&told.outcome, Outcome::Failed(failure) if failure.what == "on purpose"),
        "{:?}",
        told.outcome
    );
    assert_eq!(told.left_behind, Vec::<String>::new());
    for workload in [Workload::MongoDb, Workload::FocusServer] {
        let deployment: Deployment = cluster.get(workload.name()).await.expect("the workload");
        let ready = deployment.status.and_then(|status| status.ready_replicas);
        assert_eq!(
            (deployment.spec.and_then(|spec| spec.replicas), ready),
            (Some(1), Some(1)),
            "{workload:?}"
        );
    }
    assert!(cluster.find::<Service>("left-over").await.expect("an answer").is_none());
    let rest = Rest::of(&mock.base_url()).expect("a client");
    assert_eq!(rest.send(Request::get("/ack")).await.expect("an answer").status, 200);
    assert_eq!(rest.send(Request::get("/metadata/1-1")).await.expect("an answer").status, 404);
}
