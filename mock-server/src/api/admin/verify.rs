//! Verification: how many requests of a sort came, and whether that is as it should be.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json as value};

use super::World;
use super::answer::{Answer, No, json, parse};
use super::body::Sent;
use super::journal::{Filter, Wanted};
use super::time::duration;
use crate::sim::Simulation;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verify {
    #[serde(default)]
    r#match: Filter,
    count: Value,
    after: Option<u64>,
    within: Option<Value>,
}

/// How many there must be.
#[derive(Clone, Copy)]
enum Count {
    Exactly(u64),
    AtLeast(u64),
    AtMost(u64),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Bound {
    AtLeast(u64),
    AtMost(u64),
}

const EXPECTED: &str = r#"{"match": {"route": "configure"}, "count": 3}, the count also as {"at_least": 2} or {"at_most": 5}, and "after" and "within" if wanted"#;

/// What a number of requests means for a count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    /// It is so, and stays so.
    Holds,
    /// It is so, unless more come.
    HoldsSoFar,
    /// It is not so yet.
    NotYet,
    /// It is not so and never will be.
    Never,
}

impl Count {
    fn of(said: &Value) -> Option<Self> {
        if let Some(number) = said.as_u64() {
            return Some(Self::Exactly(number));
        }
        Some(match serde_json::from_value(said.clone()).ok()? {
            Bound::AtLeast(number) => Self::AtLeast(number),
            Bound::AtMost(number) => Self::AtMost(number),
        })
    }

    fn stand(self, matched: u64) -> Stand {
        match self {
            Self::Exactly(number) | Self::AtMost(number) if matched > number => Stand::Never,
            // Reached is enough: what comes later is another question.
            Self::Exactly(number) if matched == number => Stand::Holds,
            Self::AtLeast(number) if matched >= number => Stand::Holds,
            Self::AtMost(_) => Stand::HoldsSoFar,
            Self::Exactly(_) | Self::AtLeast(_) => Stand::NotYet,
        }
    }

    fn shown(self) -> Value {
        match self {
            Self::Exactly(number) => value!(number),
            Self::AtLeast(number) => value!({ "at_least": number }),
            Self::AtMost(number) => value!({ "at_most": number }),
        }
    }
}

pub(super) async fn verify(State(simulation): World, Sent(body): Sent) -> Answer {
    let body: Verify = parse(&body, EXPECTED)?;
    let count = Count::of(&body.count)
        .ok_or_else(|| No::wrong("count: expected a number, {\"at_least\": N} or {\"at_most\": N}"))?;
    let within = body.within.as_ref().filter(|within| !within.is_null()).map(|within| {
        duration(within).ok_or_else(|| {
            No::wrong("within: expected a duration such as \"5s\", or a number of seconds, from 0 to 31 days")
        })
    });
    let until = within.transpose()?.map(|within| simulation.clock().now().after(within));
    let wanted = body.r#match.checked()?;
    // Counts begin anew with a reset: what came before it was another test's.
    let after = body.after.unwrap_or_else(|| simulation.with(|world, _| world.began_after()));
    let written = simulation.journal().written();
    if after > written {
        return Err(No::wrong(format!("after: {after} is beyond the {written} entries that were written")));
    }
    loop {
        // Before the look, so that what comes after it wakes us.
        let told = simulation.journal().told().next();
        let (matched, gone) = look(&simulation, after, &wanted);
        let stand = count.stand(matched);
        // More can only be missed by a count that more would change.
        if gone > 0 && stand != Stand::Never && !matches!((count, stand), (Count::AtLeast(_), Stand::Holds)) {
            return Err(No::conflict(format!(
                "the journal has lost {gone} entries after number {after}, which this verification would need: \
                 verify earlier, or give a later \"after\""
            )));
        }
        let time_is_over = until.is_none_or(|until| simulation.clock().now() >= until);
        if stand == Stand::Holds || stand == Stand::Never || time_is_over {
            return json(value!({
                "holds": matches!(stand, Stand::Holds | Stand::HoldsSoFar),
                "matched": matched,
                "count": count.shown(),
                "after": after,
                "written": simulation.journal().written(),
            }));
        }
        let Some(until) = until else { continue };
        tokio::select! {
            () = told => {}
            () = simulation.clock().sleep_until(until, "verification", None) => {}
        }
    }
}

/// How many match, and how many entries that might have are gone.
fn look(simulation: &Simulation, after: u64, wanted: &Wanted) -> (u64, u64) {
    let journal = simulation.journal();
    let matched = journal.count(after, |entry| wanted.takes_requests(entry));
    // After the count: what is gone by now may be missing in it.
    (matched, journal.dropped().saturating_sub(after))
}
