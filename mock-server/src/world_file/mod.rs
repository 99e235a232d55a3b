//! World files: a `Setup` as YAML, with keys as the product's documents name them.
//!
//! Everything is optional; what is missing is as in the default world. Nothing is guessed: an unknown key, a value out
//! of bounds or a recording that ends before it begins is a mistake with its line and column.

mod read;
mod section;
mod tree;

use std::fmt;
use std::path::Path;

use crate::sim::setup::Setup;

/// One mistake in a world file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1; 0 when the mistake has no place.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong and what would be right.
    pub text: String,
}

/// Why a world file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum WorldFileError {
    /// It cannot be read.
    #[error("{file}: {error}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// It has mistakes; a line for each.
    #[error("{}", Lines(file, mistakes))]
    Mistaken {
        /// The file.
        file: String,
        /// The mistakes, in the order of their places; never empty.
        mistakes: Vec<Mistake>,
    },
}

struct Lines<'a>(&'a str, &'a [Mistake]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, mistake) in self.1.iter().enumerate() {
            let end = if position + 1 < self.1.len() { "\n" } else { "" };
            match mistake.line {
                0 => write!(f, "{}: {}{end}", self.0, mistake.text)?,
                line => write!(f, "{}:{line}:{}: {}{end}", self.0, mistake.column, mistake.text)?,
            }
        }
        Ok(())
    }
}

/// Reads a world file.
///
/// # Errors
/// When it cannot be read or has mistakes.
pub fn load(path: &Path) -> Result<Setup, WorldFileError> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text, &file),
        Err(error) => Err(WorldFileError::Unreadable { file, error }),
    }
}

/// Reads the text of a world file; `file` is how mistakes name it.
///
/// # Errors
/// When it has mistakes.
pub fn parse(text: &str, file: &str) -> Result<Setup, WorldFileError> {
    let mistaken = |mistakes| WorldFileError::Mistaken { file: file.to_owned(), mistakes };
    let tree = tree::parse(text).map_err(|mistake| mistaken(vec![mistake]))?;
    read::setup(tree.as_ref()).map_err(mistaken)
}
