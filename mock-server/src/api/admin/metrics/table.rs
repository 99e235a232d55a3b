//! All families of metrics, one row each.

mod server;
mod work;

use std::borrow::Cow;

use super::seen::Seen;
use crate::sim::counts::Histogram;

/// A family of metrics.
pub(super) struct Family {
    /// Its name without unit and without the suffix of its sort.
    pub(super) name: &'static str,
    pub(super) unit: Option<Measure>,
    pub(super) sort: Sort,
    pub(super) labels: &'static [&'static str],
    /// A sentence without quotes, backslashes and line breaks, which would have to be escaped.
    pub(super) help: &'static str,
    pub(super) samples: fn(&Seen) -> Vec<Sample>,
}

/// What a family measures in, where it does not just count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Seconds,
    Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Counter,
    Gauge,
    Histogram,
    Info,
}

/// One value, with its labels in the order in which the family names them.
pub(super) struct Sample {
    pub(super) labels: Vec<Cow<'static, str>>,
    pub(super) value: Value,
}

pub(super) enum Value {
    Whole(u64),
    Number(f64),
    Times(Box<Histogram>),
    Info,
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Whole(number.into())
    }
}

impl From<bool> for Value {
    fn from(is_so: bool) -> Self {
        Self::Whole(is_so.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// The one value of a family without labels.
fn one(value: impl Into<Value>) -> Vec<Sample> {
    vec![Sample { labels: Vec::new(), value: value.into() }]
}

/// The same, where it is known.
fn known<V: Into<Value>>(value: Option<V>) -> Vec<Sample> {
    value.map(one).unwrap_or_default()
}

/// A value for each value of the family's one label.
fn each<V: Into<Value>>(values: impl IntoIterator<Item = (&'static str, V)>) -> Vec<Sample> {
    let sample =
        |(label, value): (&'static str, V)| Sample { labels: vec![label.into()], value: value.into() };
    values.into_iter().map(sample).collect()
}

/// All of them.
pub(super) fn table() -> impl Iterator<Item = &'static Family> {
    work::REQUESTS.iter().chain(work::JOBS).chain(work::STREAMS).chain(server::CLUSTER).chain(server::SERVER)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The name as samples have it.
    fn full_name(family: &Family) -> String {
        let unit = family.unit.map_or("", |unit| match unit {
            Measure::Seconds => "_seconds",
            Measure::Bytes => "_bytes",
        });
        let suffix = match family.sort {
            Sort::Counter => "_total",
            Sort::Info => "_info",
            Sort::Gauge | Sort::Histogram => "",
        };
        format!("{}{unit}{suffix}", family.name)
    }

    #[test]
    fn names_follow_the_conventions_and_no_two_are_the_same() {
        let names: BTreeSet<_> = table().map(full_name).collect();
        assert_eq!(names.len(), table().count());
        for family in table() {
            let name = family.name;
            assert!(name.starts_with("focus_mock_") || name.starts_with("process_"), "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            // The suffix that says a sort or a unit is added, and nothing else ends so.
            for suffix in ["_total", "_info", "_seconds", "_bytes", "_count", "_sum", "_bucket"] {
                assert!(!name.ends_with(suffix), "{name} ends with {suffix}");
            }
            assert!(family.help.ends_with('.') && !family.help.contains(['"', '\\', '\n']), "{name}");
            for label in family.labels {
                assert!(label.bytes().all(|byte| byte.is_ascii_lowercase()), "{name}: {label}");
                assert!(!["le", "job", "instance"].contains(label), "{name}: {label} is the scraper's");
            }
        }
    }

    #[test]
    fn the_table_of_the_readme_has_every_family_with_its_labels_and_its_sentence() {
        let row = |family: &Family| {
            let sort = match family.sort {
                Sort::Counter => "counter",
                Sort::Gauge => "gauge",
                Sort::Histogram => "histogram",
                Sort::Info => "info",
            };
            let labels: Vec<_> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {sort} | {} | {} |", full_name(family), labels.join(", "), family.help)
        };
        let readme = include_str!("../../../../README.md");
        let said: Vec<_> = readme
            .lines()
            .filter(|line| line.starts_with("| `focus_mock_") || line.starts_with("| `process_"))
            .collect();
        let rows: Vec<_> = table().map(row).collect();
        assert_eq!(said, rows, "the rows should be:\n{}", rows.join("\n"));
    }
}
