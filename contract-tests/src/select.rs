//! Which cases are told: by pattern, by tag, by suite.

use std::fmt;
use std::time::Duration;

use crate::case::{Case, Tag};
use crate::cases;

/// Matches ids: `*` is anything within a part, `**` anything across parts, all else is itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern as somebody wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether an id is one of those it means.
    #[must_use]
    pub fn matches(&self, id: &str) -> bool {
        fits(self.0.as_bytes(), id.as_bytes())
    }

    /// Whether any case of the registry is one of those.
    #[must_use]
    pub fn matches_any_case(&self) -> bool {
        cases::all().any(|case| self.matches(case.id))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fits(pattern: &[u8], id: &[u8]) -> bool {
    let ends_in = |end: usize, rest: &[u8]| (0..=end).any(|at| fits(rest, &id[at..]));
    match pattern {
        [] => id.is_empty(),
        [b'*', b'*', rest @ ..] => ends_in(id.len(), rest),
        [b'*', rest @ ..] => ends_in(id.iter().position(|byte| *byte == b'/').unwrap_or(id.len()), rest),
        [byte, rest @ ..] => id.first() == Some(byte) && fits(rest, &id[1..]),
    }
}

/// Cases that belong to one occasion, and when a run of them has gone on for long enough.
#[derive(Clone, Copy, Debug)]
pub struct Suite {
    /// As `--suite` has it.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// After how many failures no other case is begun.
    pub most_failures: Option<usize>,
    /// How long the whole run may take.
    pub limit: Duration,
    holds: fn(&Case) -> bool,
}

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

/// All of them.
pub static SUITES: &[Suite] = &[
    Suite {
        name: "smoke",
        about: "every push and pull request: cases tagged smoke; stops after 10 failures",
        most_failures: Some(10),
        limit: minutes(10),
        holds: |case| has(case, Tag::Smoke),
    },
    Suite {
        name: "load-quick",
        about: "pull requests that touch load: cases tagged load that are neither nightly nor long",
        most_failures: None,
        limit: minutes(15),
        holds: |case| has(case, Tag::Load) && !has(case, Tag::Nightly) && !has(case, Tag::Long),
    },
    Suite {
        name: "regression",
        about: "nightly: cases tagged regression that are neither nightly, load nor long",
        most_failures: None,
        limit: minutes(240),
        holds: |case| {
            has(case, Tag::Regression)
                && ![Tag::Nightly, Tag::Load, Tag::Long].iter().any(|tag| has(case, *tag))
        },
    },
    Suite {
        name: "load",
        about: "nightly or on demand: cases tagged load",
        most_failures: None,
        limit: minutes(120),
        holds: |case| has(case, Tag::Load),
    },
    Suite {
        name: "live-jobs",
        about: "nightly: the life of jobs and their streams (areas jobs and streams), without load and long",
        most_failures: None,
        limit: minutes(30),
        holds: |case| {
            ["jobs", "streams"].contains(&case.area()) && !has(case, Tag::Load) && !has(case, Tag::Long)
        },
    },
    Suite {
        name: "stability",
        about: "nightly or weekly: cases tagged long",
        most_failures: None,
        limit: minutes(90),
        holds: |case| has(case, Tag::Long),
    },
];

fn has(case: &Case, tag: Tag) -> bool {
    case.tags.contains(&tag)
}

impl Suite {
    /// The suite of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SUITES.iter().find(|suite| suite.name == name)
    }

    /// Whether a case belongs to it.
    #[must_use]
    pub fn holds(&self, case: &Case) -> bool {
        (self.holds)(case)
    }
}

/// What somebody asked for. Whatever is left empty leaves nothing out.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Cases of which at least one matches.
    pub only: Vec<Pattern>,
    /// Cases of which none matches.
    pub skip: Vec<Pattern>,
    /// Cases with at least one of them.
    pub tags: Vec<Tag>,
    /// Cases of that suite.
    pub suite: Option<&'static Suite>,
}

