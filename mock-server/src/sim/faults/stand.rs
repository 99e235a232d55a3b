//! The rules of one point, laid out so that those that pass a subject by cost next to nothing.

use super::matching::{Fact, Matcher, Part, Sign, whole};
use super::rule::Seen;
use crate::domain::time::Moment;

/// Rules of a point, one behind the other, that look at the same part of the same fact.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Which of the point's values.
    value: u32,
    mask: u64,
    /// How many.
    rules: u32,
}

const EIGHT: usize = 8;

/// A header that rules look at.
#[derive(Debug)]
struct Named {
    /// The number of its name.
    mark: u64,
    value: u32,
    fact: Fact,
    part: Part,
}

/// The rules of one point, in the order of their installation.
#[derive(Debug, Default)]
pub(super) struct Stand {
    /// What they look at beside headers, and where its value is.
    facts: Vec<(Fact, Part, u32)>,
    /// By their marks.
    headers: Vec<Named>,
    runs: Vec<Run>,
    /// What each rule wants the value of its run to be.
    wants: Vec<u64>,
    /// Which of all rules each is, and the moment after which it passes everybody.
    rules: Vec<(u32, u64)>,
    /// The facts of the subject that is being judged: kept here so that nobody need allocate it. A rule that looks at
    /// nothing looks at the first, which is 0 for everybody.
    values: Vec<u64>,
}

impl Stand {
    /// Takes in a rule behind all others.
    pub(super) fn add(&mut self, rule: u32, matcher: &Matcher, over: Option<Moment>) {
        let (value, mask, wants) = matcher
            .sign()
            .map_or((0, 0, 0), |Sign { fact, part, mask, wants }| (self.value(fact, part), mask, wants));
        self.wants.push(wants);
        self.rules.push((rule, over.map_or(u64::MAX, Moment::nanos)));
        match self.runs.last_mut() {
            Some(run) if (run.value, run.mask) == (value, mask) => run.rules += 1,
            Some(_) | None => self.runs.push(Run { value, mask, rules: 1 }),
        }
    }

    /// Where the value of a fact is.
    fn value(&mut self, fact: Fact, part: Part) -> u32 {
        let next =
            u32::try_from(1 + self.facts.len() + self.headers.len()).expect("no more facts than rules");
        let Fact::Header(name) = &fact else {
            let known = self.facts.iter().find(|(other, of, _)| (other, *of) == (&fact, part));
            return known.map(|(_, _, value)| *value).unwrap_or_else(|| {
                self.facts.push((fact, part, next));
                next
            });
        };
        let mark = whole(name);
        let known = self.headers.iter().find(|named| named.fact == fact && named.part == part);
        known.map(|named| named.value).unwrap_or_else(|| {
            let at = self.headers.partition_point(|named| named.mark < mark);
            self.headers.insert(at, Named { mark, value: next, fact, part });
            next
        })
    }

    /// Takes all rules out.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Asks the rules that a subject may meet, in order, until one says something; those it cannot meet are left out as
    /// far as that is seen at a glance.
    pub(super) fn ask<T>(
        &mut self,
        seen: &Seen<'_>,
        now: Moment,
        mut ask: impl FnMut(usize) -> Option<T>,
    ) -> Option<T> {
        self.look(seen);
        let now = now.nanos();
        let (mut wants, mut rules) = (&self.wants[..], &self.rules[..]);
        for run in &self.runs {
            let value = self.values[run.value as usize] & run.mask;
            let (of_run, later) = wants.split_at(run.rules as usize);
            // Several are compared at once, which the compiler knows how to do.
            for some in of_run.chunks(EIGHT) {
                let (of_some, later) = rules.split_at(some.len());
                rules = later;
                if !some.iter().fold(false, |any, wants| any | (*wants == value)) {
                    continue;
                }
                let fitting = some.iter().zip(of_some).filter(|(wants, _)| **wants == value);
                let said = fitting
                    .filter(|(_, (_, over))| *over >= now)
                    .find_map(|(_, (rule, _))| ask(*rule as usize));
                if said.is_some() {
                    return said;
                }
            }
            wants = later;
        }
        None
    }

    /// Looks up the facts of a subject.
    fn look(&mut self, seen: &Seen<'_>) {
        let Self { facts, headers, values, .. } = self;
        values.clear();
        values.resize(1 + facts.len() + headers.len(), 0);
        for (fact, part, value) in facts {
            values[*value as usize] = seen.number(fact, *part);
        }
        if headers.is_empty() {
            return;
        }
        // A request has few headers, but rules may want to see many.
        let told = seen.subject.header_names(&mut |name| {
            let mark = whole(name);
            let first = headers.partition_point(|named| named.mark < mark);
            for named in headers[first..].iter().take_while(|named| named.mark == mark) {
                values[named.value as usize] = seen.number(&named.fact, named.part);
            }
        });
        if !told {
            for named in headers {
                values[named.value as usize] = seen.number(&named.fact, named.part);
            }
        }
    }
}
