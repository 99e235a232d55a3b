//! A rule: where, to whom, how often, and what.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use wildmatch::WildMatch;

use super::delay::{Delay, NotADelay};
use super::effect::Effect;
use super::point::{AnyRoute, At, Point, Route, StreamPoint};
use crate::domain::ids::JobId;
use crate::domain::time::Moment;
use crate::sim::journal::FaultHit;

/// Name of a rule, unique among those installed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

impl RuleId {
    /// 1 to 64 letters, digits, dots, hyphens and underscores.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A probability above 0, 1 at most.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(f64);

impl Probability {
    /// The probability, if it is one.
    #[must_use]
    pub fn new(number: f64) -> Option<Self> {
        (number > 0.0 && number <= 1.0).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0
    }
}

/// A time on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clocked {
    /// So long after the rule was installed.
    After(Duration),
    /// That moment.
    At(Moment),
}

impl Clocked {
    pub(super) fn resolve(self, installed: Moment) -> Moment {
        match self {
            Self::After(duration) => installed.after(duration),
            Self::At(moment) => moment,
        }
    }
}

/// Numbers of frames of a call, from 0; both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frames {
    /// The first.
    pub first: u64,
    /// The last; `None` without end.
    pub last: Option<u64>,
}

/// To whom it happens: what is left out matches everybody.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Match {
    /// REST and Kubernetes: that route alone, where the rule stands at every one.
    pub route: Option<AnyRoute>,
    /// REST and Kubernetes: that method.
    pub method: Option<String>,
    /// The job's id as a whole; `*` and `?` are wild.
    pub job: Option<WildMatch>,
    /// The number of the view that is asked for, or that the job has.
    pub view: Option<u8>,
    /// gRPC: that stream of a job.
    pub stream: Option<u32>,
    /// gRPC: these frames.
    pub frames: Option<Frames>,
    /// Headers of the request, names in lower case; `*` and `?` are wild in their values.
    pub headers: Vec<(String, WildMatch)>,
    /// The client's address; `*` and `?` are wild.
    pub caller: Option<WildMatch>,
}

/// How often: what is left out means always.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// So many matches pass first.
    pub after: u64,
    /// Of those that follow, every so-manieth.
    pub every: NonZeroU64,
    /// At most so many hits.
    pub first: Option<u64>,
    /// Drawn for each match.
    pub probability: Option<Probability>,
    /// Not before.
    pub from: Option<Clocked>,
    /// Not from then on.
    pub until: Option<Clocked>,
    /// After that time on the clock the rule removes itself.
    pub ttl: Option<Duration>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            after: 0,
            every: NonZeroU64::MIN,
            first: None,
            probability: None,
            from: None,
            until: None,
            ttl: None,
        }
    }
}

/// A rule that makes sense; one that does not cannot be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    id: Option<RuleId>,
    at: At,
    matches: Match,
    schedule: Schedule,
    delay: Option<Delay>,
    effect: Option<Effect>,
}

