//! The rules that are installed, and what they say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::effect::Effect;
use super::point::{Phase, Point, Route};
use super::rule::{Probability, Rule, RuleId, Seen, Subject};
use crate::domain::time::Moment;
use crate::sim::seed::{Bits, Seed};

/// Most rules at a time.
pub const MOST_RULES: usize = 1000;
/// Most resources of which a rule remembers how often it drew for them; beyond, counting begins anew.
const MOST_RESOURCES: usize = 65_536;

/// A rule that is installed, as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// Its name.
    pub id: RuleId,
    /// The rule.
    pub rule: Arc<Rule>,
    /// When it was installed.
    pub since: Moment,
    /// How often it was asked about somebody it matches.
    pub matched: u64,
    /// How often it hit.
    pub hits: u64,
}

/// A draw with everything that went into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// For whom.
    pub resource: String,
    /// For what: the point and the rule.
    pub step: String,
    /// How often that was drawn for before.
    pub occurrence: u64,
    /// What came of it, from 0 to 1.
    pub value: f64,
    /// Hits lie below it.
    pub below: f64,
}

/// A rule that did not pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its name.
    pub rule: RuleId,
    /// Where.
    pub point: Point,
    /// How long to wait first.
    pub delay: Option<Duration>,
    /// What to do then; nothing where the delay is all.
    pub effect: Option<Effect>,
    /// Bits for what is made up, garbage for instance.
    pub bits: u64,
    /// The draw that decided, where one did.
    pub draw: Option<Draw>,
}

/// Why a rule was not installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefused {
    /// The name is taken.
    #[error("there is a rule {0} already")]
    Taken(RuleId),
    /// There are too many.
    #[error("there are {MOST_RULES} rules already, which is the limit")]
    TooMany,
}

#[derive(Debug)]
struct Entry {
    state: Installed,
    /// When it goes by itself.
    expires: Option<Moment>,
    /// How often it drew, for each resource.
    drawn: BTreeMap<u64, u64>,
    /// A rate limit's present stretch of the clock and how many came in it.
    stretch: (u64, u32),
}

/// Bits, and what they were drawn for.
struct Drawn {
    resource: String,
    step: String,
    occurrence: u64,
    bits: Bits,
}

impl Drawn {
    /// The draw, if it lies below the probability.
    fn against(&self, probability: Probability) -> Option<Draw> {
        let (value, below) = (self.bits.fraction(), probability.number());
        (value < below).then(|| Draw {
            resource: self.resource.clone(),
            step: self.step.clone(),
            occurrence: self.occurrence,
            value,
            below,
        })
    }
}

#[derive(Debug, Default)]
struct Table {
    named: u64,
    entries: BTreeMap<u64, Entry>,
    /// Numbers of the entries at each point, in the order of their installation.
    at: BTreeMap<Point, Vec<u64>>,
    /// The number of the next entry.
    next: u64,
}

/// The rules of a world. Steps ask under the world's lock, edges beside it; nobody holds this while taking that.
#[derive(Debug)]
pub struct Faults {
    seed: Seed,
    table: Mutex<Table>,
    /// How many rules stand at REST points and at gRPC points: whoever sees 0 need not ask.
    rest: AtomicU32,
    grpc: AtomicU32,
    /// At which points of REST routes: a bit for each.
    points: AtomicU64,
    /// How many of those at REST points need a request's body.
    asking_bodies: AtomicU32,
}

