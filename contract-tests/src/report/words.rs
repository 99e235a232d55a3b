//! What was said over REST, in words that every format can hold and everybody may read.

use std::fmt::Write as _;

use serde::de::IgnoredAny;

use crate::client::rest::Exchange;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Headers whose values nobody else may read, by what their names contain.
const SECRETS: [&str; 7] = ["authorization", "cookie", "api-key", "apikey", "token", "secret", "password"];

/// Longest body that a report shows, in characters.
const LONGEST_BODY: usize = 20_000;

/// Headers as they may be shown.
pub fn headers(headers: &[(String, String)]) -> impl Iterator<Item = (String, String)> {
    headers.iter().map(|(name, value)| {
        let lower = name.to_lowercase();
        let secret = SECRETS.iter().any(|secret| lower.contains(secret));
        (plain(name), if secret { String::from(REDACTED) } else { plain(value) })
    })
}

/// A URL without the user and password that may stand in it.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..authority].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// Text without characters that no XML document may hold, or that move the cursor: each becomes its picture, so that it
/// can still be seen that it was there.
#[must_use]
pub fn plain(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character,
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        // Turns text around, so that it reads as another.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => character,
    };
    text.chars().map(shown).collect()
}

/// Text that is no longer than that many characters; what is cut off is counted.
#[must_use]
pub fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} … ({} more characters)", &text[..end], text[end..].chars().count()),
    }
}

/// A body as text: JSON with a line per value, all else as it came.
#[must_use]
pub fn body(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    cut(&plain(&indented(&text).unwrap_or_else(|| text.into_owned())), LONGEST_BODY)
}

/// JSON with a line per value; `None` where the text is none. Only white space is touched: numbers keep their digits and
/// doubled keys stay, which no detour over a value would leave so.
#[must_use]
pub fn indented(text: &str) -> Option<String> {
    let trimmed = text.trim();
    if !trimmed.starts_with(['{', '[']) || serde_json::from_str::<IgnoredAny>(trimmed).is_err() {
        return None;
    }
    let mut lines = String::with_capacity(2 * trimmed.len());
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let mut characters = trimmed.chars().peekable();
    while let Some(character) = characters.next() {
        if in_string {
            lines.push(character);
            in_string = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                lines.push(character);
                while characters.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                let empty = characters.next_if(|next| matches!(next, '}' | ']'));
                match empty {
                    Some(end) => lines.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut lines, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut lines, depth);
                lines.push(character);
            }
            ',' => {
                lines.push(character);
                new_line(&mut lines, depth);
            }
            ':' => lines.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => {
                in_string = other == '"';
                lines.push(other);
            }
        }
    }
    Some(lines)
}

fn new_line(lines: &mut String, depth: usize) {
    lines.push('\n');
    lines.extend(std::iter::repeat_n("  ", depth));
}

/// A request as it was sent, but for its secrets.
#[must_use]
pub fn request(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let mut text = format!("{} {}", request.method, url(exchange));
    for (name, value) in headers(&request.headers) {
        let _ = write!(text, "\n{name}: {value}");
    }
    if let Some(bytes) = &request.body {
        let _ = write!(text, "\n\n{}", body(bytes));
    }
    text
}

/// Where a request went.
#[must_use]
pub fn url(exchange: &Exchange) -> String {
    plain(&format!("{}{}", without_credentials(&exchange.base), exchange.request.path))
}

/// An answer as it came, but for its secrets.
#[must_use]
pub fn answer(exchange: &Exchange) -> String {
    let mut text = format!("{} after {}", exchange.status, took(exchange.took));
    for (name, value) in headers(&exchange.headers) {
        let _ = write!(text, "\n{name}: {value}");
    }
    if !exchange.body.is_empty() {
        let _ = write!(text, "\n\n{}", body(&exchange.body));
    }
    text
}

/// A duration as people read it.
#[must_use]
pub fn took(duration: std::time::Duration) -> String {
    match duration.as_millis() {
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", duration.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_and_nothing_else_is_changed() {
        let text = r#"{ "a":1.50,"a" : [],"b":[1 ,{"c":"x\\\",{\u00e9 "}],"d":{ },"e":1e400}"#;
        // 1e400 is JSON, although no float.
        let indented = indented(text);
        let Some(lines) = indented else { panic!("{text} is JSON") };
        let expected = "{\n  \"a\": 1.50,\n  \"a\": [],\n  \"b\": [\n    1,\n    {\n      \"c\": \"x\\\\\\\",{\\u00e9 \"\n    }\n  ],\n  \"d\": {},\n  \"e\": 1e400\n}";
        assert_eq!(lines, expected);
        assert_eq!(super::indented("{\"a\":"), None);
        assert_eq!(super::indented("plain"), None);
    }

    #[test]
    fn secrets_do_not_show() {
        let given = ["Authorization", "cookie", "Set-Cookie", "X-API-Key", "x-auth-token", "accept"]
            .map(|name| (name.to_owned(), String::from("hush")));
        let shown: Vec<_> = headers(&given).map(|(_, value)| value).collect();
        assert_eq!(shown, [REDACTED, REDACTED, REDACTED, REDACTED, REDACTED, "hush"]);
        for (url, expected) in [
            ("https://me:hush@host:1/a@b", "https://host:1/a@b"),
            ("http://host/a@b", "http://host/a@b"),
            ("http://a@b@host", "http://host"),
            ("mock", "mock"),
        ] {
            assert_eq!(without_credentials(url), expected);
        }
    }

    #[test]
    fn what_no_document_may_hold_becomes_a_picture() {
        assert_eq!(
            plain("a\u{0}\u{1b}[2J\r\n\t\u{7f}\u{85}\u{ffff}\u{202e}b"),
            "a␀␛[2J␍\n\t␡\u{fffd}\u{fffd}\u{fffd}b"
        );
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äöü … (1 more characters)");
    }
}
