//! The dashboard and the alert rules: every metric and label that they name is one that runs write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use prometheus_parse::Scrape;
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
use serde::Deserialize;
use serde_json::Value;

use super::{everything, metrics};

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/observability").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What runs write: the labels of each metric.
type Written = BTreeMap<String, BTreeSet<String>>;

fn written() -> Written {
    let text = metrics(&everything());
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("Prometheus's format");
    let labels = |sample: prometheus_parse::Sample| (sample.metric, sample.labels.keys().cloned().collect());
    scrape.samples.into_iter().map(labels).collect()
}

/// What an expression asks for.
struct Judge<'a> {
    written: &'a Written,
    problems: Vec<String>,
    named: BTreeSet<String>,
}

impl Judge<'_> {
    fn selector(&mut self, selector: &VectorSelector) {
        let name = selector.name.clone().unwrap_or_default();
        let Some(labels) = self.written.get(&name) else {
            return self.problems.push(format!("no metric {name:?}"));
        };
        let unknown = selector.matchers.matchers.iter().filter(|matcher| !labels.contains(&matcher.name));
        self.problems.extend(unknown.map(|matcher| format!("{name} has no {:?}", matcher.name)));
        self.named.insert(name);
    }
}

impl ExprVisitor for Judge<'_> {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            _ => {}
        }
        Ok(true)
    }
}

/// What is wrong with an expression, and the metrics that it names.
fn judge(written: &Written, text: &str) -> (Vec<String>, BTreeSet<String>) {
    // What Grafana puts in.
    let expression = match parser::parse(&text.replace("$environment", ".*")) {
        Ok(expression) => expression,
        Err(error) => return (vec![format!("{text}: {error}")], BTreeSet::new()),
    };
    let mut judge = Judge { written, problems: Vec::new(), named: BTreeSet::new() };
    walk_expr(&mut judge, &expression).expect("it never stops");
    (judge.problems.into_iter().map(|problem| format!("{text}: {problem}")).collect(), judge.named)
}

/// Names between a beginning and what cannot be part of a name, such as `kind` of `{{kind}}`.
fn names_after<'a>(text: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).map(|rest| {
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

fn have_label(written: &Written, metrics: &BTreeSet<String>, label: &str) -> bool {
    metrics.iter().all(|metric| written[metric].contains(label))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<AlertRule>,
}

/// As Prometheus reads it. None waits: a run is over when it is told of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertRule {
    alert: String,
    expr: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> RuleFile {
    serde_saphyr::from_str(&fixture("runs-alerts.yaml")).expect("a file of rules")
}

#[test]
fn alert_rules_have_the_shape_that_prometheus_wants_and_ask_for_what_there_is() {
    let written = written();
    let RuleFile { groups } = rules();
    let names: BTreeSet<_> = groups.iter().map(|group| &group.name).collect();
    assert_eq!(names.len(), groups.len(), "no two groups are called the same");
    let mut alerts = BTreeSet::new();
    for AlertRule { alert, expr, labels, annotations } in groups.iter().flat_map(|group| &group.rules) {
        assert!(alerts.insert(alert.as_str()), "{alert} twice");
        let (problems, named) = judge(&written, expr);
        assert!(problems.is_empty(), "{alert}: {problems:#?}");
        assert!(!named.is_empty(), "{alert} asks for nothing");
        assert!(["warning", "critical"].contains(&&*labels["severity"]), "{alert}");
        let keys: Vec<_> = annotations.keys().map(String::as_str).collect();
        assert_eq!(keys, ["description", "summary"], "{alert}");
        for label in annotations.values().flat_map(|text| names_after(text, "$labels.")) {
            assert!(have_label(&written, &named, label), "{alert}: no {label}");
        }
    }
    for owed in [
        "FocusRunCapacityBelowMinimum",
        "FocusRunFailed",
        "FocusRunRestarts",
        "FocusRunLeftJobsBehind",
        "FocusRunFailureRate",
        "FocusRunMissing",
        "FocusRunSlower",
        "FocusRunErrorsMore",
    ] {
        assert!(alerts.contains(owed), "{owed}");
    }
}

#[test]
fn the_dashboard_can_be_imported_and_shows_everything_that_there_is() {
    let written = written();
    let dashboard: Value = serde_json::from_str(&fixture("runs-dashboard.json")).expect("JSON");
    assert!(dashboard["id"].is_null(), "an id is given by the import");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variable =
        |name: &str| variables.iter().find(|variable| variable["name"] == name).expect("a variable");
    assert_eq!(variable("datasource")["type"], "datasource");
    let asked = variable("environment")["definition"].as_str().expect("a query");
    assert!(written.contains_key(names_after(asked, "label_values(").next().expect("a metric")), "{asked}");
    let (mut ids, mut named, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: the id stands twice");
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().expect("a place"));
        assert!(x + w <= 24, "{title} ends beyond the right edge");
        for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{title} lies on another panel");
        }
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title} shows nothing");
        for target in targets {
            let expression = target["expr"].as_str().expect("an expression");
            assert!(expression.contains("environment=~\"$environment\""), "{title}: {expression}");
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let (problems, of_target) = judge(&written, expression);
            assert!(problems.is_empty(), "{title}: {problems:#?}");
            for label in names_after(target["legendFormat"].as_str().expect("a legend"), "{{") {
                assert!(have_label(&written, &of_target, label), "{title}: no {label}");
            }
            named.extend(of_target);
        }
    }
    // Nothing is written that nobody looks at.
    assert_eq!(named, written.into_keys().collect());
}

#[test]
fn what_no_run_writes_is_found_out() {
    let written = written();
    for wrong in [
        "focus_contract_capacity_actual",
        "avg_over_time(focus_contract_restart[1w])",
        "focus_contract_restarts{level=\"5\"}",
        "focus_contract_restarts >",
    ] {
        assert!(!judge(&written, wrong).0.is_empty(), "{wrong}");
    }
    assert!(judge(&written, "focus_contract_restarts{kind=\"soak\"} >= 3").0.is_empty());
}
