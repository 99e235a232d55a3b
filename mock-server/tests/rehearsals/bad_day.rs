//! An hour of a server on which everything goes wrong: what a client that comes by now and then gets, to the byte.

use std::fmt::Write;
use std::time::Duration;

use focus_mock::sim::journal::{Happening, Reason};
use focus_mock::sim::leaks::Leaks;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;

use crate::play::{Answer, Broken, Play, last_days, live, recorded};
use crate::streams::{Call, id};

/// What a visit of the client gets: when (seconds after the start), and the fate of each of its requests.
struct Visit {
    at: u64,
    /// Of `GET /live_metadata`, a list of recordings, a live and a recorded configuration.
    fates: [&'static str; 4],
}

const fn visit(at: u64, fates: [&'static str; 4]) -> Visit {
    Visit { at, fates }
}

const OK: &str = "200";
const NO_INDEX: &str = "503 RECORDINGS_UNAVAILABLE";
const NO_BROKER: &str = "503 BROKER_UNAVAILABLE";
const NO_LIGHT: &str = "503 WAITING_FOR_FIBER";
const NO_JOB: &str = "503 JOB_CREATION_FAILED";
const IN_USE: &str = "409 PORT_IN_USE";
const DOWN: &str = "503 SERVER_DOWN";
const NOTHING: &str = "no answer";

/// The day as the client lives it. Where nothing is scheduled, the cluster is what fails it, one time in ten.
const DAY: [Visit; 26] = [
    visit(1, [OK, OK, OK, NO_JOB]),
    visit(61, [OK, OK, IN_USE, IN_USE]),
    visit(310, [OK, NO_INDEX, IN_USE, NO_INDEX]),
    visit(400, [OK, NO_INDEX, OK, NO_INDEX]),
    visit(425, [OK, OK, OK, NO_JOB]),
    visit(721, [OK, OK, NO_BROKER, NO_BROKER]),
    visit(781, [OK, OK, OK, OK]),
    visit(1201, [OK, OK, NO_LIGHT, OK]),
    visit(1300, [OK, OK, NO_LIGHT, OK]),
    visit(1321, [OK, OK, OK, OK]),
    visit(1501, [OK, OK, NO_JOB, NO_JOB]),
    visit(1531, [OK, OK, OK, OK]),
    visit(1801, [OK, OK, OK, OK]),
    visit(2101, [OK, OK, OK, OK]),
    visit(2161, [OK, OK, IN_USE, IN_USE]),
    visit(2281, [OK, OK, OK, OK]),
    visit(2401, [OK, OK, NOTHING, NOTHING]),
    visit(2461, [OK, OK, OK, OK]),
    visit(2701, [OK, NO_INDEX, OK, NO_INDEX]),
    visit(2761, [OK, OK, OK, OK]),
    visit(3001, [DOWN, DOWN, DOWN, DOWN]),
    visit(3021, [OK, OK, OK, OK]),
    visit(3200, [OK, OK, OK, OK]),
    visit(3301, [OK, OK, OK, OK]),
    visit(3580, [OK, OK, OK, OK]),
    visit(3601, [OK, OK, OK, OK]),
];

/// A client of the day, and what it wrote down.
struct Client<'a> {
    play: &'a Play,
    /// Whether somebody else asks the same server meanwhile.
    company: bool,
    seen: Vec<u8>,
    fates: Vec<String>,
    asked: usize,
}

impl Client<'_> {
    fn note(&mut self, text: &str) {
        // The ports themselves are the machine's; which slot they are of is the server's.
        let ports = (1..=4).map(|slot| (self.play.port(slot).to_string(), format!("<port {slot}>")));
        let text = ports.fold(text.to_owned(), |text, (port, name)| text.replace(&port, &name));
        let line = format!("{} {text}\n", self.play.passed());
        self.seen.extend_from_slice(line.as_bytes());
    }

    /// Somebody else asks for something, and takes nothing for long.
    async fn disturb(&mut self) {
        if !self.company {
            return;
        }
        self.asked += 1;
        let somebody = format!("somebody-{}", self.asked);
        let nobody_has_it = json!({"start_time": 1_577_836_800, "end_time": 1_577_840_400});
        let mut vain = live();
        vain["channels"] = json!({"min": 5, "max": 1});
        for (number, (method, path, body)) in [
            (Method::GET, "/channels", None),
            (Method::POST, "/recordings_in_time_range", Some(&nobody_has_it)),
            (Method::POST, "/configure", Some(&vain)),
            (Method::GET, "/metadata/9-9", None),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("{somebody}-{number}");
            drop(self.play.patiently(self.play.ask(&name, method, path, body)).await);
        }
    }

