//! What pods use, as the metrics API tells it: what `kubectl top pods` reads.

use std::collections::BTreeMap;

use kube::core::params::ListParams;
use serde::Deserialize;

use super::kube::Cluster;
use super::quantity::quantity;
use crate::failure::Failure;

/// What a pod uses, all its containers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// CPU in thousandths of a processor, rounded up.
    pub cpu_millicores: u64,
    /// Memory in bytes.
    pub memory_bytes: u64,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Container {
    usage: Usage,
}

#[derive(Deserialize)]
struct Usage {
    cpu: String,
    memory: String,
}

impl Cluster {
    /// What the pods of the namespace use, by their names. A pod that does not run yet has no figures.
    ///
    /// # Errors
    /// When it is not told: no cluster has to serve these metrics.
    pub async fn pod_uses(&self) -> Result<BTreeMap<String, Use>, Failure> {
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", self.namespace());
        let request = kube::core::Request::new(path).list(&ListParams::default());
        let said = self.ask(String::from("list the metrics of pods"), request).await?;
        let list: List = said.read(200)?;
        let used = |item: &Item| -> Option<Use> {
            item.containers.iter().try_fold(Use::default(), |all, Container { usage }| {
                Some(Use {
                    cpu_millicores: all.cpu_millicores + whole(quantity(&usage.cpu)? * 1_000.0)?,
                    memory_bytes: all.memory_bytes + whole(quantity(&usage.memory)?)?,
                })
            })
        };
        let uses = list.items.iter().map(|item| {
            let odd = || said.broken(format!("the use of pod {} is no quantity", item.metadata.name));
            Ok((item.metadata.name.clone(), used(item).ok_or_else(odd)?))
        });
        uses.collect()
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just before")]
fn whole(value: f64) -> Option<u64> {
    // What is a whole number but for the last bit of a float is not rounded up.
    let value = (value - 1e-6).ceil().max(0.0);
    (value < 1e18).then_some(value as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_rounded_up_and_a_whole_number_stays() {
        let millicores = |text| whole(quantity(text).expect("a quantity") * 1_000.0);
        assert_eq!(
            ["120m", "12345678n", "1", "0", "1n"].map(millicores),
            [Some(120), Some(13), Some(1_000), Some(0), Some(1)]
        );
        assert_eq!(whole(1e18), None);
    }
}
