//! Names of things: jobs, slots, sequences, ports, streams.

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;

/// One of the places a job can take, counted from 1; a new job gets the lowest free one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(NonZeroU16);

impl Slot {
    /// The slot of that number; slot 0 does not exist.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(Self)
    }

    /// Its number, from 1.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0.get()
    }
}

/// Position of a configure attempt in the server's one global count; never reused, gaps are normal.
///
/// It travels as `int32 job_id` in every frame, hence the upper bound `i32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(i32);

impl Sequence {
    /// A sequence number, 1 or more.
    #[must_use]
    pub fn new(number: i32) -> Option<Self> {
        (number >= 1).then_some(Self(number))
    }

    /// The number as it appears in ids and frames.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }

    /// The one after it, `None` when the count is used up.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

/// Id of a job, `<slot>-<sequence>` in decimal without leading zeros.
///
/// Ids are prefixes and substrings of each other (`1-3` in `11-3`), so they are compared whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId {
    /// The slot the job holds until it is removed.
    pub slot: Slot,
    /// Its place in the global count.
    pub sequence: Sequence,
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.slot.number(), self.sequence.number())
    }
}

/// The text is no id that this server could have given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a job id: expected <slot>-<sequence>")]
pub struct NotAJobId;

impl FromStr for JobId {
    type Err = NotAJobId;

    fn from_str(text: &str) -> Result<Self, NotAJobId> {
        let (slot, sequence) = text.split_once('-').ok_or(NotAJobId)?;
        let id = Self {
            slot: slot.parse().ok().and_then(Slot::new).ok_or(NotAJobId)?,
            sequence: sequence.parse().ok().and_then(Sequence::new).ok_or(NotAJobId)?,
        };
        // `parse` also takes "+1" and "01"; an id is compared as text, so only its own spelling names the job.
        if id.to_string() == text { Ok(id) } else { Err(NotAJobId) }
    }
}

/// A TCP port of the simulated cluster, at the same time the port of the job's listener on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodePort(NonZeroU16);

impl NodePort {
    /// A port number from 1 to 65535.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        NonZeroU16::new(number).map(Self)
    }

    /// Its number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for NodePort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Base and number of the ports that jobs can get: port = base + slot, slots `1..=max_slots`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortPlan {
    base: u16,
    max_slots: NonZeroU16,
}

/// The last slot's port would lie above 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("port base {base} with {max_slots} slots ends above port 65535: the highest base is {}", 65535 - max_slots.get())]
pub struct PortPlanTooHigh {
    base: u16,
    max_slots: NonZeroU16,
}

impl PortPlan {
    /// A plan whose every slot has a port.
    ///
    /// # Errors
    /// When `base + max_slots` is above 65535.
    pub fn new(base: u16, max_slots: NonZeroU16) -> Result<Self, PortPlanTooHigh> {
        match base.checked_add(max_slots.get()) {
            Some(_) => Ok(Self { base, max_slots }),
            None => Err(PortPlanTooHigh { base, max_slots }),
        }
    }

    /// The same ports, but no more of them than another plan has.
    #[must_use]
    pub fn with_at_most(self, other: Self) -> Self {
        Self { max_slots: self.max_slots.min(other.max_slots), ..self }
    }

    /// The number below the first port.
    #[must_use]
    pub fn base(self) -> u16 {
        self.base
    }

    /// How many slots there are.
    #[must_use]
    pub fn max_slots(self) -> u16 {
        self.max_slots.get()
    }

    /// The port of a slot of this plan.
    #[must_use]
    pub fn port(self, slot: Slot) -> NodePort {
        let number = self.base.checked_add(slot.number()).and_then(NodePort::new);
        number.expect("slots come from the plan's own range, whose ports were checked to exist")
    }

    /// All slots, lowest first.
    pub fn slots(self) -> impl Iterator<Item = Slot> {
        (1..=self.max_slots.get()).filter_map(Slot::new)
    }
}

/// Index of one of a job's gRPC streams, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamIndex(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_own_text_only() {
        let id: JobId = "3-17".parse().expect("a plain id");
        assert_eq!((id.slot.number(), id.sequence.number()), (3, 17));
        assert_eq!(id.to_string(), "3-17");
        for text in [
            "", "3", "3-", "-17", "03-17", "3-017", "+3-17", "3-+17", " 3-17", "3-17 ", "0-1", "1-0",
            "3-17-1",
        ] {
            assert_eq!(text.parse::<JobId>(), Err(NotAJobId), "{text:?}");
        }
        assert_eq!("65536-1".parse::<JobId>(), Err(NotAJobId));
        assert_eq!("1-2147483648".parse::<JobId>(), Err(NotAJobId));
    }

    #[test]
    fn a_plan_gives_every_slot_a_port_or_does_not_exist() {
        let thousand = NonZeroU16::new(1024).expect("not zero");
        let plan = PortPlan::new(12300, thousand).expect("fits");
        let first = plan.slots().next().expect("has slots");
        assert_eq!(plan.port(first).number(), 12301);
        assert_eq!(plan.port(plan.slots().last().expect("has slots")).number(), 13324);
        assert!(PortPlan::new(64511, thousand).is_ok());
        let error = PortPlan::new(64512, thousand).expect_err("ends at 65536");
        assert_eq!(
            error.to_string(),
            "port base 64512 with 1024 slots ends above port 65535: the highest base is 64511"
        );
    }
}
