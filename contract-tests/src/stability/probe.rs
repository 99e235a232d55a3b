//! What is looked at beside the answers: the server's process, its pods, live jobs, the machine of the suite.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Pod;
use sysinfo::{
    MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System,
};
use tokio::time::Instant;

use super::report::Unseen;
use super::sample::{Machine, Process};
use crate::client::admin::Admin;
use crate::client::kube::{Cluster, Pick};
use crate::failure::Failure;
use crate::objects::{name, phase, restarts, uid};
use crate::wall;
use crate::workload::Workload;

/// Where the server's process is seen.
#[derive(Debug)]
enum Source {
    /// It is a process of this machine.
    Pid(Pid),
    /// The mock's own metrics, which are those of its process.
    Metrics(Admin),
    /// What the pods of the server use, as the cluster's metrics have it.
    Pods(Cluster),
}

const UNSEEN_PROCESS: &str =
    "nothing shows the server's process: --admin of a mock, --kube or --kubeconfig, or --server-pid would";

/// Looks at everything that can be seen.
#[derive(Debug)]
pub struct Probe {
    source: Option<Source>,
    /// Why there is none, if somebody has said so.
    why: Option<String>,
    admin: Option<Admin>,
    cluster: Option<Cluster>,
    system: Option<System>,
    /// When the machine was asked for its CPU.
    asked: Instant,
    /// CPU time of the server's process in seconds, and when that was.
    spent: Option<(f64, Instant)>,
}

/// What was seen at one moment.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) server: Option<Process>,
    pub(super) runner: Option<Machine>,
    pub(super) restarts: Option<u32>,
    pub(super) live_jobs: Option<u32>,
    pub(super) troubles: Vec<String>,
}

/// What a process uses: CPU time in seconds, or CPU in percent where somebody else has measured that; and memory.
struct Used {
    cpu: Cpu,
    memory_bytes: u64,
}

enum Cpu {
    Spent(f64),
    Percent(f64),
}

