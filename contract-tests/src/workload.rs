//! The workloads of the product in its cluster: what a case does to them, and how it waits for what comes of it. All of it
//! goes through the Kubernetes API, so that it works on any cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::json;

use crate::client::kube::{Cluster, Pick};
use crate::failure::{Failure, equal};
use crate::objects::{is_leaving, is_ready, name, uid};
use crate::story::Story;

/// Something that runs in the cluster whether there are jobs or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// The Focus Server itself.
    FocusServer,
    /// The recorder.
    Recorder,
    /// The index of recordings.
    MongoDb,
    /// The message broker.
    RabbitMq,
}

/// How often a case looks.
pub const SECOND: Duration = Duration::from_secs(1);
/// How long known clients wait until a workload that was scaled down has no pod left.
pub const EMPTY: Duration = Duration::from_secs(60);
/// How long they wait until a pod is ready.
pub const READY: Duration = Duration::from_secs(120);

/// A workload as the cluster has it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// How many pods are wanted.
    pub wanted: i32,
    /// How many are ready, as the workload counts.
    pub ready: i32,
    /// The number of its specification, and the number of the one that its status is about.
    pub generations: (i64, i64),
    /// Its conditions: type and status. A StatefulSet has none.
    pub conditions: BTreeMap<String, String>,
    /// Its pods, also those that are about to go.
    pub pods: Vec<Pod>,
}

/// What was done to a cluster and must be undone.
#[derive(Debug, Default)]
pub struct Meddled {
    /// How many pods a workload had before it was scaled.
    scaled: BTreeMap<Workload, i32>,
    /// Services that were planted.
    planted: BTreeSet<String>,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::FocusServer, Self::Recorder, Self::MongoDb, Self::RabbitMq];

    /// As the cluster has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FocusServer => "panda-panda-focus-server",
            Self::Recorder => "panda-panda-segy-recorder",
            Self::MongoDb => "mongodb",
            Self::RabbitMq => "rabbitmq-panda",
        }
    }

    /// The label that picks its pods.
    #[must_use]
    pub fn selector(self) -> String {
        let key = match self {
            Self::FocusServer | Self::Recorder => "name",
            Self::MongoDb | Self::RabbitMq => "instance",
        };
        format!("app.kubernetes.io/{key}={}", self.name())
    }

    /// Whether its pods keep their names.
    #[must_use]
    pub fn is_stateful(self) -> bool {
        self == Self::RabbitMq
    }
}

impl Standing {
    async fn of(cluster: &Cluster, workload: Workload) -> Result<Self, Failure> {
        let pods = cluster.list::<Pod>(&Pick::labels(workload.selector())).await?.items;
        // Replicas that nobody sets are one; a status leaves out what is zero.
        if workload.is_stateful() {
            let set: StatefulSet = cluster.get(workload.name()).await?;
            let (spec, status) = (set.spec.unwrap_or_default(), set.status.unwrap_or_default());
            return Ok(Self {
                wanted: spec.replicas.unwrap_or(1),
                ready: status.ready_replicas.unwrap_or(0),
                generations: (set.metadata.generation.unwrap_or(0), status.observed_generation.unwrap_or(0)),
                conditions: BTreeMap::new(),
                pods,
            });
        }
        let deployment: Deployment = cluster.get(workload.name()).await?;
        let status = deployment.status.unwrap_or_default();
        let conditions = status.conditions.into_iter().flatten();
        Ok(Self {
            wanted: deployment.spec.unwrap_or_default().replicas.unwrap_or(1),
            ready: status.ready_replicas.unwrap_or(0),
            generations: (
                deployment.metadata.generation.unwrap_or(0),
                status.observed_generation.unwrap_or(0),
            ),
            conditions: conditions.map(|condition| (condition.type_, condition.status)).collect(),
            pods,
        })
    }

    /// Those pods that are ready and stay.
    #[must_use]
    pub fn ready_pods(&self) -> Vec<&Pod> {
        self.pods.iter().filter(|pod| is_ready(pod) && !is_leaving(*pod)).collect()
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let pods: Vec<_> = self.pods.iter().map(crate::objects::words).collect();
        let pods = if pods.is_empty() { String::from("no pod") } else { pods.join(", ") };
        format!("{} of {} ready; {pods}", self.ready, self.wanted)
    }
}

impl Story {
    /// A workload as it is now.
    ///
    /// # Errors
    /// When the cluster does not tell.
    pub async fn standing(&self, workload: Workload) -> Result<Standing, Failure> {
        Standing::of(self.cluster()?, workload).await
    }

