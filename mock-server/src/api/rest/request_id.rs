//! Ids of requests: taken from the client where they are harmless, else made here.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;

use crate::sim::seed::Seed;

/// Makes ids that no two requests of a server share.
pub(crate) struct RequestIds {
    seed: Seed,
    made: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, made: AtomicU64::new(0) }
    }

    fn make(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}", self.seed.draw("request", "id", number))
    }
}

/// The id of one request: 1 to 64 characters of `[A-Za-z0-9._-]`.
pub(crate) struct RequestId(String);

impl RequestId {
    /// The client's own id where it sent a usable one.
    pub(super) fn of(request: &Request, ids: &RequestIds) -> Self {
        let sent = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
        Self(sent.filter(|id| is_usable(id)).map_or_else(|| ids.make(), str::to_owned))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
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
        assert_ne!(first, second);
        assert!(first.len() == 16 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
