//! The files that a run leaves.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Run, html, json, junit, markdown, xray};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For CI servers.
    Junit,
    /// For Xray's import of executions.
    Xray,
    /// For people, in a browser.
    Html,
    /// For people, beside a pull request.
    Markdown,
    /// For programs.
    Json,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Junit, Self::Xray, Self::Html, Self::Markdown, Self::Json];

    /// As `--report` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Xray => "xray",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
        }
    }

    /// A run in this format.
    #[must_use]
    pub fn render(self, run: &Run) -> String {
        match self {
            Self::Junit => junit::render(run),
            Self::Xray => xray::render(run),
            Self::Html => html::render(run),
            Self::Markdown => markdown::render(run),
            Self::Json => json::render(run),
        }
    }
}

/// A file that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Its format.
    pub kind: Kind,
    /// Where it shall be.
    pub path: PathBuf,
}

impl std::str::FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let kinds = || Kind::ALL.map(Kind::name).join(", ");
        let (kind, path) =
            text.split_once('=').ok_or_else(|| format!("expected KIND=FILE, KIND one of {}", kinds()))?;
        let known = Kind::ALL.into_iter().find(|known| known.name() == kind);
        let kind = known.ok_or_else(|| format!("there is no report {kind:?}, only {}", kinds()))?;
        if path.is_empty() {
            return Err(String::from("the file is missing"));
        }
        Ok(Self { kind, path: PathBuf::from(path) })
    }
}

impl ReportFile {
    /// Shows that it can be written, before the run costs anything: makes it and the folders above it.
    ///
    /// # Errors
    /// When it cannot.
    pub fn make_room(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent().filter(|folder| *folder != Path::new("")) {
            fs::create_dir_all(folder)?;
        }
        File::options().create(true).append(true).open(&self.path).map(drop)
    }

    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written after all.
    pub fn write(&self, run: &Run) -> io::Result<()> {
        fs::write(&self.path, self.kind.render(run))
    }
}
