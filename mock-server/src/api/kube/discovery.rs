//! What the API server has: its version, its groups, their resources. All of it is made of the table of resources.

use axum::response::Response;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{
    APIGroup, APIGroupList, APIResource, APIResourceList, APIVersions, GroupVersionForDiscovery,
    ServerAddressByClientCIDR,
};
use k8s_openapi::apimachinery::pkg::version::Info;

use super::answer;
use super::resource::{Part, Resource, TABLE, groups};

/// A document of discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    /// `/version`
    Version,
    /// `/api`
    Core,
    /// `/apis`
    Groups,
    /// `/apis/<group>`
    Group { group: &'static str, version: &'static str },
    /// `/api/v1`, `/apis/<group>/<version>`
    Resources { group: &'static str, version: &'static str },
}

/// The document; `host` is where the client reached this server.
pub(super) fn answer(document: Document, host: String) -> Response {
    match document {
        Document::Version => answer::json(&version()),
        Document::Core => answer::json(&APIVersions {
            versions: vec!["v1".into()],
            // Every client, wherever it is.
            server_address_by_client_cidrs: vec![ServerAddressByClientCIDR {
                client_cidr: "0.0.0.0/0".into(),
                server_address: host,
            }],
        }),
        Document::Groups => answer::json(&APIGroupList {
            groups: groups().into_iter().map(|(group, version)| api_group(group, version)).collect(),
        }),
        Document::Group { group, version } => answer::json(&api_group(group, version)),
        Document::Resources { group, version } => answer::json(&resources(group, version)),
    }
}

/// **Chosen**: the release 1.28.0, as it was published.
fn version() -> Info {
    Info {
        major: "1".into(),
        minor: "28".into(),
        git_version: "v1.28.0".into(),
        git_commit: "855e7c48de7388eb330da0f8d9d2394ee818fb8d".into(),
        git_tree_state: "clean".into(),
        build_date: "2023-08-15T10:15:54Z".into(),
        go_version: "go1.20.7".into(),
        compiler: "gc".into(),
        platform: "linux/amd64".into(),
        ..Info::default()
    }
}

fn api_group(group: &str, version: &str) -> APIGroup {
    let version =
        GroupVersionForDiscovery { group_version: format!("{group}/{version}"), version: version.into() };
    APIGroup {
        name: group.into(),
        preferred_version: Some(version.clone()),
        server_address_by_client_cidrs: None,
        versions: vec![version],
    }
}

fn resources(group: &str, version: &str) -> APIResourceList {
    let rows = TABLE.iter().filter(|row| (row.group, row.version) == (group, version));
    let with_parts = |row: &'static Resource| {
        std::iter::once(whole(row)).chain(row.parts().map(move |part| part_of(row, part)))
    };
    APIResourceList {
        group_version: if group.is_empty() { version.into() } else { format!("{group}/{version}") },
        resources: rows.flat_map(with_parts).collect(),
    }
}

fn whole(row: &Resource) -> APIResource {
    APIResource {
        categories: some(row.categories),
        kind: row.kind_name.into(),
        name: row.plural.into(),
        namespaced: row.namespaced,
        short_names: some(row.short_names),
        singular_name: row.singular.into(),
        verbs: row.verbs.iter().copied().map(String::from).collect(),
        ..APIResource::default()
    }
}

fn part_of(row: &Resource, part: &Part) -> APIResource {
    APIResource {
        group: part.of.map(|(group, _)| group.into()),
        version: part.of.map(|(_, version)| version.into()),
        kind: part.kind_name.into(),
        name: format!("{}/{}", row.plural, part.name),
        namespaced: row.namespaced,
        verbs: part.verbs.iter().copied().map(String::from).collect(),
        ..APIResource::default()
    }
}

fn some(words: &[&str]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.iter().copied().map(String::from).collect())
}
