//! The dashboard and the alert rules: every metric, label and value that they name is one that a server says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use promql_parser::label::Matchers;
use promql_parser::parser::{self, AggregateExpr, BinaryExpr, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, parse_duration, walk_expr};
use serde::Deserialize;
use serde_json::Value;

use super::{Scraped, eventful, scrape};

/// Labels that come from whoever scrapes.
const OF_THE_SCRAPER: [&str; 2] = ["instance", "job"];

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/observability").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What an expression asks for that no server says.
struct Judge<'a> {
    scraped: &'a Scraped,
    problems: Vec<String>,
    /// Metrics that it names.
    named: BTreeSet<String>,
}

impl Judge<'_> {
    fn selector(&mut self, selector: &VectorSelector) {
        let name = selector.name.clone().unwrap_or_default();
        let of_name = self.scraped.values.keys().filter(|(found, _)| *found == name);
        let all: Vec<_> = of_name.map(|(_, labels)| labels).collect();
        if all.is_empty() {
            return self.problems.push(format!("no metric {name:?}"));
        }
        let Matchers { matchers, or_matchers } = &selector.matchers;
        for matcher in matchers.iter().chain(or_matchers.iter().flatten()) {
            let values = all.iter().filter_map(|labels| labels.get(&matcher.name));
            if !OF_THE_SCRAPER.contains(&&*matcher.name)
                && !values.clone().any(|value| matcher.is_match(value))
            {
                self.problems.push(format!("{name}: no value is {matcher}"));
            }
        }
        self.named.insert(name);
    }

    /// Labels by which metrics are told apart must be theirs.
    fn labels(&mut self, labels: &[String], metrics: &BTreeSet<String>) {
        for metric in metrics {
            let mut of_name = self.scraped.values.keys().filter(|(found, _)| found == metric);
            let (_, has) = of_name.next().expect("it was looked up before");
            let lacks = |label: &&String| !OF_THE_SCRAPER.contains(&&***label) && !has.contains_key(*label);
            self.problems
                .extend(labels.iter().filter(lacks).map(|label| format!("{metric} has no {label:?}")));
        }
    }

    fn below(&mut self, expression: &Expr) -> BTreeSet<String> {
        let mut below = Judge { scraped: self.scraped, problems: Vec::new(), named: BTreeSet::new() };
        walk_expr(&mut below, expression).expect("it never stops");
        if below.problems.is_empty() { below.named } else { BTreeSet::new() }
    }
}

