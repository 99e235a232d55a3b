//! Answers of the admin interface, for people.

use std::fmt::Write;

use serde_json::Value;

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::from("-"),
        value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => value.to_string(),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn joined(value: &Value) -> String {
    let all: Vec<_> = list(value).iter().map(text).collect();
    if all.is_empty() { String::from("none") } else { all.join(", ") }
}

/// `1 rule`, `2 rules`.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Rows with their columns below each other; the last is as long as it is.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut shown = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        shown.push_str(line.trim_end());
        shown.push('\n');
    }
    shown
}

fn rows(pairs: &[(&str, String)]) -> String {
    table(&pairs.iter().map(|(name, value)| vec![(*name).to_owned(), value.clone()]).collect::<Vec<_>>())
}

pub(super) fn state(answer: &Value) -> String {
    let clock = &answer["clock"];
    let dependencies = answer["dependencies"].as_object().into_iter().flatten();
    let outside: Vec<_> = dependencies.map(|(name, state)| format!("{name} {}", text(state))).collect();
    let serving = if answer["serving"] == true { "yes" } else { "no" };
    let jobs = list(&answer["jobs"]);
    let held: Vec<_> = list(&answer["held_ports"])
        .iter()
        .map(|held| format!("{} ({})", text(&held["port"]), text(&held["by"])))
        .collect();
    let mut shown = rows(&[
        ("clock", format!("{}, {}", text(&clock["now"]), text(&clock["mode"]))),
        ("served", serving.to_owned()),
        ("fibre", text(&answer["fiber"])),
        ("outside", outside.join(", ")),
        ("profile", answer["profile"].as_str().unwrap_or("of its own").to_owned()),
        ("quirks", joined(&answer["quirks"])),
        ("rules", text(&answer["rules"])),
        ("held ports", if held.is_empty() { String::from("none") } else { held.join(", ") }),
        ("leaks", text(&answer["leaks"])),
        ("slots", format!("{} free", text(&answer["slots"]["free"]))),
        ("jobs", jobs.len().to_string()),
    ]);
    let jobs: Vec<_> = jobs
        .iter()
        .map(|job| {
            let calls = usize::try_from(job["open_calls"].as_u64().unwrap_or(0)).unwrap_or(0);
            vec![
                format!("  {}", text(&job["job_id"])),
                text(&job["state"]),
                format!("port {}", text(&job["port"])),
                counted(calls, "open call"),
            ]
        })
        .collect();
    shown.push_str(&table(&jobs));
    shown
}

