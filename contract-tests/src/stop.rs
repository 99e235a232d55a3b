//! How a run ends before its last case.

use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

/// Said by whoever has a reason; heard between cases and within them.
#[derive(Debug, Default)]
pub struct Stop {
    why: OnceLock<String>,
    at_once: CancellationToken,
}

impl Stop {
    /// Begin no other case; those that are being told come to their end.
    pub fn begin_no_more(&self, why: impl Into<String>) {
        // The first reason is the one that counts.
        let _ = self.why.set(why.into());
    }

    /// Begin no other case, and drop those that are being told.
    pub fn at_once(&self, why: impl Into<String>) {
        self.begin_no_more(why);
        self.at_once.cancel();
    }

    /// Why no other case is begun, if so.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.why.get().map(String::as_str)
    }

    /// Waits until cases that are being told shall be dropped, which may never be.
    pub async fn now(&self) {
        self.at_once.cancelled().await;
    }
}
