//! More connections than a listener has room for: who goes, who stays, who is not let in.

use focus_mock::MockServer;

use super::normal::Normal;
use crate::common::{held_as, light};
use crate::raw::{Wire, request};

fn with_room_for(connections: usize) -> MockServer {
    held_as(|config| config.http.max_connections = connections)
}

/// A connection with a request that is being answered, for the rest of its body is missing.
struct Busy {
    wire: Wire,
    rest: Vec<u8>,
}

impl Busy {
    fn of(server: &MockServer) -> Self {
        let body = light().to_string().into_bytes();
        let (begin, rest) = body.split_at(body.len() / 2);
        let mut wire = Wire::to(server.rest());
        let length = body.len().to_string();
        let headers = [("content-length", length.as_str()), ("expect", "100-continue")];
        wire.send(&request("POST", "/configure", &headers, b""));
        assert_eq!(wire.head().status, 100, "it reads the body");
        wire.send(begin);
        Self { wire, rest: rest.to_vec() }
    }

    /// The same connection, without a request.
    fn answered(mut self) -> Wire {
        self.wire.send(&self.rest);
        assert_eq!(self.wire.answer().status, 200);
        self.wire
    }
}

#[test]
fn thousands_of_idle_connections_make_room_for_those_who_come_later() {
    let room = 256;
    let server = with_room_for(room);
    let mut normal = Normal::of(server.rest());
    let mut idle = Vec::new();
    for number in 0..3000 {
        let mut wire = Wire::to(server.rest());
        if number % (room / 4) == 0 {
            // Once this one is answered, all who came before it were let in.
            wire.send(&request("GET", "/ack", &[], b""));
            assert_eq!(wire.answer().status, 200);
            // Who asks every now and then is never the one that has been silent for longest.
            normal.asks();
        }
        idle.push(wire);
    }
    let mut newest = Normal::of(server.rest());
    let stay = idle.split_off(idle.len() + 2 - room);
    for mut gone in idle {
        gone.assert_closed();
    }
    for (place, mut wire) in stay.into_iter().enumerate() {
        wire.send(&request("GET", "/ack", &[], b""));
        assert_eq!(wire.answer().status, 200, "{place}");
    }
    normal.asks();
    newest.asks();
}

#[test]
fn who_is_being_answered_never_makes_room_and_who_sends_headers_does() {
    let server = with_room_for(3);
    let first = Busy::of(&server);
    let mut heading = Wire::to(server.rest());
    heading.send(b"GET /ack HTTP/1.1\r\n");
    let second = Busy::of(&server);
    let third = Busy::of(&server);
    heading.assert_closed();
    // Nobody goes for these.
    for _ in 0..5 {
        Wire::to(server.rest()).assert_closed();
    }
    // The admin listener has a room of its own.
    let mut admin = Wire::to(server.admin().expect("an admin listener"));
    admin.send(&request("GET", "/livez", &[], b""));
    assert_eq!(admin.head().status, 200);

    let mut idle = second.answered();
    let mut newcomer = Normal::of(server.rest());
    idle.assert_closed();
    newcomer.asks();
    first.answered();
    third.answered();
    assert_eq!(server.simulation().snapshot().jobs.len(), 3);
}

#[test]
fn a_connection_that_ends_leaves_its_place_to_the_next() {
    let server = with_room_for(1);
    for _ in 0..50 {
        let busy = Busy::of(&server);
        drop(busy.answered());
    }
    let _busy = Busy::of(&server);
    Wire::to(server.rest()).assert_closed();
}
