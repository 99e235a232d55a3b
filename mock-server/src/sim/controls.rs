//! Changes to a world that goes on.

use std::sync::Arc;
use std::time::Duration;

use wildmatch::WildMatch;

use super::agenda::Event;
use super::change::{Change, ChangeRefused, Outside};
use super::faults::{Rule, RuleId};
use super::journal::Happening;
use super::setup::{Dependencies, RecordingPlan, Supply};
use super::temporary::{Setting, Thing};
use super::world::World;
use crate::domain::ids::JobId;
use crate::domain::quirk::Quirk;
use crate::domain::time::Moment;

impl World {
    /// Makes a change; with a time, for that long only.
    ///
    /// What was changed for a time goes back to what it was, unless somebody has changed the same thing meanwhile.
    /// Changes for a time of one thing may overlap: the newest of those whose time is not over shows.
    ///
    /// # Errors
    /// When it cannot be made; then nothing has changed.
    pub fn apply(
        &mut self,
        change: &Change,
        lasts: Option<Duration>,
        now: Moment,
    ) -> Result<(), ChangeRefused> {
        let thing = match change {
            Change::Outside(_) | Change::Quirk(..) | Change::Profile(_) | Change::Limits(_) => {
                self.change_settings(&settings_of(change), lasts, now);
                if let Change::Profile(profile) = change {
                    self.set_profile(*profile, now);
                }
                return Ok(());
            }
            Change::HoldPort(port, holder) => Thing::Port(self.hold_port(*port, *holder, now)?),
            Change::AddRule(rule) => Thing::Rule(self.add_rule(rule, now)?),
            Change::ReleasePort(_)
            | Change::Recordings(_)
            | Change::RemoveRule(_)
            | Change::RemoveRules
            | Change::KillPods(_)
            | Change::DeleteCleanupJobs(_)
                if lasts.is_some() =>
            {
                return Err(ChangeRefused::NotForATime(name(change)));
            }
            Change::ReleasePort(port) => return self.release_port(*port, now),
            Change::Recordings(plan) => {
                self.replace_recordings(plan, now);
                return Ok(());
            }
            Change::RemoveRule(id) => return self.remove_rule(id, now),
            Change::RemoveRules => {
                self.remove_rules(now);
                return Ok(());
            }
            Change::KillPods(jobs) => return self.for_each(jobs, |world, id| world.kill_pod(id, now)),
            Change::DeleteCleanupJobs(jobs) => {
                return self.for_each(jobs, |world, id| world.delete_cleanup_job(id, now));
            }
        };
        if let Some(lasts) = lasts {
            let number = self.temporary.number();
            self.temporary.enter(number, thing);
            self.agenda.enter(now.after(lasts), Event::GoBack(number));
        }
        Ok(())
    }

    fn change_settings(&mut self, settings: &[Setting], lasts: Option<Duration>, now: Moment) {
        let Some(lasts) = lasts else { return self.set_for_good(settings, now) };
        let number = self.temporary.number();
        self.set_for_a_time(number, settings, now);
        self.agenda.enter(now.after(lasts), Event::GoBack(number));
    }

    /// Gives settings their values, each with what follows from it.
    pub(super) fn set_all(&mut self, settings: &[Setting], at: Moment) {
        let mut limits = Vec::new();
        for setting in settings.iter().copied() {
            match setting {
                Setting::Outside(outside) => self.set_outside(outside, at),
                Setting::Quirk(quirk, on) => self.set_quirk(quirk, on, at),
                Setting::MaxJobs(_)
                | Setting::MaxChannels(_)
                | Setting::LongestNfft(_)
                | Setting::FutureTolerance(_)
                | Setting::GpuPool(_)
                | Setting::GpuRejects(_) => limits.extend(self.set_limit(setting)),
            }
        }
        if limits.is_empty() {
            return;
        }
        let pool_changed = limits.contains(&"gpu_pool");
        self.journal.write(at, Happening::LimitsChanged(limits));
        if pool_changed {
            self.cluster.set_gpu_pool(self.setup.gpu.size, at);
            self.share_out_gpus(at);
        }
    }

    fn set_outside(&mut self, outside: Outside, at: Moment) {
        let present = self.rehearsed;
        let new = match outside {
            Outside::Fiber(state) => return self.change_fiber(state, at),
            Outside::MongoDb(mongodb) => Dependencies { mongodb, ..present },
            Outside::RabbitMq(rabbitmq) => Dependencies { rabbitmq, ..present },
            Outside::Recorder(recorder) => Dependencies { recorder, ..present },
            Outside::Recordings(recordings) => Dependencies { recordings, ..present },
            Outside::Cluster(cluster) => Dependencies { cluster, ..present },
            Outside::FocusServer(focus_server) => Dependencies { focus_server, ..present },
            Outside::Node(node) => Dependencies { node, ..present },
        };
        self.change_dependencies(new, at);
    }

