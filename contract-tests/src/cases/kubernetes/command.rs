//! The command line of a job's pod, which suites parse; and that times in it are those of the request.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;
use serde_json::{Value, json};

use super::NEEDS;
use crate::arithmetic::Request;
use crate::bodies::{LIGHT, historic, light};
use crate::case::{Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::job::Job;
use crate::objects::{container, grpc_job};
use crate::story::Story;

pub(in crate::cases) static CASES: &[Case] = &[Case {
    id: "kubernetes/no-time-offset",
    claim: "the pod of a historic job gets exactly the times of the request, and their recordings are those of that window",
    keys: &["PZ-13295"],
    tags: &[Tag::Regression],
    needs: NEEDS,
    steps: &[
        "configure Light over half an hour of the last hour, and once live",
        "read the commands of both pods",
        "POST /recordings_in_time_range for the window",
    ],
    expects: "--time-start and --time-end equal the request; neither in the live one; every recording overlaps the window",
    body: |story| Box::pin(no_time_offset(story)),
}];

/// A command line by its flags. Known readers split it at blanks, wherever the list has its borders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// The words before the first flag.
    pub(super) leading: String,
    /// What follows each flag.
    pub(super) flags: BTreeMap<String, String>,
}

impl Command {
    /// That of a container, which has all of it in `command`.
    pub(super) fn of(container: &Container) -> Result<Self, Failure> {
        let args = container.args.clone().unwrap_or_default();
        holds(args.is_empty(), || format!("there are args: {args:?}"))?;
        Ok(Self::parsed(&container.command.clone().unwrap_or_default().join(" ")))
    }

    fn parsed(text: &str) -> Self {
        let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
        let mut rest = || {
            let mut taken: Vec<&str> = Vec::new();
            while let Some(word) = words.next_if(|word| !is_flag(word)) {
                taken.push(word);
            }
            (taken.join(" "), words.next())
        };
        let (leading, mut flag) = rest();
        let mut flags = BTreeMap::new();
        while let Some(known) = flag {
            let (value, next) = rest();
            flags.insert(known.to_owned(), value);
            flag = next;
        }
        Self { leading, flags }
    }

    /// What a live multi-channel request must become.
    pub(super) fn live(request: &Request, job: &Job) -> Self {
        let (channels, frequencies) = (request.channels, request.frequencies);
        let flags = [
            ("--roi", format!("{} {}", channels.0, channels.1)),
            ("-sg", request.nfft.to_string()),
            ("--sg-range", format!("{} {}", frequencies.0, frequencies.1)),
            ("--grpc-streams-num", job.streams.to_string()),
            ("--queue-name", format!("focus_baby.{}", job.id)),
        ];
        Self {
            leading: String::from("python -m baby_analyzer"),
            flags: flags.into_iter().map(|(flag, value)| (flag.to_owned(), value)).collect(),
        }
    }
}

/// A flag of the program: `-m` is Python's own, and a number may be negative.
fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    word != "-m" && name.len() < word.len() && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

async fn no_time_offset(story: &Story) -> Result<(), Failure> {
    let now = story.now().await?;
    let (start, end) = (now - 3600, now - 1800);
    let past = story.configure(&historic(light(), start, end)).await?;
    let mut command = Command::of(&container(&story.pod_of(&grpc_job(&past.id)).await?)?)?;
    // Which zone it names nobody knows; that it names one is all.
    let zone = command.flags.remove("--time-zone");
    holds(zone.is_some(), || String::from("a historic command has no --time-zone"))?;
    let mut expected = Command::live(&LIGHT, &past);
    expected.flags.insert(String::from("--time-start"), start.to_string());
    expected.flags.insert(String::from("--time-end"), end.to_string());
    equal("the command of a historic job", &command, &expected)?;
    let live = story.configure(&light()).await?;
    let command = Command::of(&container(&story.pod_of(&grpc_job(&live.id)).await?)?)?;
    equal("the command of a live job", &command, &Command::live(&LIGHT, &live))?;
    let window = json!({"start_time": start, "end_time": end});
    let answer = story.post("/recordings_in_time_range", &window).await?;
    let recordings = answer.has_status(200)?.json()?;
    let recordings = recordings.as_array().cloned().unwrap_or_default();
    holds(!recordings.is_empty(), || String::from("a window of the last hour has no recordings"))
        .map_err(|failure| failure.shown_by(&answer.0))?;
    for recording in recordings {
        let bound = |index: usize| recording.get(index).and_then(Value::as_i64).unwrap_or(i64::MIN);
        let ends = if bound(1) == -1 { i64::MAX } else { bound(1) };
        holds(bound(0) < end && ends > start, || {
            format!("recording {recording} does not overlap {start} to {end}")
        })
        .map_err(|failure| failure.shown_by(&answer.0))?;
    }
    story.cancel(&past).await?;
    story.cancel(&live).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_by_its_flags() {
        let command = Command::parsed("python -m baby_analyzer --roi 1 50 -sg 1024 --time-start -5 --flag");
        assert_eq!(command.leading, "python -m baby_analyzer");
        let flags: Vec<_> =
            command.flags.iter().map(|(flag, value)| (flag.as_str(), value.as_str())).collect();
        assert_eq!(flags, [("--flag", ""), ("--roi", "1 50"), ("--time-start", "-5"), ("-sg", "1024")]);
        assert_eq!(Command::parsed("").flags.len(), 0);
        assert_eq!(Command::parsed("sh -c x").leading, "sh");
    }
}
