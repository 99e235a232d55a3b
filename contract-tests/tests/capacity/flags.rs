//! What is found out before a server is asked for anything.

use std::fs;

use crate::common::{Server, answer, ended, focus_contract};

#[test]
fn what_cannot_be_done_is_said_before_a_server_is_asked() {
    let server = Server::start(|_| answer(200, "", b""));
    let capacity = |arguments: &[&str]| {
        ended(focus_contract(&[&["capacity", "--target", &server.base], arguments].concat())).with(2)
    };
    capacity(&[]).complains("a capacity run creates jobs: --allow-writes gives leave to");
    let leave = |arguments: &[&str]| capacity(&[&["--allow-writes"], arguments].concat());
    leave(&["--levels", "10,20"]).complains("--levels end at 20, below the target of 200 jobs");
    leave(&["--jobs", "20", "--levels", "20,10"]).complains("--levels 20,10: each level must be above");
    leave(&["--jobs", "20", "--minimum", "21"]).complains("--minimum 21 is above --jobs 20");
    leave(&["--thresholds", "/nowhere.yaml"]).complains("the thresholds /nowhere.yaml");
    leave(&["--shape", "wave"]).complains("steady, ramp, spike, sustained, recovery, peak, exhaustion");
    leave(&["--namespace", "n"]).complains("--namespace needs a cluster: --kubeconfig, --kube or KUBECONFIG");
    leave(&["--kube", "there:1"]).complains("the Kubernetes API \"there:1\" is no http or https URL");
    leave(&["--environment", ""]).complains("--environment is empty: give the name of where the server runs");
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_string_lossy().into_owned();
    leave(&["--report-dir", &place, "--environment", &"x".repeat(300)])
        .complains("reports cannot be written to ");
    let profile = folder.path().join("odd.yaml");
    fs::write(&profile, "latency: 3\n").expect("a profile");
    leave(&["--thresholds", &profile.to_string_lossy()]).complains("line 1").complains("latency");
    assert_eq!(server.asked(), Vec::<String>::new());
}
