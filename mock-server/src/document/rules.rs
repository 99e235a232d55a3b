//! Fault rules, as people write them, and as they are shown to people.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};
use wildmatch::WildMatch;

use super::delays;
use super::duration::{self, LONGEST};
use super::effects::{self, add};
use super::place::{Mistake, Mistakes, Place};
use super::print;
use super::section::Section;
use super::tree::{self, Node, Value};
use crate::domain::time::Moment;
use crate::sim::faults::{
    AnyRoute, At, Clocked, Frames, MOST_RULES, Match, NotAPoint, NotARule, Probability, Rule, RuleId,
    Schedule,
};

pub use super::effects::{FORMS, Form};

/// What the name of a rule is, in words.
pub(super) const RULE_ID: &str = "1 to 64 letters, digits, dots, hyphens or underscores";
/// Methods that a rule can ask for.
pub const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
/// Largest count of a schedule: what is beyond it is a slip of the pen.
const MOST: i64 = 1_000_000_000;
/// Headers that a rule can ask for.
const MOST_HEADERS: usize = 16;

/// Reads one rule; `name` is how mistakes name the text.
///
/// # Errors
/// When it has mistakes.
pub fn rule(text: &str, name: &str) -> Result<Rule, Mistakes> {
    let rule = super::read_all("a rule", text, name, rule_of)?;
    Ok(rule.expect("what makes no rule has a mistake"))
}

/// Reads one rule or a list of them; `name` is how mistakes name the text.
///
/// # Errors
/// When any of them has mistakes.
pub(crate) fn one_or_more(text: &str, name: &str) -> Result<Vec<Arc<Rule>>, Mistakes> {
    let tree = tree::parse(text, name).map_err(|mistake| Mistakes(vec![mistake]))?;
    let Some(said) = tree else {
        let text = String::from("a rule or a list of rules is missing");
        return Err(Mistakes(vec![Mistake { place: Place::file(name), text }]));
    };
    let place = said.place.clone();
    let node = |value| Node { value, place: place.clone() };
    let list = if matches!(said.value, Value::List(_)) { said } else { node(Value::List(vec![said])) };
    let tree = node(Value::Mapping(vec![(node(Value::Text(String::from("faults"))), list)]));
    let mut root = Section::root("a rule", Some(&tree));
    let rules = rules(&mut root);
    Mistakes::unless_none(root.finish().wrong(), rules)
}

/// The rules under `faults`.
pub(super) fn rules(keys: &mut Section<'_>) -> Vec<Arc<Rule>> {
    if let Some(node @ Node { value: Value::List(items), .. }) = keys.get("faults")
        && items.len() > MOST_RULES
    {
        let text =
            format!("{} can have {MOST_RULES} rules at most, not {}", keys.name("faults"), items.len());
        keys.mistake(node, text);
        return Vec::new();
    }
    let named = RefCell::new(Vec::new());
    let rules = keys.list("faults", "at", |keys| {
        let rule = rule_of(keys)?;
        if let Some(id) = rule.id() {
            if named.borrow().contains(id) {
                let text = format!("{}: there is a rule {id} already", keys.name("id"));
                keys.mistake_in("id", &text);
            }
            named.borrow_mut().push(id.clone());
        }
        Some(Arc::new(rule))
    });
    let shown: Vec<_> = rules.iter().map(|rule| render(rule)).collect();
    keys.note("faults", print::json(&Json::from(shown)));
    rules
}

/// The rule of a mapping.
pub(super) fn rule_of(keys: &mut Section<'_>) -> Option<Rule> {
    let before = keys.found.mistakes.len();
    let id = keys.parsed("id", RULE_ID, RuleId::new);
    let at = at(keys);
    let matches = keys.optional("match", matches).unwrap_or_default();
    let schedule = keys.optional("when", schedule).unwrap_or_default();
    let delay = delays::delay(keys);
    let effect = effects::effect(keys, at);
    // Parts that are mistaken by themselves are not held against each other.
    if keys.found.mistakes.len() > before {
        return None;
    }
    let rule = Rule::new(id, at?, matches, schedule, delay, effect);
    rule.map_err(|wrong| {
        let key = match &wrong {
            NotARule::Nothing { .. } => "",
            NotARule::NotThere { what: "delay", .. } | NotARule::Delay(_) => "delay",
            NotARule::NotThere { .. } => "do",
            NotARule::NoSuchFact { .. } => "match",
            // The bounds of everything else were asked for when it was read.
            NotARule::OutOfBounds(_) => "when",
        };
        let name = if key.is_empty() { keys.shown().to_owned() } else { keys.name(key) };
        keys.mistake_in(key, &format!("{name}: {wrong}"));
    })
    .ok()
}

