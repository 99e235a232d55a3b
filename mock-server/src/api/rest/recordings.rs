//! `POST /recordings_in_time_range`: what is recorded.

use std::sync::Arc;

use axum::response::Response;
use serde::Serialize;

use super::ask::Ask;
use super::{App, configure, jobs, json_of};
use crate::api::rejection::Rejection;
use crate::domain::check;
use crate::domain::quirk::Quirk;
use crate::domain::recording::{Recording, RecordingEnd};
use crate::domain::refusal::Refusal;

/// End of a recording that is still being written.
const ONGOING: i64 = -1;

pub(super) async fn in_time_range(app: Arc<App>, ask: Ask) -> Result<Response, Rejection> {
    let quirks = ask.quirks();
    let draft = configure::window(&ask.json_object(app.max_body_bytes).await?);
    let window = check::window(draft).map_err(Refusal::Invalid)?;
    match app.simulation.recordings(window) {
        Ok(found) => {
            let recordings: Vec<_> = found.into_iter().map(pair).collect();
            let wrapped = quirks.has(Quirk::RecordingsWrapped);
            Ok(if wrapped { json_of(&Wrapped { recordings }) } else { json_of(&recordings) })
        }
        Err(refusal) => Err(jobs::in_its_time(&app, refusal, quirks).await),
    }
}

/// The list as some servers give it.
#[derive(Serialize)]
struct Wrapped {
    recordings: Vec<(i64, i64)>,
}

fn pair(recording: Recording) -> (i64, i64) {
    let end = match recording.end {
        RecordingEnd::At(end) => end.0,
        RecordingEnd::Ongoing => ONGOING,
    };
    (recording.start.0, end)
}
