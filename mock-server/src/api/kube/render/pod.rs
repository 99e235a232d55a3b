//! Pods.

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    HostIP, Pod, PodCondition, PodIP, PodSpec, PodStatus,
};

use super::known::is_bare;
use super::meta::{meta, owned_by};
use super::template::{container, image, spec};
use super::time::time;
use super::{Scene, address, event};
use crate::domain::time::Moment;
use crate::sim::cluster::facts::{self, Outcome, Over, Part, PodOf, Record, Stage};

pub(super) fn pod(record: &Record, pod: &facts::Pod, scene: &Scene) -> Pod {
    let mut metadata = meta(record);
    metadata.owner_references = Some(vec![owned_by(&pod.owner)]);
    Pod {
        metadata,
        spec: Some(PodSpec {
            node_name: pod.placed.map(|placed| placed.node.name().to_owned()),
            ..spec(&pod.of)
        }),
        status: Some(status(record, pod, scene)),
    }
}

/// The phases that pods can be in.
pub(crate) const PHASES: [&str; 4] = ["Pending", "Running", "Succeeded", "Failed"];

/// The phase of a pod.
pub(crate) fn phase(stage: Stage) -> &'static str {
    match stage {
        Stage::Unschedulable(_) | Stage::Creating => "Pending",
        Stage::Running { .. } | Stage::CrashLoop { .. } => "Running",
        Stage::Over { over: Over { how: Outcome::Succeeded, .. }, .. } => "Succeeded",
        Stage::Over { over: Over { how: Outcome::Failed, .. }, .. } => "Failed",
    }
}

/// Since when it is ready. One that is being deleted is not, whatever its container does.
fn ready(record: &Record, pod: &facts::Pod) -> Option<Moment> {
    match pod.stage {
        Stage::Running { ready, .. } => ready.filter(|_| record.deleting.is_none()),
        Stage::Unschedulable(_) | Stage::Creating | Stage::CrashLoop { .. } | Stage::Over { .. } => None,
    }
}

fn status(record: &Record, pod: &facts::Pod, scene: &Scene) -> PodStatus {
    let host = pod.placed.map(|_| scene.node_address.to_string());
    // As in a real cluster: there is no address before there is a container.
    let has_address = !matches!(pod.stage, Stage::Unschedulable(_) | Stage::Creating);
    let placed = pod.placed.filter(|_| has_address);
    let ip = placed.map(|placed| address::of_pod(placed.address).to_string());
    PodStatus {
        phase: Some(phase(pod.stage).to_owned()),
        conditions: Some(conditions(record, pod)),
        host_ips: host.clone().map(|ip| vec![HostIP { ip }]),
        host_ip: host,
        pod_ips: ip.clone().map(|ip| vec![PodIP { ip }]),
        pod_ip: ip,
        start_time: pod.placed.map(|placed| time(placed.at)),
        container_statuses: pod.placed.map(|_| vec![container_status(record, pod)]),
        qos_class: Some(qos(&pod.of).to_owned()),
        ..PodStatus::default()
    }
}

fn qos(of: &PodOf) -> &'static str {
    match of {
        PodOf::Job(of) if of.part == Part::Grpc && !is_bare(of.part, &of.terms) => "Burstable",
        PodOf::Job(_) | PodOf::Workload { .. } => "BestEffort",
    }
}

