//! How objects shall be shown: what a client accepts.

use http::HeaderValue;

use super::Form;

/// A table if any of the media types that are accepted asks for one, whatever else is accepted. A client that knows
/// tables lists JSON as its second choice, and it is the first that it wants.
pub(super) fn accepted<'a>(headers: impl IntoIterator<Item = &'a HeaderValue>) -> Form {
    let texts = headers.into_iter().filter_map(|header| header.to_str().ok());
    let is_table = texts.flat_map(|text| text.split(',')).any(is_table);
    if is_table { Form::Table } else { Form::Object }
}

fn is_table(media_type: &str) -> bool {
    let has = |name: &str, value: &str| {
        media_type
            .split(';')
            .skip(1)
            .filter_map(|parameter| parameter.split_once('='))
            .any(|(n, v)| n.trim().eq_ignore_ascii_case(name) && v.trim().trim_matches('"') == value)
    };
    has("as", "Table") && has("v", "v1") && has("g", "meta.k8s.io")
}
