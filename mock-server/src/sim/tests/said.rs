//! What containers say.

use crate::domain::ids::StreamIndex;
use crate::sim::cluster::facts::{Kind, Outcome};
use crate::sim::cluster::logs::{LogLine, Said};
use crate::sim::cluster::workloads::Workload;
use crate::sim::setup::MongoDb;

use super::*;

impl Rig {
    /// What the only pod whose name starts so has said, with milliseconds after the start.
    #[track_caller]
    fn said(&self, pod: &str) -> Vec<(u64, Said)> {
        let key = self.pod(pod).0;
        let lines = self.sim.log(&key).expect("the pod is there");
        lines.into_iter().map(|LogLine { at: when, what }| (millis(when), what)).collect()
    }
}

fn millis(when: Moment) -> u64 {
    u64::try_from(when.since(at(0)).as_millis()).expect("a short test")
}

const WATCHED: u32 = 5;

fn sample(seconds: u64, cpu_m: u32, hits: u32) -> (u64, Said) {
    (seconds * 1_000, Said::Sampled { cpu_m, hits, of: WATCHED })
}

#[test]
fn a_streaming_pod_says_who_came_and_went_and_with_how_many_frames() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(1_000);
    let mut call = rig.open_reading(job, 2);
    rig.frame(&mut call);
    rig.go_to(1_100);
    rig.frame(&mut call);
    rig.go_to(2_000);
    drop(call);
    rig.sim.cancel(job).expect("it is there");
    let [(0, Said::Runs(terms)), rest @ ..] = &rig.said("grpc-job-1-1-")[..] else {
        panic!("it says what it runs")
    };
    assert_eq!(terms.id, job);
    let expected = [
        (0, Said::Listens),
        (1_000, Said::Connected(StreamIndex(2))),
        (2_000, Said::Disconnected(StreamIndex(2), 2)),
        (2_000, Said::Ended(Outcome::Succeeded)),
    ];
    assert_eq!(rest, expected);
}

#[test]
fn calls_that_the_server_ends_are_over_as_well() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let _call = rig.open_reading(job, 0);
    rig.go_to(500);
    rig.sim.cancel(job).expect("it is there");
    assert!(rig.said("grpc-job-1-1-").contains(&(500, Said::Disconnected(StreamIndex(0), 0))));
}

#[test]
fn a_cleanup_pod_tells_of_each_sample_and_counts_idle_ones_in_a_row() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.go_to(15_000);
    let mut call = rig.open_reading(job, 0);
    rig.frame(&mut call);
    rig.go_to(25_000);
    drop(call);
    rig.go_to(45_000);
    let said = rig.said("cleanup-job-1-1-");
    assert!(matches!(&said[0], (0, Said::Watches(terms)) if terms.id == job));
    assert_eq!(said[1..], [sample(10, 2, 1), sample(20, 250, 0), sample(30, 2, 1), sample(40, 2, 2)]);
}

#[test]
fn who_follows_a_cleanup_pod_learns_why_it_went() {
    let rig = Rig::new();
    rig.start(&live());
    let (grpc, cleanup) = (rig.pod("grpc-job-1-1-").0, rig.pod("cleanup-job-1-1-").0);
    rig.go_to(60_000);
    assert!(rig.named(Kind::Pod, "cleanup").is_empty(), "swept");
    let last = |key| rig.sim.log(key).and_then(|mut lines| lines.pop()).expect("it is remembered");
    assert_eq!(last(&cleanup), LogLine { at: at(50_000), what: Said::Triggered });
    assert_eq!(last(&grpc), LogLine { at: at(50_000), what: Said::Ended(Outcome::Succeeded) });
    assert_eq!(rig.sim.log(&rig.key(Kind::Pod, "grpc-job-1-1")), None, "that is the Job's name");
}

#[test]
fn a_long_dialogue_is_cut_at_its_beginning_and_samples_are_told_from_there_on() {
    let rig = Rig::new();
    let job = rig.start(&live());
    for number in 0..300 {
        rig.go_to(number * 1_000);
        drop(rig.open_reading(job, 0));
    }
    let said = rig.said("grpc-job-1-1-");
    assert_eq!(said.len(), 2 + 256);
    let oldest = said[2].0;
    assert_eq!(oldest, (300 - 128) * 1_000);
    assert_eq!(rig.said("cleanup-job-1-1-")[1].0, 180_000, "the first sample after the oldest line");
}

#[test]
fn the_focus_server_tells_of_its_jobs_and_refusals_since_it_was_started() {
    let rig = Rig::new();
    rig.go_to(100);
    let job = rig.start(&live());
    let refusal = rig.refused(&ConfigureDraft::default());
    let said = rig.said("panda-panda-focus-server-");
    assert_eq!(
        said[..2],
        [(0, Said::Starts(Workload::FocusServer)), (0, Said::IsReady(Workload::FocusServer))]
    );
    assert!(matches!(&said[2], (100, Said::Happened(Happening::Configured(of))) if of.id == job));
    assert_eq!(said[3..], [(100, Said::Happened(Happening::Refused(refusal)))]);
    rig.go_to(1_000);
    rig.delete(&rig.pod("panda-panda-focus-server-").0);
    rig.go_to(5_000);
    let said = rig.said("panda-panda-focus-server-");
    assert_eq!(said.len(), 2, "a new pod has a log of its own: {said:?}");
}

#[test]
fn a_server_without_the_mongodb_that_it_needs_says_so() {
    let rig = Rig::with(|setup| {
        setup.requires_mongo = true;
        setup.dependencies.mongodb = MongoDb::Down;
    });
    let expected = [(0, Said::Starts(Workload::FocusServer)), (0, Said::Waits("mongodb"))];
    assert_eq!(rig.said("panda-panda-focus-server-"), expected);
}

#[test]
fn a_streaming_pod_uses_250_millicores_while_somebody_reads_and_2_otherwise() {
    let rig = Rig::new();
    let job = rig.start(&live());
    let pod = rig.pod("grpc-job-1-1-").0;
    assert_eq!(rig.sim.cpu_of_pod(&pod), Some(2));
    let node = rig.sim.cpu_of_node(crate::sim::cluster::facts::NodeName::Worker);
    let call = rig.open_reading(job, 0);
    assert_eq!(rig.sim.cpu_of_pod(&pod), Some(250));
    assert_eq!(rig.sim.cpu_of_node(crate::sim::cluster::facts::NodeName::Worker), node + 248);
    drop(call);
    rig.sim.cancel(job).expect("it is there");
    assert_eq!(rig.sim.cpu_of_pod(&pod), None, "it does not run any more");
}

#[test]
fn the_focus_server_tells_of_what_it_has_lost() {
    let rig = Rig::new();
    rig.go_to(100);
    rig.depend(|outside| outside.mongodb = MongoDb::Down);
    let said = rig.said("panda-panda-focus-server-");
    let lost = Happening::OutsideChanged(crate::sim::change::Outside::MongoDb(MongoDb::Down));
    assert_eq!(said[2..], [(100, Said::Happened(lost))]);
}
