//! `focus-mock rehearse`: what a scenario does, without clients.

use super::child::{failed, focus_mock};

fn played(arguments: &[&str]) -> String {
    let output = focus_mock(&["rehearse"]).args(arguments).output().expect("it runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).expect("a text")
}

fn shipped(name: &str) -> String {
    format!("{}/../fixtures/scenarios/{name}.yaml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_timeline_is_shown_with_its_times_from_its_start_to_its_end() {
    assert_eq!(
        played(&[&shipped("waiting-for-fiber")]),
        "waiting-for-fiber\n\
         No light in the fibre for a minute, then a minute of \"mixed\", then it is ready. While it waits, live\n\
         configures answer 503 WAITING_FOR_FIBER, running live streams fall silent, and historic jobs go on.\n\
         Tickets: PZ-13547, PZ-13561, PZ-13562, PZ-13765, PZ-14713, PZ-14714.\n\
         (seed 1, 2m 30s on the clock, without clients)\n\
         \n \
         +30.000s  fiber waiting\n \
         +90.000s  fiber mixed\n\
         +150.000s  fiber ready\n\
         +150.000s  end\n"
    );
}

#[test]
fn what_lasts_for_a_time_goes_back() {
    let text = played(&[&shipped("mongodb-outage"), "--seed", "9"]);
    let (_, timeline) =
        text.split_once("(seed 9, 1m 30s on the clock, without clients)\n\n").expect("the timeline");
    assert_eq!(timeline, "+30.000s  mongodb down\n+90.000s  mongodb up\n+90.000s  end\n");
}

#[test]
fn rules_that_wait_for_requests_are_listed_at_the_start() {
    let text = played(&[&shipped("undo-fails")]);
    let (_, rules) = text.split_once("without clients)\n\n").expect("the rules");
    assert_eq!(
        rules,
        "rules that wait for requests\n  \
         no-queue       {\"at\":\"step.queue\",\"when\":{\"first\":1},\"do\":{\"refuse\":\"JOB_CREATION_FAILED\"}}\n  \
         service-stays  {\"at\":\"undo.service\",\"when\":{\"first\":1},\"do\":\"fail\"}\n\
         \n\
         +0.000s  end\n"
    );
}

#[test]
fn it_goes_on_for_as_long_as_it_is_told_to() {
    let text = played(&[&shipped("slow-pod-start"), "--for", "1h 30m"]);
    assert!(text.ends_with("(seed 1, 1h 30m on the clock, without clients)\n\n+5400.000s  end\n"), "{text}");
    let text = played(&[&shipped("waiting-for-fiber"), "--for", "60s"]);
    assert!(text.ends_with("\n\n+30.000s  fiber waiting\n+60.000s  end\n"), "{text}");
}

#[test]
fn what_comes_again_for_ever_is_shown_three_times() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let text = "timeline: [{at: 1s, every: 500ms, for: 200ms, quirk: {metadata-race: true}}]";
    std::fs::write(file.path(), text).expect("written");
    let text = played(&[file.path().to_str().expect("a path of text")]);
    assert_eq!(
        text,
        "(seed 1, 2s 200ms on the clock, without clients)\n\n\
         +1.000s  quirk metadata-race on\n+1.200s  quirk metadata-race off\n\
         +1.500s  quirk metadata-race on\n+1.700s  quirk metadata-race off\n\
         +2.000s  quirk metadata-race on\n+2.200s  quirk metadata-race off\n+2.200s  end\n"
    );
}

#[test]
fn programs_get_a_line_of_json_for_each() {
    let text = played(&[&shipped("broker-outage"), "--json"]);
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&lines[0]["name"], &lines[0]["length_s"]), (&"broker-outage".into(), &90.0.into()));
    let timeline: Vec<_> =
        lines[1..].iter().map(|line| (line["at_s"].as_f64(), line["what"].as_str())).collect();
    assert_eq!(
        timeline,
        [(Some(30.0), Some("rabbitmq down")), (Some(90.0), Some("rabbitmq up")), (Some(90.0), Some("end"))]
    );
}

#[test]
fn every_shipped_scenario_can_be_rehearsed_and_twice_is_the_same() {
    let folder = format!("{}/../fixtures/scenarios", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).expect("the scenarios") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let path = path.to_str().expect("a path of text");
            assert_eq!(played(&[path]), played(&[path]));
        }
    }
}

#[test]
fn what_cannot_be_played_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "timeline: [{at: 1s}]").expect("written");
    let path = file.path().to_str().expect("a path of text");
    let ended = failed(&["rehearse", path]);
    assert!(
        ended
            .stderr
            .starts_with(&format!("focus-mock: {path}:1:12: timeline[0] has no change: there are fiber, "))
    );
    let ended = failed(&["rehearse", &shipped("bad-day"), "--for", "ever"]);
    assert_eq!(
        ended.stderr,
        "focus-mock: --for: expected a duration such as 10m or \"1h 30m\", 31 days at most, not \"ever\"\n"
    );
}
