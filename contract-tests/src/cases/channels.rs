//! Channels: which ranges there are, and how they are dealt out to streams.

use serde_json::{Value, json};

use super::configuring::{Fibre, about, accepted, refused};
use crate::answer::Violation;
use crate::arithmetic::Request;
use crate::bodies::{BASE, LIGHT, base, with};
use crate::case::{Capability, Case, Tag};
use crate::checks::{self, MOST_CHANNELS};
use crate::failure::{Failure, equal};
use crate::job::Job;
use crate::story::Story;

pub(super) static CASES: &[Case] = &[
    Case {
        id: "channels/channels-out-of-range",
        claim: "channels that the fibre does not have, ranges the wrong way round and too many channels are refused",
        keys: &["PZ-13876", "PZ-13554", "PZ-13427"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "read the range from GET /channels",
            "configure Base with 1 to highest + 100, highest + 1 to highest + 5, 0 to 5, 60 to 50 and 1 to 2223",
            "configure Base with 1 to 2222, or with all channels of a shorter fibre",
            "configure Base with the last channel alone",
        ],
        expects: "422 less_than_equal and too_many_channels together; 422 less_than_equal; 400 out_of_range; 400 \
                  range_reversed; 400 too_many_channels; then 200 with all invariants, twice",
        body: |story| Box::pin(channels_out_of_range(story)),
    },
    Case {
        id: "channels/single-channel",
        claim: "a single channel is one stream, whichever channel it is and however often it is asked for",
        keys: &[
            "PZ-13861", "PZ-13862", "PZ-13814", "PZ-13815", "PZ-13816", "PZ-13817", "PZ-13832", "PZ-13833",
            "PZ-13834", "PZ-13853", "PZ-13858",
        ],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure view 1 with channel 1, 3, 7, 8, 15, 50 and 100, and 7 once more, each cancelled"],
        expects: "200 with all invariants; stream_amount 1, channel_to_stream_index {channel: 0}, channel_amount 1; \
                  both answers for 7 equal but for job_id and stream_port",
        body: |story| Box::pin(single_channel(story)),
    },
    Case {
        id: "channels/single-channel-range",
        claim: "the view of a single channel refuses a range",
        keys: &["PZ-13669", "PZ-13823", "PZ-13852"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &["configure view 1 with channels 5-10 and 5-6"],
        expects: "400 INVALID_VALUE, single_channel_range",
        body: |story| Box::pin(single_channel_range(story)),
    },
    Case {
        id: "channels/grouping",
        claim: "channels are dealt out to at most three streams, in order, as evenly as they can be, larger groups \
                first",
        keys: &["PZ-13785", "PZ-13786"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with 1, 2, 3, 4, 8, 10, 50, 99, 200 and 2222 channels from the first one on, each \
             cancelled",
        ],
        expects: "200 with all invariants; groups of 1; 1, 1; 1, 1, 1; 2, 1, 1; 3, 3, 2; 4, 3, 3; 17, 17, 16; 33, 33, \
                  33; 67, 67, 66; 741, 741, 740",
        body: |story| Box::pin(grouping(story)),
    },
    Case {
        id: "channels/roi-independence",
        claim: "configurations that differ only in their channels have the same frequencies, lines and streams",
        keys: &["PZ-13784", "PZ-13787"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes],
        steps: &[
            "configure Base with channels 1-50, 51-100, 200-210 and 100-102, each cancelled",
            "the same with Light, and with Base from 100 to 300 Hz",
        ],
        expects: "equal frequencies_list, lines_dt, view_type and stream_amount among those that differ only in \
                  channels",
        body: |story| Box::pin(roi_independence(story)),
    },
];

fn asking(min: i64, max: i64) -> Value {
    with(base(), [("channels", json!({"min": min, "max": max}))])
}

async fn channels_out_of_range(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let highest = i64::from(fibre.highest);
    // Which of the bounds a range breaks depends on where the fibre begins and ends.
    let broken = |min: i64, max: i64| -> Vec<Violation> {
        let amount = max - min + 1;
        let below = (1..i64::from(fibre.lowest)).contains(&min);
        let checks = [
            (min < 1, checks::channel_below_one()),
            (min > max, checks::channels_reversed(min, max)),
            (below, checks::channel_below_lowest(min, fibre.lowest)),
            (max > highest, checks::channel_above_highest(max, fibre.highest)),
            (amount > i64::from(MOST_CHANNELS), checks::too_many_channels(amount, MOST_CHANNELS)),
        ];
        checks.into_iter().filter_map(|(applies, violation)| applies.then_some(violation)).collect()
    };
    let rows = [(1, highest + 100), (highest + 1, highest + 5), (0, 5), (60, 50), (1, 2223)];
    for (min, max) in rows {
        let refusal = checks::refused(broken(min, max));
        refused(story, &asking(min, max), &refusal)
            .await
            .map_err(about(format!("channels {min} to {max}")))?;
    }
    for channels in [fibre.channels(MOST_CHANNELS), (fibre.highest, fibre.highest)] {
        accepted(story, &Request { channels, ..BASE }, &fibre).await?;
    }
    Ok(())
}

async fn single_channel(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let mut seven: Option<Job> = None;
    for channel in [1, 3, 7, 8, 15, 50, 100, 7] {
        let row = format!("channel {channel}");
        let request = Request { view: 1, channels: (channel, channel), ..BASE };
        let job = accepted(story, &request, &fibre).await.map_err(about(&row))?;
        let mut map = serde_json::Map::new();
        map.insert(channel.to_string(), json!(0));
        job.answer
            .has("/stream_amount", &json!(1))
            .and_then(|answer| answer.has("/channel_amount", &json!(1)))
            .and_then(|answer| answer.has("/channel_to_stream_index", &Value::Object(map)))
            .map_err(about(&row))?;
        if channel == 7 {
            if let Some(earlier) = &seven {
                job.answer.equals(&earlier.answer, &["job_id", "stream_port"])?;
            }
            seven = Some(job);
        }
    }
    Ok(())
}

async fn single_channel_range(story: &Story) -> Result<(), Failure> {
    for max in [10, 6] {
        let body = with(asking(5, max), [("view_type", json!("1"))]);
        let refusal = checks::refused(vec![checks::single_channel_range()]);
        refused(story, &body, &refusal).await.map_err(about(format!("channels 5 to {max}")))?;
    }
    Ok(())
}

async fn grouping(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    let rows: [(u32, &[usize]); 10] = [
        (1, &[1]),
        (2, &[1, 1]),
        (3, &[1, 1, 1]),
        (4, &[2, 1, 1]),
        (8, &[3, 3, 2]),
        (10, &[4, 3, 3]),
        (50, &[17, 17, 16]),
        (99, &[33, 33, 33]),
        (200, &[67, 67, 66]),
        (2222, &[741, 741, 740]),
    ];
    for (amount, sizes) in rows {
        let row = format!("{amount} channels");
        let request = Request { channels: fibre.channels(amount), ..BASE };
        let job = accepted(story, &request, &fibre).await.map_err(about(&row))?;
        if request.channel_amount() < amount {
            story.note(format!("{row} are more than the fibre has: grouped by the formula only"));
            continue;
        }
        equal("the sizes of the groups", &job.sizes(), &sizes.to_vec())
            .map_err(about(&row))
            .map_err(|failure| failure.shown_by(&job.answer.0))?;
    }
    Ok(())
}

async fn roi_independence(story: &Story) -> Result<(), Failure> {
    let fibre = Fibre::of(story).await?;
    for (name, request) in
        [("Base", BASE), ("Light", LIGHT), ("100 to 300 Hz", Request { frequencies: (100, 300), ..BASE })]
    {
        let mut first: Option<Value> = None;
        for channels in [(1, 50), (51, 100), (200, 210), (100, 102)] {
            let row = format!("INV-IND: {name}, channels {} to {}", channels.0, channels.1);
            let job = story.configure(&crate::bodies::of(&Request { channels, ..request })).await?;
            story.cancel(&job).await?;
            let body = job.answer.json()?;
            let independent = json!({
                "frequencies_list": body["frequencies_list"], "lines_dt": body["lines_dt"],
                "view_type": body["view_type"], "stream_amount": body["stream_amount"],
            });
            let expected = first.get_or_insert_with(|| independent.clone());
            equal("what does not depend on channels", &independent, expected)
                .map_err(about(&row))
                .map_err(|failure| failure.shown_by(&job.answer.0))?;
            job.follows(&Request { channels, ..request }, fibre.prr).map_err(about(&row))?;
        }
    }
    Ok(())
}
