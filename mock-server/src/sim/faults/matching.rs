//! Matches as the table asks them. Most rules pass most subjects by, so each is told apart by one number first: a fact
//! of the subject is looked up once for all rules that want it, and a rule is asked in full only where its number fits.

use wildmatch::WildMatch;

use super::point::{AnyRoute, Point};
use super::rule::{Frames, Match, Seen};

/// A text, or a pattern of texts.
#[derive(Clone, Debug, PartialEq)]
enum Text {
    Exact(Box<str>),
    Wild(WildMatch),
}

impl Text {
    fn of(wild: &WildMatch) -> Self {
        let pattern = wild.pattern();
        let is_plain = !wild.is_case_insensitive() && !pattern.contains(['*', '?']);
        if is_plain { Self::Exact(pattern.into()) } else { Self::Wild(wild.clone()) }
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *text,
            Self::Wild(wild) => wild.matches(text),
        }
    }
}

/// To whom a rule happens, ready to be asked.
#[derive(Clone, Debug)]
pub(super) struct Matcher {
    method: Option<Box<str>>,
    stream: Option<u32>,
    frames: Option<Frames>,
    view: Option<u8>,
    job: Option<Text>,
    caller: Option<Text>,
    headers: Vec<(Box<str>, Text)>,
}

impl Matcher {
    /// All of it but the route, which is a matter of where the rule stands.
    pub(super) fn of(matches: &Match) -> Self {
        let Match { route: _, method, job, view, stream, frames, headers, caller } = matches;
        Self {
            method: method.as_deref().map(Into::into),
            stream: *stream,
            frames: *frames,
            view: *view,
            job: job.as_ref().map(Text::of),
            caller: caller.as_ref().map(Text::of),
            headers: headers.iter().map(|(name, wild)| (name.as_str().into(), Text::of(wild))).collect(),
        }
    }

    /// Whether it happens to a subject.
    pub(super) fn holds(&self, seen: &Seen<'_>) -> bool {
        let subject = seen.subject;
        let is = |wanted: &Option<Text>, text: Option<&str>| {
            wanted.as_ref().zip(text).is_some_and(|(wanted, text)| wanted.matches(text))
        };
        let frames = |frames: &Frames| {
            let number = subject.frame();
            number.is_some_and(|n| n >= frames.first && frames.last.is_none_or(|last| n <= last))
        };
        self.method.as_deref().is_none_or(|method| subject.method() == Some(method))
            && self.stream.is_none_or(|stream| subject.stream() == Some(stream))
            && self.frames.as_ref().is_none_or(frames)
            && self.view.is_none_or(|view| subject.view() == Some(view))
            && (self.job.is_none() || is(&self.job, seen.job()))
            && (self.caller.is_none() || is(&self.caller, seen.caller()))
            && self
                .headers
                .iter()
                .all(|(name, text)| subject.header(name).is_some_and(|value| text.matches(value)))
    }

    /// What tells most subjects apart that it does not happen to: whole texts before beginnings of texts.
    pub(super) fn sign(&self) -> Option<Sign> {
        let headers = || self.headers.iter().map(|(name, text)| (Fact::Header(name.clone()), text));
        let caller = self.caller.iter().map(|text| (Fact::Caller, text));
        let texts = || headers().chain(caller.clone()).chain(self.job.iter().map(|text| (Fact::Job, text)));
        let whole = |fact, text: &str| Sign { fact, part: Part::Whole, mask: u64::MAX, wants: whole(text) };
        let number = |fact, number: u64| Sign { fact, part: Part::Whole, mask: u64::MAX, wants: number + 1 };
        let exact = texts().find_map(|(fact, text)| match text {
            Text::Exact(text) => Some(whole(fact, text)),
            Text::Wild(_) => None,
        });
        let begins = || {
            texts().find_map(|(fact, text)| match text {
                Text::Wild(wild) if !wild.is_case_insensitive() => {
                    let (mask, wants) = beginning(&wild.pattern());
                    (mask > 0).then_some(Sign { fact, part: Part::Head, mask, wants })
                }
                Text::Exact(_) | Text::Wild(_) => None,
            })
        };
        exact
            .or_else(|| self.method.as_deref().map(|method| whole(Fact::Method, method)))
            .or_else(|| self.stream.map(|stream| number(Fact::Stream, stream.into())))
            .or_else(|| self.view.map(|view| number(Fact::View, view.into())))
            .or_else(begins)
    }
}

/// Something that a subject has or has not.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fact {
    Method,
    Stream,
    View,
    Job,
    Caller,
    Header(Box<str>),
}

/// What of a text is made a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part {
    Whole,
    Head,
}

/// What a fact must look like; one that does not exist looks like 0.
pub(super) struct Sign {
    pub(super) fact: Fact,
    pub(super) part: Part,
    pub(super) mask: u64,
    pub(super) wants: u64,
}

