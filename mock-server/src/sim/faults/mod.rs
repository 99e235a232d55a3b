//! Faults: what goes wrong on purpose, where and when.
//!
//! Two families, as a transaction holds the world's lock and cannot wait. A *step* of a reservation can only be refused,
//! and its undo can only fail. An *edge*, where bytes leave, can be delayed, replaced, cut or spoilt. Every place is a
//! [`Point`] of a closed list; a [`Rule`] says what happens there, to whom and how often, and [`Faults`] asks the rules
//! in the order in which they were installed: the first that does not pass wins.
//!
//! A draw is a hash of the seed, of what is drawn for, of the rule and of how often that was drawn for before. So the
//! fate of one job does not depend on what other clients do, and the same seed repeats it.

mod delay;
mod effect;
mod matching;
mod point;
mod rule;
mod stand;
mod table;

pub use delay::{Delay, LONGEST_DELAY, NotADelay};
pub use effect::{Corruption, Effect, GrpcCode, StatusDetails};
pub use point::{AnyRoute, At, GiveBack, KubeRoute, NotAPoint, Phase, Point, Route, Step, StreamPoint};
pub use rule::{Clocked, Frames, Match, NotARule, Probability, Rule, RuleId, Schedule, Subject, Unnamed};
pub use table::{Draw, Faults, Hit, Installed, MOST_RULES, RuleRefused};
