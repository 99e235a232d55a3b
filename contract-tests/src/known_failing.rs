//! What a server is known to fail: listed by case, with a ticket and a date on which somebody must look again.
//!
//! Listed cases are told like all others. A list only changes what a failure means; it is wrong as soon as a listed case
//! passes, a line names no case any more, or its date has come, and then fails the run itself: no list rots.

use std::path::Path;

use jiff::civil::Date;

use crate::cases;
use crate::select::Pattern;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands, from 1.
    pub number: usize,
    /// The cases it is about.
    pub pattern: Pattern,
    /// Key of the bug.
    pub ticket: String,
    /// Why they fail; what stands before a colon, if that is one word, names the deviation.
    pub reason: String,
    /// The first day on which the line no longer counts.
    pub expires: Date,
}

impl Line {
    /// The word that names the deviation, if there is one.
    #[must_use]
    pub fn quirk(&self) -> Option<&str> {
        let (word, _) = self.reason.split_once(": ")?;
        (!word.contains(char::is_whitespace)).then_some(word)
    }
}

/// A list, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownFailing {
    source: String,
    lines: Vec<Line>,
}

/// The list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The file itself cannot.
    #[error("{path}: {why}")]
    File {
        /// The file.
        path: String,
        /// What the operating system says.
        why: std::io::Error,
    },
    /// A line has another form.
    #[error("{source_name}:{line}: {why}; expected `pattern | ticket | reason | YYYY-MM-DD`")]
    Line {
        /// The file.
        source_name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl KnownFailing {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let source = path.display().to_string();
        let text =
            std::fs::read_to_string(path).map_err(|why| Unreadable::File { path: source.clone(), why })?;
        Self::parse(&source, &text)
    }

    /// Reads a text; `source` names it in messages.
    ///
    /// # Errors
    /// When a line has another form.
    pub fn parse(source: &str, text: &str) -> Result<Self, Unreadable> {
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let one = one(number, line).map_err(|why| Unreadable::Line {
                source_name: source.to_owned(),
                line: number,
                why,
            })?;
            lines.push(one);
        }
        Ok(Self { source: source.to_owned(), lines })
    }

    /// Its lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The first line about a case.
    #[must_use]
    pub fn about(&self, id: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.pattern.matches(id))
    }

    /// Lines that name no case, and those whose date has come.
    #[must_use]
    pub fn rotten(&self, today: Date) -> Vec<String> {
        let at = |line: &Line| format!("{}:{}: {}", self.source, line.number, line.pattern);
        let unmatched = self.lines.iter().filter(|line| !line.pattern.matches_any_case()).map(|line| {
            format!("{} matches no case: correct the pattern or remove the line{}", at(line), near(line))
        });
        let expired = self.lines.iter().filter(|line| line.expires <= today).map(|line| {
            format!(
                "{} expired on {}: ask for {} and either fix the server or give the line another date",
                at(line),
                line.expires,
                line.ticket
            )
        });
        unmatched.chain(expired).collect()
    }

    /// What to say of a listed case that passed.
    #[must_use]
    pub fn healed(&self, line: &Line, id: &str) -> String {
        format!(
            "{}:{}: {id} passes now: remove it from the list and close {}",
            self.source, line.number, line.ticket
        )
    }
}

/// Cases move to other areas more often than they change their names.
fn near(line: &Line) -> String {
    let text = line.pattern.to_string();
    let name = text.rsplit_once('/').map_or(text.as_str(), |(_, name)| name);
    let moved = Pattern::new(format!("*/{name}"));
    let now = cases::all().find(|case| name != "*" && moved.matches(case.id));
    now.map_or_else(String::new, |case| format!(" (is it {} now?)", case.id))
}

fn one(number: usize, line: &str) -> Result<Line, String> {
    let fields: Vec<_> = line.split('|').map(str::trim).collect();
    let [pattern, ticket, reason, expires] = fields[..] else {
        return Err(format!("{} fields instead of four", fields.len()));
    };
    if let Some(name) = [("pattern", pattern), ("ticket", ticket), ("reason", reason)]
        .iter()
        .find(|(_, text)| text.is_empty())
    {
        return Err(format!("the {} is missing", name.0));
    }
    let expires = expires.parse().map_err(|_| format!("{expires:?} is no date"))?;
    Ok(Line {
        number,
        pattern: Pattern::new(pattern),
        ticket: ticket.to_owned(),
        reason: reason.to_owned(),
        expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 1, 15);

    fn parsed(text: &str) -> KnownFailing {
        KnownFailing::parse("list.txt", text).expect("a list")
    }

    #[test]
    fn lines_are_read_and_comments_are_not() {
        let list = parsed("# why\n\n  health/* | PZ-1 | slow-outage: takes too long | 2026-02-01  \n");
        let line = list.about("health/ack-contract").expect("a line");
        assert_eq!((line.number, line.ticket.as_str(), line.quirk()), (3, "PZ-1", Some("slow-outage")));
        assert_eq!(list.about("nfft/x"), None);
        assert_eq!(list.rotten(TODAY), Vec::<String>::new());
    }

    #[test]
    fn other_forms_are_refused_with_their_place() {
        for (text, why) in [
            ("health/*", "1 fields instead of four"),
            ("health/* | PZ-1 | x | 2026-13-01", "\"2026-13-01\" is no date"),
            ("health/* | PZ-1 | x | ", "\"\" is no date"),
            ("health/* |  | x | 2026-12-01", "the ticket is missing"),
            (" | PZ-1 | x | 2026-12-01", "the pattern is missing"),
            ("a | b | c | 2026-12-01 | e", "5 fields instead of four"),
        ] {
            let error = KnownFailing::parse("list.txt", text).expect_err("no list").to_string();
            assert_eq!(
                error,
                format!("list.txt:1: {why}; expected `pattern | ticket | reason | YYYY-MM-DD`")
            );
        }
    }

    #[test]
    fn lines_rot() {
        let list = parsed("gone/ack-contract | PZ-1 | x | 2026-01-16\nhealth/* | PZ-2 | x | 2026-01-15\n");
        let rotten = list.rotten(TODAY);
        assert_eq!(rotten.len(), 2, "{rotten:?}");
        assert!(rotten[0].starts_with("list.txt:1: gone/ack-contract matches no case"), "{rotten:?}");
        assert!(rotten[0].ends_with("(is it health/ack-contract now?)"), "{rotten:?}");
        assert!(
            rotten[1].starts_with("list.txt:2: health/* expired on 2026-01-15: ask for PZ-2"),
            "{rotten:?}"
        );
    }

    #[test]
    fn every_line_of_the_lists_that_ship_names_a_case() {
        let lists = concat!(env!("CARGO_MANIFEST_DIR"), "/known-failing");
        for file in std::fs::read_dir(lists).expect("the lists") {
            let list = KnownFailing::read(&file.expect("a list").path()).expect("a list that can be read");
            let rotten = list.rotten(Date::MIN);
            assert!(rotten.is_empty(), "\n{}", rotten.join("\n"));
        }
    }
}