    /// Asks, and notes what comes.
    async fn ask(&mut self, name: &str, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        self.disturb().await;
        let (answer, took) = self.play.patiently(self.play.ask(name, method, path, body)).await;
        let text = format!("{name} {path} after {took:?}: {}", told(&answer));
        self.note(&text);
        self.fates.push(format!("{name}: {}", fate(&answer)));
        answer.ok().filter(|answer| answer.status == 200)
    }

    /// Comes by once.
    async fn visit(&mut self, visit: &Visit) {
        let at = visit.at;
        self.play.at(at * 1000);
        let begun = self.fates.len();
        self.ask(&format!("{at}-light"), Method::GET, "/live_metadata", None).await;
        let list = "/recordings_in_time_range";
        self.ask(&format!("{at}-list"), Method::POST, list, Some(&last_days())).await;
        let mut jobs = Vec::new();
        for (kind, body) in [("live", live()), ("recorded", recorded(160))] {
            let name = format!("{at}-{kind}");
            let job = self.ask(&name, Method::POST, "/configure", Some(&body)).await;
            jobs.extend(job.map(|job| job.json()));
        }
        let expected = ["light", "list", "live", "recorded"].iter().zip(visit.fates);
        let expected: Vec<_> = expected.map(|(what, fate)| format!("{at}-{what}: {fate}")).collect();
        assert_eq!(self.fates[begun..], expected);
        for job in jobs {
            let mut call = Call::open(self.play, &job, 0).await;
            let frame = call.frame().await;
            drop(call);
            self.play.until_calls(&job, 0).await;
            self.seen.extend(frame.encode_to_vec());
            self.cancel(&job, &format!("{at}-cancel-{}", self.fates.len())).await;
        }
    }

    async fn cancel(&mut self, job: &Value, name: &str) {
        self.ask(name, Method::DELETE, &format!("/job/{}", id(job)), None).await.expect("it was there");
    }

    async fn job(&mut self, name: &str, body: &Value) -> Value {
        self.ask(name, Method::POST, "/configure", Some(body)).await.expect("a job").json()
    }

    /// Reads from a job until its pod is killed, so many seconds after the start.
    async fn loses_its_pod(&mut self, at: u64) {
        let killed = at * 1000;
        self.play.at(killed - 5000);
        let job = self.job(&format!("killed-{at}"), &live()).await;
        let mut call = Call::open(self.play, &job, 0).await;
        self.seen.extend(call.frame().await.encode_to_vec());
        while self.play.passed() < u128::from(killed - 1000) {
            self.seen.extend(call.next().await.encode_to_vec());
        }
        self.play.at(killed);
        assert_eq!(call.end().await, (Code::Unavailable, String::from("job is gone")));
        assert_eq!(self.play.job_state(&job).await.as_deref(), Some("Failed"));
        self.note("killed: gone");
    }

    /// Reads three recordings, of which the third falls silent.
    async fn is_not_told(&mut self) {
        for number in 1..=3 {
            self.play.at(840_000 + number * 60_000);
            let job = self.job(&format!("recording-{number}"), &recorded(1200)).await;
            let mut call = Call::open(self.play, &job, 1).await;
            let mut frames = call.frames(8).await;
            let silent = number == 3;
            while frames.len() < if silent { 50 } else { 60 } {
                frames.push(call.next().await);
            }
            self.play.advance(10_000);
            if silent {
                assert!(call.is_silent().await);
            } else {
                assert_eq!(call.end().await, (Code::Ok, String::new()));
            }
            drop(call);
            for frame in frames {
                self.seen.extend(frame.encode_to_vec());
            }
            if silent {
                self.play.until_calls(&job, 0).await;
            }
            self.cancel(&job, &format!("recording-{number}-cancel")).await;
        }
    }

    /// Two jobs at a time, and no third one.
    async fn meets_the_limit(&mut self) {
        self.play.at(1_860_000);
        let jobs = [self.job("first", &live()).await, self.job("second", &live()).await];
        assert!(self.ask("third", Method::POST, "/configure", Some(&live())).await.is_none());
        assert_eq!(self.fates.last().map(String::as_str), Some("third: 503 CAPACITY_EXHAUSTED"));
        for (job, name) in jobs.iter().zip(["first-cancel", "second-cancel"]) {
            self.cancel(job, name).await;
        }
    }