pub(super) fn clock(answer: &Value) -> String {
    let next = answer["next_due_ms"].as_i64().zip(answer["now_ms"].as_i64());
    let next =
        next.map_or_else(|| String::from("nothing"), |(due, now)| format!("in {} s", seconds(due - now)));
    let mut shown = rows(&[
        ("shows", text(&answer["now"])),
        ("mode", text(&answer["mode"])),
        ("due next", next),
        ("waiting", list(&answer["waiters"]).len().to_string()),
    ]);
    let now = answer["now_ms"].as_i64().unwrap_or(0);
    let waiters: Vec<_> = list(&answer["waiters"])
        .iter()
        .map(|waiter| {
            let until = waiter["until_ms"].as_i64().unwrap_or(now) - now;
            let job = waiter["job"].as_str().map_or_else(String::new, |job| format!("job {job}"));
            vec![format!("  {}", text(&waiter["what"])), format!("{} s more", seconds(until)), job]
        })
        .collect();
    shown.push_str(&table(&waiters));
    shown
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of a simulation are far below 2^53")]
fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

pub(super) fn advanced(answer: &Value) -> String {
    let fired = list(&answer["fired"]);
    let total = usize::try_from(answer["fired_total"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let left_out = total.saturating_sub(fired.len());
    let more = if left_out > 0 { format!(" (the newest {} below)", fired.len()) } else { String::new() };
    let happened = if total == 0 {
        String::from("nothing happened")
    } else {
        format!("{} happened", counted(total, "thing"))
    };
    format!("It is {} now; {happened} on the way{more}.\n{}", text(&answer["now"]), entries(fired))
}

/// A line for each entry of the journal.
fn entries(entries: &[Value]) -> String {
    let beside = ["number", "at_ms", "event", "job", "headers", "body", "body_bytes", "came_ms", "why"];
    let rows: Vec<_> = entries
        .iter()
        .map(|entry| {
            let keys = entry.as_object().into_iter().flatten();
            let told = keys.filter(|(key, value)| !beside.contains(&key.as_str()) && !value.is_null());
            let told: Vec<_> = told.map(|(key, value)| format!("{key}={}", text(value))).collect();
            vec![
                format!("  {}", text(&entry["number"])),
                text(&entry["at_ms"]),
                text(&entry["event"]),
                text(&entry["job"]),
                told.join(" "),
            ]
        })
        .collect();
    table(&rows)
}

pub(super) fn journal(answer: &Value) -> String {
    let found = list(&answer["entries"]);
    let mut shown = entries(found);
    let more = if answer["more"] == true {
        format!("; there are more, with --after {}", text(&answer["next"]))
    } else {
        String::new()
    };
    let _ = write!(
        shown,
        "{} of {} written, {} of them gone{more}.",
        found.len(),
        text(&answer["written"]),
        text(&answer["dropped"])
    );
    shown
}

pub(super) fn faults(answer: &Value) -> String {
    let rules = list(&answer["rules"]);
    if rules.is_empty() {
        return String::from("No rule is installed.");
    }
    let mut shown = vec![["ID", "MATCHED", "HITS", "RULE"].map(String::from).to_vec()];
    shown.extend(
        rules.iter().map(|rule| ["id", "matched", "hits", "rule"].map(|key| text(&rule[key])).to_vec()),
    );
    table(&shown)
}

pub(super) fn added(answer: &Value) -> String {
    format!("Installed {}.", joined(&answer["ids"]))
}

pub(super) fn removed(answer: &Value) -> String {
    let count = usize::try_from(answer["removed"].as_u64().unwrap_or(0)).unwrap_or(0);
    format!("Removed {}.", counted(count, "rule"))
}

pub(super) fn points(answer: &Value) -> String {
    let point = |point: &Value| vec![text(&point["point"]), joined(&point["effects"]), text(&point["about"])];
    table(&list(&answer["points"]).iter().map(point).collect::<Vec<_>>())
}

fn switched(quirk: &Value) -> &'static str {
    if quirk["on"] == true { "on" } else { "off" }
}

pub(super) fn quirks(answer: &Value) -> String {
    let row = |quirk: &Value| vec![text(&quirk["name"]), switched(quirk).to_owned(), text(&quirk["about"])];
    table(&list(&answer["quirks"]).iter().map(row).collect::<Vec<_>>())
}

pub(super) fn quirk(answer: &Value) -> String {
    format!("{} is {}.", text(&answer["name"]), switched(answer))
}

pub(super) fn profile(answer: &Value) -> String {
    let on = list(&answer["quirks"]).iter().filter(|quirk| quirk["on"] == true).count();
    format!("The profile is {}: {} on.", text(&answer["profile"]), counted(on, "quirk"))
}

pub(super) fn dependencies(answer: &Value) -> String {
    let all = answer.as_object().into_iter().flatten();
    let row = |(name, one): (&String, &Value)| {
        vec![name.clone(), text(&one["state"]), format!("of {}", joined(&one["states"]))]
    };
    table(&all.map(row).collect::<Vec<_>>())
}

pub(super) fn limits(answer: &Value) -> String {
    let all = answer.as_object().into_iter().flatten();
    let shown = |value: &Value| if value.is_null() { String::from("without limit") } else { text(value) };
    table(&all.map(|(key, value)| vec![key.clone(), shown(value)]).collect::<Vec<_>>())
}

pub(super) fn held(answer: &Value) -> String {
    format!("Port {} is held, as by {}.", text(&answer["port"]), holder(answer))
}

fn holder(held: &Value) -> &'static str {
    if held["by"] == "process" { "another process" } else { "a left-over Service" }
}

pub(super) fn ports(answer: &Value) -> String {
    let held = list(&answer["held"]);
    if held.is_empty() {
        return String::from("No port is held.");
    }
    let row = |port: &Value| vec![text(&port["port"]), format!("as by {}", holder(port))];
    table(&held.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn jobs(answer: &Value) -> String {
    format!("Done to {}.", joined(&answer["jobs"]))
}

pub(super) fn verified(answer: &Value) -> String {
    let matched = usize::try_from(answer["matched"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX);
    let holds = if answer["holds"] == true { "as it should be" } else { "which is not as it should be" };
    format!("{} matched, {holds} ({}).", counted(matched, "request"), text(&answer["count"]))
}

pub(super) fn leaks(answer: &Value) -> String {
    let leaks = list(&answer["leaks"]);
    if leaks.is_empty() {
        return String::from("Nothing leaked.");
    }
    let row = |leak: &Value| {
        vec![text(&leak["kind"]), text(&leak["name"]), format!("of job {}", text(&leak["job"]))]
    };
    table(&leaks.iter().map(row).collect::<Vec<_>>())
}

pub(super) fn invariants(answer: &Value) -> String {
    let broken: Vec<_> = list(&answer["broken"]).iter().map(text).collect();
    if broken.is_empty() { String::from("Every invariant holds.") } else { broken.join("\n") }
}

pub(super) fn explain(answer: &Value) -> String {
    let fate = |job: &Value| {
        let keys = job["fate"].as_object().into_iter().flatten();
        let told = keys.filter(|(key, value)| *key != "is" && *key != "at_ms" && !value.is_null());
        let told: Vec<_> = told.map(|(key, value)| format!(", {key} {}", text(value))).collect();
        format!(
            "Job {} is {}{}.\n",
            text(&job["job_id"]),
            text(&job["fate"]["is"]).replace('-', " "),
            told.concat()
        )
    };
    let job = if answer["job"].is_object() { fate(&answer["job"]) } else { String::new() };
    let Some(request) = answer["request"].as_object() else {
        return format!("{job}{}", entries(list(&answer["happened"])));
    };
    let mut shown = format!(
        "Request {} was {} {}: {}.\n",
        text(&request["request_id"]),
        text(&request["method"]),
        text(&request["path"]),
        text(&answer["answer"])
    );
    for violation in list(&answer["check"]["violations"]) {
        let _ = writeln!(shown, "  {}", text(violation));
    }
    for hit in list(&answer["rules"]) {
        let _ = writeln!(
            shown,
            "Rule {} at {}: {}",
            text(&hit["rule"]),
            text(&hit["point"]),
            text(&hit["effect"])
        );
        if let Some(draw) = hit["draw"].as_object() {
            let _ = writeln!(
                shown,
                "  drew {} (below {}) from seed {}, {:?}, {:?}, occurrence {}",
                text(&draw["value"]),
                text(&draw["below"]),
                text(&answer["seed"]),
                text(&draw["resource"]),
                text(&draw["step"]),
                text(&draw["occurrence"])
            );
        }
    }
    for quirk in list(&answer["quirks"]) {
        let _ = writeln!(shown, "Quirk {} let pass: {}", text(&quirk["quirk"]), text(&quirk["let_pass"]));
    }
    shown + &job
}
