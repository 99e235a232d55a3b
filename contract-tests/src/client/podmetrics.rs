//! What pods use, as the metrics API tells it: what `kubectl top pods` reads.

use std::collections::BTreeMap;

use kube::core::params::ListParams;
use serde::Deserialize;

use super::kube::Cluster;
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

/// A quantity as Kubernetes writes it: `120m`, `16Gi`, `1.5`, `2e3`.
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
    let of = |(suffix, factor): &(&str, f64)| Some((text.strip_suffix(suffix)?, *factor));
    let (number, factor) = SUFFIXES.iter().find_map(of).unwrap_or((text, 1.0));
    // Rust reads more for numbers than Kubernetes writes: `inf`, `NaN`.
    let begins = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    number.parse::<f64>().ok().filter(|number| begins && number.is_finite()).map(|number| number * factor)
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
    fn quantities_are_read_as_kubernetes_writes_them() {
        for (text, expected) in [
            ("120m", Some(0.12)),
            ("1", Some(1.0)),
            ("1.5", Some(1.5)),
            ("0", Some(0.0)),
            ("16Gi", Some(17_179_869_184.0)),
            ("512Mi", Some(536_870_912.0)),
            ("3Ki", Some(3_072.0)),
            ("12345678n", Some(0.012_345_678)),
            ("7u", Some(0.000_007)),
            ("2k", Some(2_000.0)),
            ("2e3", Some(2_000.0)),
            ("1E", Some(1e18)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
            ("12x", None),
        ] {
            let got = quantity(text);
            let near = got.zip(expected).is_some_and(|(got, expected)| (got - expected).abs() < 1e-9);
            assert!(near || got == expected, "{text}: {got:?}");
        }
    }

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
