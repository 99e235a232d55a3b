//! Whole answers as they were approved: one file each, shared by all servers.
//!
//! The files are insta's. `cargo test` lets insta keep them ([`keep_with`]), so that `cargo insta review` shows and
//! approves what is new; any other program compares with the copies it carries inside, and changes nothing.

use std::fmt::Write as _;
use std::sync::OnceLock;

use crate::answer::Answer;
use crate::failure::Failure;
use crate::redact;
use crate::story::Story;

/// Who compares a text with the file of that name, and tells what is wrong.
pub type Keeper = fn(name: &str, text: &str) -> Result<(), String>;

static KEEPER: OnceLock<Keeper> = OnceLock::new();

/// Lets somebody else compare, who may also write files; the first one stays.
pub fn keep_with(keeper: Keeper) {
    let _ = KEEPER.set(keeper);
}

macro_rules! approved {
    ($($name:literal,)*) => {
        /// Every snapshot, by name, as this program was built with it.
        pub static APPROVED: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../snapshots/", $name, ".snap"))),)*];
    };
}

approved! {
    "ack",
    "body-too-large",
    "broker-unavailable",
    "cancel",
    "cancel-unknown-job",
    "capacity-exhausted",
    "channels",
    "config",
    "config-bad-id",
    "config-bad-range",
    "config-missing",
    "configure-channels-below-one",
    "configure-channels-beyond",
    "configure-channels-reversed",
    "configure-duration",
    "configure-duration-missing",
    "configure-frequencies-reversed",
    "configure-future",
    "configure-height",
    "configure-historic",
    "configure-historic-metadata",
    "configure-many",
    "configure-multichannel",
    "configure-multichannel-metadata",
    "configure-negative-time",
    "configure-nfft",
    "configure-nfft-type",
    "configure-no-object",
    "configure-no-recording",
    "configure-nothing",
    "configure-nyquist",
    "configure-one-time",
    "configure-single",
    "configure-single-channel",
    "configure-single-metadata",
    "configure-times-reversed",
    "configure-view",
    "configure-waterfall",
    "configure-waterfall-minimal",
    "configure-waterfall-minimal-metadata",
    "docs",
    "job-creation-failed",
    "live-metadata",
    "live-metadata-waiting",
    "malformed-json",
    "metadata-unknown-job",
    "method-not-allowed",
    "not-found",
    "openapi",
    "port-in-use",
    "recordings",
    "recordings-missing",
    "recordings-none",
    "recordings-reversed",
    "recordings-unavailable",
    "sensors",
    "server-down",
    "task-metadata",
    "task-metadata-not-yet",
    "task-metadata-over",
    "timeline",
    "timeline-unavailable",
    "waiting-for-fiber",
    "waterfall-no-rows",
    "waterfall-not-yet",
    "waterfall-over",
    "waterfall-rows",
    "waterfall-rows-no-integer",
    "waterfall-unknown-task",
}

/// What a file holds, below the lines that are insta's own.
#[must_use]
pub fn content(file: &str) -> &str {
    let body = file.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    body.map_or(file, |(_, body)| body).trim_end()
}

/// The approved text of that name.
#[must_use]
pub fn approved(name: &str) -> Option<&'static str> {
    APPROVED.iter().find(|(known, _)| *known == name).map(|(_, file)| content(file))
}

impl Story {
    /// Compares an answer, without what varies, with the one that was approved under that name.
    ///
    /// # Errors
    /// When they differ, or there is none.
    pub fn snapshot(&self, name: &str, answer: &Answer) -> Result<(), Failure> {
        let text = redact::exchange(&answer.0);
        let compared = match KEEPER.get() {
            Some(keeper) => keeper(name, &text),
            None => compare(name, &text),
        };
        compared.map_err(|what| answer.broken(what))
    }
}

fn compare(name: &str, text: &str) -> Result<(), String> {
    match approved(name) {
        None => Err(format!("no snapshot {name} was approved; this is what came:\n{text}")),
        Some(approved) if approved == text.trim_end() => Ok(()),
        Some(approved) => Err(format!(
            "the answer is not the approved snapshot {name} (- approved, + came):\n{}",
            difference(approved, text.trim_end())
        )),
    }
}

/// Two texts line by line: what both begin and end with is cut down to three lines.
#[must_use]
pub fn difference(expected: &str, got: &str) -> String {
    const AROUND: usize = 3;
    let (expected, got): (Vec<_>, Vec<_>) = (expected.lines().collect(), got.lines().collect());
    let shorter = expected.len().min(got.len());
    let before = expected.iter().zip(&got).take_while(|(one, other)| one == other).count();
    let behind = expected.iter().rev().zip(got.iter().rev()).take_while(|(one, other)| one == other).count();
    let behind = behind.min(shorter - before);
    let mut text = String::new();
    let mut lines = |sign: char, lines: &[&str]| {
        for line in lines {
            let _ = writeln!(text, "  {sign} {line}");
        }
    };
    lines(' ', &expected[before.saturating_sub(AROUND)..before]);
    lines('-', &expected[before..expected.len() - behind]);
    lines('+', &got[before..got.len() - behind]);
    let end = expected.len() - behind;
    lines(' ', &expected[end..(end + AROUND).min(expected.len())]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_insta_are_no_content() {
        let file = "---\nsource: contract-tests/tests/cases.rs\n---\nGET /ack\n---\n200\n\n";
        assert_eq!(content(file), "GET /ack\n---\n200");
    }

    #[test]
    fn a_difference_shows_what_is_around_it() {
        let (one, other) = ("a\nb\nc\nd\ne\nf\ng\nh\ni", "a\nb\nc\nd\nE\nF\ng\nh\ni");
        let expected = "    b\n    c\n    d\n  - e\n  - f\n  + E\n  + F\n    g\n    h\n    i\n";
        assert_eq!(difference(one, other), expected);
        assert_eq!(difference("a\na", "a"), "    a\n  - a\n");
    }

    #[test]
    fn what_was_not_approved_is_refused() {
        let refused = compare("nothing-of-that-name", "200").expect_err("there is none");
        assert!(refused.contains("no snapshot nothing-of-that-name"), "{refused}");
    }
}