impl Probe {
    /// Through what there is. **Chosen**: a process that somebody names is the server; else a mock tells of its own, and
    /// what its simulated pods use is no news; else the pods of the server are it.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(admin: Option<Admin>, cluster: Option<Cluster>, pid: Option<u32>) -> Result<Self, Failure> {
        let mut system = System::new().ok();
        // Usage is a difference: the first look only says from when on.
        system.iter_mut().for_each(System::refresh_cpu_usage);
        let source = match (pid.map(Pid::from_u32), &admin, &cluster) {
            (Some(pid), ..) => Some(Source::Pid(pid)),
            (None, Some(admin), _) => Some(Source::Metrics(admin.clone())),
            (None, None, Some(cluster)) => Some(Source::Pods(cluster.clone())),
            (None, None, None) => None,
        };
        let mut probe = Self { source, why: None, admin, cluster, system, asked: wall::tick(), spent: None };
        if let Some(Source::Pid(pid)) = probe.source {
            probe.process(pid).map_err(Failure::could_not_run)?;
        }
        Ok(probe)
    }

    /// Without the server's process, which is not told apart from others for a reason.
    #[must_use]
    pub fn without_process(self, why: &str) -> Self {
        Self { source: None, why: Some(why.to_owned()), ..self }
    }

    /// Why something is not looked at.
    #[must_use]
    pub fn unseen(&self) -> Unseen {
        let without = |seen: bool, why: &str| (!seen).then(|| why.to_owned());
        Unseen {
            server: without(self.source.is_some(), self.why.as_deref().unwrap_or(UNSEEN_PROCESS)),
            restarts: without(
                self.cluster.is_some(),
                "nothing shows the server's pods: --kube or --kubeconfig would",
            ),
            live_jobs: without(
                self.cluster.is_some() || self.admin.is_some(),
                "nothing shows live jobs: --kube or --kubeconfig, or --admin of a mock would",
            ),
        }
    }

    /// How often each pod of the server has been started again, by uids.
    pub(super) async fn pods(&self) -> Option<Result<BTreeMap<String, u32>, Failure>> {
        let cluster = self.cluster.as_ref()?;
        let listed = cluster.list::<Pod>(&Pick::labels(Workload::FocusServer.selector())).await;
        let count = |pod: &Pod| (uid(pod), u32::try_from(restarts(pod)).unwrap_or(0));
        Some(listed.map(|listed| listed.items.iter().map(count).collect()))
    }

    /// Jobs that live: pods of theirs that have not ended, or jobs of the mock that are not cancelled.
    pub(super) async fn live_jobs(&self) -> Option<Result<u32, Failure>> {
        let counted = match (&self.cluster, &self.admin) {
            (Some(cluster), _) => {
                let listed = cluster.list::<Pod>(&Pick::all()).await;
                listed.map(|listed| listed.items.iter().filter(|pod| is_live(pod)).count())
            }
            (None, Some(admin)) => admin.state().await.map(|state| {
                let jobs = state["jobs"].as_array().map_or(&[][..], Vec::as_slice);
                jobs.iter().filter(|job| job["state"] != "cancelled").count()
            }),
            (None, None) => return None,
        };
        Some(counted.map(|count| u32::try_from(count).unwrap_or(u32::MAX)))
    }

    /// Looks at everything. What should have been seen and was not is told as trouble.
    pub(super) async fn look(&mut self, before: Option<&BTreeMap<String, u32>>) -> Look {
        let mut look = Look { runner: self.machine(), ..Look::default() };
        match self.used().await {
            None => {}
            Some(Ok(used)) => look.server = Some(self.since(&used)),
            Some(Err(why)) => look.troubles.push(format!("the server's process: {why}")),
        }
        match (self.pods().await, before) {
            (Some(Ok(now)), _) if now.is_empty() => {
                look.troubles.push(String::from("the server's pods: there is none"));
            }
            (Some(Ok(now)), Some(before)) => look.restarts = Some(restarted(before, &now)),
            (Some(Err(failure)), _) => look.troubles.push(format!("the server's pods: {failure}")),
            (Some(Ok(_)), None) => {
                look.troubles.push(String::from("the server's pods: they were not seen before the run"));
            }
            (None, _) => {}
        }
        match self.live_jobs().await {
            None => {}
            Some(Ok(count)) => look.live_jobs = Some(count),
            Some(Err(failure)) => look.troubles.push(format!("live jobs: {failure}")),
        }
        look
    }

    #[allow(clippy::cast_precision_loss, reason = "bytes of memory are far below 2^53")]
    fn machine(&mut self) -> Option<Machine> {
        let now = wall::tick();
        let system = self.system.as_mut()?;
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let memory_percent = 100.0 * system.used_memory() as f64 / system.total_memory().max(1) as f64;
        let cpu_percent = (now - self.asked >= MINIMUM_CPU_UPDATE_INTERVAL).then(|| {
            system.refresh_cpu_usage();
            self.asked = now;
            f64::from(system.global_cpu_usage())
        });
        Some(Machine { cpu_percent, memory_percent })
    }

    fn since(&mut self, used: &Used) -> Process {
        let now = wall::tick();
        let cpu_percent = match used.cpu {
            Cpu::Percent(percent) => Some(percent),
            Cpu::Spent(seconds) => {
                let last = *self.spent.get_or_insert((seconds, now));
                let apart = now - last.1;
                (apart >= MINIMUM_CPU_UPDATE_INTERVAL).then(|| {
                    self.spent = Some((seconds, now));
                    (100.0 * (seconds - last.0) / apart.as_secs_f64()).max(0.0)
                })
            }
        };
        Process { cpu_percent, memory_bytes: used.memory_bytes }
    }

    async fn used(&mut self) -> Option<Result<Used, String>> {
        match &self.source {
            None => None,
            Some(Source::Pid(pid)) => Some(self.process(*pid)),
            Some(Source::Metrics(admin)) => {
                let told = admin.metrics().await.map_err(|failure| failure.to_string());
                Some(told.and_then(|text| used_of(&text)))
            }
            Some(Source::Pods(cluster)) => {
                Some(of_pods(cluster).await.map_err(|failure| failure.to_string()))
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "that many milliseconds are ages")]
    fn process(&mut self, pid: Pid) -> Result<Used, String> {
        let system = self.system.as_mut().ok_or("this machine does not tell of its processes")?;
        let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, what);
        let process =
            system.process(pid).ok_or_else(|| format!("there is no process {pid} (--server-pid)"))?;
        // One that is over but was not waited for is still listed.
        if process.memory() == 0 {
            return Err(format!("process {pid} is over (--server-pid)"));
        }
        let cpu = Cpu::Spent(process.accumulated_cpu_time() as f64 / 1e3);
        Ok(Used { cpu, memory_bytes: process.memory() })
    }
}

