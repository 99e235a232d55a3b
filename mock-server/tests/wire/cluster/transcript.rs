//! `kubectl get pods -w` in one place, a configuration and its cancellation in another: what the table of the watch says,
//! line by line. `tests/clients/kubectl_client.sh` compares the same file with what kubectl prints.

use serde_json::Value;

use super::client::{Cluster, is_ready, phase, within};
use super::lines;
use crate::raw::{Wire, request};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// The columns that are shown without `-o wide`, between blanks, with the age left out: the clock is held, but kubectl's
/// run has a clock of its own.
fn row(columns: &Value, table: &Value, header: bool) -> String {
    let columns = columns.as_array().expect("columns");
    let shown = columns.iter().enumerate().filter(|(_, column)| column["priority"] == 0);
    let cells = shown.map(|(place, column)| {
        let name = column["name"].as_str().expect("a name");
        if header {
            name.to_uppercase()
        } else if name == "Age" {
            "<age>".to_owned()
        } else {
            let cell = &table["rows"][0]["cells"][place];
            cell.as_str().map_or_else(|| cell.to_string(), str::to_owned)
        }
    });
    cells.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_pods_w_shows_a_configuration_and_a_cancellation() {
    let cluster = Cluster::held().await;
    let mut wire = Wire::to(super::address(&cluster.server));
    let path = "/api/v1/namespaces/panda/pods?watch=true";
    wire.send(&request("GET", path, &[("accept", TABLE)], b""));
    assert_eq!(wire.head().status.as_u16(), 200);
    // Four pods of workloads; then two pods come, are placed, run, succeed and go.
    let mut told = Vec::new();
    let mut read = |count: usize| {
        told.extend(lines(&mut wire, count));
    };
    read(4);
    cluster.job().await;
    read(6);
    let pod = cluster.pod_of("grpc-job-1-1").await;
    assert_eq!((phase(&pod), is_ready(&pod)), ("Running".into(), true));
    within("an answer", cluster.rest.cancel("1-1")).await;
    read(2);
    cluster.advance(5000);
    read(2);
    let told = String::from_utf8(told).expect("text");
    let events: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    // As by a real API server, the first event alone says what the columns are.
    let columns = &events[0]["object"]["columnDefinitions"];
    let mut transcript = vec![row(columns, &Value::Null, true)];
    transcript.extend(events.iter().map(|event| row(columns, &event["object"], false)));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("get-pods-w", transcript.join("\n")));
}