/// A number that differs for most texts that differ, and is never 0. It only saves comparing them.
pub(super) fn whole(text: &str) -> u64 {
    let mixed = text.as_bytes().chunks(8).fold(text.len() as u64, |sum, bytes| {
        (sum.rotate_left(5) ^ word(bytes)).wrapping_mul(0x517c_c1b7_2722_0a95)
    });
    mixed | 1
}

/// Up to eight bytes as a number, the first as its lowest.
fn word(bytes: &[u8]) -> u64 {
    let slowly = || bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    bytes.first_chunk().map_or_else(slowly, |eight| u64::from_le_bytes(*eight))
}

/// The first bytes that every text of a pattern has: which of eight, and what they are.
fn beginning(pattern: &str) -> (u64, u64) {
    let fixed = pattern.find(['*', '?']).unwrap_or(pattern.len()).min(8);
    let mask = if fixed == 8 { u64::MAX } else { (1 << (8 * fixed)) - 1 };
    (mask, word(&pattern.as_bytes()[..fixed]))
}

impl Seen<'_> {
    pub(super) fn number(&self, fact: &Fact, part: Part) -> u64 {
        let number = |number: Option<u64>| number.map_or(0, |number| number + 1);
        let text = match fact {
            Fact::Stream => return number(self.subject.stream().map(u64::from)),
            Fact::View => return number(self.subject.view().map(u64::from)),
            Fact::Method => self.subject.method(),
            Fact::Job => self.job(),
            Fact::Caller => self.caller(),
            Fact::Header(name) => self.subject.header(name),
        };
        text.map_or(0, |text| match part {
            Part::Whole => whole(text),
            Part::Head => word(text.as_bytes()),
        })
    }
}

