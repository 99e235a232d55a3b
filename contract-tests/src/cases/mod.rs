//! The cases, one file per area, and the registry of all of them.

mod fibre;
mod health;
mod nfft;
mod properties;
mod snapshots;

use crate::case::Case;

/// Every case, by area.
pub static ALL: &[&[Case]] = &[health::CASES, fibre::CASES, nfft::CASES, properties::CASES, snapshots::CASES];

/// Every case, in the order of the areas.
pub fn all() -> impl Iterator<Item = &'static Case> {
    ALL.iter().copied().flatten()
}

/// The case of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Case> {
    all().find(|case| case.id == id)
}
