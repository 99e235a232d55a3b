//! The token of an interface: who has it may do everything there, and nobody else anything.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;

/// What an interface asks its callers for. It is never shown: neither in logs nor in messages nor by `{:?}`.
#[derive(Clone)]
pub struct Token(Arc<str>);

impl Token {
    /// What stands for a token where one is shown.
    pub const HIDDEN: &'static str = "***";
    /// What a token may be, in words.
    pub const EXPECTED: &'static str = "1 to 256 visible characters of ASCII, without blanks";

    /// The token, if a header can have it; [`Token::HIDDEN`] is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = (1..=256).contains(&text.len()) && visible && text != Self::HIDDEN;
        fits.then(|| Self(text.into()))
    }

    /// The text, for whoever sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text is the token, in a time that tells nothing but the length.
    #[must_use]
    pub fn is(&self, text: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(text).into()
    }

    /// Whether a request with these headers has it, as a bearer token and as the only one.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut said = headers.get_all(AUTHORIZATION).iter();
        let first = said.next().and_then(|value| value.as_bytes().split_at_checked(SCHEME.len()));
        let has_it = first.is_some_and(|(scheme, said)| {
            // The scheme's name is no secret, and has no case.
            scheme.eq_ignore_ascii_case(SCHEME) && self.is(said)
        });
        has_it && said.next().is_none()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::HIDDEN)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.is(other.0.as_bytes())
    }
}

const SCHEME: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_a_header_can_have_and_never_shows() {
        for text in ["x", "a-b_c.~+/=", &"x".repeat(256)] {
            assert_eq!(format!("{:?}", Token::new(text).expect(text)), "***");
        }
        for text in ["", "a b", "ä", "a\n", "***", &"x".repeat(257)] {
            assert!(Token::new(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn only_the_same_text_is_the_token() {
        let token = Token::new("abc").expect("a token");
        for (text, same) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false), ("", false)] {
            assert_eq!(token.is(text.as_bytes()), same, "{text}");
        }
    }
}