impl Faults {
    /// No rules yet.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            table: Mutex::default(),
            rest: AtomicU32::new(0),
            grpc: AtomicU32::new(0),
            points: AtomicU64::new(0),
            asking_bodies: AtomicU32::new(0),
        }
    }

    /// Whether any rule stands at a REST point.
    #[must_use]
    pub fn any_at_rest(&self) -> bool {
        self.rest.load(Ordering::Relaxed) > 0
    }

    /// Whether any rule stands at a point of that route.
    #[must_use]
    pub fn any_at(&self, route: Route) -> bool {
        let route = Phase::ALL.iter().fold(0, |bits, phase| bits | bit(route, *phase));
        self.points.load(Ordering::Relaxed) & route != 0
    }

    /// Whether any rule stands at a gRPC point.
    #[must_use]
    pub fn any_at_grpc(&self) -> bool {
        self.grpc.load(Ordering::Relaxed) > 0
    }

    /// Whether a rule wants to know what requests of a route ask for, before it is handled.
    #[must_use]
    pub fn asks_bodies_of(&self, route: Route) -> bool {
        if self.asking_bodies.load(Ordering::Relaxed) == 0 || !route.has_body() {
            return false;
        }
        let table = self.table();
        let asks = |number: &u64| table.entries[number].state.rule.asks_the_body();
        Phase::ALL.iter().any(|phase| {
            table.at.get(&Point::Rest(route, *phase)).is_some_and(|numbers| numbers.iter().any(asks))
        })
    }

    /// Installs a rule, behind all others. One without a name gets `rule-<n>`.
    ///
    /// # Errors
    /// When its name is taken, or there are too many.
    pub fn install(&self, rule: Arc<Rule>, now: Moment) -> Result<RuleId, RuleRefused> {
        let mut table = self.table();
        if table.entries.len() >= MOST_RULES {
            return Err(RuleRefused::TooMany);
        }
        let id = match rule.id() {
            Some(id) if table.numbered(id).is_some() => return Err(RuleRefused::Taken(id.clone())),
            Some(id) => id.clone(),
            None => table.name(),
        };
        let number = table.next;
        table.next += 1;
        for point in rule.at().points() {
            table.at.entry(point).or_default().push(number);
        }
        let expires = rule.schedule().ttl.map(|ttl| now.after(ttl));
        let state = Installed { id: id.clone(), rule, since: now, matched: 0, hits: 0 };
        let drawn = BTreeMap::new();
        table.entries.insert(number, Entry { state, expires, drawn, stretch: (0, 0) });
        self.count(&table);
        Ok(id)
    }

    /// Takes a rule away; `None` when there is none of that name.
    pub fn remove(&self, id: &RuleId) -> Option<Installed> {
        let mut table = self.table();
        let number = table.numbered(id)?;
        let entry = table.take(number);
        self.count(&table);
        entry
    }

    /// Takes all rules away.
    pub fn clear(&self) -> usize {
        let mut table = self.table();
        let count = table.entries.len();
        *table = Table { named: table.named, next: table.next, ..Table::default() };
        self.count(&table);
        count
    }

    /// Takes away what has outlived its time; their names.
    pub fn expire(&self, now: Moment) -> Vec<RuleId> {
        let mut table = self.table();
        let over = |entry: &Entry| entry.expires.is_some_and(|at| at <= now);
        let numbers: Vec<_> =
            table.entries.iter().filter(|(_, entry)| over(entry)).map(|(number, _)| *number).collect();
        let gone = numbers.into_iter().filter_map(|number| table.take(number)).map(|rule| rule.id).collect();
        self.count(&table);
        gone
    }

    /// When the next rule goes by itself.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Moment> {
        self.table().entries.values().filter_map(|entry| entry.expires).min()
    }

    /// All rules, in the order of their installation.
    #[must_use]
    pub fn list(&self) -> Vec<Installed> {
        self.table().entries.values().map(|entry| entry.state.clone()).collect()
    }

    /// What happens to somebody at a point: the first rule that does not pass.
    #[must_use]
    pub fn judge(&self, point: Point, subject: &dyn Subject, now: Moment) -> Option<Hit> {
        let mut table = self.table();
        let Table { entries, at, .. } = &mut *table;
        let seen = Seen::new(subject);
        at.get(&point)?.iter().find_map(|number| entries.get_mut(number)?.judge(self.seed, point, &seen, now))
    }

    fn count(&self, table: &Table) {
        let (mut rest, mut grpc, mut bodies) = (0, 0, 0);
        let at = table.at.iter().filter(|(_, numbers)| !numbers.is_empty());
        let points = at.fold(0, |bits, (point, _)| match point {
            Point::Rest(route, phase) => bits | bit(*route, *phase),
            Point::Step(_) | Point::Undo(_) | Point::Grpc(_) => bits,
        });
        self.points.store(points, Ordering::Relaxed);
        for entry in table.entries.values() {
            match entry.state.rule.at().points().next() {
                Some(Point::Rest(..)) => {
                    rest += 1;
                    bodies += u32::from(entry.state.rule.asks_the_body());
                }
                Some(Point::Grpc(_)) => grpc += 1,
                Some(Point::Step(_) | Point::Undo(_)) | None => {}
            }
        }
        self.rest.store(rest, Ordering::Relaxed);
        self.grpc.store(grpc, Ordering::Relaxed);
        self.asking_bodies.store(bodies, Ordering::Relaxed);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There are fewer points of routes than bits.
const fn bit(route: Route, phase: Phase) -> u64 {
    1 << (route as u32 * 3 + phase as u32)
}

const _: () = assert!(Route::ALL.len() * Phase::ALL.len() <= 64 && Phase::ALL.len() == 3);

impl Table {
    fn numbered(&self, id: &RuleId) -> Option<u64> {
        self.entries.iter().find(|(_, entry)| entry.state.id == *id).map(|(number, _)| *number)
    }

    fn name(&mut self) -> RuleId {
        loop {
            self.named += 1;
            let id = RuleId::new(&format!("rule-{}", self.named)).expect("letters, digits and a hyphen");
            if self.numbered(&id).is_none() {
                return id;
            }
        }
    }

    fn take(&mut self, number: u64) -> Option<Installed> {
        let entry = self.entries.remove(&number)?;
        for numbers in self.at.values_mut() {
            numbers.retain(|other| *other != number);
        }
        Some(entry.state)
    }
}

impl Entry {
    fn judge(&mut self, seed: Seed, point: Point, seen: &Seen<'_>, now: Moment) -> Option<Hit> {
        if self.expires.is_some_and(|at| at <= now) || !self.state.rule.matches().holds(point, seen) {
            return None;
        }
        let (rule, subject) = (Arc::clone(&self.state.rule), seen.subject);
        let schedule = rule.schedule();
        let begun = schedule.from.is_none_or(|from| from.resolve(self.state.since) <= now);
        let over = schedule.until.is_some_and(|until| until.resolve(self.state.since) <= now);
        if !begun || over {
            return None;
        }
        self.state.matched += 1;
        let due = self.state.matched > schedule.after
            && (self.state.matched - schedule.after).is_multiple_of(schedule.every.get())
            && schedule.first.is_none_or(|first| self.state.hits < first);
        if !due {
            return None;
        }
        let drawn = rule.draws().then(|| self.draw(seed, point, subject));
        let draw = match (&drawn, schedule.probability) {
            (Some(drawn), Some(probability)) => Some(drawn.against(probability)?),
            (None, _) | (_, None) => None,
        };
        if let Some(Effect::RateLimit { requests, per, .. }) = rule.effect()
            && self.within_limit(*requests, *per, now)
        {
            return None;
        }
        self.state.hits += 1;
        let bits = drawn.as_ref().map_or(Bits(0), |drawn| drawn.bits);
        // Whether and how long are two questions: the same bits would make every rare hit a short one.
        let delay_bits = drawn.map_or(bits, |Drawn { resource, step, occurrence, .. }| {
            seed.bits(&resource, &format!("{step} delay"), occurrence)
        });
        let delay = rule.delay().map(|delay| delay.at(delay_bits));
        Some(Hit {
            rule: self.state.id.clone(),
            point,
            delay,
            effect: rule.effect().cloned(),
            bits: bits.0,
            draw,
        })
    }

    fn draw(&mut self, seed: Seed, point: Point, subject: &dyn Subject) -> Drawn {
        let resource = subject.resource();
        let step = format!("{point} {}", self.state.id);
        let occurrence = self.occurrence(seed, &resource);
        let bits = seed.bits(&resource, &step, occurrence);
        Drawn { resource, step, occurrence, bits }
    }

    /// How often the rule drew for that resource before.
    fn occurrence(&mut self, seed: Seed, resource: &str) -> u64 {
        let key = seed.bits(resource, "resource", 0).0;
        if self.drawn.len() >= MOST_RESOURCES && !self.drawn.contains_key(&key) {
            self.drawn.clear();
        }
        let count = self.drawn.entry(key).or_default();
        let occurrence = *count;
        *count += 1;
        occurrence
    }

    fn within_limit(&mut self, requests: u32, per: Duration, now: Moment) -> bool {
        let nanos = u64::try_from(per.as_nanos()).unwrap_or(u64::MAX).max(1);
        let stretch = now.nanos() / nanos;
        if self.stretch.0 != stretch {
            self.stretch = (stretch, 0);
        }
        self.stretch.1 = self.stretch.1.saturating_add(1);
        self.stretch.1 <= requests
    }
}
