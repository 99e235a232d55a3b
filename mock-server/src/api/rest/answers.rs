//! Answers that were asked for again: writing one takes longer than everything else that its request needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

use crate::domain::ids::Slot;
use crate::domain::job::Terms;

/// The answers of jobs, one for each slot at most: how long a job lives cannot be told from its terms, which the journal
/// keeps, too.
#[derive(Debug)]
pub(crate) struct Answers<T = Terms>(Mutex<BTreeMap<Slot, (Weak<T>, Bytes)>>);

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Answers<T> {
    /// Largest answer that is kept; that of 50 channels with 256 bins has 7 KiB.
    const LARGEST: usize = 64 * 1024;

    /// The job's answer, written when it is first asked for and kept until that of another job in its slot is.
    pub(super) fn of(&self, slot: Slot, terms: &Arc<T>, write: impl FnOnce() -> Vec<u8>) -> Bytes {
        // After a reset ids come again, so an id alone does not say which job is meant.
        let is_of = |of: &Weak<T>| std::ptr::eq(of.as_ptr(), Arc::as_ptr(terms));
        if let Some((_, kept)) = self.kept().get(&slot).filter(|(of, _)| is_of(of)) {
            return kept.clone();
        }
        let answer = Bytes::from(write());
        if answer.len() <= Self::LARGEST {
            self.kept().insert(slot, (Arc::downgrade(terms), answer.clone()));
        }
        answer
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Slot, (Weak<T>, Bytes)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: u16) -> Slot {
        Slot::new(number).expect("a slot")
    }

    #[test]
    fn an_answer_is_written_once_for_each_job() {
        let (answers, job, other) = (Answers::default(), Arc::new(1), Arc::new(1));
        let first = answers.of(slot(1), &job, || b"first".to_vec());
        let again = answers.of(slot(1), &job, || unreachable!("it was written"));
        assert_eq!((&first[..], &again[..]), (&b"first"[..], &b"first"[..]));
        // A job of the same id, after a reset.
        assert_eq!(answers.of(slot(1), &other, || b"second".to_vec()), "second");
    }

    #[test]
    fn a_slot_keeps_one_answer_though_somebody_remembers_all_its_jobs() {
        let answers = Answers::default();
        let journal: Vec<_> = (0..100).map(Arc::new).collect();
        for (job, number) in journal.iter().zip((1..=4).cycle()) {
            answers.of(slot(number), job, || vec![b'x'; 1000]);
        }
        assert_eq!(answers.kept().len(), 4);
    }

    #[test]
    fn a_large_answer_is_not_kept() {
        let (answers, job) = (Answers::default(), Arc::new(()));
        answers.of(slot(1), &job, || vec![b'x'; Answers::<()>::LARGEST + 1]);
        assert_eq!(answers.of(slot(1), &job, || b"again".to_vec()), "again");
    }
}
