//! Settings: what a server is started with, from everywhere it can be said.
//!
//! There is one set of keys. A flag, its variable and a line of a file say the same key in the same way, and one reader
//! reads what they come to, so that a mistake is told alike wherever it was made, with its place. Nothing is guessed:
//! an unknown key, a value out of bounds or a recording that ends before it begins is a mistake.
//!
//! Of several who say the same key, the command line wins over the environment, that over the configuration file, that
//! over the default. A world file and a scenario file count as said where they are named, the scenario above the world and
//! both below the single keys said there.

mod flags;
mod layers;
mod server;

use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::document::{Found, Node, Section, print, scenario, tree};

pub use crate::document::{Entry, Mistake, Mistakes, Place};
pub use flags::{FLAGS, Flag, Reading, VARIABLES};
pub use server::{Log, LogFormat};

use layers::Layers;

/// What a program is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the server is started with.
    pub config: Config,
    /// File that gets the ready line.
    pub port_file: Option<PathBuf>,
    /// What is logged, and how.
    pub log: Log,
    entries: Vec<Entry>,
}

/// Everybody who says something.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Flags of the command line with their values; a switch has `true`.
    pub flags: Vec<(&'static Flag, String)>,
    /// Variables of the environment. Only those whose names begin with `FOCUS_MOCK_` count, and empty ones say nothing.
    pub environment: Vec<(String, String)>,
    /// Keys that have another default than usual.
    pub defaults: &'static [(&'static str, &'static str)],
}

impl Settings {
    /// Reads what everybody says.
    ///
    /// # Errors
    /// Everything that is wrong with it, files included.
    pub fn gather(sources: &Sources) -> Result<Self, Mistakes> {
        let mut layers = Layers::of(sources);
        let (settings, mistakes) = Self::read(&layers.merged());
        layers.mistakes.extend(mistakes);
        Mistakes::unless_none(layers.mistakes, settings)
    }

    fn read(tree: &Node) -> (Self, Vec<Mistake>) {
        let mut root = Section::root("a configuration", Some(tree));
        let server = server::read(&mut root);
        let world = scenario::read(&mut root);
        let Found { mut mistakes, clashes, entries } = root.finish();
        // What is wrong with a file by itself was told when it was read.
        mistakes.retain(|mistake| !matches!(mistake.place, Place::File { .. }));
        mistakes.extend(clashes);
        let settings =
            Self { config: server.config(world), port_file: server.port_file, log: server.log, entries };
        (settings, mistakes)
    }

    /// Every key with its value and where that was said.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The same as a configuration file: reading it gives these settings again.
    #[must_use]
    pub fn yaml(&self) -> String {
        print::yaml(&self.entries)
    }
}

/// What a file of settings can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A world: what the server simulates.
    World,
    /// A scenario: a world, and what goes wrong in it.
    Scenario,
    /// A configuration: a world, and how it is served.
    Configuration,
}

/// A file that was looked at by itself.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What it was taken for: a world, unless it has a key that makes it more.
    pub kind: FileKind,
    /// What is in it.
    pub text: String,
    /// What is wrong with it.
    pub mistakes: Result<(), Mistakes>,
}

/// Looks at a file by itself.
///
/// # Errors
/// When it cannot be read.
pub fn check(path: &Path) -> Result<Checked, Mistakes> {
    let file = path.display().to_string();
    let text = crate::document::read_text(path, &Place::file(&file))?;
    let tree = match tree::parse(&text, &file) {
        Ok(tree) => tree,
        Err(mistake) => {
            return Ok(Checked { kind: FileKind::World, text, mistakes: Err(Mistakes(vec![mistake])) });
        }
    };
    let kind = match &tree {
        Some(tree) if server::has_its_keys(tree) => FileKind::Configuration,
        Some(tree) if server::has_any(tree, &scenario::ITS_KEYS) => FileKind::Scenario,
        Some(_) | None => FileKind::World,
    };
    Ok(Checked {
        kind,
        text,
        mistakes: Mistakes::unless_none(layers::found_in(kind, tree.as_ref()).wrong(), ()),
    })
}
