//! What is always there: namespaces, nodes, workloads with their Services, configuration.

use super::Cluster;
use super::events::Reason;
use super::facts::{
    ConfigMap, Facts, Key, Kind, Namespace, Node, NodeName, Record, Service, ServiceAddress, ServiceOf,
};
use super::workloads::Workload;
use crate::domain::time::Moment;
use std::sync::Arc;

/// The Services of a workload, by name.
pub(super) fn services_of(workload: Workload) -> Vec<(String, ServiceOf)> {
    let own = (workload.name().to_owned(), ServiceOf::Workload(workload));
    let headless = (format!("{}-headless", workload.name()), ServiceOf::Headless(workload));
    match (workload.has_service(), workload.is_stateful()) {
        (true, true) => vec![own, headless],
        (true, false) => vec![own],
        (false, _) => Vec::new(),
    }
}

impl Cluster {
    pub(super) fn show_what_is_always_there(&mut self, now: Moment) {
        let none = Namespace::none();
        for name in ["default", "kube-system", &*self.namespace.0.clone()] {
            self.store.put(Key::new(Kind::Namespace, &none, name), now, None, Facts::Namespace);
        }
        for node in NodeName::ALL {
            self.show_node(node, now);
        }
        for (name, map) in
            [("grpc-job-template", ConfigMap::GrpcJobTemplate), ("prisma-config", ConfigMap::PrismaConfig)]
        {
            self.store.put(self.key(Kind::ConfigMap, name), now, None, Facts::ConfigMap(map));
        }
        self.store.put(self.key(Kind::Secret, "rabbitmq-panda"), now, None, Facts::Secret);
        for name in ["cleanup-sa", "default"] {
            self.store.put(self.key(Kind::ServiceAccount, name), now, None, Facts::ServiceAccount);
        }
        self.store.put(self.key(Kind::Ingress, "panda-focus-server"), now, None, Facts::Ingress);
        for workload in Workload::ALL {
            for (name, of) in services_of(workload) {
                let headless = matches!(of, ServiceOf::Headless(_));
                let address = (!headless).then(|| ServiceAddress(self.address()));
                let key = self.key(Kind::Service, name);
                self.show_service(&key, Service { of, address }, now);
            }
            self.show_workload(workload, now);
            self.begin_workload(workload, now);
        }
    }

    fn show_node(&self, name: NodeName, now: Moment) -> Arc<Record> {
        let worker = name == NodeName::Worker;
        let (ready, ready_since) = if worker { self.worker_ready } else { (true, self.began) };
        let facts = Facts::Node(Node {
            name,
            unschedulable: worker && self.cordoned,
            ready,
            ready_since,
            gpu_pool: if worker { self.gpu_pool } else { Some(0) },
        });
        self.store.put(Key::new(Kind::Node, &Namespace::none(), name.name()), now, None, facts)
    }

    /// Cordons a node, or lets it take pods again. The master takes none in any case.
    pub(in crate::sim) fn cordon(&mut self, name: NodeName, unschedulable: bool, now: Moment) -> Arc<Record> {
        if name == NodeName::Worker && self.cordoned != unschedulable {
            self.cordoned = unschedulable;
            let node = self.show_node(name, now);
            self.tell(&node, Reason::NodeSchedulable(!unschedulable), now);
        }
        self.show_node(name, now)
    }

    /// Makes the worker ready, or not; whether that is a change.
    pub(in crate::sim) fn set_worker_ready(&mut self, ready: bool, now: Moment) -> bool {
        let changes = self.worker_ready.0 != ready;
        if changes {
            self.worker_ready = (ready, now);
            let node = self.show_node(NodeName::Worker, now);
            self.tell(&node, Reason::NodeReady(ready), now);
        }
        changes
    }

    /// Changes the size of the pool of GPU shares.
    pub(in crate::sim) fn set_gpu_pool(&mut self, size: Option<u32>, now: Moment) {
        self.gpu_pool = size;
        self.show_node(NodeName::Worker, now);
    }
}
