//! The traffic of known clients: users who read, list and now and then configure.
//!
//! **Chosen**, where the product's generator draws at random and waits for answers: who asks what, and when, follows from
//! the number of the user and of its turn, and each is due at its moment whatever became of the one before. On a held
//! clock a sixth of the time is enough: the pattern repeats itself.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Load, SECOND};
use crate::bodies::{base, with};
use crate::caller::{Caller, Trouble};
use crate::capacity::fire::{on_schedule, together};
use crate::case::{Capability, Case, Tag};
use crate::client::rest::Request;
use crate::failure::{Failure, holds};
use crate::story::Story;
use crate::tally::Tally;

const TAGS: &[Tag] = &[Tag::Load, Tag::Nightly];
const NEEDS: &[Capability] = &[Capability::Writes];
const STEPS: &[&str] = &[
    "each user, 0.1 to 0.5 s apart: /channels and /live_metadata 3 of 10 times each, /recordings_in_time_range 2, \
     /get_recordings_timeline 1, /configure 1 of 750 channels with NFFT 2048",
    "GET /metadata of the last job until it is known, at most 120 s",
    "cancel all",
];
const EXPECTS: &str = "at most 5 % of all requests fail, the last job is known in time and gone at the end";

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "load/mixed-ramp",
        claim: "mixed traffic of ten and then twenty users is carried",
        keys: &["PZ-13431"],
        tags: TAGS,
        needs: NEEDS,
        steps: STEPS,
        expects: EXPECTS,
        body: |story| Box::pin(mixed(story, Users::Ramp)),
    },
    Case {
        id: "load/mixed-steady",
        claim: "mixed traffic of twenty users is carried for two minutes",
        keys: &["PZ-13432"],
        tags: TAGS,
        needs: NEEDS,
        steps: STEPS,
        expects: EXPECTS,
        body: |story| Box::pin(mixed(story, Users::Steady)),
    },
    Case {
        id: "load/mixed-spike",
        claim: "mixed traffic that jumps from five to fifty users and back is carried",
        keys: &["PZ-13433"],
        tags: TAGS,
        needs: NEEDS,
        steps: STEPS,
        expects: EXPECTS,
        body: |story| Box::pin(mixed(story, Users::Spike)),
    },
];

/// When users come and go.
#[derive(Clone, Copy)]
enum Users {
    /// Ten for a minute, twenty for another; two of them come in a second.
    Ramp,
    /// Twenty for two minutes; two of them come in a second.
    Steady,
    /// Five for 40 s; 45 more come within 10 s, stay 20 s and leave within 10 s.
    Spike,
}

/// How much shorter it is on a held clock.
const SHORTER: u32 = 6;

impl Users {
    /// From when to when each user is there.
    fn stays(self) -> Vec<(Duration, Duration)> {
        let minute = SECOND * 60;
        match self {
            Self::Ramp => {
                let comes = |user: u32| SECOND * (user % 10) / 2 + minute * (user / 10);
                (0..20).map(|user| (comes(user), minute * 2)).collect()
            }
            Self::Steady => (0..20).map(|user| (SECOND * user / 2, minute * 2)).collect(),
            Self::Spike => {
                let more = (0..45).map(|user| {
                    let late = SECOND * 10 * user / 45;
                    (late, SECOND * 30 + late)
                });
                std::iter::repeat_n((Duration::ZERO, SECOND * 40), 5).chain(more).collect()
            }
        }
    }
}

/// What a user does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Channels,
    LiveMetadata,
    Recordings,
    Timeline,
    Configure,
}

/// Each as often as known clients do it.
const TURNS: [Turn; 10] = [
    Turn::Channels,
    Turn::LiveMetadata,
    Turn::Recordings,
    Turn::Channels,
    Turn::LiveMetadata,
    Turn::Timeline,
    Turn::Channels,
    Turn::LiveMetadata,
    Turn::Recordings,
    Turn::Configure,
];

/// Who is due when, and with what, in order.
fn due(users: Users, shorter: u32) -> Vec<(Duration, Turn)> {
    const THINK: Duration = Duration::from_millis(100);
    let mut all = Vec::new();
    for (user, (comes, leaves)) in users.stays().into_iter().enumerate() {
        // On whole tenths of a second, so that those who think for a while meet again.
        let comes = THINK * u32::try_from((comes / shorter).as_millis() / THINK.as_millis()).unwrap_or(0);
        let (mut moment, mut turn) = (comes, user * 3);
        while moment < leaves / shorter {
            all.push((moment, TURNS[turn % TURNS.len()]));
            turn += 1;
            moment += THINK * (1 + u32::try_from((user + turn * 2) % 5).unwrap_or(0));
        }
    }
    // Stable: of those who are due together the first user is first.
    all.sort_by_key(|(moment, _)| *moment);
    all
}

