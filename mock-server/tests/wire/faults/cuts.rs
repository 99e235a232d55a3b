//! Faults that take the connection with them: exact bytes, and how the connection ends.

use focus_mock::sim::faults::{Effect, Match, Schedule};
use serde_json::json;

use super::{CHANNELS, always, asks, assert_unharmed, everything, records, rule};
use crate::common::{Client, held, light};
use crate::raw::{Wire, request};

/// Head of the answer of `GET /channels` to a request with the id `x`, its length aside.
fn head(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: x\r\ncontent-length: {length}\r\n\r\n")
        .into_bytes()
}

/// What a socket sees that asks for the channels with the id `x`.
fn channels(server: &focus_mock::MockServer) -> (Vec<u8>, bool) {
    let mut socket = crate::raw::connect(server.rest());
    let bytes = request("GET", "/channels", &[("x-request-id", "x")], b"");
    std::io::Write::write_all(&mut socket, &bytes).expect("taken");
    everything(socket)
}

#[test]
fn before_the_request_is_served_the_connection_ends_without_a_byte() {
    for (effect, reset) in [(Effect::Reset, true), (Effect::Close, false)] {
        let server = held();
        let id = always(&server, "rest.configure.before", effect);
        let body = light().to_string();
        assert_eq!(asks(&server, "POST", "/configure", body.as_bytes()), (Vec::new(), reset));
        let snapshot = server.simulation().snapshot();
        assert_eq!(
            (snapshot.jobs.len(), snapshot.next_sequence.map(|next| next.number())),
            (0, Some(1)),
            "the world has not heard of it"
        );
        server.simulation().faults().remove(&id);
        assert_unharmed(&server);
        let records = records(&server);
        assert_eq!((records[0].status, records[0].why.len()), (None, 1));
    }
}

#[test]
fn after_the_request_was_served_there_is_a_job_that_its_client_does_not_know_of() {
    for at in ["rest.configure.headers", "rest.configure.body"] {
        for (effect, reset) in [(Effect::Reset, true), (Effect::Close, false)] {
            let server = held();
            always(&server, at, effect);
            let body = light().to_string();
            let (bytes, was_reset) = asks(&server, "POST", "/configure", body.as_bytes());
            assert_eq!(was_reset, reset);
            let text = String::from_utf8(bytes).expect("text so far");
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            assert_eq!(text.contains("\r\n\r\n"), at.ends_with("body"), "{text}");
            let jobs: Vec<_> =
                server.simulation().snapshot().jobs.iter().map(|job| job.id.to_string()).collect();
            assert_eq!(jobs, ["1-1"]);
            assert_unharmed(&server);
            let record = &records(&server)[0];
            assert_eq!(record.job.map(|job| job.to_string()).as_deref(), Some("1-1"));
            assert_eq!(record.status, at.ends_with("body").then_some(200));
        }
    }
}

#[test]
fn an_answer_is_cut_at_exactly_the_byte_that_was_asked_for() {
    let whole = head(CHANNELS.len());
    let cut = |length: usize| [&whole[..], &CHANNELS[..length]].concat();
    for (at, effect, expected) in [
        ("rest.headers", Effect::Close, whole[..whole.len() / 2].to_vec()),
        ("rest.body", Effect::Close, cut(CHANNELS.len() / 2)),
        ("rest.body", Effect::Empty, cut(0)),
        ("rest.body", Effect::Truncate { bytes: 7 }, cut(7)),
        ("rest.body", Effect::Truncate { bytes: 7000 }, cut(CHANNELS.len())),
        ("rest.headers", Effect::ContentLength { off_by: 5 }, [&head(48)[..], CHANNELS].concat()),
        ("rest.headers", Effect::ContentLength { off_by: -3 }, [&head(40)[..], CHANNELS].concat()),
        ("rest.headers", Effect::ContentLength { off_by: -999 }, [&head(0)[..], CHANNELS].concat()),
    ] {
        let server = held();
        always(&server, at, effect.clone());
        let (bytes, reset) = channels(&server);
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected), "{at} {effect:?}");
        assert!(!reset);
        server.simulation().faults().clear();
        assert_unharmed(&server);
    }
}

