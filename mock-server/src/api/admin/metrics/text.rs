//! Families of metrics as text, in both formats that scrapers read.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::seen::Seen;
use super::table::{Family, Measure, Sample, Sort, Value, table};
use crate::sim::counts::Histogram;

/// All families with what one scrape saw, as OpenMetrics.
pub(super) fn open_metrics(seen: &Seen) -> String {
    let families = table().map(|family| (family, (family.samples)(seen))).collect();
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(families)));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a text takes everything, and every value fits");
    text
}

/// What is told of one scrape.
struct Scrape(Vec<(&'static Family, Vec<Sample>)>);

impl fmt::Debug for Scrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} families", self.0.len())
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (family, samples) in &self.0 {
            let unit = family.unit.map(|unit| match unit {
                Measure::Seconds => Unit::Seconds,
                Measure::Bytes => Unit::Bytes,
            });
            let sort = match family.sort {
                Sort::Counter => MetricType::Counter,
                Sort::Gauge => MetricType::Gauge,
                Sort::Histogram => MetricType::Histogram,
                Sort::Info => MetricType::Info,
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, unit.as_ref(), sort)?;
            for sample in samples {
                let labels: Vec<_> =
                    family.labels.iter().zip(&sample.labels).map(|(name, value)| (*name, &**value)).collect();
                match (&sample.value, labels.is_empty()) {
                    (Value::Info, _) => metric.encode_info(&labels)?,
                    (value, true) => write(value, family.sort, &mut metric)?,
                    (value, false) => write(value, family.sort, &mut metric.encode_family(&labels)?)?,
                }
            }
        }
        Ok(())
    }
}

fn write(value: &Value, sort: Sort, metric: &mut MetricEncoder<'_>) -> fmt::Result {
    match value {
        Value::Whole(number) if sort == Sort::Counter => {
            metric.encode_counter::<NoLabelSet, _, u64>(number, None)
        }
        Value::Whole(number) => metric.encode_gauge(number),
        Value::Number(number) if sort == Sort::Counter => {
            metric.encode_counter::<NoLabelSet, _, f64>(number, None)
        }
        Value::Number(number) => metric.encode_gauge(number),
        Value::Times(histogram) => write_times(histogram, metric),
        Value::Info => Ok(()),
    }
}

fn write_times(histogram: &Histogram, metric: &mut MetricEncoder<'_>) -> fmt::Result {
    let buckets: Vec<_> = histogram
        .buckets()
        .map(|(bound, count)| (bound.map_or(f64::INFINITY, |bound| bound.as_secs_f64()), count))
        .collect();
    let (sum, count) = (histogram.sum().as_secs_f64(), histogram.count());
    metric.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

/// OpenMetrics as the older text format: samples are the same in both. There a family of counters is called as its
/// samples are, infos are gauges, and units and the end are not told.
pub(super) fn older(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // It comes before the type, which says what the family is called.
            help = rest.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some((name, sort)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            let (suffix, sort) = match sort {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                sort => ("", sort),
            };
            text += &format!("# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {sort}\n");
        } else if !line.starts_with('#') {
            text += line;
            text.push('\n');
        }
    }
    text
}