    /// The whole hour.
    async fn lives_the_day(&mut self) {
        for visit in &DAY {
            match visit.at {
                721 => self.loses_its_pod(600).await,
                1201 => self.is_not_told().await,
                2401 => self.loses_its_pod(2400).await,
                2101 => self.meets_the_limit().await,
                _ => {}
            }
            self.visit(visit).await;
        }
        let rules = self.play.server.simulation().faults().list();
        assert_eq!(
            (self.play.passed() / 1000, rules),
            (3601, Vec::new()),
            "all rules are gone after the hour"
        );
    }
}

/// An answer without the date, which is the machine's.
fn told(answer: &Result<Answer, Broken>) -> String {
    let Ok(answer) = answer else { return format!("{answer:?}") };
    let mut text = format!("{}", answer.status);
    let mut headers: Vec<_> = answer.headers.iter().filter(|(name, _)| *name != "date").collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in headers {
        write!(text, "\n{name}: {}", value.to_str().expect("text")).expect("text takes all");
    }
    format!("{text}\n{}", answer.text())
}

fn fate(answer: &Result<Answer, Broken>) -> String {
    match answer {
        Ok(answer) if answer.status == 200 => String::from("200"),
        Ok(answer) => format!("{} {}", answer.status, answer.json()["code"].as_str().expect("a code")),
        Err(_) => String::from(NOTHING),
    }
}

/// What rules did to the requests of the client: which, for how long, and what was drawn for it.
fn hits(play: &Play) -> Vec<String> {
    let entries = play.server.simulation().journal().since(0);
    let mut hits = Vec::new();
    for entry in entries {
        let Happening::Request(record) = entry.what else { continue };
        for why in &record.why {
            let Reason::Rule(hit) = why else { continue };
            let request = hit.request.as_deref().unwrap_or_default();
            if !request.starts_with("somebody-") {
                hits.push(format!("{request} {} {:?} {:?}", hit.rule, hit.delay, hit.draw));
            }
        }
    }
    hits
}

async fn day(play: &Play, company: bool) -> (Vec<u8>, Vec<String>, Vec<String>) {
    let mut client = Client { play, company, seen: Vec::new(), fates: Vec::new(), asked: 0 };
    client.lives_the_day().await;
    let (seen, fates) = (client.seen, client.fates);
    play.advance(200_000);
    play.assert_left(&Leaks::default());
    (seen, fates, hits(play))
}

pub(crate) async fn a_day(play: &Play) -> Leaks {
    let (seen, fates, hits) = day(play, false).await;
    let slowest = hits.iter().filter(|hit| hit.contains("slow-day")).count();
    assert!(slowest > 100, "slow all day: {slowest}");
    play.assert_well().await;

    let again = day(&Play::of("bad-day"), false).await;
    let differs = seen.iter().zip(&again.0).position(|(one, other)| one != other);
    let from = differs.unwrap_or(0).saturating_sub(200);
    let part = |seen: &[u8]| String::from_utf8_lossy(&seen[from..seen.len().min(from + 400)]).into_owned();
    assert_eq!(differs, None, "{} or {}", part(&seen), part(&again.0));
    assert!(again == (seen, fates, hits), "to the byte");

    Leaks::default()
}

#[tokio::test]
async fn whoever_else_comes_a_client_has_the_same_day() {
    let (_, fates, hits) = day(&Play::of("bad-day"), false).await;
    let (_, in_company, hits_in_company) = day(&Play::of("bad-day"), true).await;
    assert_eq!(in_company, fates);
    assert_eq!(hits_in_company, hits);
}

impl Play {
    /// A job can be had and read from, and its answer takes no longer than the server needs for it.
    async fn assert_well(&self) {
        let (job, took) = self.patiently(self.accepted(&live())).await;
        assert!((Duration::from_millis(130)..=Duration::from_millis(890)).contains(&took), "{took:?}");
        crate::streams::read_from(self, &job).await;
        self.cancel(&job).await;
        let (list, took) = self.patiently(self.recordings()).await;
        assert_eq!((list.status, took), (200, Duration::ZERO));
        self.advance(10_000);
    }
}
