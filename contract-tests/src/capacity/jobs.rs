//! The jobs of a run: which answers made one that counts, and which of them may still be there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::measured::Outcome;
use super::server::{Reply, Server};

/// How old a job is before something else than its own run may have ended it: no idle sweep is as quick.
const SWEPT_FROM: Duration = Duration::from_secs(30);

/// The jobs of a run.
#[derive(Default)]
pub(super) struct Jobs {
    /// Every id that any answer named.
    named: BTreeSet<String>,
    /// Those that may still be there.
    pub(super) live: BTreeMap<String, Living>,
}

/// A job that may still be there.
pub(super) struct Living {
    /// Where the answer named one.
    port: Option<u16>,
    /// When it was answered.
    since: Duration,
}

impl Jobs {
    /// What an answer means for the run.
    pub(super) async fn judge(&mut self, reply: &Reply, server: &Server, now: Duration) -> Outcome {
        let failed =
            |code: &str, text: &str| Outcome::Failed { code: code.to_owned(), text: text.to_owned() };
        match reply {
            Reply::Job(job) => {
                let taken = self.holder(job.port, server, now).await;
                self.live.insert(job.id.clone(), Living { port: Some(job.port), since: now });
                if !self.named.insert(job.id.clone()) {
                    return failed("not unique", &format!("job_id {} was given before", job.id));
                }
                let text = taken.map(|other| format!("stream_port {} is that of job {other}", job.port));
                text.map_or(Outcome::Succeeded, |text| failed("not unique", &text))
            }
            Reply::Refused { status, code, text } => {
                let name =
                    code.as_ref().map_or_else(|| status.to_string(), |code| format!("{status} {code}"));
                Outcome::Failed { code: name, text: text.clone() }
            }
            Reply::Unusable { id, why } => {
                let living = Living { port: None, since: now };
                self.live.extend(id.clone().map(|id| (id, living)));
                failed("unusable answer", why)
            }
            Reply::NoAnswer(why) => failed("no answer", why),
        }
    }

    /// The job that has a port already. Slots, and so ports, are used again once a job is gone: they are unique among
    /// those that live, and the idle sweep ends those of a long run.
    async fn holder(&mut self, port: u16, server: &Server, now: Duration) -> Option<String> {
        let found = self.live.iter().find(|(_, living)| living.port == Some(port));
        let (id, since) = found.map(|(id, living)| (id.clone(), living.since))?;
        if now.saturating_sub(since) >= SWEPT_FROM && server.is_gone(&id).await {
            self.live.remove(&id);
            return None;
        }
        Some(id)
    }
}
