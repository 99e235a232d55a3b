//! What goes back by itself: settings that were changed for a time, ports and rules that are there for a time.
//!
//! Changes of one setting for a time lie on each other like sheets: the topmost shows. When the time of one is over it
//! is drawn out from wherever it lies, and the setting goes back only as far as what is below. A change for good takes
//! all sheets away, and so does somebody who sets the setting by another way: then there is nothing to go back to.

use std::collections::BTreeMap;

use super::change::{LimitsChange, Outside};
use super::faults::RuleId;
use super::journal::Happening;
use super::world::World;
use crate::domain::ids::NodePort;
use crate::domain::quirk::Quirk;
use crate::domain::time::Moment;

/// One thing that has a value at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Outside(Outside),
    Quirk(Quirk, bool),
    MaxJobs(u32),
    MaxChannels(u32),
    LongestNfft(u32),
    FutureTolerance(u32),
    GpuPool(Option<u32>),
    GpuRejects(bool),
}

/// Which thing that is, by its kind and its name.
type Knob = (&'static str, &'static str);

impl Setting {
    fn knob(self) -> Knob {
        match self {
            Self::Outside(outside) => ("outside", outside.name()),
            Self::Quirk(quirk, _) => ("quirk", quirk.name()),
            Self::MaxJobs(_) => ("limit", "max_jobs"),
            Self::MaxChannels(_) => ("limit", "max_channels_per_request"),
            Self::LongestNfft(_) => ("limit", "nfft_max_multichannel"),
            Self::FutureTolerance(_) => ("limit", "future_tolerance_s"),
            Self::GpuPool(_) => ("limit", "gpu_pool"),
            Self::GpuRejects(_) => ("limit", "gpu_reject_when_full"),
        }
    }

    /// The settings that a change of limits is made of.
    pub(super) fn of_limits(change: &LimitsChange) -> Vec<Self> {
        let settings = [
            change.max_jobs.map(Self::MaxJobs),
            change.max_channels_per_request.map(Self::MaxChannels),
            change.nfft_max_multichannel.map(Self::LongestNfft),
            change.future_tolerance_s.map(Self::FutureTolerance),
            change.gpu_pool.map(Self::GpuPool),
            change.gpu_reject_when_full.map(Self::GpuRejects),
        ];
        settings.into_iter().flatten().collect()
    }
}

/// A change for a time: its number and what it sets.
#[derive(Debug)]
struct Sheet {
    change: u64,
    value: Setting,
}

/// The sheets on one setting, the topmost last, and what lies below them.
#[derive(Debug)]
struct Sheets {
    below: Setting,
    sheets: Vec<Sheet>,
}

impl Sheets {
    /// What should show.
    fn shown(&self) -> Setting {
        self.sheets.last().map_or(self.below, |sheet| sheet.value)
    }
}

/// Something that is there for a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Thing {
    Port(NodePort),
    Rule(RuleId),
}

/// Everything that goes back by itself.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    next: u64,
    settings: BTreeMap<Knob, Sheets>,
    things: BTreeMap<u64, Thing>,
}

impl Temporary {
    /// The number of the next change for a time.
    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    pub(super) fn enter(&mut self, change: u64, thing: Thing) {
        self.things.insert(change, thing);
    }

    pub(super) fn forget_port(&mut self, port: NodePort) {
        self.things.retain(|_, thing| *thing != Thing::Port(port));
    }

    pub(super) fn forget_rule(&mut self, id: &RuleId) {
        self.things.retain(|_, thing| !matches!(thing, Thing::Rule(rule) if rule == id));
    }
}

impl World {
    /// Sets settings for good: nothing goes back any more.
    pub(super) fn set_for_good(&mut self, settings: &[Setting], now: Moment) {
        for setting in settings {
            self.temporary.settings.remove(&setting.knob());
        }
        self.set_all(settings, now);
    }

    /// Sets settings for the time of a change.
    pub(super) fn set_for_a_time(&mut self, change: u64, settings: &[Setting], now: Moment) {
        for setting in settings.iter().copied() {
            let (knob, present) = (setting.knob(), self.present(setting));
            let fresh = || Sheets { below: present, sheets: Vec::new() };
            let sheets = self.temporary.settings.entry(knob).or_insert_with(fresh);
            if sheets.shown() != present {
                // Somebody else has set it meanwhile: that is what there is to go back to now.
                *sheets = fresh();
            }
            sheets.sheets.push(Sheet { change, value: setting });
        }
        self.set_all(settings, now);
    }

    /// The time of a change is over.
    pub(super) fn go_back(&mut self, change: u64, at: Moment) {
        match self.temporary.things.remove(&change) {
            Some(Thing::Port(port)) => self.let_port_go(port, at),
            Some(Thing::Rule(id)) if self.faults.remove(&id).is_some() => {
                self.journal.write(at, Happening::RuleRemoved(id));
            }
            Some(Thing::Rule(_)) | None => {}
        }
        let has = |sheets: &Sheets| sheets.sheets.iter().any(|sheet| sheet.change == change);
        let knobs: Vec<_> =
            self.temporary.settings.iter().filter(|(_, all)| has(all)).map(|(knob, _)| *knob).collect();
        let mut back = Vec::with_capacity(knobs.len());
        for knob in knobs {
            let Some(mut sheets) = self.temporary.settings.remove(&knob) else { continue };
            let shown = sheets.shown();
            if self.present(shown) != shown {
                // Somebody else has set it meanwhile, and it stays as it is.
                continue;
            }
            sheets.sheets.retain(|sheet| sheet.change != change);
            back.push(sheets.shown());
            if !sheets.sheets.is_empty() {
                self.temporary.settings.insert(knob, sheets);
            }
        }
        self.set_all(&back, at);
    }

    /// What a setting is at present, whatever is said of its value.
    fn present(&self, setting: Setting) -> Setting {
        let (limits, gpu, outside) = (&self.setup.limits, &self.setup.gpu, self.rehearsed);
        match setting {
            Setting::Outside(what) => Setting::Outside(match what {
                Outside::Fiber(_) => Outside::Fiber(self.fiber_state),
                Outside::MongoDb(_) => Outside::MongoDb(outside.mongodb),
                Outside::RabbitMq(_) => Outside::RabbitMq(outside.rabbitmq),
                Outside::Recorder(_) => Outside::Recorder(outside.recorder),
                Outside::Recordings(_) => Outside::Recordings(outside.recordings),
                Outside::Cluster(_) => Outside::Cluster(outside.cluster),
                Outside::FocusServer(_) => Outside::FocusServer(outside.focus_server),
                Outside::Node(_) => Outside::Node(outside.node),
            }),
            Setting::Quirk(quirk, _) => Setting::Quirk(quirk, self.quirks.has(quirk)),
            Setting::MaxJobs(_) => Setting::MaxJobs(limits.max_jobs),
            Setting::MaxChannels(_) => Setting::MaxChannels(limits.max_channels_per_request),
            Setting::LongestNfft(_) => Setting::LongestNfft(limits.nfft_max_multichannel),
            Setting::FutureTolerance(_) => Setting::FutureTolerance(limits.future_tolerance_s),
            Setting::GpuPool(_) => Setting::GpuPool(gpu.size),
            Setting::GpuRejects(_) => Setting::GpuRejects(gpu.reject_when_full),
        }
    }
}
