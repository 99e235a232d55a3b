//! What one can ask of the world, after the request was understood.

use super::fiber::ChannelRange;
use super::time::Playback;
use super::view::View;

/// A configuration without contradictions. It comes out of `check::configure` alone, so an impossible mix of fields
/// does not exist from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConfigureJob {
    pub(super) view: View,
    pub(super) channels: ChannelRange,
    pub(super) height: u64,
    pub(super) playback: Playback,
}

impl ConfigureJob {
    /// The view, with what only that view has.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// Channels asked for; exactly one for a single-channel view.
    #[must_use]
    pub fn channels(&self) -> ChannelRange {
        self.channels
    }

    /// Lines the display has, positive.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Live or a recorded window.
    #[must_use]
    pub fn playback(&self) -> Playback {
        self.playback
    }
}
