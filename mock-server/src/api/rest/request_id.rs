//! Ids of requests: taken from the client where they are harmless, else made here.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use crate::sim::seed::Seed;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes ids that no two requests of a server share.
pub(crate) struct RequestIds {
    seed: Seed,
    interface: &'static str,
    made: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(seed: Seed) -> Self {
        Self::of(seed, "request")
    }

    /// For an interface of its own: what is asked there does not change the ids that others get.
    pub(crate) fn of(seed: Seed, interface: &'static str) -> Self {
        Self { seed, interface, made: AtomicU64::new(0) }
    }

    fn make(&self) -> RequestId {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let digit = |bits: u8| b"0123456789abcdef"[usize::from(bits & 15)];
        let drawn = self.seed.draw(self.interface, "id", number).to_be_bytes();
        let digits: Vec<u8> = drawn.into_iter().flat_map(|byte| [digit(byte >> 4), digit(byte)]).collect();
        let value = HeaderValue::from_maybe_shared(Bytes::from(digits)).expect("hex digits");
        RequestId { value, sent: false }
    }
}

/// The id of one request as its header has it: 1 to 64 characters of `[A-Za-z0-9._-]`.
pub(crate) struct RequestId {
    value: HeaderValue,
    /// Whether the client chose it.
    sent: bool,
}

impl RequestId {
    /// The client's own id where it sent a usable one.
    pub(crate) fn of(headers: &HeaderMap, ids: &RequestIds) -> Self {
        let sent = headers.get(X_REQUEST_ID);
        let usable = sent.filter(|id| id.to_str().is_ok_and(is_usable));
        usable.map_or_else(|| ids.make(), |id| Self { value: id.clone(), sent: true })
    }

    pub(crate) fn as_str(&self) -> &str {
        self.value.to_str().expect("letters, digits and three other characters of ASCII")
    }

    /// The id, where the client chose it.
    pub(crate) fn sent(&self) -> Option<&str> {
        self.sent.then(|| self.as_str())
    }

    /// The value of the header.
    pub(crate) fn value(&self) -> HeaderValue {
        self.value.clone()
    }
}

/// Words that no answer may contain, as far as an id can spell them. An error body repeats the id, so one that holds
/// such a word is replaced like one that is too long.
const WORDS_NO_ANSWER_HAS: [&str; 5] = ["traceback", "password", "secret", "token", "api_key"];

fn is_usable(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len())
        && id.bytes().all(allowed)
        && !WORDS_NO_ANSWER_HAS.iter().any(|word| id.to_ascii_lowercase().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_client_is_kept_only_if_it_can_be_repeated_safely() {
        for id in ["a", "A-b_c.9", &"x".repeat(64)] {
            assert!(is_usable(id), "{id}");
        }
        for id in ["", "a b", "a/b", "ä", "\"", &"x".repeat(65), "my-Secret-1", "TOKEN"] {
            assert!(!is_usable(id), "{id}");
        }
    }

    #[test]
    fn made_ids_are_sixteen_hex_digits_and_differ() {
        let ids = RequestIds::new(Seed(1));
        let (first, second) = (ids.make(), ids.make());
        let (first, second) = (first.as_str(), second.as_str());
        assert_ne!(first, second);
        assert!(first.len() == 16 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
