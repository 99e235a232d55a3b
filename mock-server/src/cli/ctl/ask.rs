//! From arguments to a request.

use anyhow::Context;
use clap::ArgMatches;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::Ask;
use super::command::FILTERS;
use super::show;

pub(super) fn of(matches: &ArgMatches) -> anyhow::Result<Ask> {
    let (name, matches) = matches.subcommand().expect("clap asks for one");
    Ok(match name {
        "state" => get("/__mock/state", show::state),
        "reset" => ask("POST", "/__mock/reset", None, |_| String::from("The world is at its start again.")),
        "clock" => clock(matches),
        "fault" => fault(matches)?,
        "quirk" => quirk(matches),
        "profile" => put("/__mock/profile", json!({ "profile": text(matches, "name") }), show::profile),
        "limits" => limits(matches)?,
        "port" => port(matches)?,
        "job" => job(matches),
        "world" => {
            let file = text(matches, "file");
            let world = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
            ask("PUT", "/__mock/world", Some(world), show::state)
        }
        "journal" => get(&format!("/__mock/journal{}", query(matches)), show::journal),
        "verify" => verify(matches),
        "explain" => {
            let id = text(matches, "id");
            let is_job = id.split('-').all(|part| part.parse::<u32>().is_ok()) && id.split('-').count() == 2;
            let what = if is_job && !matches.get_flag("request") { "job" } else { "request" };
            get(&format!("/__mock/explain?{what}={}", escape(id)), show::explain)
        }
        "metrics" => get("/metrics", show::text),
        "leaks" => {
            let leaks = get("/__mock/leaks", show::leaks);
            Ask { is_no: |answer| answer["leaks"].as_array().is_none_or(|leaks| !leaks.is_empty()), ..leaks }
        }
        "invariants" => {
            let invariants = get("/__mock/invariants", show::invariants);
            Ask { is_no: |answer| answer["holds"] != true, ..invariants }
        }
        dependency => {
            let body = lasting(matches, json!({ "state": text(matches, "state") }));
            put(&format!("/__mock/dependencies/{dependency}"), body, show::dependencies)
        }
    })
}

fn ask(method: &'static str, path: &str, body: Option<String>, show: fn(&Value) -> String) -> Ask {
    Ask { method, path: path.to_owned(), body, show, is_no: |_| false }
}

fn get(path: &str, show: fn(&Value) -> String) -> Ask {
    ask("GET", path, None, show)
}

#[allow(clippy::needless_pass_by_value, reason = "bodies are made for it")]
fn put(path: &str, body: Value, show: fn(&Value) -> String) -> Ask {
    ask("PUT", path, Some(body.to_string()), show)
}

/// An argument that clap asks for.
fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// A part of a path or of a query.
fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A body, with the time after which it goes back.
fn lasting(matches: &ArgMatches, mut body: Value) -> Value {
    if let Some(lasts) = matches.get_one::<String>("for") {
        body["for"] = time(lasts);
    }
    body
}

/// A number alone is one of seconds.
fn time(text: &str) -> Value {
    text.parse::<f64>().map_or_else(|_| json!(text), |seconds| json!(seconds))
}

fn clock(matches: &ArgMatches) -> Ask {
    match matches.subcommand() {
        Some(("mode", matches)) => {
            put("/__mock/clock", json!({ "mode": text(matches, "mode") }), show::clock)
        }
        Some(("advance", matches)) => {
            let body = json!({ "by": time(text(matches, "by")) }).to_string();
            ask("POST", "/__mock/clock/advance", Some(body), show::advanced)
        }
        _ => get("/__mock/clock", show::clock),
    }
}

fn fault(matches: &ArgMatches) -> anyhow::Result<Ask> {
    Ok(match matches.subcommand().expect("clap asks for one") {
        ("add", matches) => {
            let rule = text(matches, "rule");
            let rule = match rule.strip_prefix('@') {
                Some(file) => std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?,
                None => rule.to_owned(),
            };
            ask("POST", "/__mock/faults", Some(rule), show::added)
        }
        ("remove", matches) => {
            let path = format!("/__mock/faults/{}", escape(text(matches, "id")));
            ask("DELETE", &path, None, show::faults)
        }
        ("reset", _) => ask("DELETE", "/__mock/faults", None, show::removed),
        ("points", _) => get("/__mock/faults/points", show::points),
        _ => get("/__mock/faults", show::faults),
    })
}

