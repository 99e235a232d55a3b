//! The resources that are served, one row each: discovery and routes are made of them.

use crate::sim::cluster::facts::Kind;

/// A resource.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    /// `pods`
    pub(crate) plural: &'static str,
    pub(crate) singular: &'static str,
    pub(crate) kind_name: &'static str,
    pub(crate) short_names: &'static [&'static str],
    pub(crate) categories: &'static [&'static str],
    pub(crate) namespaced: bool,
    /// What can be done with it, in order of name, as discovery has them.
    pub(crate) verbs: &'static [&'static str],
    /// Its kind; the metrics of pods and nodes are none.
    pub(crate) kind: Kind,
}
