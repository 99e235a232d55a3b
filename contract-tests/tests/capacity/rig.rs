//! Mocks that run already, and what runs against them leave in their folders.

use std::fs;
use std::path::{Path, PathBuf};

use focus_contract::client::admin::Admin;
use focus_contract::client::rest::Request;
use focus_mock::sim::clock::Mode;
use focus_mock::{Config, MockServer};
use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Ended, ended, focus_contract};

/// A mock that runs already, as the binary reaches it.
pub(crate) struct Limited {
    mock: MockServer,
    pub(crate) folder: TempDir,
}

impl Limited {
    /// With a clock that only the run moves, so that its pauses take no time.
    pub(crate) fn start(clock: Mode, changes: &[Request]) -> Self {
        Self::of(Config { clock, ..Config::default() }, changes)
    }

    /// Any mock.
    pub(crate) fn of(config: Config, changes: &[Request]) -> Self {
        let mock = MockServer::start(config).expect("a mock");
        let started = Self { mock, folder: tempfile::tempdir().expect("a folder") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let admin = Admin::of(&started.admin()).expect("a client");
        for change in changes {
            runtime.block_on(admin.call(change.clone())).expect("a change");
        }
        started
    }

    /// Its Kubernetes API.
    pub(crate) fn kube(&self) -> String {
        self.mock.kube_url().expect("a Kubernetes API")
    }

    fn admin(&self) -> String {
        format!("http://{}", self.mock.admin().expect("an admin interface"))
    }

    pub(crate) fn capacity(&self, arguments: &[&str]) -> Ended {
        let (base, admin) = (self.mock.base_url(), self.admin());
        let server = ["capacity", "--target", &base, "--admin", &admin, "--allow-writes"];
        let folder = self.folder.path().to_string_lossy().into_owned();
        ended(focus_contract(&[&server[..], &["--report-dir", &folder], arguments].concat()))
    }

    /// How many jobs there are now.
    pub(crate) fn jobs(&self) -> usize {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let state = runtime.block_on(Admin::of(&self.admin()).expect("a client").state()).expect("a state");
        let jobs = state["jobs"].as_array().expect("jobs");
        jobs.iter().filter(|job| job["state"] != "cancelled").count()
    }

    pub(crate) fn report(&self) -> Value {
        report_in(self.folder.path())
    }
}

/// The files of a folder that begin and end like this.
pub(crate) fn files(folder: &Path, begin: &str, end: &str) -> Vec<PathBuf> {
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    let entries = fs::read_dir(folder).expect("the folder").flatten().map(|entry| entry.path());
    let mut found: Vec<_> =
        entries.filter(|path| name(path).starts_with(begin) && name(path).ends_with(end)).collect();
    found.sort();
    found
}

fn only(folder: &Path, begin: &str, end: &str) -> PathBuf {
    let found = files(folder, begin, end);
    assert_eq!(found.len(), 1, "{begin} {end}: {found:?}");
    found[0].clone()
}

/// A document that is as its schema says.
pub(crate) fn read(path: &Path, schema: &str) -> Value {
    let document = serde_json::from_str(&fs::read_to_string(path).expect("the document")).expect("JSON");
    let schema = serde_json::from_str(schema).expect("JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let breach = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    let breaches: Vec<_> = schema.iter_errors(&document).map(breach).collect();
    assert_eq!(breaches, Vec::<String>::new(), "{document:#}");
    document
}

/// The one report of a folder, with its page and its summary beside it.
pub(crate) fn report_in(folder: &Path) -> Value {
    let [json, _, _] = ["json", "html", "md"].map(|kind| only(folder, "infra_gap_report_", kind));
    read(&json, include_str!("../../schema/infra-gap-report.schema.json"))
}

/// The one document with all that was measured.
pub(crate) fn results_in(folder: &Path) -> Value {
    let path = only(folder, "capacity_", ".json");
    read(&path, include_str!("../../schema/capacity-results.schema.json"))
}

/// The runs of the series.
pub(crate) fn series_in(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("series.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a run")).collect()
}

pub(crate) fn limits(limits: &Value) -> Request {
    Request { method: reqwest::Method::PATCH, ..Request::post("/__mock/limits", limits) }
}
