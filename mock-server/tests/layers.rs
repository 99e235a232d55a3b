//! The architecture, stated as absences: what each room may not know, searched for in the source as plain text.

use std::fs;
use std::path::{Path, PathBuf};

struct Source {
    path: String,
    text: String,
}

/// Every Rust file below a folder of this crate, without the modules that only tests compile.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    assert!(!files.is_empty(), "{folder} has sources");
    files
        .into_iter()
        .map(|file| {
            let text = fs::read_to_string(&file).expect("a readable source");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            Source {
                path: file.strip_prefix(root).expect("below the crate").display().to_string(),
                text: code,
            }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "tests") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Lines of code that contain any of the words, comments left out.
fn lines_with(source: &Source, words: &[&str]) -> Vec<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    source
        .text
        .lines()
        .filter(is_code)
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .map(|line| format!("{}: {}", source.path, line.trim()))
        .collect()
}

#[track_caller]
fn nowhere(folder: &str, words: &[&str], except: &[&str]) {
    let found: Vec<_> = sources(folder)
        .iter()
        .filter(|source| !except.contains(&source.path.as_str()))
        .flat_map(|source| lines_with(source, words))
        .collect();
    assert!(found.is_empty(), "{folder} must not know {words:?}:\n{}", found.join("\n"));
}

#[test]
fn the_domain_knows_no_server() {
    let words =
        ["serde", "tokio", "axum", "tonic", "hyper", "rand::", "crate::sim", "crate::api", "crate::serve"];
    nowhere("src/domain", &words, &[]);
    nowhere(
        "src/domain",
        &["Mutex", "RwLock", "OnceLock", "Atomic", "SystemTime", "Instant::", "std::net"],
        &[],
    );
}

#[test]
fn nothing_below_the_api_knows_http_json_protobuf_or_a_status() {
    let words =
        ["axum", "hyper", "http::", "serde_json", "serde::", "prost", "tonic", "StatusCode", "focus_proto"];
    nowhere("src/sim", &words, &[]);
    nowhere("src/sim", &["crate::api", "crate::serve", "crate::config", "crate::document"], &[]);
}

#[test]
fn documents_are_read_without_a_transport() {
    let words = ["crate::api", "crate::serve", "crate::config", "crate::settings", "axum", "hyper", "http::"];
    nowhere("src/document", &words, &[]);
}

#[test]
fn the_world_touches_no_socket() {
    nowhere("src/sim", &["std::net", "tokio::net", "socket2", "TcpListener"], &[]);
}

#[test]
fn the_transports_do_not_reach_up() {
    nowhere("src/api", &["crate::serve", "crate::config", "crate::settings", "crate::mock"], &[]);
}

#[test]
fn only_the_clock_reads_time_and_for_the_limits_of_transports_the_wall_clock() {
    let words = ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now"];
    nowhere("src", &words, &["src/sim/clock.rs", "src/serve/wall.rs"]);
}

#[test]
fn tokio_is_in_the_simulation_only_for_its_clock_and_its_signals() {
    // `select!` in a stream waits on those two and on nothing of its own.
    nowhere(
        "src/sim",
        &["use tokio", "tokio::time", "tokio::sync", "tokio::spawn"],
        &["src/sim/clock.rs", "src/sim/signal.rs"],
    );
}

#[test]
fn only_the_seed_draws() {
    nowhere("src", &["xxh3", "RandomState", "getrandom", "thread_rng"], &["src/sim/seed.rs"]);
}

#[test]
fn statuses_stand_in_one_table() {
    let words = ["StatusCode::", "Code::", "Status::unavailable", "Status::internal", "Status::cancelled"];
    nowhere("src/serve", &words, &[]);
    // The admin interface is ours; its few statuses are no refusals of the product.
    let own = ["src/api/status.rs", "src/api/admin/answer.rs"];
    nowhere("src/api", &words, &own);
}

#[test]
fn what_is_of_one_operating_system_lives_in_one_file() {
    nowhere(
        "src",
        &["cfg(unix)", "cfg(not(unix))", "cfg!(unix)", "std::os::unix", "/proc/"],
        &["src/platform.rs"],
    );
}

#[test]
fn the_contract_suite_knows_of_the_mock_only_how_to_start_it() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contract-tests/src");
    let mut files = Vec::new();
    collect(&suite, &mut files);
    let start = suite.join("target/mock.rs");
    assert!(files.contains(&start), "{} is where the suite starts the mock", start.display());
    for file in files.into_iter().filter(|file| *file != start) {
        let text = fs::read_to_string(&file).expect("a readable source");
        assert!(!text.contains("focus_mock"), "{} must meet the mock only on the wire", file.display());
    }
}

#[test]
fn no_source_file_is_too_long_to_read() {
    for folder in ["src", "tests", "benches", "../proto/src", "../proto/tests", "../contract-tests"] {
        let mut files = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
        for file in files {
            let lines = fs::read_to_string(&file).expect("a readable source").lines().count();
            assert!(lines <= 500, "{} has {lines} lines", file.display());
        }
    }
}