#[test]
fn garbage_is_no_http_and_the_same_in_every_run_but_not_for_every_request() {
    for at in ["rest.channels.before", "rest.channels.headers"] {
        let seen = [held(), held()].map(|server| {
            always(&server, at, Effect::Garbage { bytes: 100 });
            let twice = [channels(&server), channels(&server)];
            assert_unharmed(&server);
            twice
        });
        // The ports of the two servers are the same, and so are their clients' addresses as far as they count.
        assert_eq!(seen[0], seen[1]);
        let [(first, reset), (second, _)] = &seen[0];
        assert_eq!((first.len(), second.len(), *reset), (100, 100, false));
        assert!(first != second && !first.starts_with(b"HTTP"));
    }
}

#[test]
fn a_head_request_gets_no_body_whatever_happens_to_its_answer() {
    let server = held();
    always(&server, "rest.unrouted.body", Effect::Truncate { bytes: 10 });
    let (bytes, _) = asks(&server, "HEAD", "/channels", b"");
    assert!(bytes.starts_with(b"HTTP/1.1 405 ") && bytes.ends_with(b"\r\n\r\n"));
}

#[test]
fn answers_that_were_asked_for_before_on_the_same_connection_arrive_whole() {
    let server = held();
    let schedule = Schedule { after: 400, ..Schedule::default() };
    rule(&server, "rest.docs.before", Match::default(), schedule, None, Some(Effect::Close));
    let mut wire = Wire::to(server.rest());
    wire.send(&request("GET", "/docs", &[], b"").repeat(402));
    // More than sockets hold: when the last request is looked at, answers before it have not left yet.
    for _ in 0..400 {
        assert!(wire.answer().body.len() > 10_000);
    }
    wire.assert_closed();
    assert_unharmed(&server);
}

#[tokio::test]
async fn a_client_library_sees_errors_of_the_connection_and_no_answer() {
    for (at, effect) in [
        ("rest.channels.before", Effect::Reset),
        ("rest.channels.before", Effect::Close),
        ("rest.channels.before", Effect::Garbage { bytes: 64 }),
        ("rest.channels.headers", Effect::Reset),
        ("rest.channels.headers", Effect::Close),
        ("rest.channels.headers", Effect::Garbage { bytes: 64 }),
        ("rest.channels.headers", Effect::ContentLength { off_by: 9 }),
        ("rest.channels.body", Effect::Reset),
        ("rest.channels.body", Effect::Close),
        ("rest.channels.body", Effect::Truncate { bytes: 1 }),
    ] {
        let server = held();
        let id = always(&server, at, effect.clone());
        let url = format!("{}/channels", server.base_url());
        let answer = async { reqwest::get(&url).await?.bytes().await };
        assert!(answer.await.is_err(), "{at} {effect:?}");
        server.simulation().faults().remove(&id);
        let answer = Client::of(&server).get("/channels").await;
        assert_eq!(answer.json(), json!({"lowest_channel": 1, "highest_channel": 2337}));
    }
}

#[test]
fn tls_ends_with_the_connection_as_well() {
    use crate::tls;
    for (effect, expected) in [(Effect::Truncate { bytes: 7 }, Some(&CHANNELS[..7])), (Effect::Reset, None)] {
        let server = tls::secure();
        always(&server, "rest.channels.body", effect);
        let mut wire = tls::wire(&server);
        wire.send(&request("GET", "/channels", &[], b""));
        let head = wire.head();
        assert_eq!(
            (head.status.as_u16(), &head.headers["content-length"]),
            (200, &"43".parse().expect("text"))
        );
        match expected {
            // Closed as TLS wants it: with a notice, so that the client knows that nobody cut it off on the way.
            Some(expected) => assert_eq!(wire.rest(), expected),
            None => assert_eq!(wire.broken().kind(), std::io::ErrorKind::ConnectionReset),
        }
        server.simulation().faults().clear();
        tls::asks(&mut tls::wire(&server));
    }
}
