//! Field selectors: `=`, `==`, `!=`, and a comma for "and"; in values, a backslash takes its meaning from a comma, an equals
//! sign or a backslash.

use crate::api::kube::render::Field;
use crate::api::kube::resource::Resource;
use crate::sim::cluster::facts::Kind;

/// What a field must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) field: Field,
    equal: bool,
    value: String,
}

impl Term {
    pub(super) fn matches(&self, value: &str) -> bool {
        (value == self.value) == self.equal
    }
}

/// The terms of a selector of objects of a kind, or what is wrong with it.
pub(super) fn parse(selector: &str, kind: Kind) -> Result<Vec<Term>, String> {
    split(selector)
        .into_iter()
        .filter(|term| !term.is_empty())
        .map(|term| {
            let (key, operator, value) = operated(term)
                .ok_or_else(|| format!("invalid selector: '{selector}'; can't understand '{term}'"))?;
            let value = unescaped(value)?;
            let field = Field::parse(kind, key).ok_or_else(|| unknown(kind, key))?;
            Ok(Term { field, equal: operator != "!=", value })
        })
        .collect()
}

/// At each comma that no backslash stands before.
fn split(selector: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in selector.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&selector[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&selector[start..]);
    terms
}

/// What is before the first operator, the operator, and what is behind it.
fn operated(term: &str) -> Option<(&str, &str, &str)> {
    term.char_indices().find_map(|(at, _)| {
        let operator = ["!=", "==", "="].into_iter().find(|operator| term[at..].starts_with(operator))?;
        Some((&term[..at], operator, &term[at + operator.len()..]))
    })
}

fn unescaped(value: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(meant @ ('\\' | ',' | '=')) => plain.push(meant),
                other => {
                    let other = other.map(String::from).unwrap_or_default();
                    return Err(format!("invalid field selector: invalid escape sequence: \\{other}"));
                }
            },
            ',' | '=' => {
                let number = u32::from(character);
                return Err(format!("invalid field selector: unescaped character in value: {number}"));
            }
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// Each kind says it in its own words.
fn unknown(kind: Kind, key: &str) -> String {
    match kind {
        Kind::Job => format!("field label {key:?} not supported for {}", Resource::of(kind).kind_name),
        Kind::Pod | Kind::Node | Kind::Namespace | Kind::Event | Kind::Secret | Kind::Service => {
            format!("field label not supported: {key}")
        }
        Kind::Endpoints
        | Kind::ConfigMap
        | Kind::ServiceAccount
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::Ingress => {
            format!(r#"{key:?} is not a known field selector: only "metadata.name", "metadata.namespace""#)
        }
    }
}