/// It picks nothing.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoCase {
    /// A pattern means no case at all, so it is a mistake.
    #[error("no case matches {pattern}{hint}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What may have been meant.
        hint: String,
    },
    /// Each part means some case, but all together mean none.
    #[error("no case is left: --only, --skip, --tag and --suite together leave none")]
    Together,
}

impl Selection {
    /// The cases it picks, in the order of the registry.
    ///
    /// # Errors
    /// When there is none, or a pattern matches none.
    pub fn pick(&self) -> Result<Vec<&'static Case>, NoCase> {
        if let Some(pattern) = self.only.iter().chain(&self.skip).find(|pattern| !pattern.matches_any_case())
        {
            return Err(NoCase::Pattern { pattern: pattern.to_string(), hint: hint(pattern) });
        }
        let any = |patterns: &[Pattern], case: &Case| patterns.iter().any(|one| one.matches(case.id));
        let picked: Vec<_> = cases::all()
            .filter(|case| self.only.is_empty() || any(&self.only, case))
            .filter(|case| !any(&self.skip, case))
            .filter(|case| self.tags.is_empty() || self.tags.iter().any(|tag| has(case, *tag)))
            .filter(|case| self.suite.is_none_or(|suite| suite.holds(case)))
            .collect();
        if picked.is_empty() { Err(NoCase::Together) } else { Ok(picked) }
    }
}

/// People leave the area out, or name nothing but it.
fn hint(pattern: &Pattern) -> String {
    let meant = [format!("{pattern}/*"), format!("*/{pattern}"), format!("**{pattern}**")];
    let meant = meant.into_iter().find(|other| Pattern::new(other.as_str()).matches_any_case());
    meant.map_or_else(|| String::from("; `focus-contract list` shows all"), |other| format!("; {other} does"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stays_within_a_part_and_two_do_not() {
        for (pattern, id, expected) in [
            ("nfft/*", "nfft/zero", true),
            ("nfft/*", "nfft/", true),
            ("nfft/*", "nfft", false),
            ("*", "nfft/zero", false),
            ("**", "nfft/zero", true),
            ("n**o", "nfft/zero", true),
            ("n*o", "nfft/zero", false),
            ("*/*-ze*", "nfft/not-zero", true),
            ("nfft/zero", "nfft/zero", true),
            ("nfft/zero", "nfft/zeros", false),
            ("", "nfft/zero", false),
            // Nothing else is special.
            ("nfft/zer?", "nfft/zero", false),
            ("[n]fft/zero", "nfft/zero", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(id), expected, "{pattern} {id}");
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_is_a_mistake_with_a_hint() {
        let picked = |only: &str| Selection { only: vec![Pattern::new(only)], ..Selection::default() }.pick();
        assert!(picked("health/*").is_ok_and(|cases| cases.iter().all(|case| case.area() == "health")));
        for (pattern, hint) in [
            ("health", "; health/* does"),
            ("ack-contract", "; */ack-contract does"),
            ("k-contr", "; **k-contr** does"),
            ("nothing/*", "; `focus-contract list` shows all"),
        ] {
            let expected = NoCase::Pattern { pattern: pattern.to_owned(), hint: hint.to_owned() };
            assert_eq!(picked(pattern).map(|cases| cases.len()), Err(expected));
        }
    }

    #[test]
    fn what_is_left_out_is_left_out_of_what_is_picked() {
        let skip = vec![Pattern::new("health/*")];
        let selection = Selection { only: skip.clone(), skip, ..Selection::default() };
        assert_eq!(selection.pick().map(|cases| cases.len()), Err(NoCase::Together));
        let smoke = Selection { suite: Suite::named("smoke"), ..Selection::default() }.pick();
        assert!(smoke.is_ok_and(|cases| cases.iter().all(|case| case.tags.contains(&Tag::Smoke))));
    }
}