/// Restarts since the run began. **Chosen**: a pod that was not there then has been started again in place of another.
fn restarted(before: &BTreeMap<String, u32>, now: &BTreeMap<String, u32>) -> u32 {
    let of = |(uid, count): (&String, &u32)| match before.get(uid) {
        Some(before) => count.saturating_sub(*before),
        None => count + 1,
    };
    now.iter().map(of).sum()
}

fn is_live(pod: &Pod) -> bool {
    name(pod).starts_with("grpc-job-") && !["Succeeded", "Failed"].contains(&phase(pod).as_str())
}

/// The process in Prometheus's text format.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of memory")]
fn used_of(text: &str) -> Result<Used, String> {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.split_whitespace().next()?.parse::<f64>().ok())
    };
    let missing = |name: &str| format!("the metrics have no {name}");
    let memory = "process_resident_memory_bytes";
    let memory = value(memory).ok_or_else(|| missing(memory))?;
    let cpu = "process_cpu_seconds_total";
    Ok(Used { cpu: Cpu::Spent(value(cpu).ok_or_else(|| missing(cpu))?), memory_bytes: memory as u64 })
}

async fn of_pods(cluster: &Cluster) -> Result<Used, Failure> {
    let pods = cluster.list::<Pod>(&Pick::labels(Workload::FocusServer.selector())).await?.items;
    let names: Vec<_> = pods.iter().map(name).collect();
    let all = cluster.pod_uses().await?;
    let own: Vec<_> = names.iter().filter_map(|name| all.get(name)).collect();
    if own.is_empty() {
        return Err(Failure::could_not_run(format!("the cluster has no metrics of {}", names.join(", "))));
    }
    let millicores: u64 = own.iter().map(|used| used.cpu_millicores).sum();
    Ok(Used {
        #[allow(clippy::cast_precision_loss, reason = "thousandths of a few processors")]
        cpu: Cpu::Percent(millicores as f64 / 10.0),
        memory_bytes: own.iter().map(|used| used.memory_bytes).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_from_its_metrics() {
        let text = "# HELP process_cpu_seconds_total CPU.\nprocess_cpu_seconds_total 1.25\n\
                    process_resident_memory_bytes_more 7\nprocess_resident_memory_bytes 1.048576e+06 1700\n";
        let used = used_of(text).expect("a process");
        assert!(matches!(used.cpu, Cpu::Spent(1.25)) && used.memory_bytes == 1_048_576);
        let missing = used_of("process_cpu_seconds_total 1\n").map(|used| used.memory_bytes);
        assert_eq!(missing, Err(String::from("the metrics have no process_resident_memory_bytes")));
    }

    #[test]
    fn restarts_are_those_since_the_run_began() {
        let pods =
            |pods: &[(&str, u32)]| pods.iter().map(|(uid, count)| ((*uid).to_owned(), *count)).collect();
        let before: BTreeMap<String, u32> = pods(&[("a", 3), ("b", 0)]);
        for (now, expected) in [
            (pods(&[("a", 3), ("b", 0)]), 0),
            (pods(&[("a", 4), ("b", 2)]), 3),
            (pods(&[("a", 3)]), 0),
            (pods(&[("a", 3), ("c", 0)]), 1),
            (pods(&[("c", 2)]), 3),
        ] {
            assert_eq!(restarted(&before, &now), expected, "{now:?}");
        }
    }

    #[tokio::test]
    async fn what_nobody_shows_is_said_to_be_unseen() {
        let probe = Probe::of(None, None, None).expect("a probe");
        let unseen = probe.unseen();
        assert!(unseen.server.is_some() && unseen.restarts.is_some() && unseen.live_jobs.is_some());
        let mut own = Probe::of(None, None, Some(std::process::id())).expect("a probe");
        assert_eq!(own.unseen().server, None);
        let look = own.look(None).await;
        assert!(look.server.is_some_and(|process| process.memory_bytes > 1_000_000), "{look:?}");
        // No process has the greatest number.
        let nobody = Probe::of(None, None, Some(u32::MAX - 1)).expect_err("nobody");
        assert!(nobody.what.contains("there is no process"), "{}", nobody.what);
    }
}