    /// Sets a limit; its name if that makes a difference.
    fn set_limit(&mut self, setting: Setting) -> Option<&'static str> {
        let taken = self.jobs.len();
        let setup = Arc::make_mut(&mut self.setup);
        let (name, changed) = match setting {
            Setting::Outside(_) | Setting::Quirk(..) => return None,
            Setting::MaxJobs(most) => {
                // Jobs above a lower limit go on.
                self.jobs_allowed = taken;
                ("max_jobs", replace(&mut setup.limits.max_jobs, most))
            }
            Setting::MaxChannels(most) => {
                ("max_channels_per_request", replace(&mut setup.limits.max_channels_per_request, most))
            }
            Setting::LongestNfft(longest) => {
                ("nfft_max_multichannel", replace(&mut setup.limits.nfft_max_multichannel, longest))
            }
            Setting::FutureTolerance(seconds) => {
                ("future_tolerance_s", replace(&mut setup.limits.future_tolerance_s, seconds))
            }
            Setting::GpuPool(size) => ("gpu_pool", replace(&mut setup.gpu.size, size)),
            Setting::GpuRejects(rejects) => {
                ("gpu_reject_when_full", replace(&mut setup.gpu.reject_when_full, rejects))
            }
        };
        changed.then_some(name)
    }

    /// Replaces what is recorded. Times relative to the start mean the start of this world, as they do in its setup;
    /// a recorder that is down has written up to when it went.
    fn replace_recordings(&mut self, plan: &RecordingPlan, now: Moment) {
        self.catalog = plan.catalog(self.began.seconds());
        if self.dependencies.recorder == Supply::Down {
            self.catalog.stop_recording(self.recorder_down_since.unwrap_or(now).seconds());
        }
        self.journal.write(now, Happening::RecordingsReplaced);
    }

    fn add_rule(&mut self, rule: &Arc<Rule>, now: Moment) -> Result<RuleId, ChangeRefused> {
        let id = self.faults.install(Arc::clone(rule), now)?;
        if let Some(ttl) = rule.schedule().ttl {
            self.agenda.enter(now.after(ttl), Event::RulesExpire);
        }
        self.journal.write(now, Happening::RuleAdded(id.clone()));
        Ok(id)
    }

    fn remove_rule(&mut self, id: &RuleId, now: Moment) -> Result<(), ChangeRefused> {
        if self.faults.remove(id).is_none() {
            let known = self.faults.list().into_iter().map(|rule| rule.id.to_string()).collect();
            return Err(ChangeRefused::NoSuchRule { id: id.clone(), known });
        }
        self.temporary.forget_rule(id);
        self.journal.write(now, Happening::RuleRemoved(id.clone()));
        Ok(())
    }

    fn remove_rules(&mut self, now: Moment) {
        for rule in self.faults.list() {
            self.faults.remove(&rule.id);
            self.temporary.forget_rule(&rule.id);
            self.journal.write(now, Happening::RuleRemoved(rule.id));
        }
    }

    /// Does something to every live job whose id matches.
    fn for_each(
        &mut self,
        jobs: &WildMatch,
        mut act: impl FnMut(&mut Self, JobId),
    ) -> Result<(), ChangeRefused> {
        let live = self.jobs.iter().filter(|(_, job)| job.state.is_live()).map(|(id, _)| *id);
        let meant: Vec<_> = live.filter(|id| jobs.matches(&id.to_string())).collect();
        if meant.is_empty() {
            return Err(ChangeRefused::NoSuchJob(jobs.to_string()));
        }
        for id in meant {
            act(self, id);
        }
        Ok(())
    }
}

/// Sets a value; whether it is another one.
fn replace<T: PartialEq>(value: &mut T, new: T) -> bool {
    let changed = *value != new;
    *value = new;
    changed
}

/// The settings that a change consists of: none, where it is more than that.
fn settings_of(change: &Change) -> Vec<Setting> {
    match change {
        Change::Outside(outside) => vec![Setting::Outside(*outside)],
        Change::Quirk(quirk, on) => vec![Setting::Quirk(*quirk, *on)],
        Change::Profile(profile) => {
            let quirks = profile.quirks();
            Quirk::ALL.iter().map(|quirk| Setting::Quirk(*quirk, quirks.has(*quirk))).collect()
        }
        Change::Limits(limits) => Setting::of_limits(limits),
        Change::HoldPort(..)
        | Change::ReleasePort(_)
        | Change::Recordings(_)
        | Change::AddRule(_)
        | Change::RemoveRule(_)
        | Change::RemoveRules
        | Change::KillPods(_)
        | Change::DeleteCleanupJobs(_) => Vec::new(),
    }
}

/// What a change is, in words.
fn name(change: &Change) -> &'static str {
    match change {
        Change::Outside(_) => "a state",
        Change::Quirk(..) => "a quirk",
        Change::Profile(_) => "a profile",
        Change::Limits(_) => "limits",
        Change::HoldPort(..) => "a held port",
        Change::ReleasePort(_) => "the release of a port",
        Change::Recordings(_) => "a replacement of the recordings",
        Change::AddRule(_) => "a rule",
        Change::RemoveRule(_) | Change::RemoveRules => "the removal of rules",
        Change::KillPods(_) => "the end of pods",
        Change::DeleteCleanupJobs(_) => "the deletion of cleanup jobs",
    }
}
