//! Settings as they came to be: every key with its value and where that was said, as YAML.

use std::fmt::Write;

use super::place::Place;

/// One key with what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key, with its section in front.
    pub key: String,
    /// The value, as YAML in one line.
    pub value: String,
    /// Where it was said.
    pub place: Place,
}

/// All entries as a file of settings: reading it gives the same settings again. Behind each value stands where it was
/// said.
pub(crate) fn yaml(entries: &[Entry]) -> String {
    let line = |entry: &Entry| match entry.key.split_once('.') {
        Some((_, key)) => format!("  {key}: {}", entry.value),
        None => format!("{}: {}", entry.key, entry.value),
    };
    let section = |entry: &Entry| entry.key.split_once('.').map(|(section, _)| section.to_owned());
    let width =
        entries.iter().map(|entry| line(entry).chars().count()).filter(|width| *width <= WIDEST).max();
    let width = width.unwrap_or(0);
    let mut sections: Vec<Option<String>> = vec![None];
    for entry in entries {
        let section = section(entry);
        if !sections.contains(&section) {
            sections.push(section);
        }
    }
    let mut text = String::new();
    for name in sections {
        if let Some(name) = &name {
            let _ = writeln!(text, "{name}:");
        }
        for entry in entries.iter().filter(|entry| section(entry) == name) {
            // The name of a file may have anything in it.
            let place = entry.place.to_string().replace(char::is_control, " ");
            let _ = writeln!(text, "{:width$}  # {place}", line(entry));
        }
    }
    text
}

/// A longer line does not push the remarks of all others to the right.
const WIDEST: usize = 60;

/// No value.
pub(crate) fn nothing() -> String {
    String::from("null")
}

/// A text; in quotes, unless it can be nothing but a word.
pub(crate) fn text(text: &str) -> String {
    let is_word = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        && !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// A document in one line that is JSON and YAML: what YAML must not have as it is, is escaped.
#[must_use]
pub fn json(value: &serde_json::Value) -> String {
    let mut text = String::new();
    for character in value.to_string().chars() {
        if matches!(character, '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') {
            let _ = write!(text, "\\u{:04x}", u32::from(character));
        } else {
            text.push(character);
        }
    }
    text
}

/// A duration in seconds as people write it, `-9d 18h` for instance.
pub(crate) fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let total = seconds.unsigned_abs();
    let parts = [(total / 86_400, "d"), (total / 3600 % 24, "h"), (total / 60 % 60, "m"), (total % 60, "s")];
    let parts: Vec<_> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if parts.is_empty() { String::from("0s") } else { format!("{sign}{}", parts.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_go_without_quotes() {
        for word in ["reject", "slow-fail", "float32"] {
            assert_eq!(text(word), word);
        }
        for (said, quoted) in
            [("off", "\"off\""), ("11.17", "\"11.17\""), ("a: b", "\"a: b\""), ("a\"b", "\"a\\\"b\"")]
        {
            assert_eq!(text(said), quoted);
        }
    }

    #[test]
    fn json_is_yaml_as_well() {
        let text = "a\u{7f}\u{85}\u{feff}\u{ffff}\u{2028}\"é\u{1f980}\n";
        let written = json(&serde_json::json!([text]));
        assert_eq!(written, "[\"a\\u007f\\u0085\\ufeff\\uffff\u{2028}\\\"é\u{1f980}\\n\"]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).expect("JSON"), [text]);
        assert_eq!(serde_saphyr::from_str::<Vec<String>>(&written).expect("YAML"), [text]);
    }

    #[test]
    fn spans_are_written_in_days_hours_minutes_and_seconds() {
        for (seconds, said) in
            [(0, "0s"), (-28 * 86_400, "-28d"), (-9 * 86_400 - 18 * 3600, "-9d 18h"), (3661, "1h 1m 1s")]
        {
            assert_eq!(span(seconds), said);
        }
    }
}
