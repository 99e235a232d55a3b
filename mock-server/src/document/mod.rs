//! What people write: YAML and JSON texts, read into the simulation's values, with the place of each mistake.
//!
//! A text becomes a tree whose nodes know their places; a `Section` asks the tree for its keys, notes what is wrong
//! and goes on to the end. World files, fault rules, scenarios and the bodies of the admin API are all read this way, so
//! that a mistake is told alike wherever it was made. JSON is read as the YAML that it is.

mod asks;
pub mod changes;
mod delays;
pub mod duration;
mod effects;
pub mod happening;
mod place;
pub(crate) mod print;
pub(crate) mod recordings;
pub mod rules;
pub mod scenario;
mod section;
mod timeline;
pub(crate) mod tree;
pub(crate) mod world;
pub mod world_file;

use std::path::Path;

pub use place::{Mistake, Mistakes, Place};
pub use print::{Entry, json};
pub use scenario::Scenario;
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

/// Reads the mapping of a text: what it says, unless something is wrong; then everything that is. `kind` is what messages
/// call it, `name` what they call the text.
fn read_all<T>(
    kind: &'static str,
    text: &str,
    name: &str,
    read: impl FnOnce(&mut Section<'_>) -> T,
) -> Result<T, Mistakes> {
    let tree = tree::parse(text, name).map_err(|mistake| Mistakes(vec![mistake]))?;
    let tree = tree.unwrap_or_else(|| Node { value: Value::Nothing, place: Place::file(name) });
    let mut root = Section::root(kind, Some(&tree));
    let is_mapping = root.found.mistakes.is_empty();
    let value = read(&mut root);
    let mut wrong = root.finish().wrong();
    if !is_mapping {
        // That it is no mapping says it all; nothing can be missing in it.
        wrong.truncate(1);
    }
    Mistakes::unless_none(wrong, value)
}
