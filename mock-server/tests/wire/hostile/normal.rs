//! The client that pays for what others do, if anybody does.

use std::net::SocketAddr;

use crate::raw::{Wire, request};

/// A client that asks for nothing special and must be served whatever others do.
pub(super) struct Normal(Wire);

impl Normal {
    pub(super) fn of(address: SocketAddr) -> Self {
        let mut normal = Self(Wire::to(address));
        normal.asks();
        normal
    }

    pub(super) fn asks(&mut self) {
        self.0.send(&request("GET", "/channels", &[], b""));
        let answer = self.0.answer();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, br#"{"lowest_channel":1,"highest_channel":2337}"#);
    }

    /// Asks until a condition holds. Each look is a request, so the server's own pace is that of the wait.
    #[track_caller]
    pub(super) fn asks_until(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..100_000 {
            if holds() {
                return;
            }
            self.asks();
        }
        panic!("never came to be: {what}");
    }
}
