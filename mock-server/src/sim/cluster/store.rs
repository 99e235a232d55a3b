//! The objects of the cluster and how they changed: one increasing version for all of them, and the newest changes kept
//! for those who watch.
//!
//! The store outlives worlds: after a reset, versions go on, and whoever watches sees the old objects go. It has a lock of
//! its own, taken for a look at a time, so that many who watch hold up nobody.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::facts::{Deleting, Facts, Key, Kind, Namespace, Record, Uid, Version};
use crate::domain::time::Moment;
use crate::sim::seed::Seed;
use crate::sim::signal::Told;

/// A change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The version it led to.
    pub version: Version,
    /// The object before; nothing if it was created.
    pub before: Option<Arc<Record>>,
    /// The object after; its last state, with the new version, if it was deleted.
    pub after: Arc<Record>,
    /// Whether it is gone.
    pub deleted: bool,
}

/// Objects at one version, in order of namespace and name.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The version.
    pub version: Version,
    /// The objects.
    pub records: Vec<Arc<Record>>,
}

/// What was asked for is from before the oldest change that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct Expired {
    /// The version that was asked for.
    pub asked: Version,
    /// The oldest one that can be.
    pub oldest: Version,
}

/// All objects.
#[derive(Debug)]
pub struct Store {
    kept: Mutex<Kept>,
    told: Told,
    /// Whether something changed that nobody was told of.
    news: AtomicBool,
    seed: Seed,
    /// How many changes are kept.
    history: usize,
}

#[derive(Debug, Default)]
struct Kept {
    version: Version,
    objects: BTreeMap<Key, Arc<Record>>,
    /// The newest changes, without gaps: the last one led to `version`.
    changes: VecDeque<Change>,
}

impl Kept {
    /// The oldest version that can be gone back to.
    fn oldest(&self) -> Version {
        Version(self.version.0 - self.changes.len() as u64)
    }

    /// Changes after a version.
    fn after(&self, version: Version) -> Result<impl DoubleEndedIterator<Item = &Change>, Expired> {
        let oldest = self.oldest();
        let skip = version.0.checked_sub(oldest.0).ok_or(Expired { asked: version, oldest })?;
        let skip = usize::try_from(skip).unwrap_or(usize::MAX).min(self.changes.len());
        Ok(self.changes.range(skip..))
    }

    fn write(&mut self, history: usize, change: Change) {
        self.version = change.version;
        self.changes.push_back(change);
        while self.changes.len() > history {
            self.changes.pop_front();
        }
    }

    fn of_kind<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Record>> {
        let first = Key::new(kind, &Namespace(namespace.unwrap_or_default().into()), "");
        let of_kind = self.objects.range(first..).take_while(move |(key, _)| {
            key.kind == kind && namespace.is_none_or(|namespace| *key.namespace.0 == *namespace)
        });
        of_kind.map(|(_, record)| record)
    }
}

impl Store {
    /// An empty store that keeps so many changes.
    #[must_use]
    pub fn new(seed: Seed, history: usize) -> Self {
        Self { kept: Mutex::default(), told: Told::default(), news: AtomicBool::new(false), seed, history }
    }

    /// The newest version.
    #[must_use]
    pub fn version(&self) -> Version {
        self.kept().version
    }

    /// The object as it is now.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Arc<Record>> {
        self.kept().objects.get(key).cloned()
    }

    /// The objects of a kind, in one namespace or in all.
    #[must_use]
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Listing {
        let kept = self.kept();
        Listing { version: kept.version, records: kept.of_kind(kind, namespace).cloned().collect() }
    }

    /// How many objects there are of each kind; none of the others.
    #[must_use]
    pub fn count(&self) -> BTreeMap<Kind, usize> {
        let mut counts = BTreeMap::new();
        self.kept().objects.keys().for_each(|key| *counts.entry(key.kind).or_default() += 1);
        counts
    }

    /// The objects of a kind as they were at a version.
    ///
    /// # Errors
    /// When that is longer ago than changes are kept.
    pub fn list_at(&self, kind: Kind, namespace: Option<&str>, version: Version) -> Result<Listing, Expired> {
        let kept = self.kept();
        let mut objects: BTreeMap<_, _> =
            kept.of_kind(kind, namespace).map(|record| (&record.key, record)).collect();
        for change in kept.after(version)?.rev() {
            let key = &change.after.key;
            if key.kind != kind || namespace.is_some_and(|namespace| *key.namespace.0 != *namespace) {
                continue;
            }
            match &change.before {
                Some(before) => drop(objects.insert(key, before)),
                None => drop(objects.remove(key)),
            }
        }
        Ok(Listing { version, records: objects.into_values().cloned().collect() })
    }

    /// Changes after a version, oldest first, so many at most.
    ///
    /// # Errors
    /// When that is longer ago than changes are kept.
    pub fn changes(&self, after: Version, most: usize) -> Result<Vec<Change>, Expired> {
        Ok(self.kept().after(after)?.take(most).cloned().collect())
    }

    /// Told whenever something changed.
    #[must_use]
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// There is something to tell: of an object, or of what its container says.
    pub(in crate::sim) fn note_news(&self) {
        self.news.store(true, Ordering::Relaxed);
    }

    /// Tells whoever watches, if there is something to tell. Once for all that a command does: nobody wakes up to half
    /// of it.
    pub(in crate::sim) fn tell_news(&self) {
        if self.news.load(Ordering::Relaxed) && self.news.swap(false, Ordering::Relaxed) {
            self.told.tell();
        }
    }

    /// Makes an object be so: creates it, or changes it if it was otherwise. Its record.
    pub(crate) fn put(
        &self,
        key: Key,
        created: Moment,
        deleting: Option<Deleting>,
        facts: Facts,
    ) -> Arc<Record> {
        let mut kept = self.kept();
        let version = Version(kept.version.0 + 1);
        let before = kept.objects.get(&key).cloned();
        if let Some(before) = &before
            && before.deleting == deleting
            && before.facts == facts
        {
            return Arc::clone(before);
        }
        let (uid, created) = match &before {
            Some(before) => (before.uid, before.created),
            None => (self.uid(&key, version), created),
        };
        let record = Arc::new(Record { key: key.clone(), uid, version, created, deleting, facts });
        kept.objects.insert(key, Arc::clone(&record));
        kept.write(self.history, Change { version, before, after: Arc::clone(&record), deleted: false });
        self.note_news();
        record
    }

    /// Takes an object away, if it is there.
    pub(crate) fn remove(&self, key: &Key) -> Option<Arc<Record>> {
        let mut kept = self.kept();
        let before = kept.objects.remove(key)?;
        let version = Version(kept.version.0 + 1);
        let after = Arc::new(Record { version, ..Record::clone(&before) });
        let change = Change { version, before: Some(before), after: Arc::clone(&after), deleted: true };
        kept.write(self.history, change);
        self.note_news();
        Some(after)
    }

    /// Takes everything away.
    pub(in crate::sim) fn clear(&self) {
        let keys: Vec<_> = self.kept().objects.keys().cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// Empties it, versions and all, for tests that fill it by hand.
    #[cfg(test)]
    pub(crate) fn empty(&self) {
        *self.kept() = Kept::default();
    }

    /// Drawn for the name and for the version of the birth: one that comes later under the same name has another.
    fn uid(&self, key: &Key, born: Version) -> Uid {
        let draw = |half| u128::from(self.seed.draw(&key.name, half, born.0));
        Uid(draw("uid, upper half") << 64 | draw("uid, lower half"))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
