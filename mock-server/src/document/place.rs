//! Where a value was said, and what can be wrong with it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a value was said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere: it is what the server does by itself.
    Default,
    /// On the command line.
    Flag(String),
    /// In the environment.
    Variable(String),
    /// In a file.
    File {
        /// The file, as it was named.
        file: Arc<str>,
        /// Line, from 1; 0 when it is the file as a whole.
        line: u64,
        /// Column, from 1.
        column: u64,
    },
}

impl Place {
    /// A file as a whole.
    pub(crate) fn file(file: &str) -> Self {
        Self::File { file: Arc::from(file), line: 0, column: 0 }
    }

    /// The path that was meant: one in a file is relative to that file, any other to where the server is started.
    pub(crate) fn resolve(&self, path: &str) -> PathBuf {
        match self {
            Self::File { file, .. } => Path::new(&**file).parent().unwrap_or(Path::new("")).join(path),
            Self::Default | Self::Flag(_) | Self::Variable(_) => PathBuf::from(path),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { file, line: 0, .. } => f.write_str(file),
            Self::File { file, line, column } => write!(f, "{file}:{line}:{column}"),
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// What is wrong and what would be right.
    pub text: String,
}

/// Everything that is wrong, in the order of its places; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// Without mistakes, all is well.
    pub(crate) fn unless_none<T>(mut mistakes: Vec<Mistake>, right: T) -> Result<T, Self> {
        let mut told = BTreeSet::new();
        mistakes.retain(|mistake| told.insert(mistake.clone()));
        mistakes.sort_by(|one, other| one.place.cmp(&other.place));
        if mistakes.is_empty() { Ok(right) } else { Err(Self(mistakes)) }
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    /// A line for each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Mistake { place, text }) in self.0.iter().enumerate() {
            let end = if position + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "{place}: {text}{end}")?;
        }
        Ok(())
    }
}
