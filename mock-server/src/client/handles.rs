//! What is taken for a while and given back with its handle.

use super::{Admin, Error};

/// A rule that is installed, for as long as this lives.
#[derive(Debug)]
#[must_use = "the rule goes with its handle"]
pub struct FaultHandle {
    admin: Admin,
    id: String,
    keep: bool,
}

impl FaultHandle {
    pub(super) fn new(admin: Admin, id: String) -> Self {
        Self { admin, id, keep: false }
    }

    /// The name of the rule.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How often it hit; of a rule that removed itself, nothing is known.
    ///
    /// # Errors
    /// When the server does not answer, or has no such rule any more.
    pub fn hits(&self) -> Result<u64, Error> {
        let rule = self.admin.faults()?.into_iter().find(|rule| rule.id == self.id);
        rule.map(|rule| rule.hits).ok_or_else(|| Error::Refused {
            status: 404,
            error: format!("there is no rule {} any more", self.id),
            mistakes: Vec::new(),
        })
    }

    /// Leaves the rule where it is; its name.
    #[must_use]
    pub fn keep(mut self) -> String {
        self.keep = true;
        std::mem::take(&mut self.id)
    }
}

impl Drop for FaultHandle {
    fn drop(&mut self) {
        if !self.keep {
            // It may be gone already: by itself, with a reset, with the server.
            let _ = self.admin.remove_fault(&self.id);
        }
    }
}

/// A port that is held, for as long as this lives.
#[derive(Debug)]
#[must_use = "the port is let go with its handle"]
pub struct PortHandle {
    admin: Admin,
    port: u16,
}

impl PortHandle {
    pub(super) fn new(admin: Admin, port: u16) -> Self {
        Self { admin, port }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for PortHandle {
    fn drop(&mut self) {
        // It may be free already: by itself, with a reset, with the server.
        let _ = self.admin.release_port(self.port);
    }
}