fn at(keys: &mut Section<'_>) -> Option<At> {
    let node = keys.require("at")?;
    let at = match &node.value {
        Value::Text(text) => text.parse::<At>(),
        _ => Err(NotAPoint::Unknown),
    };
    at.map_err(|wrong| keys.mistake(node, format!("{} {node}: {wrong}", keys.name("at")))).ok()
}

fn matches(keys: &mut Section<'_>) -> Match {
    let routes: Vec<_> = AnyRoute::all().map(|route| (route.name(), route)).collect();
    let text = "1 to 64 characters, of which * and ? are wild";
    let wild = |text: &str| {
        let fits = (1..=64).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| WildMatch::new(text))
    };
    Match {
        route: keys.one_of("route", &routes),
        method: keys.one_of("method", &METHODS.map(|method| (method, method))).map(str::to_owned),
        job: job_pattern(keys, "job"),
        view: keys.optional_int("view", 0..=2),
        stream: keys.optional_int("stream", 0..=i64::from(u32::MAX)),
        frames: frames(keys),
        headers: headers(keys),
        caller: keys.parsed("caller", text, wild),
    }
}

/// Whole ids of jobs, by a pattern.
pub(super) fn job_pattern(keys: &mut Section<'_>, key: &'static str) -> Option<WildMatch> {
    let expected = "the id of a job such as 1-7, in which * and ? are wild";
    let allowed = |byte: u8| byte.is_ascii_digit() || b"-*?".contains(&byte);
    keys.parsed(key, expected, |text| {
        let fits = (1..=32).contains(&text.len()) && text.bytes().all(allowed);
        fits.then(|| WildMatch::new(text))
    })
}

fn frames(keys: &mut Section<'_>) -> Option<Frames> {
    let node = keys.get("frame")?;
    if !matches!(node.value, Value::Mapping(_)) {
        let first = keys.optional_int("frame", 0..=i64::MAX)?;
        return Some(Frames { first, last: Some(first) });
    }
    keys.optional("frame", |keys| {
        let first = keys.optional_int("from", 0..=i64::MAX).unwrap_or(0);
        let last = keys.optional_int("to", 0..=i64::MAX);
        if last.is_some_and(|last| last < first) {
            let text = format!("{} must not be below {}", keys.name("to"), keys.name("from"));
            keys.mistake_in("to", &text);
        }
        Some(Frames { first, last })
    })
    .flatten()
}

fn headers(keys: &mut Section<'_>) -> Vec<(String, WildMatch)> {
    let Some(node) = keys.get("headers") else { return Vec::new() };
    let name = keys.name("headers");
    let Value::Mapping(entries) = &node.value else {
        keys.mistake(node, format!("{name} must be a mapping such as {{x-client: \"a*\"}}, not {node}"));
        return Vec::new();
    };
    if entries.len() > MOST_HEADERS {
        keys.mistake(node, format!("{name} can have {MOST_HEADERS} headers at most, not {}", entries.len()));
        return Vec::new();
    }
    let mut headers: Vec<(String, WildMatch)> = Vec::new();
    for (key, value) in entries {
        let header = match &key.value {
            Value::Text(text) => header_name(text),
            _ => None,
        };
        let Some(header) = header else {
            keys.mistake(key, format!("{name} must have names of headers as its keys, not {key}"));
            continue;
        };
        let wild = match &value.value {
            Value::Text(text) if text.chars().count() <= 256 => Some(WildMatch::new(text)),
            Value::Integer(number) => Some(WildMatch::new(&number.to_string())),
            _ => None,
        };
        match wild {
            None => {
                let expected = "a text of 256 characters at most, of which * and ? are wild";
                keys.mistake(value, format!("{name}.{header} must be {expected}, not {value}"));
            }
            Some(_) if headers.iter().any(|(known, _)| *known == header) => {
                keys.mistake(key, format!("{name}.{header} is given more than once"));
            }
            Some(wild) => headers.push((header, wild)),
        }
    }
    headers
}

/// The name of a header in lower case, if it is one.
pub(super) fn header_name(text: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fits = (1..=64).contains(&text.len()) && text.bytes().all(allowed);
    fits.then(|| text.to_ascii_lowercase())
}

