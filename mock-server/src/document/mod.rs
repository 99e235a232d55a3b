//! What people write: YAML and JSON texts, read into the simulation's values, with the place of each mistake.
//!
//! A text becomes a tree whose nodes know their places; a [`Section`] asks the tree for its keys, notes what is wrong
//! and goes on to the end. World files, fault rules, scenarios and the bodies of the admin API are all read this way, so
//! that a mistake is told alike wherever it was made. JSON is read as the YAML that it is.

mod place;
pub(crate) mod print;
pub(crate) mod recordings;
mod section;
pub(crate) mod tree;
pub(crate) mod world;
pub mod world_file;

use std::path::Path;

pub use place::{Mistake, Mistakes, Place};
pub use print::Entry;
pub(crate) use section::{Found, Section};
pub(crate) use tree::{Node, Value};

/// The text of a file, in lines as places count them: without a byte order mark, and every end of a line a line feed.
/// That it cannot be read is a mistake of whoever names it.
pub(crate) fn read_text(path: &Path, named: &Place) -> Result<String, Mistakes> {
    let lines = |text: String| {
        text.strip_prefix('\u{feff}').unwrap_or(&text).replace("\r\n", "\n").replace('\r', "\n")
    };
    std::fs::read_to_string(path).map(lines).map_err(|error| {
        let text = match named {
            Place::File { line: 0, .. } => error.to_string(),
            _ => format!("{}: {error}", path.display()),
        };
        Mistakes(vec![Mistake { place: named.clone(), text }])
    })
}
