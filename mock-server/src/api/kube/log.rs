//! Logs of pods: what their containers have said, and what they go on to say.
//!
//! **Chosen**: the newest MiB of a log is kept, as a kubelet keeps some MiB of each; a pod that no node has taken has an
//! empty log, as with real servers, and one whose container is being created has none yet (400).

use std::convert::Infallible;
use std::fmt::Write;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use k8s_openapi::api::core::v1::Pod as Shown;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::ask::{Ask, Query};
use super::failure::{Cause, Failure};
use super::get::key;
use super::render;
use super::write::found;
use super::{Kube, said};
use crate::domain::time::Moment;
use crate::sim::cluster::facts::{Facts, Key, Record, Stage, Uid};
use crate::sim::cluster::logs::LogLine;

/// Bytes of a log that can be read.
const KEPT: usize = 1024 * 1024;
/// Time between two looks at a log that is followed, on the wall.
const PACE: Duration = Duration::from_millis(100);
/// Time after which a followed log is looked at although nobody told of anything, on the simulated clock: some of what
/// containers say follows from the time alone.
const PATIENCE: Duration = Duration::from_secs(1);

/// The log of a pod.
pub(in crate::api::kube) fn log(kube: &Arc<Kube>, ask: &Ask) -> Result<Response, Failure> {
    check(ask)?;
    let record = found(kube, ask)?;
    let begun = container(kube, ask, &record)?;
    let end = Tail::of(&ask.query, kube.simulation.clock().now());
    let source = Source { kube: Arc::clone(kube), key: key(ask)?, uid: record.uid };
    let body = if begun && ask.query.follow {
        let followed = Follow { source, tail: end, pace: pace(), over: false };
        Body::from_stream(followed.stream().map(Ok::<_, Infallible>))
    } else {
        let mut end = end;
        let said = source.look().map(|look| look.lines).filter(|_| begun).unwrap_or_default();
        Body::from(end.text(&said))
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    Ok(response)
}

fn check(ask: &Ask) -> Result<(), Failure> {
    let query = &ask.query;
    let limits = [("sinceSeconds", query.since_seconds), ("limitBytes", query.limit_bytes)];
    let nothing = |(_, limit): &(_, Option<u64>)| *limit == Some(0);
    let causes: Vec<_> = limits
        .into_iter()
        .filter(nothing)
        .map(|(field, _)| Cause::invalid(field, 0, "must be greater than 0"))
        .collect();
    if causes.is_empty() {
        return Ok(());
    }
    let name = ask.name.clone().unwrap_or_default();
    Err(Failure::Invalid { group: "", kind: "PodLogOptions", name, causes })
}

/// Whether the container that is meant has begun to talk.
fn container(kube: &Kube, ask: &Ask, record: &Record) -> Result<bool, Failure> {
    let shown: Shown = serde_json::from_value(render::value(record, &kube.scene()))
        .expect("what is rendered through a type is read back through it");
    let pod = &*record.key.name;
    let there: Vec<_> =
        shown.spec.into_iter().flat_map(|spec| spec.containers).map(|container| container.name).collect();
    let wanted = ask.query.container.as_deref().filter(|name| !name.is_empty());
    if let Some(wanted) = wanted.filter(|wanted| !there.iter().any(|name| name == wanted)) {
        return Err(Failure::BadRequest(format!("container {wanted} is not valid for pod {pod}")));
    }
    let name = wanted.or(there.first().map(String::as_str)).unwrap_or_default();
    if ask.query.previous {
        return Err(Failure::BadRequest(format!(
            "previous terminated container {name:?} in pod {pod:?} not found"
        )));
    }
    match stage(record) {
        Some(Stage::Creating) => Err(Failure::BadRequest(format!(
            "container {name:?} in pod {pod:?} is waiting to start: ContainerCreating"
        ))),
        Some(Stage::Unschedulable(_)) | None => Ok(false),
        Some(Stage::Running { .. } | Stage::CrashLoop { .. } | Stage::Over { .. }) => Ok(true),
    }
}

fn stage(record: &Record) -> Option<Stage> {
    match &record.facts {
        Facts::Pod(pod) => Some(pod.stage),
        _ => None,
    }
}

/// Which part of a log is wanted, and how much of it was told.
pub(super) struct Tail {
    since: Option<Moment>,
    last: Option<usize>,
    timestamps: bool,
    /// Bytes that may still be told.
    left: usize,
    /// The time of the last line that was seen, and how many of that time were.
    seen: Option<(Moment, usize)>,
}

impl Tail {
    pub(super) fn of(query: &Query, now: Moment) -> Self {
        let since = query.since_seconds.map(Duration::from_secs);
        let begin = Moment::from_nanos(0);
        let usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            since: since.map(|since| begin.after(now.since(begin).saturating_sub(since))),
            last: query.tail_lines.map(usize),
            timestamps: query.timestamps,
            left: query.limit_bytes.map_or(usize::MAX, usize),
            seen: None,
        }
    }

    /// Whether nothing more may be told.
    fn is_full(&self) -> bool {
        self.left == 0
    }

    /// What is new in a log, of what is wanted, no more of it than is kept.
    pub(super) fn text(&mut self, log: &[LogLine]) -> String {
        let left = self.left;
        let new = self.new_lines(log);
        let wanted = |line: &&LogLine| self.since.is_none_or(|since| line.at >= since);
        // What was there is counted from its end; what comes later is all wanted.
        let most = self.last.take().unwrap_or(usize::MAX);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        'enough: for said in new.iter().rev().filter(wanted) {
            for line in said::lines(&said.what).into_iter().rev() {
                let line = self.line(said.at, &line);
                bytes += line.len();
                if lines.len() == most || bytes > KEPT {
                    break 'enough;
                }
                lines.push(line);
            }
        }
        lines.reverse();
        let mut text = lines.concat();
        // A character that would be cut in the middle is not told; neither is anything after it.
        self.left = if text.len() < self.left { self.left - text.len() } else { 0 };
        text.truncate(text.floor_char_boundary(left));
        text
    }

    fn line(&self, at: Moment, line: &str) -> String {
        let mut text = String::with_capacity(line.len() + 32);
        if self.timestamps
            && let Ok(time) = jiff::Timestamp::from_nanosecond(i128::from(at.nanos()))
        {
            let _ = write!(text, "{time:.9} ");
        }
        text.push_str(line);
        text.push('\n');
        text
    }

    /// Lines that were not seen before. Several may be of one time, and the oldest may be gone by now.
    fn new_lines<'a>(&mut self, log: &'a [LogLine]) -> &'a [LogLine] {
        let new = match self.seen {
            None => log,
            Some((at, count)) => {
                let first = log.partition_point(|line| line.at < at);
                let of_that_time = log[first..].partition_point(|line| line.at <= at);
                &log[first + count.min(of_that_time)..]
            }
        };
        if let Some(last) = log.last() {
            self.seen = Some((last.at, log.len() - log.partition_point(|line| line.at < last.at)));
        }
        new
    }
}

