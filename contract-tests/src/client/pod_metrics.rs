//! What pods use, as `metrics.k8s.io` has it. No part of Kubernetes' own API: clusters without a metrics server have none.

use kube::core::params::ListParams;
use serde::Deserialize;

use super::kube::Cluster;
use crate::failure::Failure;

/// What a pod uses, all its containers together.
#[derive(Clone, Debug, PartialEq)]
pub struct PodUse {
    /// Its name.
    pub pod: String,
    /// Processors.
    pub cores: f64,
    /// Memory.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Metrics>,
}

#[derive(Deserialize)]
struct Metrics {
    metadata: Metadata,
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
    /// What every pod of the namespace uses that has metrics.
    ///
    /// # Errors
    /// When the cluster serves no metrics, or none that can be read.
    pub async fn pod_uses(&self) -> Result<Vec<PodUse>, Failure> {
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{}/pods", self.namespace());
        let request = kube::core::Request::new(path).list(&ListParams::default());
        let said = self.ask(String::from("list the metrics of pods"), request).await?;
        let list: List = said.read(200)?;
        let used = list.items.iter().map(used);
        used.collect::<Option<Vec<_>>>().ok_or_else(|| said.broken("a quantity cannot be read"))
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of memory, and not below zero"
)]
fn used(metrics: &Metrics) -> Option<PodUse> {
    let sum = |of: fn(&Usage) -> &str| -> Option<f64> {
        metrics.containers.iter().map(|container| quantity(of(&container.usage))).sum()
    };
    Some(PodUse {
        pod: metrics.metadata.name.clone(),
        cores: sum(|usage| &usage.cpu)?,
        bytes: sum(|usage| &usage.memory)? as u64,
    })
}

/// A quantity as Kubernetes writes it: a decimal number, with a suffix or an exponent.
fn quantity(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 15] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let with = |(suffix, factor): (&str, f64)| Some((text.strip_suffix(suffix)?, factor));
    let (number, factor) = SUFFIXES.into_iter().find_map(with).unwrap_or((text, 1.0));
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    number.parse::<f64>().ok().filter(|_| plain).map(|number| number * factor).filter(|value| *value >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("0", Some(0.0)),
            ("2", Some(2.0)),
            ("250m", Some(0.25)),
            ("1500u", Some(0.0015)),
            ("128Mi", Some(134_217_728.0)),
            ("131072Ki", Some(134_217_728.0)),
            ("1.5G", Some(1.5e9)),
            ("12e6", Some(12e6)),
            ("", None),
            ("Mi", None),
            ("-1", None),
            ("inf", None),
            ("5x", None),
        ] {
            assert_eq!(quantity(text), expected, "{text:?}");
        }
        assert!(quantity("123456789n").is_some_and(|cores| (cores - 0.123_456_789).abs() < 1e-12));
    }
}
