//! How long a rule holds something up, as people write it.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};

use super::asks::number;
use super::duration;
use super::section::Section;
use super::tree::{Node, Value};
use crate::sim::faults::{Delay, LONGEST_DELAY};

/// Points of a measured distribution.
const MOST_PERCENTILES: usize = 100;

/// What `delay:` says; whether its numbers make sense is the rule's to say.
pub(super) fn delay(keys: &mut Section<'_>) -> Option<Delay> {
    let node = keys.get("delay")?;
    if !matches!(node.value, Value::Mapping(_)) {
        return keys.duration("delay", Duration::ZERO..=LONGEST_DELAY).map(Delay::Fixed);
    }
    let kinds = ["uniform", "normal", "lognormal", "percentiles"];
    keys.optional("delay", |keys| match keys.exactly_one("distribution", &kinds)? {
        "uniform" => uniform(keys),
        "normal" => keys.optional("normal", normal).flatten(),
        "lognormal" => keys.optional("lognormal", log_normal).flatten(),
        _ => percentiles(keys),
    })
    .flatten()
}

fn time(keys: &mut Section<'_>, key: &'static str) -> Option<Duration> {
    keys.required_duration(key, Duration::ZERO..=LONGEST_DELAY)
}

fn uniform(keys: &mut Section<'_>) -> Option<Delay> {
    let node = keys.get("uniform")?;
    let name = keys.name("uniform");
    let Value::List(bounds) = &node.value else {
        keys.mistake(node, format!("{name} must be two durations such as [10ms, 90ms], not {node}"));
        return None;
    };
    let [least, most] = &bounds[..] else {
        keys.mistake(
            node,
            format!("{name} must be two durations such as [10ms, 90ms], not {}", bounds.len()),
        );
        return None;
    };
    let bounds = Duration::ZERO..=LONGEST_DELAY;
    let least = keys.as_duration(&format!("{name}[0]"), least, bounds.clone());
    let most = keys.as_duration(&format!("{name}[1]"), most, bounds);
    Some(Delay::Uniform { least: least?, most: most? })
}

fn normal(keys: &mut Section<'_>) -> Option<Delay> {
    let (mean, deviation) = (time(keys, "mean"), time(keys, "deviation"));
    Some(Delay::Normal { mean: mean?, deviation: deviation? })
}

fn log_normal(keys: &mut Section<'_>) -> Option<Delay> {
    let median = time(keys, "median");
    keys.require("sigma");
    let sigma = keys.number("sigma", "a number above 0, 10 at most", |sigma| sigma > 0.0 && sigma <= 10.0);
    Some(Delay::LogNormal { median: median?, sigma: sigma? })
}

fn percentiles(keys: &mut Section<'_>) -> Option<Delay> {
    let node = keys.get("percentiles")?;
    let name = keys.name("percentiles");
    let Value::Mapping(entries) = &node.value else {
        let example = "such as {0: 5ms, 50: 20ms, 100: 400ms}";
        keys.mistake(
            node,
            format!("{name} must be a mapping from percentiles to durations, {example}, not {node}"),
        );
        return None;
    };
    if entries.len() > MOST_PERCENTILES {
        let text = format!("{name} can have {MOST_PERCENTILES} percentiles at most, not {}", entries.len());
        keys.mistake(node, text);
        return None;
    }
    let points: Vec<_> = entries.iter().map(|(at, time)| point(keys, &name, at, time)).collect();
    points.into_iter().collect::<Option<_>>().map(Delay::Percentiles)
}

fn point(keys: &mut Section<'_>, name: &str, at: &Node, time: &Node) -> Option<(f64, Duration)> {
    let percentile = match &at.value {
        // JSON has no other keys.
        Value::Text(text) => text.parse().ok(),
        _ => number(at),
    };
    let percentile = percentile.filter(|percentile| (0.0..=100.0).contains(percentile));
    if percentile.is_none() {
        keys.mistake(at, format!("{name} must have percentiles from 0 to 100 as its keys, not {at}"));
    }
    let time = keys.as_duration(&format!("{name}.{at}"), time, Duration::ZERO..=LONGEST_DELAY);
    percentile.zip(time)
}

/// A delay as it is read.
pub(super) fn render(delay: &Delay) -> Json {
    let show = |time: &Duration| duration::show(*time);
    match delay {
        Delay::Fixed(time) => json!(show(time)),
        Delay::Uniform { least, most } => json!({ "uniform": [show(least), show(most)] }),
        Delay::Normal { mean, deviation } => {
            json!({ "normal": { "mean": show(mean), "deviation": show(deviation) } })
        }
        Delay::LogNormal { median, sigma } => {
            json!({ "lognormal": { "median": show(median), "sigma": sigma } })
        }
        Delay::Percentiles(points) => {
            let points: Map<_, _> =
                points.iter().map(|(at, time)| (at.to_string(), json!(show(time)))).collect();
            json!({ "percentiles": points })
        }
    }
}