/// A job of 750 channels, as the product's generator makes it.
fn configuration() -> Value {
    with(
        base(),
        [
            ("channels", json!({"min": 1, "max": 750})),
            ("nfftSelection", json!(2048)),
            ("frequencyRange", json!({"min": 0, "max": 300})),
            ("displayInfo", json!({"height": 200})),
            ("displayTimeAxisDuration", json!(60)),
        ],
    )
}

/// One turn; the job, if it makes one.
async fn take(turn: Turn, caller: &Caller, now: i64) -> Result<Option<String>, Trouble> {
    let request = match turn {
        Turn::Channels => Request::get("/channels"),
        Turn::LiveMetadata => Request::get("/live_metadata"),
        Turn::Timeline => Request::get("/get_recordings_timeline"),
        Turn::Recordings => {
            let range = json!({"start_time": now - 3600, "end_time": now});
            Request::post("/recordings_in_time_range", &range)
        }
        Turn::Configure => return caller.configure(&configuration()).await.map(|job| Some(job.id)),
    };
    caller.want(request, 200).await.map(|_| None)
}

async fn mixed(story: &Story, users: Users) -> Result<(), Failure> {
    let load = Load::of(story);
    let shorter = if load.pacer.is_held() { SHORTER } else { 1 };
    let due = due(users, shorter);
    let moments: Vec<_> = due.iter().map(|(moment, _)| *moment).collect();
    let (caller, due, now) = (load.caller.clone(), Arc::new(due), story.now().await?);
    let ask = move |number: usize| {
        let (caller, turn) = (caller.clone(), due[number].1);
        async move { take(turn, &caller, now).await }
    };
    let shots = on_schedule(&moments, &load.pacer, ask).all().await?;
    let tally = Tally::of("requests of mixed traffic", &shots);
    story.note(tally.shown());
    tally.at_least(0.95)?;
    let ids: Vec<_> = shots.into_iter().filter_map(|shot| shot.value.ok().flatten()).collect();
    holds(!ids.is_empty(), || String::from("no job came of mixed traffic"))?;
    known(&load, &ids).await?;
    load.end(ids).await
}

/// Asks for the metadata of the last job until it is known, again after 0.2 s and then after twice as long each time, 2 s
/// at the most. Nobody reads these jobs, so those that came early may have been swept.
async fn known(load: &Load<'_>, ids: &[String]) -> Result<(), Failure> {
    const LONGEST: Duration = Duration::from_secs(120);
    let (began, mut wait) = (load.pacer.passed(), Duration::from_millis(200));
    let Some(newest) = ids.last() else { return Ok(()) };
    loop {
        let request = Request::of(Method::GET, &format!("/metadata/{newest}"));
        let caller = load.caller.clone();
        let ask = move |_| {
            let (caller, request) = (caller.clone(), request.clone());
            async move { caller.want(request, 200).await.map(drop) }
        };
        let asked = together(1, 1, &load.pacer, ask).all().await?;
        let Some(Err(trouble)) = asked.into_iter().next().map(|shot| shot.value) else { return Ok(()) };
        holds(load.pacer.passed() - began < LONGEST, || {
            format!("job {newest} is not known within {} s: {trouble}", LONGEST.as_secs())
        })?;
        load.pacer.pass(wait).await?;
        wait = (wait * 2).min(SECOND * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_as_often_as_known_clients_take_them_and_in_order() {
        let due = due(Users::Steady, 1);
        let often = |turn: Turn| due.iter().filter(|(_, taken)| *taken == turn).count();
        let all = due.len();
        for (turn, tenths) in [
            (Turn::Channels, 3),
            (Turn::LiveMetadata, 3),
            (Turn::Recordings, 2),
            (Turn::Timeline, 1),
            (Turn::Configure, 1),
        ] {
            assert!(often(turn).abs_diff(all * tenths / 10) <= 20, "{turn:?}: {} of {all}", often(turn));
        }
        assert!(due.is_sorted_by_key(|(moment, _)| *moment));
        assert!(due.last().is_some_and(|(moment, _)| *moment < SECOND * 120 && *moment > SECOND * 119));
        // 20 users, 115 s in the mean, 0.3 s from turn to turn.
        assert!((7400..7900).contains(&all), "{all}");
    }

    #[test]
    fn a_spike_has_ten_times_the_users_in_its_middle() {
        let due = due(Users::Spike, 1);
        let within =
            |from, to| due.iter().filter(|(moment, _)| (SECOND * from..SECOND * to).contains(moment)).count();
        assert!(within(15, 25) > 5 * within(0, 2) && within(38, 40) < within(20, 22) / 3);
    }
}
