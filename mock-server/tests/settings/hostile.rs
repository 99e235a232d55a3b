//! Files that nobody meant: none of them makes the reader panic or lose its way.

use std::path::Path;

use focus_mock::settings::{self, Checked, Place};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::said::nobody;

/// One change of a text.
#[derive(Clone, Debug)]
enum Change {
    Insert(Index, &'static str),
    Remove(Index, usize),
    RepeatLine(Index),
    RemoveLine(Index),
    End(Index),
}

/// What is dangerous in YAML, in places and for whoever counts characters.
const FRAGMENTS: [&str; 38] = [
    "[",
    "]",
    "{",
    "}",
    ":",
    ": ",
    ",",
    "- ",
    "? ",
    "#",
    " #",
    "&a ",
    "*a",
    "<<: *a",
    "!",
    "!!int ",
    "!!str ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "\\",
    "%",
    "---\n",
    "...\n",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "\u{feff}",
    "\u{2028}",
    "\u{85}",
    "\0",
    "ä",
    "\u{1f980}",
    "-1",
    "1e400",
    "null",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<Index>(), select(&FRAGMENTS[..])).prop_map(|(at, text)| Change::Insert(at, text)),
        2 => (any::<Index>(), 1..30_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => any::<Index>().prop_map(Change::RepeatLine),
        1 => any::<Index>().prop_map(Change::RemoveLine),
        1 => any::<Index>().prop_map(Change::End),
    ]
}

fn changed(text: &str, change: &Change) -> String {
    let characters: Vec<char> = text.chars().collect();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let before = |at: &Index| characters[..at.index(characters.len() + 1)].iter().collect::<String>();
    match change {
        Change::Insert(at, inserted) => {
            let before = before(at);
            format!("{before}{inserted}{}", &text[before.len()..])
        }
        Change::Remove(at, count) => {
            let before = before(at);
            let after: String = text[before.len()..].chars().skip(*count).collect();
            before + &after
        }
        Change::RepeatLine(_) | Change::RemoveLine(_) if lines.is_empty() => String::new(),
        Change::RepeatLine(at) => {
            let at = at.index(lines.len());
            [&lines[..=at], &lines[at..]].concat().concat()
        }
        Change::RemoveLine(at) => {
            let at = at.index(lines.len());
            [&lines[..at], &lines[at + 1..]].concat().concat()
        }
        Change::End(at) => before(at),
    }
}

fn check(text: &str) -> Checked {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("written");
    settings::check(file.path()).expect("it can be read")
}

/// Lines end with line feeds in what was read, and a place may be just behind the last character of one.
fn is_inside(text: &str, line: u64, column: u64) -> bool {
    let line = usize::try_from(line).expect("a count").checked_sub(1);
    let line = line.and_then(|line| text.split('\n').nth(line));
    line.is_some_and(|line| (1..=line.chars().count() as u64 + 1).contains(&column))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mutilated_world_has_its_mistakes_inside_its_text(changes in prop::collection::vec(change(), 1..6)) {
        let world = std::fs::read_to_string(Path::new("../fixtures/worlds/default.yaml")).expect("the file");
        let text = changes.iter().fold(world, |text, change| changed(&text, change));
        let checked = check(&text);
        for mistake in checked.mistakes.err().map(|mistakes| mistakes.0).unwrap_or_default() {
            prop_assert!(!mistake.text.is_empty());
            let Place::File { line, column, .. } = mistake.place else { panic!("{mistake:?}") };
            prop_assert!(is_inside(&checked.text, line, column), "{mistake:?} in {:?}", checked.text);
        }
    }

    #[test]
    fn any_text_is_a_value_or_a_mistake(text in any::<String>(), name in "[a-z_.]{0,20}") {
        let _ = nobody().set(&text).gather();
        let _ = nobody().set(&format!("{name}={text}")).gather();
        let _ = nobody().set(&format!("world.recordings={text}")).gather();
        let _ = nobody().variable("FOCUS_MOCK_SET", &text).variable("FOCUS_MOCK_LISTEN", &text).gather();
    }
}

#[test]
fn what_is_made_to_exhaust_the_reader_is_refused() {
    let bomb = (1..20).fold(String::from("a0: &a0 [x]\n"), |text, level| {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("{text}a{level}: &a{level} [{aliases}]\n")
    });
    let too_much = "too deep or too large for a file of settings";
    for (text, told) in [
        (bomb.as_str(), too_much),
        (&"[".repeat(20_000), "recursion limit exceeded"),
        (&format!("{}{}", "[".repeat(20), "]".repeat(20)), too_much),
        (&format!("[{}]", "x, ".repeat(200_000)), too_much),
        ("a: &a [*a]", "Recursive reference not allowed here"),
    ] {
        let told = format!("not YAML that can be read: {told}");
        assert!(nobody().config(text).wrong().ends_with(&told));
        assert_eq!(nobody().set(&format!("world={text}")).wrong(), format!("--set world: {told}"));
    }
}

#[test]
fn a_long_value_is_not_repeated_whole() {
    let long = "a".repeat(100_000);
    let wrong = nobody().set(&format!("seed={long}")).wrong();
    assert!(wrong.ends_with(&format!("not \"{}\" and so on", "a".repeat(60))), "{wrong}");
    let wrong = nobody().set(&format!("world.sw_version={long}")).wrong();
    assert!(wrong.len() < 300, "{wrong}");
}
