//! Ports that a rehearsal takes away.

use std::num::NonZeroU16;

use crate::domain::refusal::PortHolder;
use crate::sim::change::PortRef;
use crate::sim::setup::OnConflict;

use super::*;

const NEXT: PortRef = PortRef::Next;

fn number(port: u16) -> PortRef {
    PortRef::Number(port_number(port))
}

fn port_number(port: u16) -> NodePort {
    NodePort::new(port).expect("a port")
}

fn slot(slot: u16) -> PortRef {
    PortRef::Slot(NonZeroU16::new(slot).expect("not 0"))
}

fn hold(port: PortRef, holder: PortHolder) -> Change {
    Change::HoldPort(port, holder)
}

fn conflict(port: u16, holder: PortHolder) -> Refusal {
    Refusal::PortInUse { port: port_number(port), holder }
}

#[test]
fn a_port_can_be_named_by_its_number_its_slot_or_as_the_next_one() {
    for holder in [PortHolder::Service, PortHolder::Process] {
        for port in [number(12_302), slot(2), NEXT] {
            let rig = Rig::new();
            rig.start(&live());
            rig.apply(&hold(port, holder));
            assert_eq!(rig.told_since(1), [Happening::PortHeld(port_number(12_302), holder)]);
            assert_eq!(rig.refused(&live()), conflict(12_302, holder));
            assert_eq!(rig.refused(&live()), conflict(12_302, holder), "as long as it is held");
            let held = rig.ports.table().held.contains(&12_302);
            assert_eq!(held, holder == PortHolder::Process, "another process has it on the machine");
            let before = rig.snapshot().journal_written;
            rig.apply(&Change::ReleasePort(port));
            assert_eq!(rig.told_since(before), [Happening::PortReleased(port_number(12_302))]);
            assert_eq!(rig.start(&live()), id("2-4"));
        }
    }
}

#[test]
fn what_is_held_is_planted_and_no_leak() {
    let rig = Rig::new();
    rig.apply(&hold(number(12_305), PortHolder::Service));
    rig.apply(&hold(number(12_304), PortHolder::Process));
    let leaks = rig.leaks();
    assert!(leaks.is_empty());
    assert_eq!(leaks.planted.services, [port_number(12_305)]);
    assert_eq!(leaks.planted.ports, [port_number(12_304)]);
    rig.sim.reset();
    assert_eq!(rig.leaks(), Leaks::default());
    assert_eq!(rig.ports.table(), ports::PortTable::default());
}

#[test]
fn a_port_that_no_job_could_get_is_not_held() {
    let rig = Rig::with(|setup| setup.ports = slots(5));
    for (port, told) in
        [(number(12_300), 12_300), (number(12_306), 12_306), (slot(6), 12_306), (slot(65_535), 77_835)]
    {
        for change in
            [hold(port, PortHolder::Service), hold(port, PortHolder::Process), Change::ReleasePort(port)]
        {
            let text = format!("{told} is no port of a job: those are 12301 to 12305");
            assert_eq!(rig.change_refused(&change, None).to_string(), text);
        }
    }
    rig.apply(&hold(number(12_301), PortHolder::Service));
    rig.apply(&hold(slot(5), PortHolder::Process));
}

#[test]
fn a_port_that_is_taken_is_not_held_again_whoever_has_it() {
    let rig = Rig::new();
    let job = rig.start(&live());
    rig.apply(&hold(slot(2), PortHolder::Service));
    rig.apply(&hold(slot(3), PortHolder::Process));
    rig.ports.foreign(12_304, true);
    for holder in [PortHolder::Service, PortHolder::Process] {
        for port in 1..=3 {
            let refused = rig.change_refused(&hold(slot(port), holder), Some(1_000));
            assert_eq!(refused, ChangeRefused::PortTaken(port_number(12_300 + port)));
        }
    }
    let process = hold(slot(4), PortHolder::Process);
    assert_eq!(rig.change_refused(&process, None).to_string(), "port 12304 is in use already");
    rig.ports.out_of_sockets(true);
    let refused = rig.change_refused(&hold(slot(5), PortHolder::Process), None);
    assert_eq!(refused.to_string(), "port 12305 cannot be had: too many open files");
    rig.ports.out_of_sockets(false);
    rig.sim.cancel(job).expect("it is live");
    rig.apply(&hold(slot(1), PortHolder::Process));
    rig.go_to(10_000);
    assert_eq!(rig.refused(&live()), conflict(12_301, PortHolder::Process));
}

#[test]
fn a_port_that_nobody_held_cannot_be_let_go() {
    let rig = Rig::new();
    rig.start(&live());
    for port in [number(12_301), slot(2), NEXT] {
        let refused = rig.change_refused(&Change::ReleasePort(port), None);
        assert!(matches!(refused, ChangeRefused::NotHeld(_)), "{refused}");
    }
    let rig = Rig::with(|setup| setup.ports = slots(1));
    rig.start(&live());
    for change in [hold(NEXT, PortHolder::Process), Change::ReleasePort(NEXT)] {
        let refused = rig.change_refused(&change, None);
        assert_eq!(refused.to_string(), "there is no next port: every slot is taken");
    }
}

#[test]
fn where_conflicts_are_skipped_the_next_port_is_one_that_a_job_would_really_get() {
    let rig = Rig::with(|setup| {
        setup.on_conflict = OnConflict::Skip;
        setup.ports = slots(3);
    });
    rig.apply(&hold(NEXT, PortHolder::Service));
    rig.apply(&hold(NEXT, PortHolder::Process));
    assert_eq!(rig.start(&live()), id("3-1"));
    rig.change_refused(&hold(NEXT, PortHolder::Process), None);
    assert_eq!(rig.refused(&live()), conflict(12_302, PortHolder::Process));

    for undo in [GiveBack::Port, GiveBack::Service] {
        let rig = Rig::with(|setup| setup.on_conflict = OnConflict::Skip);
        rig.apply(&Change::AddRule(fails_at(Step::Commit)));
        rig.apply(&Change::AddRule(leaks_at(undo)));
        rig.refused(&live());
        rig.apply(&hold(NEXT, PortHolder::Service));
        assert_eq!(rig.leaks().planted.services, [port_number(12_302)], "the first port was left behind");
    }
}

#[test]
fn a_port_held_for_a_time_is_free_afterwards_and_is_let_go_once() {
    for holder in [PortHolder::Service, PortHolder::Process] {
        let rig = Rig::new();
        rig.apply_for(&hold(NEXT, holder), 5_000);
        rig.go_to(4_999);
        rig.refused(&live());
        assert_eq!(rig.go_to(5_000)[0].what, Happening::PortReleased(port_number(12_301)));
        rig.start(&live());

        rig.apply_for(&hold(NEXT, holder), 5_000);
        rig.apply(&Change::ReleasePort(NEXT));
        rig.apply(&hold(NEXT, holder));
        rig.go_to(20_000);
        assert_eq!(rig.refused(&live()), conflict(12_302, holder), "the second hold is for good");
    }
}
