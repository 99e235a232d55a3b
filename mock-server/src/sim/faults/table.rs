//! The rules that are installed, and what they say.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::effect::Effect;
use super::matching::{Matcher, stands_at};
use super::point::{GiveBack, KubeRoute, Phase, Point, Route, Step, StreamPoint};
use super::rule::{Probability, Rule, RuleId, Seen, Subject};
use super::stand::Stand;
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
    /// To whom it happens.
    matcher: Matcher,
    /// Not before.
    from: Option<Moment>,
    /// Not from then on.
    until: Option<Moment>,
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

#[derive(Debug)]
struct Table {
    named: u64,
    /// In the order of their installation.
    entries: Vec<Entry>,
    /// The rules of each point, by its number.
    stands: Vec<Stand>,
}

/// The rules of a world. Steps ask under the world's lock, edges beside it; nobody holds this while taking that.
#[derive(Debug)]
pub struct Faults {
    seed: Seed,
    table: Mutex<Table>,
    /// At which points rules stand, a bit for each: whoever sees none need not ask.
    standing: [AtomicU64; WORDS],
    /// At which points some of them need a request's body.
    asking_bodies: [AtomicU64; WORDS],
}

impl Faults {
    /// No rules yet.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self {
            seed,
            table: Mutex::new(Table::new(0)),
            standing: Default::default(),
            asking_bodies: Default::default(),
        }
    }

    /// Whether any rule stands at that point.
    #[must_use]
    pub fn stands_at(&self, point: Point) -> bool {
        has(&self.standing, point)
    }

    /// Whether any rule stands at a gRPC point.
    #[must_use]
    pub fn any_at_grpc(&self) -> bool {
        StreamPoint::ALL.iter().any(|point| self.stands_at(Point::Grpc(*point)))
    }

    /// Whether a rule wants to know what requests of a route ask for, before it is handled.
    #[must_use]
    pub fn asks_bodies_of(&self, route: Route) -> bool {
        route.has_body()
            && Phase::ALL.iter().any(|phase| has(&self.asking_bodies, Point::Rest(route, *phase)))
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
        table.entries.push(Entry::new(id.clone(), rule, now));
        let newest = table.entries.len() - 1;
        table.stand_behind(newest);
        self.show(&table);
        Ok(id)
    }

    /// Takes a rule away; `None` when there is none of that name.
    pub fn remove(&self, id: &RuleId) -> Option<Installed> {
        let mut table = self.table();
        let number = table.numbered(id)?;
        let entry = table.entries.remove(number);
        table.stand_anew();
        self.show(&table);
        Some(entry.state)
    }

    /// Takes all rules away.
    pub fn clear(&self) -> usize {
        let mut table = self.table();
        let count = table.entries.len();
        *table = Table::new(table.named);
        self.show(&table);
        count
    }

    /// Takes away what has outlived its time; their names.
    pub fn expire(&self, now: Moment) -> Vec<RuleId> {
        let mut table = self.table();
        let over = |entry: &mut Entry| entry.expires.is_some_and(|at| at <= now);
        let gone: Vec<_> = table.entries.extract_if(.., over).map(|entry| entry.state.id).collect();
        if !gone.is_empty() {
            table.stand_anew();
            self.show(&table);
        }
        gone
    }

    /// When the next rule goes by itself.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Moment> {
        self.table().entries.iter().filter_map(|entry| entry.expires).min()
    }

    /// All rules, in the order of their installation.
    #[must_use]
    pub fn list(&self) -> Vec<Installed> {
        self.table().entries.iter().map(|entry| entry.state.clone()).collect()
    }

    /// What happens to somebody at a point: the first rule that does not pass.
    #[must_use]
    pub fn judge(&self, point: Point, subject: &dyn Subject, now: Moment) -> Option<Hit> {
        if !self.stands_at(point) {
            return None;
        }
        let mut table = self.table();
        let Table { entries, stands, .. } = &mut *table;
        let seen = Seen::new(subject);
        stands[number(point)].ask(&seen, now, |rule| entries[rule].judge(self.seed, point, &seen, now))
    }

    /// Lets those see it who do not want to take the lock.
    fn show(&self, table: &Table) {
        let (mut standing, mut bodies) = ([0; WORDS], [0; WORDS]);
        for entry in &table.entries {
            for (word, bit) in entry.points().map(place) {
                standing[word] |= bit;
                bodies[word] |= if entry.state.rule.asks_the_body() { bit } else { 0 };
            }
        }
        for (shown, bits) in [(&self.standing, standing), (&self.asking_bodies, bodies)] {
            shown.iter().zip(bits).for_each(|(shown, bits)| shown.store(bits, Ordering::Relaxed));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ROUTES: usize = Step::ALL.len() + GiveBack::ALL.len();
const STREAMS: usize = ROUTES + Route::ALL.len() * Phase::ALL.len();
const KUBE: usize = STREAMS + StreamPoint::ALL.len();
const POINTS: usize = KUBE + KubeRoute::ALL.len() * Phase::ALL.len();
const WORDS: usize = POINTS.div_ceil(64);

/// The number of a point, from 0 without gaps.
const fn number(point: Point) -> usize {
    match point {
        Point::Step(step) => step as usize,
        Point::Undo(undo) => Step::ALL.len() + undo as usize,
        Point::Rest(route, phase) => ROUTES + route as usize * Phase::ALL.len() + phase as usize,
        Point::Grpc(point) => STREAMS + point as usize,
        Point::Kube(route, phase) => KUBE + route as usize * Phase::ALL.len() + phase as usize,
    }
}

/// Which word a point's bit is in, and the bit.
const fn place(point: Point) -> (usize, u64) {
    (number(point) / 64, 1 << (number(point) % 64))
}

fn has(bits: &[AtomicU64; WORDS], point: Point) -> bool {
    let (word, bit) = place(point);
    bits[word].load(Ordering::Relaxed) & bit != 0
}

impl Table {
    fn new(named: u64) -> Self {
        let stands = std::iter::repeat_with(Stand::default).take(POINTS).collect();
        Self { named, entries: Vec::new(), stands }
    }

    fn numbered(&self, id: &RuleId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.state.id == *id)
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

    /// Puts a rule behind all others at its points.
    fn stand_behind(&mut self, rule: usize) {
        let entry = &self.entries[rule];
        let over = [entry.expires, entry.until].into_iter().flatten().min();
        for point in entry.points() {
            let rule = u32::try_from(rule).expect("few rules");
            self.stands[number(point)].add(rule, &entry.matcher, over);
        }
    }

    /// Puts all rules to their points again: a rule that goes moves those behind it.
    fn stand_anew(&mut self) {
        self.stands.iter_mut().for_each(Stand::clear);
        (0..self.entries.len()).for_each(|rule| self.stand_behind(rule));
    }
}

impl Entry {
    fn new(id: RuleId, rule: Arc<Rule>, now: Moment) -> Self {
        let schedule = rule.schedule();
        Self {
            matcher: Matcher::of(rule.matches()),
            from: schedule.from.map(|from| from.resolve(now)),
            until: schedule.until.map(|until| until.resolve(now)),
            expires: schedule.ttl.map(|ttl| now.after(ttl)),
            drawn: BTreeMap::new(),
            stretch: (0, 0),
            state: Installed { id, rule, since: now, matched: 0, hits: 0 },
        }
    }

    /// The points at which it can happen.
    fn points(&self) -> impl Iterator<Item = Point> {
        let rule = &self.state.rule;
        rule.at().points().filter(|point| stands_at(rule.matches(), *point))
    }

    fn judge(&mut self, seed: Seed, point: Point, seen: &Seen<'_>, now: Moment) -> Option<Hit> {
        let is_over = |end: Option<Moment>| end.is_some_and(|at| at <= now);
        let begun = self.from.is_none_or(|from| from <= now);
        if is_over(self.expires) || is_over(self.until) || !begun || !self.matcher.holds(seen) {
            return None;
        }
        let (rule, subject) = (Arc::clone(&self.state.rule), seen.subject);
        let schedule = rule.schedule();
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
