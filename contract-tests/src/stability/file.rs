//! Where a report is kept: never over another one, and never half written.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::report::Report;
use super::{page, summary};

/// The file of one report.
#[derive(Clone, Debug)]
pub struct Kept {
    path: PathBuf,
}

/// A name of anybody's as a part of a file's. **Chosen**: what is no letter, digit, `-` or `.` becomes `_`, as in the names
/// of gap reports, so that no name leads out of the folder.
pub(super) fn harmless(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-.".contains(c) { c } else { '_' }).collect()
}

/// `stability_<environment>_<YYYYMMDD_HHMMSS>_<nnnnnnnnn>`.
#[must_use]
pub fn stem(environment: &str, at: jiff::Timestamp) -> String {
    let (environment, nanoseconds) = (harmless(environment), at.subsec_nanosecond());
    format!("stability_{environment}_{}_{nanoseconds:09}", at.strftime("%Y%m%d_%H%M%S"))
}

impl Kept {
    /// A file of its own for a report that begins; with a counter behind its name where that is taken.
    ///
    /// # Errors
    /// When the folder cannot be made or written to.
    pub fn create(folder: &Path, report: &Report) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let stem = stem(&report.environment, report.began);
        let mut counter = 1;
        loop {
            let name = if counter == 1 { format!("{stem}.json") } else { format!("{stem}_{counter}.json") };
            let path = folder.join(name);
            match File::options().write(true).create_new(true).open(&path) {
                Ok(_) => {
                    let kept = Self { path };
                    kept.write(report)?;
                    return Ok(kept);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => counter += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The file of a report that goes on.
    #[must_use]
    pub fn again(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Writes the report anew. Whoever reads it meanwhile, or finds it after a power cut, sees it as it was before or as it
    /// is now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, report: &Report) -> io::Result<()> {
        replace(&self.path, report)
    }

    /// Writes page and summary beside it, for people and for a ticket.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write_for_people(&self, report: &Report) -> io::Result<[PathBuf; 2]> {
        let (html, markdown) = (self.path.with_extension("html"), self.path.with_extension("md"));
        fs::write(&html, page::render(report))?;
        fs::write(&markdown, summary::render(report))?;
        Ok([html, markdown])
    }
}

/// Replaces a file by a JSON document, at once.
pub(super) fn replace(path: &Path, document: &impl serde::Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let mut file = File::create(&part)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
    let replaced = written.and_then(|()| fs::rename(&part, path));
    if replaced.is_err() {
        // A half is of no use to anybody.
        let _ = fs::remove_file(&part);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::after;
    use super::*;

    #[test]
    fn a_report_never_replaces_another_and_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("not/there/yet");
        let report = after(0, false);
        let first = Kept::create(&below, &report).expect("a file");
        let second = Kept::create(&below, &report).expect("a file");
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(name(first.path()), "stability_staging_20251208_000852_000012034.json");
        assert_eq!(name(second.path()), "stability_staging_20251208_000852_000012034_2.json");
        let before = fs::read_to_string(first.path()).expect("text");
        // Whoever has it open goes on reading what it was.
        let mut open = File::open(first.path()).expect("the file");
        first.write(&after(3, false)).expect("a file");
        let mut text = String::new();
        io::Read::read_to_string(&mut open, &mut text).expect("text");
        assert_eq!(text, before);
        let now = fs::read_to_string(first.path()).expect("text");
        assert_eq!(Report::resumable(&now), Ok(after(3, false)));
        assert_eq!(fs::read_dir(&below).expect("the folder").count(), 2, "nothing else is left there");
    }

    #[test]
    fn what_cannot_be_written_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::create(folder.path(), &after(0, false)).expect("a file");
        fs::remove_file(kept.path()).expect("the file");
        fs::create_dir(kept.path()).expect("something in its place");
        assert!(kept.write(&after(1, false)).is_err());
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1, "no half is left there");
    }

    #[test]
    fn page_and_summary_tell_the_same_and_load_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut report = after(12, true);
        report.environment = String::from("<script>");
        report.notes.push(String::from("a | <b>note</b>"));
        let kept = Kept::create(folder.path(), &report).expect("a file");
        let [html, markdown] =
            kept.write_for_people(&report).expect("both").map(|path| fs::read_to_string(path).expect("text"));
        for words in [
            "Stability run on &lt;script&gt;",
            "Memory of the server",
            "Live jobs",
            "12 of 12 configures (100.00 %)",
            "a | &lt;b&gt;note",
        ] {
            assert!(html.contains(words), "{words}");
        }
        for loading in ["<script", "src=", "href=", "url(", "@import"] {
            assert!(!html.contains(loading), "{loading}");
        }
        for line in [
            "## Stability run on \\<script>: passed\n",
            "| success | at least 90 % | 12 of 12 configures (100.00 %) | kept |\n",
            "Latency: mean 100 ms, p95 100 ms, p99 100 ms, max 100 ms.\n",
            "- a \\| \\<b>note\\</b>\n",
        ] {
            assert!(markdown.contains(line), "{line} is missing in\n{markdown}");
        }
    }
}
