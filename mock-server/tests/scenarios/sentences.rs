//! What happened, as a sentence.

use std::time::Duration;

use focus_mock::document::happening::sentence;
use focus_mock::domain::ids::NodePort;
use focus_mock::domain::quirk::Quirk;
use focus_mock::domain::refusal::{PortHolder, Refusal};
use focus_mock::sim::change::Outside;
use focus_mock::sim::faults::{At, Point, RuleId, Step};
use focus_mock::sim::journal::{FaultHit, Happening, Removal};
use focus_mock::sim::setup::MongoDb;

#[test]
fn each_thing_that_happens_is_told_in_a_line() {
    let id = "1-7".parse().expect("an id");
    let rule = RuleId::new("a-rule").expect("a name");
    let port = NodePort::new(12301).expect("a port");
    let refusal = Refusal::WaitingForFiber;
    let Ok(At::Point(point)) = "grpc.frame".parse() else { panic!("a point") };
    let hit = FaultHit {
        rule: rule.clone(),
        point,
        effect: Some("silence"),
        delay: Some(Duration::from_millis(1500)),
        job: Some(id),
        request: None,
        draw: None,
    };
    for (what, told) in [
        (Happening::OutsideChanged(Outside::MongoDb(MongoDb::SlowFail)), "mongodb slow-fail"),
        (Happening::QuirkChanged(Quirk::MetadataRace, false), "quirk metadata-race off"),
        (Happening::LimitsChanged(vec!["max_jobs", "gpu_pool"]), "limits changed: max_jobs, gpu_pool"),
        (Happening::PortHeld(port, PortHolder::Process), "port 12301 held by another process"),
        (Happening::PortReleased(port), "port 12301 let go"),
        (Happening::RuleAdded(rule.clone()), "rule a-rule installed"),
        (Happening::RuleRemoved(rule), "rule a-rule removed"),
        (Happening::Removed(id, Removal::Idle), "job 1-7 removed: nobody read its streams"),
        (Happening::Refused(refusal.clone()), &format!("configure refused: {refusal}")),
        (
            Happening::RolledBack { id, step: Step::GrpcJob, refusal: Refusal::JobCreationFailed },
            "job 1-7 rolled back at step.grpc-job: Job creation failed: all resources were released",
        ),
        (
            Happening::Fault(Box::new(hit.clone())),
            "rule a-rule at grpc.frame: held up for 1s 500ms, silence (job 1-7)",
        ),
        (
            Happening::Fault(Box::new(FaultHit {
                point: Point::Step(Step::Port),
                effect: Some("refuse"),
                delay: None,
                job: None,
                ..hit
            })),
            "rule a-rule at step.port: refuse",
        ),
        (Happening::ServerWaits("mongodb"), "focus server waits for mongodb"),
    ] {
        assert_eq!(sentence(&what), told);
    }
}
