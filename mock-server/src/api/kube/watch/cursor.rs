//! Where a watch is: how much of what was there it has told, and up to which change.

use std::sync::Arc;

use bytes::Bytes;

use super::lines::{Lines, Shape, Type};
use crate::api::kube::Kube;
use crate::api::kube::ask::Ask;
use crate::api::kube::failure::Failure;
use crate::api::kube::render::Scene;
use crate::api::kube::selectors::Selector;
use crate::sim::cluster::facts::{Key, Kind, Record, Version};
use crate::sim::cluster::store::{Change, Expired};

/// Bytes of a chunk, not counting that its last object is told to its end.
const CHUNK: usize = 64 * 1024;
/// Objects that a watch holds while it tells what is there.
const BATCH: usize = 512;
/// Changes that are looked at with one look into the store.
const CHANGES: usize = 256;

pub(super) struct Cursor {
    kube: Arc<Kube>,
    kind: Kind,
    namespace: Option<String>,
    selector: Selector,
    lines: Lines,
    /// What is left to tell of what was there.
    present: Option<Present>,
    /// Everything up to here was told.
    at: Version,
    /// Whether there was more than fitted into the last chunk.
    behind: bool,
}

/// Objects as they were at the cursor's version, a batch at a time.
struct Present {
    batch: std::vec::IntoIter<Arc<Record>>,
    /// The last object of the batch, when others come after it.
    next_after: Option<Key>,
    /// Whether a bookmark tells that this was all.
    marked: bool,
}

impl Cursor {
    /// From a version on, or with everything that is there first.
    pub(super) fn new(
        kube: &Arc<Kube>,
        ask: &Ask,
        selector: Selector,
        shape: Shape,
        from: Option<Version>,
    ) -> Self {
        let mut cursor = Self {
            kube: Arc::clone(kube),
            kind: ask.resource.kind,
            namespace: ask.namespace.clone(),
            selector,
            lines: Lines::new(ask.resource, shape),
            present: None,
            at: from.unwrap_or_default(),
            behind: false,
        };
        let marked = ask.query.send_initial_events;
        if marked || from.is_none() {
            let listing = kube.simulation.objects(cursor.kind, cursor.namespace.as_deref());
            cursor.at = listing.version;
            cursor.take(listing.records, marked && shape == Shape::Object);
        }
        cursor
    }

    pub(super) fn kube(&self) -> &Arc<Kube> {
        &self.kube
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// What there is to tell now, as much as fits into a chunk, and whether that was the end.
    pub(super) fn look(&mut self) -> (Bytes, bool) {
        let mut out = Vec::new();
        let told = self.tell(&mut out);
        let over = told.is_err();
        if let Err(expired) = told {
            Lines::failure(&Failure::Expired(expired.to_string()), &mut out);
        }
        (out.into(), over)
    }

    /// Where the watch is.
    pub(super) fn bookmark(&self) -> Bytes {
        let mut out = Vec::new();
        self.lines.bookmark(self.at, false, &mut out);
        out.into()
    }

    fn tell(&mut self, out: &mut Vec<u8>) -> Result<(), Expired> {
        let scene = self.kube.scene();
        self.behind = true;
        if self.present.is_some() && !self.tell_present(&scene, out)? {
            return Ok(());
        }
        loop {
            let changes = self.kube.simulation.store().changes(self.at, CHANGES)?;
            let all = changes.len() < CHANGES;
            for change in changes {
                self.at = change.version;
                self.tell_change(&change, &scene, out);
                if out.len() >= CHUNK {
                    return Ok(());
                }
            }
            if all {
                self.behind = false;
                return Ok(());
            }
        }
    }

    /// Whether all that was there has been told.
    fn tell_present(&mut self, scene: &Scene, out: &mut Vec<u8>) -> Result<bool, Expired> {
        while let Some(present) = &mut self.present {
            for record in present.batch.by_ref() {
                if self.selector.matches(&record) {
                    self.lines.present(&record, scene, out);
                }
                if out.len() >= CHUNK {
                    return Ok(false);
                }
            }
            let marked = present.marked;
            match present.next_after.take() {
                Some(last) => {
                    let store = self.kube.simulation.store();
                    let listing = store.list_at(self.kind, self.namespace.as_deref(), self.at)?;
                    let mut records = listing.records;
                    records.drain(..records.partition_point(|record| record.key <= last));
                    self.take(records, marked);
                }
                None => {
                    self.present = None;
                    if marked {
                        self.lines.bookmark(self.at, true, out);
                    }
                }
            }
        }
        Ok(true)
    }

    fn take(&mut self, mut records: Vec<Arc<Record>>, marked: bool) {
        let more = records.len() > BATCH;
        records.truncate(BATCH);
        // What is told is let go of, and a watch that never reads holds no more than this.
        records.shrink_to_fit();
        let next_after = records.last().filter(|_| more).map(|last| last.key.clone());
        self.present = Some(Present { batch: records.into_iter(), next_after, marked });
    }

    fn tell_change(&mut self, change: &Change, scene: &Scene, out: &mut Vec<u8>) {
        let key = &change.after.key;
        if key.kind != self.kind
            || self.namespace.as_deref().is_some_and(|namespace| *key.namespace.0 != *namespace)
        {
            return;
        }
        let before = change.before.as_ref().filter(|before| self.selector.matches(before));
        let is_one = !change.deleted && self.selector.matches(&change.after);
        let (what, record) = match (before, is_one) {
            (None, false) => return,
            (None, true) => (Type::Added, &change.after),
            (Some(_), true) => (Type::Modified, &change.after),
            (Some(_), false) if change.deleted => (Type::Deleted, &change.after),
            (Some(before), false) => {
                // It is no longer one of those that are watched: the last state that was, with the version of that.
                let last = Record { version: change.version, ..Record::clone(before) };
                return self.lines.change(Type::Deleted, (&last, true), &self.kube, scene, out);
            }
        };
        self.lines.change(what, (record, false), &self.kube, scene, out);
    }
}
