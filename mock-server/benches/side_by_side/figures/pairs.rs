//! Jobs that come and go, beside few others and beside many.

use super::golden;
use super::rest::{Side, notes, rates};
use crate::bare::{Bare, Canned, Spec};
use crate::compare::{Plan, alternate};
use crate::load::Work;
use crate::mock::Mock;
use crate::table::{Goal, Row};

/// Fast enough that the slot of a cancelled job, which stays for 2 s, comes back at once.
const CLOCK: u32 = 10_000;

pub(super) async fn configure_and_cancel(plan: Plan) -> anyhow::Result<Vec<Row>> {
    let body = golden();
    let (few, many) = (Mock::scaled(CLOCK)?, Mock::scaled(CLOCK)?);
    few.jobs(&body, 10).await?;
    many.jobs(&body, 1000).await?;
    let (_, accepted) = few.ask("POST", "/configure", &body).await?;
    let canned = |method: &str, path: &str, parses, body: &str| Canned {
        method: method.into(),
        path: path.into(),
        parses,
        status: 200,
        body: body.into(),
    };
    let bare = Bare::start(&Spec::Rest(vec![
        canned("POST", "/configure", true, &accepted),
        canned("DELETE", "/job/{job_id}", false, r#"{"status":"cancelled","job_id":"11-11"}"#),
    ]))?;
    let work = Work::configure_and_cancel(&body);
    let sides = [
        Side { process: &few.process, address: few.rest },
        Side { process: &many.process, address: many.rest },
        Side { process: &bare.process, address: bare.address },
    ];
    let turns = alternate::<_, 3>(plan, async |side| sides[side].round(plan, &work).await).await?;
    let row = |figure: &str, goal, side, of| Row {
        figure: format!("POST /configure accepted, then DELETE /job/{{id}}: requests/s {figure}"),
        goal,
        spread: Some(rates(&turns, side, of)),
        unit: "x",
        notes: notes(&turns, side, of),
    };
    let mut rows = vec![
        row("with 10 live jobs to bare axum", Goal::AtLeast(0.15), 0, 2),
        row("with 1,000 live jobs to bare axum", Goal::AtLeast(0.15), 1, 2),
        row("with 1,000 live jobs to with 10", Goal::WithinFactor(1.3), 1, 0),
    ];
    rows[2].notes = rows[2].notes.replace("bare", "with 10");
    Ok(rows)
}