/// A log as it is now.
pub(super) struct Look {
    pub(super) lines: Vec<LogLine>,
    /// Whether nothing comes after that.
    pub(super) over: bool,
}

/// Where a followed log comes from.
pub(super) trait Says {
    /// `None` when the pod is gone.
    fn look(&self) -> Option<Look>;

    /// The next time that there may be something new; counts from the call on.
    fn news(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

struct Source {
    kube: Arc<Kube>,
    key: Key,
    /// Another pod of the same name has another log.
    uid: Uid,
}

impl Says for Source {
    fn look(&self) -> Option<Look> {
        let simulation = &self.kube.simulation;
        // The object first: what is said between the two looks is in the log, and the end is seen the next time.
        let over = match simulation.object(&self.key) {
            Some(record) if record.uid != self.uid => return None,
            Some(record) => matches!(stage(&record), Some(Stage::Over { .. }) | None),
            // Gone, but its last words may be remembered.
            None => true,
        };
        Some(Look { lines: simulation.log(&self.key)?, over })
    }

    fn news(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let simulation = &self.kube.simulation;
        let clock = simulation.clock();
        let (changed, written) = (simulation.store().told().next(), simulation.journal().told().next());
        let later = clock.now().after(PATIENCE);
        Box::pin(async move {
            tokio::select! {
                () = changed => {}
                () = written => {}
                () = clock.sleep_until(later, "next look at a log", None) => {}
            }
        })
    }
}

fn pace() -> Interval {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// A log that is told until its container has ended.
pub(super) struct Follow<S> {
    source: S,
    tail: Tail,
    pace: Interval,
    over: bool,
}

impl<S: Says + Send + Sync + 'static> Follow<S> {
    #[cfg(test)]
    pub(super) fn new(source: S, tail: Tail) -> Self {
        Self { source, tail, pace: pace(), over: false }
    }

    pub(super) fn stream(self) -> impl futures_util::Stream<Item = Bytes> + Send + 'static {
        futures_util::stream::unfold(self, |mut follow| async move {
            let text = follow.next().await?;
            Some((text, follow))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            self.pace.tick().await;
            // Before the look, so that what is said right after it is not missed.
            let news = self.source.news();
            let look = self.source.look();
            self.over = look.as_ref().is_none_or(|look| look.over);
            let text = look.map(|look| self.tail.text(&look.lines)).unwrap_or_default();
            self.over |= self.tail.is_full();
            if !text.is_empty() {
                return Some(text.into());
            }
            if !self.over {
                news.await;
            }
        }
        None
    }
}