/// Whether a rule's match names the route of a point, or none.
pub(super) fn stands_at(matches: &Match, point: Point) -> bool {
    matches.route.is_none_or(|route| match (route, point) {
        (AnyRoute::Rest(route), Point::Rest(at, _)) => at == route,
        (AnyRoute::Kube(route), Point::Kube(at, _)) => at == route,
        (AnyRoute::Rest(_) | AnyRoute::Kube(_), _) => false,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::ids::JobId;
    use crate::domain::time::Moment;
    use crate::sim::faults::Subject;
    use crate::sim::faults::stand::Stand;

    #[derive(Clone, Debug)]
    struct Someone {
        method: Option<String>,
        stream: Option<u32>,
        view: Option<u8>,
        frame: Option<u64>,
        caller: Option<String>,
        job: Option<JobId>,
        headers: Vec<(String, String)>,
        /// Whether it can name its headers.
        names: bool,
    }

    impl Subject for Someone {
        fn resource(&self) -> String {
            String::new()
        }
        fn method(&self) -> Option<&str> {
            self.method.as_deref()
        }
        fn header(&self, name: &str) -> Option<&str> {
            self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
        }
        fn header_names(&self, tell: &mut dyn FnMut(&str)) -> bool {
            self.headers.iter().filter(|_| self.names).for_each(|(name, _)| tell(name));
            self.names
        }
        fn caller(&self) -> Option<std::borrow::Cow<'_, str>> {
            self.caller.as_deref().map(Into::into)
        }
        fn job(&self) -> Option<JobId> {
            self.job
        }
        fn view(&self) -> Option<u8> {
            self.view
        }
        fn stream(&self) -> Option<u32> {
            self.stream
        }
        fn frame(&self) -> Option<u64> {
            self.frame
        }
    }

    /// The same without any preparation.
    fn plainly(matches: &Match, who: &Someone) -> bool {
        let job = who.job.map(|job| job.to_string());
        let text = |wild: &Option<WildMatch>, text: Option<&str>| {
            wild.as_ref().is_none_or(|wild| text.is_some_and(|text| wild.matches(text)))
        };
        let frames = |frames: &Frames| {
            who.frame.is_some_and(|n| n >= frames.first && n <= frames.last.unwrap_or(u64::MAX))
        };
        (matches.method.is_none() || matches.method == who.method)
            && (matches.stream.is_none() || matches.stream == who.stream)
            && (matches.view.is_none() || matches.view == who.view)
            && matches.frames.as_ref().is_none_or(frames)
            && text(&matches.caller, who.caller.as_deref())
            && text(&matches.job, job.as_deref())
            && matches
                .headers
                .iter()
                .all(|(name, wild)| who.header(name).is_some_and(|value| wild.matches(value)))
    }

    /// Few letters, so that texts are often the same, and beyond eight bytes, where numbers begin to lose something.
    fn text() -> impl Strategy<Value = String> {
        "(|[abé]{1,3}|abababa[abé]{1,3})"
    }

    fn wild() -> impl Strategy<Value = WildMatch> {
        "(|[abé]{1,3}|[abé*?]{1,3}|abababa[abé*?]{1,3})".prop_map(|text| WildMatch::new(&text))
    }

    fn job_pattern() -> impl Strategy<Value = WildMatch> {
        "([12]-[12]|[12]-\\*|\\*-?[12]|[12]-\\?)".prop_map(|text| WildMatch::new(&text))
    }

    fn name() -> impl Strategy<Value = String> {
        "x-[ab]"
    }

    fn matches() -> impl Strategy<Value = Match> {
        let frames = (0..3_u64, of(3..5_u64)).prop_map(|(first, last)| Frames { first, last });
        let numbers = (of(0..2_u32), of(0..2_u8), of(frames));
        let texts = (of(text()), of(wild()), of(job_pattern()), vec((name(), wild()), 0..3));
        (numbers, texts).prop_map(|((stream, view, frames), (method, caller, job, headers))| Match {
            route: None,
            method,
            job,
            view,
            stream,
            frames,
            headers,
            caller,
        })
    }

    fn someone() -> impl Strategy<Value = Someone> {
        let numbers = (of(0..2_u32), of(0..2_u8), of(0..6_u64));
        let job = of("[12]-[12]".prop_map(|text| text.parse().expect("a job's id")));
        let texts = (of(text()), of(text()), job, vec((name(), text()), 0..3));
        (numbers, texts, any::<bool>()).prop_map(|(numbers, (method, caller, job, headers), names)| Someone {
            method,
            stream: numbers.0,
            view: numbers.1,
            frame: numbers.2,
            caller,
            job,
            headers,
            names,
        })
    }

    /// The rules that happen to somebody, asked as the table asks them.
    fn met(rules: &[Match], who: &Someone) -> Vec<usize> {
        let (seen, now) = (Seen::new(who), Moment::from_nanos(7));
        let matchers: Vec<_> = rules.iter().map(Matcher::of).collect();
        let mut stand = Stand::default();
        for (number, matcher) in (0..).zip(&matchers) {
            stand.add(number, matcher, None);
        }
        let mut met = Vec::new();
        stand.ask(&seen, now, |number| {
            met.extend(matchers[number].holds(&seen).then_some(number));
            None::<()>
        });
        met
    }

    proptest! {
        #[test]
        fn a_prepared_match_says_the_same_as_a_plain_one(
            rules in vec(matches(), 1..12),
            who in someone(),
        ) {
            let expected: Vec<_> = (0..rules.len()).filter(|number| plainly(&rules[*number], &who)).collect();
            prop_assert_eq!(met(&rules, &who), expected);
        }

        /// Rules of one key, as most are: with several, few happen to anybody.
        #[test]
        fn so_does_one_of_a_single_key(
            wilds in vec(wild(), 1..12),
            text in text(),
            by_caller in any::<bool>(),
        ) {
            let rule = |wild: &WildMatch| if by_caller {
                Match { caller: Some(wild.clone()), ..Match::default() }
            } else {
                Match { headers: vec![("x-a".into(), wild.clone())], ..Match::default() }
            };
            let rules: Vec<_> = wilds.iter().map(rule).collect();
            let who = Someone {
                method: None, stream: None, view: None, frame: None, job: None,
                caller: by_caller.then(|| text.clone()),
                headers: if by_caller { vec![] } else { vec![("x-a".into(), text)] },
                names: true,
            };
            let expected: Vec<_> = (0..rules.len()).filter(|number| plainly(&rules[*number], &who)).collect();
            prop_assert_eq!(met(&rules, &who), expected);
        }
    }

    #[test]
    fn a_pattern_is_wild_only_if_it_has_something_wild() {
        for exact in ["", "GET", "127.0.0.1", "é"] {
            assert_eq!(Text::of(&WildMatch::new(exact)), Text::Exact(exact.into()));
        }
        for pattern in ["*", "a?", "?é"] {
            assert_eq!(Text::of(&WildMatch::new(pattern)), Text::Wild(WildMatch::new(pattern)));
        }
        assert!(Text::of(&WildMatch::new_case_insensitive("GET")).matches("get"));
    }

    #[test]
    fn a_rule_whose_time_is_over_is_no_candidate_and_one_that_fits_nobody_else_is() {
        let caller = |text: &str| Match { caller: Some(WildMatch::new(text)), ..Match::default() };
        let who = Someone {
            method: None,
            stream: None,
            view: None,
            frame: None,
            job: None,
            caller: Some("127.0.9.1".into()),
            headers: vec![],
            names: true,
        };
        let mut stand = Stand::default();
        let rules = [
            ("127.0.9.1", Some(6)),
            ("127.0.9.1", Some(7)),
            ("127.0.9.2", None),
            ("126.*", None),
            ("127.*", None),
        ];
        for (number, (text, over)) in (0..).zip(rules) {
            stand.add(number, &Matcher::of(&caller(text)), over.map(Moment::from_nanos));
        }
        let mut candidates = Vec::new();
        let mut ask = |until: usize| {
            candidates.clear();
            stand.ask(&Seen::new(&who), Moment::from_nanos(7), |number| {
                candidates.push(number);
                (number == until).then_some(number)
            })
        };
        assert_eq!((ask(1), ask(9)), (Some(1), None));
        assert_eq!(candidates, [1, 4]);
    }
}
