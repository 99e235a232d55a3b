//! Servers that run already, and how they are found.

use focus_contract::client::admin::Admin;
use focus_mock::{Config, MockServer};

use crate::common::{ended, focus_contract, run};

const WRITES: &str = "nfft/nfft-power-of-two";
const READS: &str = "health/ack-contract";

struct Mock {
    base: String,
    admin: String,
    _server: MockServer,
}

fn mock() -> Mock {
    let server = MockServer::start(Config::default()).expect("a server");
    let admin = server.admin().expect("an admin interface");
    Mock { base: server.base_url(), admin: format!("http://{admin}"), _server: server }
}

fn asked<T>(admin: &str, ask: impl AsyncFnOnce(Admin) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ask(Admin::of(admin).expect("a client")))
}

#[test]
fn without_leave_nothing_is_written() {
    let mock = mock();
    run(&["--target", &mock.base, "--admin", &mock.admin, "--only", WRITES, "--only", READS])
        .with(0)
        .says(&format!("target: {} (--target says so)", mock.base))
        .says("skipped       nfft/nfft-power-of-two: the target does not offer writes\n")
        .says("\n1 passed, 1 skipped of 2 cases\n");
    let state = asked(&mock.admin, async |admin| admin.state().await).expect("a state");
    assert_eq!(state["next_sequence"], 1, "{state}");
}

#[test]
fn with_leave_the_mock_starts_anew_and_its_clock_goes_on_as_before() {
    let mock = mock();
    asked(&mock.admin, async |admin| admin.set_clock("scaled:2").await).expect("another mode");
    let flags = ["--target", &mock.base, "--admin", &mock.admin, "--allow-writes", "--only"];
    for _ in 0..2 {
        run(&[&flags[..], &["**"]].concat()).with(0);
    }
    let mode = asked(&mock.admin, async |admin| admin.clock_mode().await).expect("a mode");
    assert_eq!(mode, "scaled:2");
    let state = asked(&mock.admin, async |admin| admin.state().await).expect("a state");
    assert_eq!(state["jobs"], serde_json::json!([]), "{state}");
}

#[test]
fn variables_name_the_server_and_its_admin_interface() {
    let mock = mock();
    let with = |arguments: &[&str]| {
        let mut command = focus_contract(arguments);
        command.env("FOCUS_BASE_URL", &mock.base).env("FOCUS_ADMIN_URL", &mock.admin);
        ended(command)
    };
    with(&["run", "--only", WRITES, "--allow-writes"])
        .with(0)
        .says(&format!("target: {}/focus-server (FOCUS_BASE_URL says so)", mock.base));
    with(&["run", "--target", "mock", "--only", READS]).with(0).says("target: mock (--target says so)");
    let mut command = focus_contract(&["run", "--only", READS]);
    command.env("FOCUS_SERVER_HOST", "127.0.0.1").env("FOCUS_SERVER_PORT", "1");
    ended(command).with(2).complains("http://127.0.0.1:1/focus-server cannot be reached");
}

#[test]
fn in_production_nothing_is_made_to_fail() {
    let mock = mock();
    let mut command = focus_contract(&["run", "--target", &mock.base, "--only", READS]);
    command.env("ENVIRONMENT", "production");
    ended(command).with(0);
}

#[test]
fn suites_are_known_by_name() {
    run(&["--suite", "smoke", "--only", "health/*", "--jobs", "2"]).with(0).says("\n2 passed of 2 cases\n");
}

/// A mock whose cluster is reached as any other: nothing tells the suite about it but its kubeconfig.
#[test]
fn a_cluster_is_found_by_url_by_kubeconfig_and_by_variable() {
    const CASE: &str = "kubernetes/workloads-ready";
    let server = MockServer::start(Config::default()).expect("a server");
    let base = server.base_url();
    let url = server.kube_url().expect("a Kubernetes API");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    std::io::Write::write_all(&mut file, server.kubeconfig().expect("a kubeconfig").as_bytes())
        .expect("room");
    let path = file.path().to_str().expect("a path");
    let flags = ["--target", &base, "--allow-writes", "--only", CASE];
    for cluster in [["--kube", url.as_str()], ["--kubeconfig", path]] {
        run(&[&flags[..], &cluster].concat())
            .with(0)
            .says("offers: rest, grpc, k8s, writes")
            .says("\n1 passed of 1 cases\n");
    }
    let mut command = focus_contract(&["run", "--allow-writes", "--only", CASE]);
    command.env("FOCUS_BASE_URL", &base).env("FOCUS_API_PREFIX", "").env("KUBECONFIG", path);
    ended(command).with(0).says("\n1 passed of 1 cases\n");
    let mut command = focus_contract(&[&["run"], &flags[..], &["--kube-context", "nowhere"]].concat());
    command.env("KUBECONFIG", path);
    ended(command).with(2).complains("nowhere");
    // Without leave a cluster is of no use, and one that does not answer is a mistake.
    run(&["--target", &base, "--kube", &url, "--only", READS]).with(0).says("offers: rest, grpc\n");
    run(&[&flags[..], &["--kube", "http://127.0.0.1:1"]].concat())
        .with(2)
        .complains("the Kubernetes API at http://127.0.0.1:1 cannot be reached");
    run(&[&flags[..], &["--kubeconfig", "/there/is/none"]].concat())
        .with(2)
        .complains("the Kubernetes API of /there/is/none cannot be reached: /there/is/none: ");
    let elsewhere = [&flags[..], &["--kube", &url, "--namespace", "elsewhere"]].concat();
    run(&elsewhere).with(1).says("get deployment panda-panda-focus-server: the status is 404, and not 200");
}
