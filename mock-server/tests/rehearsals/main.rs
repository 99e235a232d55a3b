//! Every scenario of the fixtures, played against a client: what that sees, and what is left in the end.
//!
//! The clock is held and moved on by the play, so nothing waits.

mod answers;
mod bad_day;
mod outages;
mod play;
mod pods;
mod resources;
mod streams;
mod undo;

use std::collections::BTreeSet;

use play::Play;

/// For each scenario a test that plays it, to an end at which nothing belongs to nobody but what the play tells of.
macro_rules! plays {
    ($($scenario:literal: $sentence:ident by $play:path;)*) => {
        const PLAYED: &[&str] = &[$($scenario),*];
        $(
            #[tokio::test]
            async fn $sentence() {
                let play = Play::of($scenario);
                let leaks = $play(&play).await;
                play.assert_left(&leaks);
            }
        )*
    };
}

plays! {
    "bad-day": a_bad_day_is_the_same_day_every_time_and_ends_well by bad_day::a_day;
    "broker-outage": without_the_broker_no_job_begins_and_none_ends by outages::broker;
    "capacity-exhausted": above_the_limit_of_jobs_none_begins_until_one_is_gone by resources::capacity;
    "goaway-after-data": a_recording_ends_with_a_silence_and_a_goaway by pods::goaway;
    "gpu-full": without_a_gpu_share_a_job_is_pending_and_later_refused by resources::gpu;
    "leftover-service": a_leftover_service_is_in_the_way_until_it_is_deleted by resources::leftover;
    "metadata-race": a_new_job_is_unknown_for_two_seconds by pods::race;
    "mongodb-outage": without_mongodb_recordings_are_unavailable_and_live_jobs_work by outages::mongodb;
    "no-recordings": where_nothing_was_recorded_clients_are_told_so by outages::nothing_recorded;
    "overload": a_server_at_its_limits_refuses_the_same_requests_every_time by answers::overload;
    "port-conflict": a_port_of_another_process_is_a_conflict_until_it_is_free by resources::conflict;
    "rollback-every-step": a_configure_that_fails_at_any_step_leaves_nothing by undo::every_step;
    "slow-pod-start": a_port_opens_with_its_pod by pods::slow_start;
    "stream-dies": a_stream_dies_again_and_again_and_the_others_live by pods::dying_stream;
    "truncated-answers": answers_that_break_off_are_seen_to by answers::truncated;
    "undo-fails": what_could_not_be_undone_is_in_the_way_and_has_a_name by undo::fails;
    "waiting-for-fiber": without_light_nothing_live_begins_or_goes_on by outages::fiber;
}

#[test]
fn every_scenario_is_played() {
    let files = std::fs::read_dir(play::scenarios()).expect("the scenarios");
    let names = files.filter_map(|file| {
        let name = file.expect("an entry").file_name().into_string().expect("a name of text");
        name.strip_suffix(".yaml").map(str::to_owned)
    });
    let played: BTreeSet<String> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(names.collect::<BTreeSet<_>>(), played);
    assert_eq!(played.len(), PLAYED.len(), "none twice");
}