/// Why the parts make no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotARule {
    /// Neither delay nor effect.
    #[error("nothing to do: at {at} there are {}", Effect::at(*at).join(", "))]
    Nothing {
        /// Where.
        at: At,
    },
    /// The effect, or a delay, cannot be had there.
    #[error("{what} cannot be done at {at}: there are {}", Effect::at(*at).join(", "))]
    NotThere {
        /// What.
        what: &'static str,
        /// Where.
        at: At,
    },
    /// Nothing there has what is matched.
    #[error("nothing has a {key} at {at}")]
    NoSuchFact {
        /// What is matched.
        key: &'static str,
        /// Where.
        at: At,
    },
    /// The delay makes no sense.
    #[error(transparent)]
    Delay(#[from] NotADelay),
    /// A number out of bounds.
    #[error("{0}")]
    OutOfBounds(&'static str),
}

impl Rule {
    /// The rule of these parts.
    ///
    /// # Errors
    /// When it could never do anything, or not there.
    pub fn new(
        id: Option<RuleId>,
        at: At,
        matches: Match,
        schedule: Schedule,
        delay: Option<Delay>,
        effect: Option<Effect>,
    ) -> Result<Self, NotARule> {
        if delay.is_none() && effect.is_none() {
            return Err(NotARule::Nothing { at });
        }
        let wanted = delay.as_ref().map(|_| "delay").into_iter().chain(effect.as_ref().map(Effect::name));
        if let Some(what) = wanted.into_iter().find(|name| !Effect::at(at).contains(name)) {
            return Err(NotARule::NotThere { what, at });
        }
        matches.fits(at)?;
        schedule.fits()?;
        effect.as_ref().map_or(Ok(()), in_bounds)?;
        let delay = delay.map(Delay::checked).transpose()?;
        Ok(Self { id, at, matches, schedule, delay, effect })
    }

    /// Its name, if it was given one.
    #[must_use]
    pub fn id(&self) -> Option<&RuleId> {
        self.id.as_ref()
    }

    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> At {
        self.at
    }

    /// To whom it happens.
    #[must_use]
    pub fn matches(&self) -> &Match {
        &self.matches
    }

    /// How often.
    #[must_use]
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// How long it holds up.
    #[must_use]
    pub fn delay(&self) -> Option<&Delay> {
        self.delay.as_ref()
    }

    /// What it does after that.
    #[must_use]
    pub fn effect(&self) -> Option<&Effect> {
        self.effect.as_ref()
    }

    /// Whether it draws.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.schedule.probability.is_some()
            || self.delay.as_ref().is_some_and(Delay::is_drawn)
            || matches!(self.effect, Some(Effect::Garbage { .. }))
    }

    /// Whether what it does depends on what the request asks for, so that its body must be read first.
    #[must_use]
    pub fn asks_the_body(&self) -> bool {
        self.matches.view.is_some() || self.draws()
    }
}

/// Longest drip, slowest limit and so on: what is beyond it is a slip of the pen.
fn in_bounds(effect: &Effect) -> Result<(), NotARule> {
    let ok = |fine: bool, text| if fine { Ok(()) } else { Err(NotARule::OutOfBounds(text)) };
    let hour = Duration::from_secs(3600);
    match effect {
        Effect::Status { status, body, .. } => {
            ok((200..=599).contains(status), "a status is from 200 to 599")?;
            ok(body.len() <= 65_536, "a body has 65536 bytes at most")
        }
        Effect::RateLimit { requests, per, .. } => {
            ok(*requests <= 1_000_000, "a rate limit lets 1000000 requests pass at most")?;
            ok(!per.is_zero() && *per <= hour, "a rate limit counts in a time above 0, an hour at most")
        }
        Effect::Garbage { bytes } => ok((1..=65_536).contains(bytes), "garbage has from 1 to 65536 bytes"),
        Effect::Drip { bytes_per_second } => ok(*bytes_per_second > 0, "a drip has a byte a second at least"),
        Effect::ContentLength { off_by } => ok(*off_by != 0, "a content-length that is off by 0 is right"),
        Effect::EndCall { message, .. } => ok(message.len() <= 1024, "a message has 1024 bytes at most"),
        Effect::Fail
        | Effect::Refuse(_)
        | Effect::Reset
        | Effect::Close
        | Effect::Empty
        | Effect::Truncate { .. }
        | Effect::ContentType(_)
        | Effect::Silence
        | Effect::GoAway { .. }
        | Effect::Corrupt(_)
        | Effect::Duplicate
        | Effect::Reorder => Ok(()),
    }
}