/// **Chosen**: `Ready` comes first, also of a pod without a node; a client takes the first one for readiness.
fn conditions(record: &Record, pod: &facts::Pod) -> Vec<PodCondition> {
    let condition = |type_: &str, holds: bool, since: Moment, why: Option<(&str, String)>| {
        let (reason, message) = why.unzip();
        PodCondition {
            type_: type_.to_owned(),
            status: String::from(if holds { "True" } else { "False" }),
            last_transition_time: Some(time(since)),
            reason: reason.map(str::to_owned),
            message: message.filter(|message| !message.is_empty()),
            ..PodCondition::default()
        }
    };
    let placed = pod.placed.map_or(record.created, |placed| placed.at);
    let unready =
        || ("ContainersNotReady", format!("containers with unready status: [{}]", container(&pod.of)));
    let (since, why) = match pod.stage {
        Stage::Running { ready, since } => match (self::ready(record, pod), record.deleting) {
            (Some(ready), _) => (ready, None),
            (None, Some(deleting)) if ready.is_some() => (deleting.since, Some(unready())),
            (None, _) => (since, Some(unready())),
        },
        Stage::Unschedulable(_) | Stage::Creating => (placed, Some(unready())),
        Stage::CrashLoop { since } => (since, Some(unready())),
        Stage::Over { over: Over { at, how }, .. } => {
            let reason = match how {
                Outcome::Succeeded => "PodCompleted",
                Outcome::Failed => "PodFailed",
            };
            (at, Some((reason, String::new())))
        }
    };
    let is_ready = why.is_none();
    let unscheduled = match pod.stage {
        Stage::Unschedulable(why) => Some(("Unschedulable", event::why_unschedulable(why))),
        Stage::Creating | Stage::Running { .. } | Stage::CrashLoop { .. } | Stage::Over { .. } => None,
    };
    vec![
        condition("Ready", is_ready, since, why.clone()),
        condition("Initialized", pod.placed.is_some(), placed, None),
        condition("ContainersReady", is_ready, since, why),
        condition("PodScheduled", pod.placed.is_some(), placed, unscheduled),
    ]
}

fn container_status(record: &Record, pod: &facts::Pod) -> ContainerStatus {
    let is_up = matches!(pod.stage, Stage::Running { .. });
    let was_started = match pod.stage {
        Stage::Running { .. } | Stage::CrashLoop { .. } => true,
        Stage::Over { started, .. } => started.is_some(),
        Stage::Unschedulable(_) | Stage::Creating => false,
    };
    ContainerStatus {
        name: container(&pod.of).to_owned(),
        image: image(&pod.of).to_owned(),
        image_id: String::from(if was_started { image(&pod.of) } else { "" }),
        container_id: was_started.then(|| format!("containerd://{:032x}{:032x}", record.uid.0, pod.restarts)),
        ready: ready(record, pod).is_some(),
        started: Some(is_up),
        restart_count: i32::try_from(pod.restarts).unwrap_or(i32::MAX),
        state: Some(state(pod)),
        last_state: last_state(pod),
        ..ContainerStatus::default()
    }
}

fn state(pod: &facts::Pod) -> ContainerState {
    let waiting = |reason: &str, message: Option<String>| ContainerState {
        waiting: Some(ContainerStateWaiting { reason: Some(reason.to_owned()), message }),
        ..ContainerState::default()
    };
    match pod.stage {
        Stage::Unschedulable(_) | Stage::Creating => waiting("ContainerCreating", None),
        Stage::Running { since, .. } => ContainerState {
            running: Some(ContainerStateRunning { started_at: Some(time(since)) }),
            ..ContainerState::default()
        },
        Stage::CrashLoop { .. } => waiting(
            "CrashLoopBackOff",
            Some(format!("back-off restarting failed container={}", container(&pod.of))),
        ),
        Stage::Over { started, over } => {
            let (code, reason) = match over.how {
                Outcome::Succeeded => (0, "Completed"),
                Outcome::Failed => (KILLED, "Error"),
            };
            terminated(code, reason, started, over.at)
        }
    }
}

/// What a container that was killed exits with.
const KILLED: i32 = 137;

/// How its container ended before it was started again.
fn last_state(pod: &facts::Pod) -> Option<ContainerState> {
    match pod.stage {
        Stage::Running { since, .. } | Stage::CrashLoop { since } if pod.restarts > 0 => {
            Some(terminated(1, "Error", Some(since), since))
        }
        Stage::Unschedulable(_)
        | Stage::Creating
        | Stage::Running { .. }
        | Stage::CrashLoop { .. }
        | Stage::Over { .. } => None,
    }
}

fn terminated(exit_code: i32, reason: &str, started: Option<Moment>, finished: Moment) -> ContainerState {
    ContainerState {
        terminated: Some(ContainerStateTerminated {
            exit_code,
            reason: Some(reason.to_owned()),
            started_at: started.map(time),
            finished_at: Some(time(finished)),
            ..ContainerStateTerminated::default()
        }),
        ..ContainerState::default()
    }
}
