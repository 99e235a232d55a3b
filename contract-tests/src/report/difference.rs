//! What was expected beside what came, line by line.

use similar::TextDiff;

use super::words::{cut, indented, plain};
use crate::failure::Difference;

/// Longest text of which lines are compared, in characters; beyond it, nobody reads on.
const LONGEST: usize = 100_000;
/// Lines shown around one that differs.
const AROUND: usize = 3;

/// As a unified difference: `-` is expected, `+` came.
#[must_use]
pub fn difference(texts: &Difference) -> String {
    let side = |text: &str| {
        let lines = indented(text).unwrap_or_else(|| text.to_owned());
        format!("{}\n", plain(&cut(&lines, LONGEST)))
    };
    let (expected, got) = (side(&texts.expected), side(&texts.got));
    if expected == got {
        // Two texts that differ in white space only, which lines do not show.
        return format!("-{:?}\n+{:?}\n", texts.expected, texts.got);
    }
    let lines = TextDiff::from_lines(&expected, &got);
    lines.unified_diff().context_radius(AROUND).header("expected", "got").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(expected: &str, got: &str) -> String {
        difference(&Difference { expected: expected.to_owned(), got: got.to_owned() })
    }

    #[test]
    fn json_differs_by_line() {
        let shown = of(r#"{"a":1,"b":{"c":2}}"#, r#"{"a":1,"b":{"c":3}}"#);
        let expected = "--- expected\n+++ got\n@@ -1,6 +1,6 @@\n {\n   \"a\": 1,\n   \"b\": {\n-    \"c\": 2\n+    \"c\": 3\n   }\n }\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn other_texts_differ_as_they_are() {
        assert_eq!(of("200", "500"), "--- expected\n+++ got\n@@ -1 +1 @@\n-200\n+500\n");
        assert_eq!(of(r#"{"a":1}"#, r#"{"a": 1}"#), "-\"{\\\"a\\\":1}\"\n+\"{\\\"a\\\": 1}\"\n");
    }
}
