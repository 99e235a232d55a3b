//! Which objects are meant: by their labels and by some of their fields.

mod fields;
mod labels;
mod names;

use super::failure::Failure;
use super::render;
use crate::sim::cluster::facts::{Kind, Record};

/// What objects must be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<labels::Requirement>,
    fields: Vec<fields::Term>,
}

impl Selector {
    /// Reads both selectors of a query about objects of a kind.
    ///
    /// # Errors
    /// 400 in the words of a real API server: what was found, and what was expected there.
    pub(crate) fn parse(labels: &str, fields: &str, kind: Kind) -> Result<Self, Failure> {
        let labels = labels::parse(labels).map_err(Failure::BadRequest)?;
        let fields = fields::parse(fields, kind).map_err(Failure::BadRequest)?;
        Ok(Self { labels, fields })
    }

    /// Whether an object is meant. Nothing of it is rendered.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        self.fields.iter().all(|term| term.matches(&render::field(record, term.field)))
            && self.matches_labels(record)
    }

    fn matches_labels(&self, record: &Record) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        let labels = render::labels(record);
        let value =
            |key: &str| labels.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_ref());
        self.labels.iter().all(|requirement| requirement.matches(value(&requirement.key)))
    }
}