fn quirk(matches: &ArgMatches) -> Ask {
    let (name, matches) = matches.subcommand().expect("clap asks for one");
    if name == "list" {
        return get("/__mock/quirks", show::quirks);
    }
    let path = format!("/__mock/quirks/{}", escape(text(matches, "name")));
    put(&path, lasting(matches, json!({ "on": name == "on" })), show::quirk)
}

fn limits(matches: &ArgMatches) -> anyhow::Result<Ask> {
    let mut body = Map::new();
    for change in matches.get_many::<String>("changes").into_iter().flatten() {
        let (key, value) = change.split_once('=').with_context(|| {
            format!("{change:?} changes no limit: expected KEY=VALUE, such as max_jobs=3")
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        body.insert(key.to_owned(), value);
    }
    if body.is_empty() {
        return Ok(get("/__mock/limits", show::limits));
    }
    let body = lasting(matches, Value::Object(body));
    Ok(ask("PATCH", "/__mock/limits", Some(body.to_string()), show::limits))
}

fn port(matches: &ArgMatches) -> anyhow::Result<Ask> {
    Ok(match matches.subcommand().expect("clap asks for one") {
        ("hold", matches) => {
            let port = text(matches, "port");
            let expected = || format!("{port:?} is no port: expected its number, slot:N or next");
            let number = |text: &str| text.parse::<u16>().with_context(expected);
            let mut body = match port.strip_prefix("slot:") {
                Some(slot) => json!({ "slot": number(slot)? }),
                None if port == "next" => json!({ "port": "next" }),
                None => json!({ "port": number(port)? }),
            };
            body["by"] = json!(text(matches, "by"));
            ask("POST", "/__mock/ports", Some(lasting(matches, body).to_string()), show::held)
        }
        ("release", matches) => {
            let port = text(matches, "port");
            if port.parse::<u16>().is_err() && port != "next" {
                anyhow::bail!(
                    "{port:?} is no port that was taken: expected its number, as \"ctl port list\" shows it"
                );
            }
            ask("DELETE", &format!("/__mock/ports/{}", escape(port)), None, show::ports)
        }
        _ => get("/__mock/ports", show::ports),
    })
}

fn job(matches: &ArgMatches) -> Ask {
    let (name, matches) = matches.subcommand().expect("clap asks for one");
    let path = format!("/__mock/jobs/{}/{name}", escape(text(matches, "pattern")));
    ask("POST", &path, None, show::jobs)
}

/// The filter, with the keys of the interface.
fn filter(matches: &ArgMatches) -> Map<String, Value> {
    let mut keys = Map::new();
    for (name, _) in FILTERS {
        if let Some(said) = matches.get_one::<String>(name) {
            // What is no number is a mistake that the server tells.
            let status = said.parse::<u64>().ok().filter(|_| name == "status");
            keys.insert(name.replace('-', "_"), status.map_or_else(|| json!(said), |status| json!(status)));
        }
    }
    keys
}

fn query(matches: &ArgMatches) -> String {
    let mut keys = filter(matches);
    keys.extend(matches.get_one::<String>("kind").map(|kind| (String::from("kind"), json!(kind))));
    for name in ["after", "limit"] {
        keys.extend(matches.get_one::<u64>(name).map(|number| (name.to_owned(), json!(number))));
    }
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs: Vec<_> = keys.iter().map(|(key, value)| format!("{key}={}", escape(&text(value)))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

fn verify(matches: &ArgMatches) -> Ask {
    let number = |name: &str| matches.get_one::<u64>(name).copied();
    let count = match (number("count"), number("at-least"), number("at-most")) {
        (Some(count), _, _) => json!(count),
        (None, Some(least), _) => json!({ "at_least": least }),
        (None, None, most) => json!({ "at_most": most }),
    };
    let mut body = json!({ "match": filter(matches), "count": count });
    if let Some(after) = number("after") {
        body["after"] = json!(after);
    }
    if let Some(within) = matches.get_one::<String>("within") {
        body["within"] = time(within);
    }
    let verify = ask("POST", "/__mock/verify", Some(body.to_string()), show::verified);
    Ask { is_no: |answer| answer["holds"] != true, ..verify }
}