fn schedule(keys: &mut Section<'_>) -> Schedule {
    let probability = keys
        .number("probability", "a probability above 0, 1 at most", |number| number > 0.0 && number <= 1.0);
    Schedule {
        after: keys.optional_int("after", 0..=MOST).unwrap_or(0),
        every: keys.optional_int("every", 1..=MOST).and_then(NonZeroU64::new).unwrap_or(NonZeroU64::MIN),
        first: keys.optional_int("first", 1..=MOST),
        probability: probability.and_then(Probability::new),
        from: clocked(keys, "from"),
        until: clocked(keys, "until"),
        ttl: keys.duration("ttl", Duration::from_millis(1)..=LONGEST),
    }
}

fn clocked(keys: &mut Section<'_>, key: &'static str) -> Option<Clocked> {
    let node = keys.get(key)?;
    let moment = match &node.value {
        Value::Text(text) => text.parse::<Timestamp>().ok(),
        _ => None,
    };
    let moment = moment.and_then(|time| u64::try_from(time.as_nanosecond()).ok()).map(Moment::from_nanos);
    let after = duration::of(node).filter(|duration| *duration <= LONGEST);
    let clocked = moment.map(Clocked::At).or(after.map(Clocked::After));
    if clocked.is_none() {
        let text = format!(
            "{} must be a duration since the rule was installed such as 10s, 31 days at most, or a time such as \
             2025-12-05T14:58:23Z, not {node}",
            keys.name(key)
        );
        keys.mistake(node, text);
    }
    clocked
}

/// A rule as it is read.
#[must_use]
pub fn render(rule: &Rule) -> Json {
    let mut keys = Map::new();
    add(&mut keys, "id", rule.id().map(RuleId::as_str).as_ref());
    keys.insert(String::from("at"), json!(rule.at().to_string()));
    for (key, part) in [("match", render_match(rule.matches())), ("when", render_schedule(rule.schedule()))] {
        if !part.is_empty() {
            keys.insert(key.to_owned(), Json::Object(part));
        }
    }
    add(&mut keys, "delay", rule.delay().map(delays::render).as_ref());
    add(&mut keys, "do", rule.effect().map(effects::render).as_ref());
    Json::Object(keys)
}

fn render_match(matches: &Match) -> Map<String, Json> {
    let mut keys = Map::new();
    add(&mut keys, "route", matches.route.map(AnyRoute::name).as_ref());
    add(&mut keys, "method", matches.method.as_ref());
    add(&mut keys, "job", matches.job.as_ref().map(WildMatch::to_string).as_ref());
    add(&mut keys, "view", matches.view.as_ref());
    add(&mut keys, "stream", matches.stream.as_ref());
    let frames = matches.frames.map(|Frames { first, last }| match last {
        Some(last) if last == first => json!(first),
        Some(last) => json!({ "from": first, "to": last }),
        None => json!({ "from": first }),
    });
    add(&mut keys, "frame", frames.as_ref());
    if !matches.headers.is_empty() {
        let headers = matches.headers.iter().map(|(name, wild)| (name.clone(), json!(wild.to_string())));
        keys.insert(String::from("headers"), Json::Object(headers.collect()));
    }
    add(&mut keys, "caller", matches.caller.as_ref().map(WildMatch::to_string).as_ref());
    keys
}

fn render_schedule(schedule: &Schedule) -> Map<String, Json> {
    let clocked = |clocked: Clocked| match clocked {
        Clocked::After(duration) => duration::show(duration),
        Clocked::At(moment) => time(moment),
    };
    let mut keys = Map::new();
    add(&mut keys, "after", (schedule.after > 0).then_some(&schedule.after));
    add(&mut keys, "every", (schedule.every > NonZeroU64::MIN).then_some(&schedule.every));
    add(&mut keys, "first", schedule.first.as_ref());
    add(&mut keys, "probability", schedule.probability.map(Probability::number).as_ref());
    add(&mut keys, "from", schedule.from.map(clocked).as_ref());
    add(&mut keys, "until", schedule.until.map(clocked).as_ref());
    add(&mut keys, "ttl", schedule.ttl.map(duration::show).as_ref());
    keys
}

/// A moment as RFC 3339 has it, to the nanosecond.
fn time(moment: Moment) -> String {
    Timestamp::from_nanosecond(i128::from(moment.nanos()))
        .map_or_else(|_| String::new(), |time| time.to_string())
}
