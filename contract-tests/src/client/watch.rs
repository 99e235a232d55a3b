//! What changes in a cluster, as it is told to somebody who watches.

use futures_util::TryStreamExt as _;
use kube::core::WatchEvent;
use kube::core::params::WatchParams;
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::task::AbortHandle;

use super::kube::{Cluster, Object, Pick, built};
use crate::failure::Failure;

/// What came of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is another than before.
    Modified,
    /// It is gone.
    Deleted,
}

/// One thing that was seen.
#[derive(Clone, Debug)]
pub struct Seen<K> {
    /// What came of the object.
    pub change: Change,
    /// The object.
    pub object: K,
}

struct Told<K> {
    seen: Vec<Seen<K>>,
    ended: Option<String>,
}

/// Somebody who watches a kind from a version of the store on, until dropped.
pub struct Watching<K> {
    what: String,
    patience: std::time::Duration,
    so_far: Receiver<Told<K>>,
    task: AbortHandle,
}

impl<K> Drop for Watching<K> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Cluster {
    /// Watches what is picked, from behind a version of the store.
    ///
    /// # Errors
    /// When the API does not let it.
    pub async fn watch<K: Object>(&self, pick: &Pick, version: &str) -> Result<Watching<K>, Failure> {
        let what = format!("watch {}{}", K::plural(&()), pick.words());
        let params = WatchParams {
            label_selector: pick.label_selector().map(str::to_owned),
            field_selector: pick.field_selector().map(str::to_owned),
            ..WatchParams::default()
        };
        let request = built(&what, self.requests::<K>().watch(&params, version))?;
        let opening = tokio::time::timeout(self.patience(), self.client.request_events::<K>(request));
        let events = match opening.await {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return Err(Failure::broken(format!("{what}: {error}"))),
            Err(_) => {
                let patience = self.patience().as_secs_f64();
                return Err(Failure::broken(format!("{what}: no answer within {patience} s")));
            }
        };
        let (tell, so_far) = channel(Told { seen: Vec::new(), ended: None });
        let task = tokio::spawn(async move {
            let mut events = std::pin::pin!(events);
            let why = loop {
                match events.try_next().await {
                    Ok(Some(WatchEvent::Added(object))) => seen(&tell, Change::Added, object),
                    Ok(Some(WatchEvent::Modified(object))) => seen(&tell, Change::Modified, object),
                    Ok(Some(WatchEvent::Deleted(object))) => seen(&tell, Change::Deleted, object),
                    Ok(Some(WatchEvent::Bookmark(_))) => {}
                    Ok(Some(WatchEvent::Error(status))) => {
                        break format!("{} {}", status.code, status.message);
                    }
                    Ok(None) => break String::from("the server ended it"),
                    Err(error) => break error.to_string(),
                }
            };
            tell.send_modify(|told| told.ended = Some(why));
        });
        Ok(Watching { what, patience: self.patience(), so_far, task: task.abort_handle() })
    }
}

fn seen<K>(tell: &Sender<Told<K>>, change: Change, object: K) {
    tell.send_modify(|told| told.seen.push(Seen { change, object }));
}

impl<K: Object> Watching<K> {
    /// Everything that was told once something has been told; events come in their order, so it is all that happened
    /// before.
    ///
    /// # Errors
    /// When the watch ends first, or patience does.
    pub async fn until(
        &self,
        wanted: &str,
        enough: impl Fn(&[Seen<K>]) -> bool,
    ) -> Result<Vec<Seen<K>>, Failure> {
        let mut so_far = self.so_far.clone();
        let waiting = so_far.wait_for(|told| enough(&told.seen) || told.ended.is_some());
        let told = tokio::time::timeout(self.patience, waiting).await;
        let broken = |why: String| Failure::broken(format!("{}: {why}", self.what));
        match told {
            Ok(Ok(told)) if enough(&told.seen) => Ok(told.seen.clone()),
            Ok(Ok(told)) => {
                let why = told.ended.clone().unwrap_or_default();
                Err(broken(format!("no sign of {wanted}: {why}")))
            }
            Ok(Err(_)) => Err(broken(format!("no sign of {wanted}: nobody watches any more"))),
            Err(_) => {
                let told = self.told().join(", ");
                let patience = self.patience.as_secs_f64();
                Err(broken(format!("no sign of {wanted} within {patience} s, but: {told}")))
            }
        }
    }

    /// What was told so far, in words.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let word = |seen: &Seen<K>| {
            let name = seen.object.meta().name.as_deref().unwrap_or_default();
            format!("{name} {:?}", seen.change).to_lowercase()
        };
        self.so_far.borrow().seen.iter().map(word).collect()
    }
}
