//! Which addresses and ports a server takes, so that any number of them run side by side.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;

use socket2::Socket;

use super::doors::listen;
use crate::platform;

/// A base whose port 0 is held for as long as this lives: the claim to the block above it.
pub(super) struct Block {
    pub(super) base: u16,
    _claims: Vec<Socket>,
}

/// Distance between two places where a block may begin: the default number of slots and the base itself.
const GRID: u16 = 1025;
/// Lower ports are too often taken by other services.
const LOWEST: u16 = 10_000;

/// Claims a block of `max_slots` ports below the range of outgoing connections.
///
/// The claim is the base itself: slot 0 is never used, so its port is free to be held, and two servers cannot both hold
/// it.
pub(super) fn claim_block(host: IpAddr, max_slots: NonZeroU16) -> io::Result<Block> {
    let places: Vec<u16> =
        (LOWEST..platform::ephemeral_low().saturating_sub(GRID)).step_by(usize::from(GRID)).collect();
    let needed = (usize::from(max_slots.get()) + 1).div_ceil(usize::from(GRID));
    if places.len() < needed {
        return Err(io::Error::other(format!(
            "there is no room for {max_slots} ports below the ephemeral range"
        )));
    }
    let windows = places.len() - needed + 1;
    // Servers that start at the same time begin to look at different places.
    let first = usize::try_from(std::process::id()).unwrap_or(0) % windows;
    for start in (first..windows).chain(0..first) {
        let claims: io::Result<Vec<Socket>> =
            places[start..start + needed].iter().map(|port| listen(SocketAddr::new(host, *port))).collect();
        match claims {
            Ok(claims) => return Ok(Block { base: places[start], _claims: claims }),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("every block of ports below the ephemeral range is claimed"))
}

/// Loopback addresses in an order of this process's own.
///
/// Linux and Windows route the whole of 127.0.0.0/8 to the machine itself, so every server can have an address of its
/// own with the documented ports on it.
#[derive(Clone, Debug)]
pub(super) struct LoopbackAddresses {
    next: u32,
    left: u32,
}

impl LoopbackAddresses {
    /// Addresses to try, different ones first in every process and for every server in it.
    pub(super) fn of_this_process() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let server = STARTED.fetch_add(1, Ordering::Relaxed);
        // Odd multipliers spread neighbouring process ids and servers over the whole range.
        let next =
            std::process::id().wrapping_mul(0x9E37_79B1).wrapping_add(server.wrapping_mul(0x0001_0003));
        Self { next, left: 256 }
    }
}

impl Iterator for LoopbackAddresses {
    type Item = Ipv4Addr;

    fn next(&mut self) -> Option<Ipv4Addr> {
        self.left = self.left.checked_sub(1)?;
        let bits = self.next;
        self.next = self.next.wrapping_add(0x0101_0101);
        let [_, x, y, z] = bits.to_be_bytes();
        // 127.0.0.x belongs to people, and neither 0 nor 255 in the last place is a host.
        Some(Ipv4Addr::new(127, x.clamp(1, 254), y, z.clamp(1, 254)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_claims_never_share_a_block_and_a_dropped_one_can_be_claimed_again() {
        let host = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
        let slots = NonZeroU16::new(1024).expect("not zero");
        let first = claim_block(host, slots).expect("a free block");
        let second = claim_block(host, slots).expect("another free block");
        assert!(first.base.abs_diff(second.base) > 1024);
        let base = first.base;
        drop(first);
        assert_eq!(claim_block(host, slots).expect("the first block again").base, base);
    }

    #[test]
    fn a_larger_block_claims_every_place_it_covers() {
        let host = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 78));
        let large = claim_block(host, NonZeroU16::new(3000).expect("not zero")).expect("a free block");
        for place in 0..3 {
            assert!(listen(SocketAddr::new(host, large.base + place * GRID)).is_err());
        }
    }

    #[test]
    fn every_address_is_a_loopback_host_outside_the_first_network() {
        for address in LoopbackAddresses::of_this_process() {
            assert!(address.is_loopback() && address.octets()[1] != 0, "{address}");
        }
    }
}
