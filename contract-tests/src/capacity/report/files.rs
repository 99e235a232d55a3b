//! Where reports are written: never over one that is there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{GapReport, Subject, html, markdown};

/// The files of one report.
#[derive(Clone, Debug)]
pub struct Written {
    /// For programs.
    pub json: PathBuf,
    /// For people.
    pub html: PathBuf,
    /// For a ticket.
    pub markdown: PathBuf,
    /// What to do now.
    pub actions: Vec<String>,
}

/// `infra_gap_report_<environment>_<YYYYMMDD_HHMMSS>_<nnnnnnnnn>`. **Chosen**: what is no letter, digit, `-` or `.` of
/// the environment's name becomes `_`, so that no name leads out of the folder.
#[must_use]
pub fn stem(environment: &str, at: jiff::Timestamp) -> String {
    stem_of("infra_gap_report", environment, at)
}

/// The same for another kind of file.
pub(in crate::capacity) fn stem_of(kind: &str, environment: &str, at: jiff::Timestamp) -> String {
    let harmless = |c: char| if c.is_alphanumeric() || "-.".contains(c) { c } else { '_' };
    let environment: String = environment.chars().map(harmless).collect();
    let nanoseconds = at.subsec_nanosecond();
    format!("{kind}_{environment}_{}_{nanoseconds:09}", at.strftime("%Y%m%d_%H%M%S"))
}

/// Writes the report in all its formats, beside one another.
///
/// # Errors
/// When one of them cannot be written.
pub fn write(subject: &Subject<'_>, folder: &Path) -> io::Result<Written> {
    fs::create_dir_all(folder)?;
    let report = GapReport::of(subject);
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    let stem = stem(subject.environment.name(), subject.at);
    let json = exclusively(folder, &stem, "json", &text)?;
    let stem = json.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Written {
        html: exclusively(folder, &stem, "html", &html::render(subject))?,
        markdown: exclusively(folder, &stem, "md", &markdown::render(subject))?,
        json,
        actions: report.recommendations.immediate_actions,
    })
}

/// With a counter behind its stem where the file is there already.
pub(in crate::capacity) fn exclusively(
    folder: &Path,
    stem: &str,
    kind: &str,
    text: &str,
) -> io::Result<PathBuf> {
    let mut counter = 1;
    loop {
        let name = if counter == 1 { format!("{stem}.{kind}") } else { format!("{stem}_{counter}.{kind}") };
        let path = folder.join(name);
        match File::options().write(true).create_new(true).open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => counter += 1,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::gap::tests::full;
    use super::*;

    #[test]
    fn a_file_is_named_by_place_and_time_to_the_nanosecond() {
        let at: jiff::Timestamp = "2025-12-08T00:08:52.000012034Z".parse().expect("a time");
        assert_eq!(stem("staging", at), "infra_gap_report_staging_20251208_000852_000012034");
        assert_eq!(stem("../a b", at), "infra_gap_report_.._a_b_20251208_000852_000012034");
    }

    #[test]
    fn a_report_never_replaces_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("not/there/yet");
        let run = full(10);
        let first = write(&run.subject(), &below).expect("a report");
        let second = write(&run.subject(), &below).expect("a report");
        let stem = stem("staging", run.at);
        let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
        assert_eq!(name(&first.json), format!("{stem}.json"));
        assert_eq!(
            [&second.json, &second.html, &second.markdown].map(|path| name(path)),
            [format!("{stem}_2.json"), format!("{stem}_2.html"), format!("{stem}_2.md")]
        );
        assert_eq!(fs::read_dir(&below).expect("the folder").count(), 6);
        let text = fs::read_to_string(&first.json).expect("the report");
        assert!(
            text.starts_with("{\n  \"report_metadata\": {\n    \"report_type\""),
            "indented by 2: {text}"
        );
    }
}