    /// Waits until a workload has the pods that it wants, ready, and no other; tells them.
    ///
    /// # Errors
    /// What was still missing.
    pub async fn until_settled(&self, workload: Workload, limit: Duration) -> Result<Standing, Failure> {
        self.awaited(SECOND, limit, async || {
            let standing = self.standing(workload).await?;
            let ready = usize::try_from(standing.wanted).unwrap_or_default();
            let settled = standing.ready == standing.wanted
                && standing.ready_pods().len() == ready
                && standing.pods.len() == ready
                && standing.generations.0 == standing.generations.1;
            Ok((!settled).then(|| format!("{} is not ready again: {}", workload.name(), standing.words())))
        })
        .await?;
        self.standing(workload).await
    }

    /// Waits until a workload has no pods; tells how long that took.
    ///
    /// # Errors
    /// Which are left.
    pub async fn until_empty(&self, workload: Workload) -> Result<Duration, Failure> {
        self.awaited(SECOND, EMPTY, async || {
            let standing = self.standing(workload).await?;
            let words = || format!("{} was scaled to 0, but has {}", workload.name(), standing.words());
            Ok((!standing.pods.is_empty() || standing.ready != 0).then(words))
        })
        .await
    }

    /// Scales a workload; at the end of the story it has again as many pods as before.
    ///
    /// # Errors
    /// When it is not scaled.
    pub async fn scale(&self, workload: Workload, replicas: i32) -> Result<(), Failure> {
        let cluster = self.cluster()?;
        let before = self.standing(workload).await?;
        self.meddled().scaled.entry(workload).or_insert(before.wanted);
        scaled(cluster, workload, replicas).await?;
        let after = self.standing(workload).await?;
        let name = workload.name();
        equal(&format!("spec.replicas of {name} that was scaled"), &after.wanted, &replicas)?;
        let changes = i64::from(before.wanted != replicas);
        // Others may change it, too.
        if after.generations.0 < before.generations.0 + changes {
            let generations = (before.generations.0, after.generations.0);
            let what =
                format!("metadata.generation of {name} went from {} to {}", generations.0, generations.1);
            return Err(Failure::broken(what));
        }
        Ok(())
    }

    /// Restarts a Deployment as `kubectl rollout restart` does.
    ///
    /// # Errors
    /// When that cannot be done.
    pub async fn restart(&self, workload: Workload) -> Result<(), Failure> {
        let now = self.now().await?;
        let at = json!({"kubectl.kubernetes.io/restartedAt": now.to_string()});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": at}}}});
        self.cluster()?.patch::<Deployment>(workload.name(), &patch).await.map(drop)
    }

    /// Plants a Service, which is taken away at the end of the story at the latest.
    ///
    /// # Errors
    /// When it is not created.
    pub async fn plant(&self, service: &Service) -> Result<Service, Failure> {
        let said = self.cluster()?.create_service(service).await?;
        self.meddled().planted.insert(name(service));
        said.read(201)
    }

    /// Takes a Service away that was planted.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub async fn uproot(&self, service: &str) -> Result<(), Failure> {
        self.cluster()?.delete::<Service>(service).await?;
        self.meddled().planted.remove(service);
        Ok(())
    }

    /// Demands that a pod is another one than before, or the same.
    ///
    /// # Errors
    /// When it is not.
    pub async fn is_still(&self, pod: &Pod) -> Result<(), Failure> {
        let now: Pod = self.cluster()?.get(&name(pod)).await?;
        equal(&format!("uid of pod {}", name(pod)), &uid(&now), &uid(pod))
    }

    /// Undoes what the case did to the cluster and did not undo; tells what could not be.
    pub(crate) async fn undo(&self) -> Vec<String> {
        let Meddled { scaled: workloads, planted } = std::mem::take(&mut *self.meddled());
        let Ok(cluster) = self.cluster() else { return Vec::new() };
        let mut failed = Vec::new();
        for service in planted {
            if let Err(failure) = cluster.delete::<Service>(&service).await {
                failed.push(format!("service {service} ({})", failure.what));
            }
        }
        for (workload, replicas) in workloads {
            let back = async {
                if self.standing(workload).await?.wanted != replicas {
                    scaled(cluster, workload, replicas).await?;
                }
                self.until_settled(workload, READY).await
            };
            if let Err(failure) = back.await {
                failed.push(format!("{} with {replicas} replicas ({})", workload.name(), failure.what));
            }
        }
        failed
    }
}

async fn scaled(cluster: &Cluster, workload: Workload, replicas: i32) -> Result<(), Failure> {
    let name = workload.name();
    let scale = if workload.is_stateful() {
        cluster.scale::<StatefulSet>(name, replicas).await?
    } else {
        cluster.scale::<Deployment>(name, replicas).await?
    };
    let told = scale.spec.and_then(|spec| spec.replicas);
    equal(&format!("spec.replicas of the scale of {name}"), &told, &Some(replicas))
}