impl Match {
    fn fits(&self, at: At) -> Result<(), NotARule> {
        let rest = matches!(at, At::EveryRoute(_) | At::Point(Point::Rest(..)));
        let kube = matches!(at, At::EveryKubeRoute(_) | At::Point(Point::Kube(..)));
        let grpc = matches!(at, At::Point(Point::Grpc(_)));
        let route = match (at, self.route) {
            (At::Point(Point::Rest(route, _)), _) | (At::EveryRoute(_), Some(AnyRoute::Rest(route))) => {
                Some(route)
            }
            (At::EveryRoute(_) | At::EveryKubeRoute(_) | At::Point(_), _) => None,
        };
        let has_route = match (at, self.route) {
            (At::EveryRoute(_), route) => !matches!(route, Some(AnyRoute::Kube(_))),
            (At::EveryKubeRoute(_), route) => !matches!(route, Some(AnyRoute::Rest(_))),
            (At::Point(_), _) => false,
        };
        let of_a_job = |route: Route| matches!(route, Route::Configure | Route::Metadata | Route::Cancel);
        let has_job = !kube && (!rest || route.is_none_or(of_a_job));
        let has_view = !kube && (!rest || route.is_none_or(|route| route == Route::Configure));
        let frames = at == At::Point(Point::Grpc(StreamPoint::Frame));
        for (key, asked, there) in [
            ("route", self.route.is_some(), has_route),
            ("method", self.method.is_some(), rest || kube),
            ("job", self.job.is_some(), has_job),
            ("view", self.view.is_some(), has_view),
            ("stream", self.stream.is_some(), grpc),
            ("frame", self.frames.is_some(), frames),
        ] {
            if asked && !there {
                return Err(NotARule::NoSuchFact { key, at });
            }
        }
        let reversed = |frames: &Frames| frames.last.is_some_and(|last| last < frames.first);
        if self.frames.as_ref().is_some_and(reversed) {
            return Err(NotARule::OutOfBounds("the first frame must not be above the last"));
        }
        Ok(())
    }
}

/// A subject with the texts that many rules want to see.
pub(super) struct Seen<'a> {
    pub(super) subject: &'a dyn Subject,
    job: OnceCell<Option<String>>,
    caller: OnceCell<Option<Cow<'a, str>>>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(subject: &'a dyn Subject) -> Self {
        Self { subject, job: OnceCell::new(), caller: OnceCell::new() }
    }

    pub(super) fn job(&self) -> Option<&str> {
        self.job.get_or_init(|| Some(self.subject.job()?.to_string())).as_deref()
    }

    pub(super) fn caller(&self) -> Option<&str> {
        self.caller.get_or_init(|| self.subject.caller()).as_deref()
    }
}

impl Schedule {
    fn fits(&self) -> Result<(), NotARule> {
        if self.first == Some(0) {
            return Err(NotARule::OutOfBounds("the first 0 are none: a rule that never hits"));
        }
        if self.ttl.is_some_and(|ttl| ttl.is_zero()) {
            return Err(NotARule::OutOfBounds("a time to live is above 0"));
        }
        let reversed = match (self.from, self.until) {
            (Some(Clocked::After(from)), Some(Clocked::After(until))) => from >= until,
            (Some(Clocked::At(from)), Some(Clocked::At(until))) => from >= until,
            (Some(_), Some(_)) | (None, _) | (_, None) => false,
        };
        if reversed {
            return Err(NotARule::OutOfBounds("a window must begin before it ends"));
        }
        Ok(())
    }
}

/// What rules are held against: somebody to whom something may happen. What it does not have, no rule can match.
pub trait Subject {
    /// What draws are for: the same for the same request, stream or job, whenever it comes.
    fn resource(&self) -> String;
    /// The method of the request.
    fn method(&self) -> Option<&str> {
        None
    }
    /// A header of the request, by its name in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        let _ = name;
        None
    }
    /// Tells the names of its headers, if it can; whether it could.
    fn header_names(&self, tell: &mut dyn FnMut(&str)) -> bool {
        let _ = tell;
        false
    }
    /// The client's address.
    fn caller(&self) -> Option<Cow<'_, str>> {
        None
    }
    /// The job it is about.
    fn job(&self) -> Option<JobId> {
        None
    }
    /// The number of the view.
    fn view(&self) -> Option<u8> {
        None
    }
    /// The stream that is read.
    fn stream(&self) -> Option<u32> {
        None
    }
    /// The number of the frame.
    fn frame(&self) -> Option<u64> {
        None
    }
    /// The id of the request.
    fn request(&self) -> Option<&str> {
        None
    }
    /// A rule of a step did not pass; what is told of it goes to the journal as well.
    fn was_hit(&self, hit: &FaultHit) {
        let _ = hit;
    }
}

/// Nobody in particular: a caller within this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unnamed;

impl Subject for Unnamed {
    fn resource(&self) -> String {
        String::new()
    }
}
