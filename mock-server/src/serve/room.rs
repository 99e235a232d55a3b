//! How many connections there may be, and who goes when one more comes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::gate::CONNECTION_ENDED;
use super::traffic::Traffic;

/// So many at a time may take their time to go; were it everybody, a flood of new connections would have no bound.
const AT_LEISURE: usize = 64;

/// Room for so many connections.
pub(super) struct Room {
    most: usize,
    /// How long a connection may go on after it was asked to go.
    wind_up: Duration,
    guests: Mutex<Guests>,
}

#[derive(Default)]
struct Guests {
    next: u64,
    /// In the order of their arrival.
    here: BTreeMap<u64, Arc<Traffic>>,
}

impl Room {
    pub(super) fn new(most: usize, wind_up: Duration) -> Arc<Self> {
        Arc::new(Self { most, wind_up, guests: Mutex::default() })
    }

    /// A place for one more. At the limit, the connection that has been without a request for longest is asked to go;
    /// there is no place when all of them are being answered.
    pub(super) fn admit(self: &Arc<Self>, traffic: Arc<Traffic>) -> Option<Place> {
        let mut guests = self.guests();
        if guests.here.len() >= self.most && !guests.make_room(self.most, self.wind_up) {
            tracing::debug!(limit = self.most, "every connection is being answered: a new one is closed");
            return None;
        }
        let number = guests.next;
        guests.next += 1;
        guests.here.insert(number, Arc::clone(&traffic));
        Some(Place { room: Arc::clone(self), number, traffic })
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guests {
    fn make_room(&self, most: usize, wind_up: Duration) -> bool {
        let leaving = self.here.values().filter(|traffic| traffic.time_to_go().is_some()).count();
        if self.here.len() - leaving < most {
            return true;
        }
        let staying = self.here.values().filter(|traffic| traffic.time_to_go().is_none());
        let free = staying.filter_map(|traffic| Some((traffic.free_since()?, traffic)));
        let Some((_, longest)) = free.min_by_key(|(since, _)| *since) else { return false };
        longest.evict(if leaving < AT_LEISURE { wind_up } else { Duration::ZERO });
        true
    }
}

/// A connection's place; free again when this is dropped.
pub(super) struct Place {
    room: Arc<Room>,
    number: u64,
    pub(super) traffic: Arc<Traffic>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.guests().here.remove(&self.number);
        // Its file descriptor came free, too.
        CONNECTION_ENDED.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIND_UP: Duration = Duration::from_secs(2);

    fn place(room: &Arc<Room>) -> Place {
        room.admit(Traffic::silent()).expect("there is room")
    }

    fn asked_to_go(places: &[&Place]) -> Vec<bool> {
        places.iter().map(|place| place.traffic.time_to_go().is_some()).collect()
    }

    #[test]
    fn who_has_asked_for_nothing_for_longest_makes_room_and_nobody_who_is_being_answered() {
        let room = Room::new(3, WIND_UP);
        let (first, second, third) = (place(&room), place(&room), place(&room));
        let _asking = first.traffic.request();
        // The third never asked for anything, so the second was the last to do so.
        drop(second.traffic.request());
        let fourth = place(&room);
        assert_eq!(asked_to_go(&[&first, &second, &third, &fourth]), [false, false, true, false]);
        let fifth = place(&room);
        assert_eq!(asked_to_go(&[&first, &second, &fourth, &fifth]), [false, true, false, false]);
        let _sixth = place(&room);
        assert_eq!(asked_to_go(&[&first, &fourth, &fifth]), [false, true, false]);
    }

    #[test]
    fn when_everybody_is_being_answered_there_is_no_place_until_somebody_is_gone() {
        let room = Room::new(2, WIND_UP);
        let (first, second) = (place(&room), place(&room));
        let _asking = [first.traffic.request(), second.traffic.request()];
        assert!(room.admit(Traffic::silent()).is_none());
        drop(first);
        let _third = place(&room);
        assert_eq!(asked_to_go(&[&second]), [false]);
    }

    #[test]
    fn only_so_many_at_a_time_go_at_their_leisure() {
        let room = Room::new(100, WIND_UP);
        let places: Vec<_> = (0..300).map(|_| place(&room)).collect();
        let with = |time| places.iter().filter(|place| place.traffic.time_to_go() == Some(time)).count();
        assert_eq!((with(WIND_UP), with(Duration::ZERO)), (AT_LEISURE, 200 - AT_LEISURE));
        drop(places);
        assert!(room.guests().here.is_empty());
    }
}
