//! The one source of randomness: a draw is a hash of the seed and of what is drawn for, never of arrival order.
//!
//! The same seed gives the same frames, pod names and faults whatever else clients do.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Seed of a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    /// Sixty-four evenly spread bits for a resource, a step and an occurrence.
    #[must_use]
    pub fn draw(self, resource: &str, step: &str, occurrence: u64) -> u64 {
        let mut key = Vec::with_capacity(resource.len() + step.len() + 10);
        key.extend_from_slice(resource.as_bytes());
        key.push(0);
        key.extend_from_slice(step.as_bytes());
        key.push(0);
        key.extend_from_slice(&occurrence.to_le_bytes());
        xxh3_64_with_seed(&key, self.0)
    }

    /// The same bits, to be made into something else.
    #[must_use]
    pub fn bits(self, resource: &str, step: &str, occurrence: u64) -> Bits {
        Bits(self.draw(resource, step, occurrence))
    }

    /// Bits for some bytes, to tell them from others.
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> u64 {
        xxh3_64_with_seed(bytes, self.0)
    }

    /// The seed of one stream's numbers.
    #[must_use]
    pub fn stream(self, job: i32, stream: u32) -> StreamSeed {
        let mut key = [0; 8];
        key[..4].copy_from_slice(&job.to_le_bytes());
        key[4..].copy_from_slice(&stream.to_le_bytes());
        StreamSeed(xxh3_64_with_seed(&key, self.0))
    }

    /// The seed of one task's numbers.
    #[must_use]
    pub fn task(self, id: &str) -> StreamSeed {
        StreamSeed(self.draw(id, "task", 0))
    }
}

/// Sixty-four drawn bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bits(pub u64);

impl Bits {
    /// A number from 0 to below 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub fn fraction(self) -> f64 {
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A generator that begins with them, for distributions and for bytes.
    #[must_use]
    pub fn rng(self) -> impl rand::Rng {
        rand_pcg::Pcg64Mcg::new(u128::from(self.0))
    }
}

impl Default for Seed {
    /// The seed of a server that was started without one: every run repeats the last.
    fn default() -> Self {
        Self(1)
    }
}

/// Seed of one stream's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamSeed(u64);

impl StreamSeed {
    /// Bits for one channel of one row.
    #[must_use]
    pub fn cell(self, row: u64, channel: u32) -> u64 {
        let mut key = [0; 12];
        key[..8].copy_from_slice(&row.to_le_bytes());
        key[8..].copy_from_slice(&channel.to_le_bytes());
        xxh3_64_with_seed(&key, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_every_part_of_its_key_and_on_nothing_else() {
        let draw = Seed(1).draw("job", "port", 3);
        assert_eq!(draw, Seed(1).draw("job", "port", 3));
        for other in [
            Seed(2).draw("job", "port", 3),
            Seed(1).draw("job", "port", 4),
            Seed(1).draw("job", "slot", 3),
            Seed(1).draw("jo", "bport", 3),
        ] {
            assert_ne!(draw, other);
        }
    }
}
