//! World files: a [`Setup`] as YAML, with keys as the product's documents name them.
//!
//! Everything is optional; what is missing is as in the default world.

use std::path::Path;

use super::place::{Mistakes, Place};
use super::{read_text, scenario};
use crate::sim::setup::Setup;

/// Reads a world file.
///
/// # Errors
/// When it cannot be read or has mistakes.
pub fn load(path: &Path) -> Result<Setup, Mistakes> {
    let file = path.display().to_string();
    parse(&read_text(path, &Place::file(&file))?, &file)
}

/// Reads the text of a world file; `file` is how mistakes name it.
///
/// # Errors
/// When it has mistakes.
pub fn parse(text: &str, file: &str) -> Result<Setup, Mistakes> {
    scenario::parse_as("a world file", text, file).map(|scenario| scenario.setup)
}
