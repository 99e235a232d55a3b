//! What names, labels and annotations may be, as a real server checks them.

use std::collections::BTreeMap;

use super::failure::Cause;

/// Bytes that all annotations of an object may have.
const MOST_ANNOTATIONS: usize = 256 * 1024;
/// Characters of a name without a prefix, and of a label's value.
const LONGEST: usize = 63;

const DNS_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?'), and no more than 63 characters";
const DNS_1123: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?'), and no more than 63 characters";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const LABEL: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?'), and no more than 63 characters";
const PORT_NAME: &str = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), at least one letter, no two hyphens in a row, none at its ends, and no more than 15 characters";

fn is_lower(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit()
}

fn ends_well(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(alphanumeric) && text.ends_with(alphanumeric)
}

/// The name of a Service.
pub(super) fn dns_1035(field: &str, text: &str) -> Option<Cause> {
    let fits = is_dns_1123(text) && text.starts_with(|first: char| first.is_ascii_lowercase());
    (!fits).then(|| Cause::invalid(field, format!("{text:?}"), DNS_1035))
}

/// The name of a port of a Service.
pub(super) fn dns_1123(field: String, text: &str) -> Option<Cause> {
    (!is_dns_1123(text)).then(|| Cause::invalid(field, format!("{text:?}"), DNS_1123))
}

fn is_dns_1123(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len()) && ends_well(text) && text.chars().all(|c| is_lower(c) || c == '-')
}

/// The name of a port of a pod.
pub(super) fn port_name(field: String, text: &str) -> Option<Cause> {
    let fits = (1..=15).contains(&text.len())
        && ends_well(text)
        && text.chars().all(|c| is_lower(c) || c == '-')
        && text.contains(|c: char| c.is_ascii_lowercase())
        && !text.contains("--");
    (!fits).then(|| Cause::invalid(field, format!("{text:?}"), PORT_NAME))
}

fn is_plain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=LONGEST).contains(&text.len()) && ends_well(text) && text.chars().all(allowed)
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        None => is_plain(text),
        Some((prefix, name)) => is_plain(name) && prefix.len() <= 253 && prefix.split('.').all(is_dns_1123),
    }
}

/// Labels, or a selector of them.
pub(super) fn labels(field: &str, labels: &BTreeMap<String, String>, causes: &mut Vec<Cause>) {
    keys(field, labels, causes);
    let wrong = labels.values().filter(|value| !value.is_empty() && !is_plain(value));
    causes.extend(wrong.map(|value| Cause::invalid(field, format!("{value:?}"), LABEL)));
}

/// Annotations.
pub(super) fn annotations(field: &str, annotations: &BTreeMap<String, String>, causes: &mut Vec<Cause>) {
    keys(field, annotations, causes);
    let bytes: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if bytes > MOST_ANNOTATIONS {
        let message = format!("Too long: may not be more than {MOST_ANNOTATIONS} bytes");
        causes.push(Cause { field: field.into(), reason: "FieldValueTooLong", message });
    }
}

fn keys(field: &str, map: &BTreeMap<String, String>, causes: &mut Vec<Cause>) {
    let wrong = map.keys().filter(|key| !is_qualified(key));
    causes.extend(wrong.map(|key| Cause::invalid(field, format!("{key:?}"), QUALIFIED)));
}