impl ExprVisitor for Judge<'_> {
    type Error = std::convert::Infallible;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool, Self::Error> {
        match expression {
            Expr::VectorSelector(selector) => self.selector(selector),
            Expr::MatrixSelector(matrix) => self.selector(&matrix.vs),
            Expr::Aggregate(AggregateExpr { expr, modifier: Some(modifier), .. }) => {
                let below = self.below(expr);
                self.labels(&modifier.labels().labels, &below);
            }
            Expr::Binary(BinaryExpr { lhs, rhs, modifier: Some(modifier), .. }) => {
                if let Some(matching) = &modifier.matching {
                    // An aggregation below has dropped labels of its metrics: what is left is judged there.
                    let mut below = self.below(lhs);
                    below.extend(self.below(rhs));
                    self.labels(&matching.labels().labels, &below);
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// What is wrong with an expression, and the metrics that it names.
fn judge(scraped: &Scraped, text: &str) -> (Vec<String>, BTreeSet<String>) {
    // What Grafana puts in.
    let text = text.replace("$__rate_interval", "1m").replace("$instance", ".*");
    let expression = match parser::parse(&text) {
        Ok(expression) => expression,
        Err(error) => return (vec![format!("{text}: {error}")], BTreeSet::new()),
    };
    let mut judge = Judge { scraped, problems: Vec::new(), named: BTreeSet::new() };
    walk_expr(&mut judge, &expression).expect("it never stops");
    (judge.problems.into_iter().map(|problem| format!("{text}: {problem}")).collect(), judge.named)
}

/// Names between a beginning and what cannot be part of a name, such as `state` of `{{state}}`.
fn names_after<'a>(text: &'a str, begin: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(begin).skip(1).map(|rest| {
        let end = rest.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// Whether a label is of any of the metrics.
fn has_label(scraped: &Scraped, metrics: &BTreeSet<String>, label: &str) -> bool {
    OF_THE_SCRAPER.contains(&label)
        || scraped.values.keys().any(|(name, labels)| metrics.contains(name) && labels.contains_key(label))
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
    interval: Option<String>,
    rules: Vec<AlertRule>,
}

/// As Prometheus reads it; there are no recording rules.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertRule {
    alert: String,
    expr: String,
    #[serde(rename = "for")]
    lasts: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

fn rules() -> RuleFile {
    serde_saphyr::from_str(&fixture("alerts.yaml")).expect("a file of rules")
}

#[tokio::test]
async fn alert_rules_have_the_shape_that_prometheus_wants_and_ask_for_what_there_is() {
    let scraped = scrape(&eventful().await);
    let RuleFile { groups } = rules();
    let names: BTreeSet<_> = groups.iter().map(|group| &group.name).collect();
    assert_eq!(names.len(), groups.len(), "no two groups are called the same");
    let mut alerts = BTreeSet::new();
    for rule in groups.iter().flat_map(|group| &group.rules) {
        let alert = &rule.alert;
        assert!(alerts.insert(alert), "{alert} twice");
        assert!(alert.starts_with("FocusMock") && alert.chars().all(|char| char.is_ascii_alphanumeric()));
        let (problems, named) = judge(&scraped, &rule.expr);
        assert!(problems.is_empty(), "{alert}: {problems:#?}");
        assert!(!named.is_empty(), "{alert} asks for nothing");
        assert!(["warning", "critical"].contains(&&*rule.labels["severity"]), "{alert}");
        let keys: Vec<_> = rule.annotations.keys().map(String::as_str).collect();
        assert_eq!(keys, ["description", "summary"], "{alert}");
        for text in rule.annotations.values() {
            for label in names_after(text, "$labels.") {
                assert!(has_label(&scraped, &named, label), "{alert}: {text}: no {label}");
                // What an aggregation does not keep is empty in the text.
                assert!(
                    !rule.expr.contains("sum by (") || rule.expr.contains(label),
                    "{alert}: {label} is not kept"
                );
            }
        }
    }
    let times = groups.iter().filter_map(|group| group.interval.as_ref());
    let times =
        times.chain(groups.iter().flat_map(|group| &group.rules).filter_map(|rule| rule.lasts.as_ref()));
    times.for_each(|time| assert!(parse_duration(time).is_ok(), "{time}"));
}

#[test]
fn there_are_alerts_for_everything_that_is_owed() {
    let RuleFile { groups } = rules();
    let alerts: BTreeSet<_> = groups.iter().flat_map(|group| &group.rules).map(|rule| &*rule.alert).collect();
    for owed in [
        "FocusMockPodFailed",
        "FocusMockCapacityMissed",
        "FocusMockErrorRate",
        "FocusMockLeak",
        "FocusMockCrashLoop",
        "FocusMockJournalDrops",
    ] {
        assert!(alerts.contains(owed), "{owed}");
    }
}

#[tokio::test]
async fn the_dashboard_can_be_imported_and_asks_for_what_there_is() {
    let scraped = scrape(&eventful().await);
    let dashboard: Value = serde_json::from_str(&fixture("dashboard.json")).expect("JSON");
    assert!(dashboard["id"].is_null(), "an id is given by the import");
    let variables = dashboard["templating"]["list"].as_array().expect("variables");
    let variable =
        |name: &str| variables.iter().find(|variable| variable["name"] == name).expect("a variable");
    assert_eq!(variable("datasource")["type"], "datasource");
    let asked = variable("instance")["definition"].as_str().expect("a query");
    let metric = names_after(asked, "label_values(").next().expect("a metric");
    assert!(scraped.values.keys().any(|(name, _)| name == metric), "{asked}");
    let (mut ids, mut named, mut rows) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: the id stands twice");
        let place = &panel["gridPos"];
        let end = place["x"].as_u64().zip(place["w"].as_u64()).map(|(x, w)| x + w).expect("a place");
        assert!(end <= 24, "{title} ends beyond the right edge");
        if panel["type"] == "row" {
            rows.push(title);
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().expect("targets");
        assert!(!targets.is_empty(), "{title} shows nothing");
        for target in targets {
            let expression = target["expr"].as_str().expect("an expression");
            assert!(expression.contains("instance=~\"$instance\""), "{title}: {expression}");
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            let (problems, of_target) = judge(&scraped, expression);
            assert!(problems.is_empty(), "{title}: {problems:#?}");
            for label in names_after(target["legendFormat"].as_str().expect("a legend"), "{{") {
                assert!(has_label(&scraped, &of_target, label), "{title}: no {label}");
                assert!(
                    !expression.contains(" by (") || expression.contains(label),
                    "{title}: {label} is not kept"
                );
            }
            named.extend(of_target);
        }
    }
    assert_eq!(rows[..4], ["Capacity", "Latency", "Errors", "Rollbacks and leaks"]);
    assert_eq!(rows[4..], ["Streams", "Cluster", "Server"]);
    // Nothing is measured that nobody looks at.
    let shown: BTreeSet<_> = named.iter().map(|name| scraped.family(name)).collect();
    let not_shown: Vec<_> = scraped.sorts.keys().filter(|family| !shown.contains(family.as_str())).collect();
    assert_eq!(not_shown, ["process_start_time_seconds", "process_virtual_memory_bytes"]);
}

#[tokio::test]
async fn what_no_server_says_is_found_out() {
    let scraped = scrape(&eventful().await);
    let problems = |text: &str| judge(&scraped, text).0;
    for wrong in [
        "focus_mock_jbos",
        "rate(focus_mock_requests[1m])",
        "focus_mock_jobs{state=\"Waiting\"}",
        "focus_mock_jobs{phase=\"Running\"}",
        "sum by (phase) (focus_mock_jobs)",
        "focus_mock_workload_pods_ready < on (instance, pod) focus_mock_workload_pods_wanted",
        "sum(rate(focus_mock_requests_total{status=~\"6..\"}[1m]))",
        "histogram_quantile(0.9, sum by (le, code) (rate(focus_mock_request_duration_seconds_bucket[1m])))",
        "rate(focus_mock_jobs",
    ] {
        assert!(!problems(wrong).is_empty(), "{wrong}");
    }
    assert!(problems("sum by (state, instance) (focus_mock_jobs{state=~\"R.*\"}) > 1").is_empty());
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scraper {
    global: BTreeMap<String, String>,
    rule_files: Vec<String>,
    scrape_configs: Vec<Job>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    job_name: String,
    static_configs: Vec<BTreeMap<String, Vec<String>>>,
}

#[test]
fn the_scraper_of_the_example_finds_the_rules_and_a_mock_on_its_documented_port() {
    let scraper: Scraper = serde_saphyr::from_str(&fixture("prometheus.yaml")).expect("a configuration");
    assert!(parse_duration(&scraper.global["scrape_interval"]).is_ok());
    assert_eq!(scraper.rule_files, ["alerts.yaml"]);
    assert_eq!(scraper.scrape_configs[0].job_name, "focus-mock");
    assert_eq!(scraper.scrape_configs[0].static_configs[0]["targets"], ["127.0.0.1:5001"]);
}
