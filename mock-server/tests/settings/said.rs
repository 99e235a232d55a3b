//! What is said, by whom, and what it comes to.

use std::path::PathBuf;

use focus_mock::settings::{Entry, FLAGS, Flag, Mistakes, Settings, Sources};
use tempfile::TempDir;

/// Some who say something.
#[derive(Default)]
pub(crate) struct Said {
    sources: Sources,
    directory: Option<TempDir>,
}

/// Nobody says anything yet.
pub(crate) fn nobody() -> Said {
    Said::default()
}

pub(crate) fn flag(name: &str) -> &'static Flag {
    FLAGS.iter().find(|flag| flag.name == name).unwrap_or_else(|| panic!("no flag --{name}"))
}

impl Said {
    pub(crate) fn flag(mut self, name: &str, value: &str) -> Self {
        self.sources.flags.push((flag(name), value.to_owned()));
        self
    }

    pub(crate) fn set(self, key_and_value: &str) -> Self {
        self.flag("set", key_and_value)
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Other defaults than usual; a test has few of them and ends.
    pub(crate) fn other_default(mut self, key: String, value: String) -> Self {
        let (key, value): (&'static str, &'static str) = (key.leak(), value.leak());
        self.sources.defaults = vec![(key, value)].leak();
        self
    }

    /// Where a file of this name lies; all of them lie in one directory, which goes away in the end.
    pub(crate) fn path(&mut self, name: &str) -> String {
        let directory = self.directory.get_or_insert_with(|| tempfile::tempdir().expect("a directory"));
        directory.path().join(name).to_str().expect("a path of text").to_owned()
    }

    pub(crate) fn file(mut self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = PathBuf::from(self.path(name));
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(path, text).expect("written");
        self
    }

    /// A flag whose value is a file of the directory.
    pub(crate) fn flag_with_file(mut self, flag: &str, name: &str) -> Self {
        let path = self.path(name);
        self.flag(flag, &path)
    }

    /// A configuration file with this text, named by a flag.
    pub(crate) fn config(self, text: impl AsRef<[u8]>) -> Self {
        self.file("mock.yaml", text).flag_with_file("config", "mock.yaml")
    }

    pub(crate) fn gather(&self) -> Result<Settings, Mistakes> {
        Settings::gather(&self.sources)
    }

    /// What it comes to when nothing is wrong with it.
    pub(crate) fn right(&self) -> Settings {
        self.gather().unwrap_or_else(|mistakes| panic!("{mistakes}\nin {:?}", self.sources))
    }

    /// What is wrong with it, a line for each mistake, files by their names alone.
    pub(crate) fn wrong(&self) -> String {
        match self.gather() {
            Ok(_) => panic!("no mistake was found in {:?}", self.sources),
            Err(mistakes) => self.short(&mistakes.to_string()),
        }
    }

    /// What a key came to, and where that was said.
    pub(crate) fn entry(&self, key: &str) -> (String, String) {
        let entry = entry(&self.right(), key);
        (entry.value, self.short(&entry.place.to_string()))
    }

    fn short(&self, text: &str) -> String {
        match &self.directory {
            Some(directory) => text.replace(&format!("{}/", directory.path().display()), ""),
            None => text.to_owned(),
        }
    }
}

pub(crate) fn entry(settings: &Settings, key: &str) -> Entry {
    let found = settings.entries().iter().find(|entry| entry.key == key);
    found.unwrap_or_else(|| panic!("no entry {key}")).clone()
}

/// A value of a key as a file has it.
pub(crate) fn yaml(key: &str, value: &str) -> String {
    match key.split_once('.') {
        Some((section, name)) => format!("{section}:\n  {name}: {value}\n"),
        None => format!("{key}: {value}\n"),
    }
}
