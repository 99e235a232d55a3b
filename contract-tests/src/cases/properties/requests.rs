//! Requests that are drawn: all accepted, or all refused as their defects say.

use proptest::prelude::{Strategy, any};
use serde_json::Value;

use crate::answer::{Answer, Refused, Violation};
use crate::bodies::light;
use crate::case::Capability;
use crate::client::rest::Request;
use crate::drive::{Rounds, hold};
use crate::failure::{Failure, holds};
use crate::requests::accepted::accepted;
use crate::requests::defects::{Spoilt, one_defect, some_defects};
use crate::requests::{Bounds, Configure, checks, valid};
use crate::story::Story;

/// Where jobs may be created there is one, which no refusal may touch.
async fn bounds_with_a_job(story: &Story) -> Result<Bounds, Failure> {
    if story.offers(Capability::Writes) {
        story.configure(&light()).await?;
    }
    Bounds::of(story).await
}

async fn post(story: &Story, text: String) -> Result<Answer, Failure> {
    let request = Request { body: Some(text.into_bytes()), ..Request::post("/configure", &Value::Null) };
    story.send(request).await
}

pub(super) async fn valid_accepted(story: &Story) -> Result<(), Failure> {
    let bounds = Bounds::of(story).await?;
    let holds = async |asked: Configure| {
        let text = asked.form.write(&asked.body());
        let answer = post(story, text).await?;
        let job = accepted(&answer, &asked, &bounds)?;
        story.metadata(&job.id).await?.has_status(200)?.is_json(&answer.json()?)?;
        story.cancel(&job).await.map(drop)
    };
    hold(&valid(&bounds), Rounds::of(story, 150), holds).await
}

pub(super) async fn one_defect_refused(story: &Story) -> Result<(), Failure> {
    let bounds = bounds_with_a_job(story).await?;
    hold(&one_defect(&bounds), Rounds::of(story, 400), async |spoilt| refused(story, &bounds, &spoilt).await)
        .await
}

pub(super) async fn all_defects_told(story: &Story) -> Result<(), Failure> {
    let bounds = bounds_with_a_job(story).await?;
    hold(&some_defects(&bounds), Rounds::of(story, 500), async |spoilt| {
        refused(story, &bounds, &spoilt).await
    })
    .await
}

async fn refused(story: &Story, bounds: &Bounds, spoilt: &Spoilt) -> Result<(), Failure> {
    // Some mistakes are none in a view that was drawn later.
    let Some(refusal) = checks::refusal(&checks::found(&spoilt.body, bounds)) else { return Ok(()) };
    let answer = story.no_trace(post(story, spoilt.text())).await?;
    answer.is_refused(&refusal).map(drop)
}

pub(super) async fn no_json_refused(story: &Story) -> Result<(), Failure> {
    let bounds = bounds_with_a_job(story).await?;
    let texts = (valid(&bounds), any::<u16>(), any::<bool>()).prop_map(|(asked, place, longer)| {
        let text = asked.form.write(&asked.body());
        // An object is whole with its last brace only, and nothing but blanks may follow that.
        let text = text.trim_end();
        let kept = usize::from(place) % text.len();
        if longer { format!("{text}{}", &text[kept..]) } else { text[..kept].to_owned() }
    });
    let violation = Violation::new("", "json_invalid", "Request body is not valid JSON");
    let refusal = Refused { code: "MALFORMED_JSON", ..Refused::value(vec![violation]) };
    let property = async |text: String| {
        holds(text.is_ascii(), || String::from("requests are ASCII"))?;
        story.no_trace(post(story, text)).await?.is_refused(&refusal).map(drop)
    };
    hold(&texts, Rounds::of(story, 100), property).await
}
