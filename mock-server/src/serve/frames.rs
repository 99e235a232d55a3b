//! Where one HTTP/2 frame ends and the next begins in what a server sends, and a GOAWAY of its own at such a place.
//!
//! The library that speaks HTTP/2 has no way to say a GOAWAY with an error of one's choice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// Length, type, flags and stream of a frame.
const HEADER: usize = 9;
/// Type of a GOAWAY, and the number of the last stream that it begins with.
const GOAWAY: u8 = 7;
const STREAM: usize = 4;

/// What a connection shall say last, and whether it waits until that was read.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWords {
    go_away: Arc<OnceLock<(u32, &'static str)>>,
    until_read: Arc<AtomicBool>,
}

impl LastWords {
    /// Lets the connection say GOAWAY with that error and text as soon as a frame has ended, and nothing more.
    pub(super) fn go_away(&self, code: u32, text: &'static str) {
        // What was said first stands.
        let _ = self.go_away.set((code, text));
    }

    pub(super) fn get(&self) -> Option<(u32, &'static str)> {
        self.go_away.get().copied()
    }

    /// Lets the connection close only when its client does, once it has said everything.
    pub(super) fn let_read(&self) {
        self.until_read.store(true, Ordering::Relaxed);
    }

    pub(super) fn are_to_be_read(&self) -> bool {
        self.until_read.load(Ordering::Relaxed)
    }
}

/// Follows the frames that leave.
#[derive(Debug)]
pub(super) struct Frames {
    /// The header that is leaving, and of a GOAWAY what it says of streams.
    header: [u8; HEADER + STREAM],
    have: usize,
    /// Bytes of the frame after what is in `header`.
    left: usize,
    /// The last stream that the client was told of; later words must not name a later one.
    last_stream: u32,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { header: [0; HEADER + STREAM], have: 0, left: 0, last_stream: 0x7fff_ffff }
    }

    /// Whether everything that has left were whole frames.
    pub(super) fn is_between(&self) -> bool {
        self.have == 0 && self.left == 0
    }

    /// So many bytes at most can leave without the beginning of another frame.
    pub(super) fn until_next(&self) -> usize {
        if self.left > 0 { self.left } else { self.wanted() - self.have }
    }

    /// These bytes have left.
    pub(super) fn left(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let now = self.until_next().min(bytes.len());
            let (gone, rest) = bytes.split_at(now);
            bytes = rest;
            if self.left > 0 {
                self.left -= now;
                continue;
            }
            self.header[self.have..self.have + now].copy_from_slice(gone);
            self.have += now;
            if self.have == self.wanted() {
                self.begin();
            }
        }
    }

    /// A GOAWAY that may follow.
    pub(super) fn go_away(&self, code: u32, text: &str) -> Vec<u8> {
        let length = u32::try_from(STREAM + size_of::<u32>() + text.len()).unwrap_or(u32::MAX);
        let mut frame = length.to_be_bytes()[1..].to_vec();
        frame.extend_from_slice(&[GOAWAY, 0, 0, 0, 0, 0]);
        frame.extend_from_slice(&self.last_stream.to_be_bytes());
        frame.extend_from_slice(&code.to_be_bytes());
        frame.extend_from_slice(text.as_bytes());
        frame
    }

    /// Bytes of the header that is leaving.
    fn wanted(&self) -> usize {
        if self.have >= HEADER && self.header[3] == GOAWAY { HEADER + STREAM } else { HEADER }
    }

    fn begin(&mut self) {
        let [a, b, c, ..] = self.header;
        self.left = u32::from_be_bytes([0, a, b, c]) as usize;
        if self.have > HEADER {
            let [.., a, b, c, d] = self.header;
            self.last_stream = u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff;
            self.left = self.left.saturating_sub(STREAM);
        }
        self.have = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_between_two_frames_is_found_however_the_bytes_are_cut() {
        let mut sent = vec![0, 0, 5, 0, 0, 0, 0, 0, 1];
        sent.extend([9; 5]);
        sent.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
        sent.extend([0, 0, 10, GOAWAY, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 1, 2]);
        let between = [0, 14, 23, 42];
        for size in 1..=sent.len() {
            let mut frames = Frames::new();
            let mut gone = 0;
            for bytes in sent.chunks(size) {
                assert_eq!(frames.is_between(), between.contains(&gone), "{gone} in pieces of {size}");
                frames.left(bytes);
                gone += bytes.len();
            }
            assert!(frames.is_between());
            assert_eq!(frames.last_stream, 17);
        }
    }

    #[test]
    fn last_words_name_the_error_and_no_later_stream_than_words_before() {
        let mut frames = Frames::new();
        assert_eq!(frames.go_away(2, ""), [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 255, 255, 255, 0, 0, 0, 2]);
        let said = frames.go_away(0, "");
        frames.left(&said);
        frames.left(&[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0]);
        assert!(frames.is_between());
        let words = frames.go_away(11, "why");
        assert_eq!(words, [&[0, 0, 11, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 11][..], b"why"].concat());
    }
}
