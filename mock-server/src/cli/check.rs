//! `focus-mock check`: what is wrong with files, shown where it is.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_mock::settings::{self, FileKind, Mistake, Mistakes, Place};

use super::FAILED;

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Look for mistakes in world, scenario and configuration files, without starting anything")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .help("YAML files to look at")
                .required_unless_present("schema")
                .num_args(1..)
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            Arg::new("schema")
                .long("schema")
                .help("Show the JSON Schema of scenario files, for editors, and end")
                .action(ArgAction::SetTrue)
                .conflicts_with("file"),
        )
}

/// What editors hold a scenario against.
const SCHEMA: &str = include_str!("../../../fixtures/scenarios/scenario.schema.json");

/// Looks at each file; the exit status is 0 if all are right.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    if matches.get_flag("schema") {
        print!("{SCHEMA}");
        return ExitCode::SUCCESS;
    }
    let mut code = ExitCode::SUCCESS;
    for file in matches.get_many::<PathBuf>("file").into_iter().flatten() {
        let name = file.display();
        let wrong = match settings::check(file) {
            Ok(checked) => match checked.mistakes {
                Ok(()) => {
                    let kind = match checked.kind {
                        FileKind::World => "a world",
                        FileKind::Scenario => "a scenario",
                        FileKind::Configuration => "a configuration",
                    };
                    println!("{name}: {kind} without mistakes");
                    continue;
                }
                Err(mistakes) => excerpts(&checked.text, &mistakes),
            },
            Err(unreadable) => format!("focus-mock: {unreadable}"),
        };
        eprintln!("{wrong}");
        code = ExitCode::from(FAILED);
    }
    code
}

fn excerpts(text: &str, Mistakes(mistakes): &Mistakes) -> String {
    let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
    let shown: Vec<_> = mistakes.iter().map(|mistake| excerpt(&renderer, text, mistake)).collect();
    shown.join("\n\n")
}

fn excerpt(renderer: &Renderer, text: &str, mistake: &Mistake) -> String {
    let title = Level::ERROR.primary_title(&mistake.text);
    match &mistake.place {
        Place::File { file, line, column } if *line > 0 => {
            let start = offset(text, *line, *column);
            let annotation = AnnotationKind::Primary.span(start..start + word(&text[start..]));
            let snippet = Snippet::source(text).path(&**file).annotation(annotation);
            renderer.render(&[title.element(snippet)])
        }
        place => renderer.render(&[title.element(Level::NOTE.message(place.to_string()))]),
    }
}

/// Where a line and a column, in characters from 1, are in a text.
fn offset(text: &str, line: u64, column: u64) -> usize {
    let before = |count: u64| usize::try_from(count.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(before(line)).map(str::len).sum();
    let rest = text[start..].lines().next().unwrap_or_default();
    start + rest.char_indices().nth(before(column)).map_or(rest.len(), |(position, _)| position)
}

/// How much of a text belongs to the value at its beginning.
fn word(text: &str) -> usize {
    let line = text.lines().next().unwrap_or_default();
    let quoted = line.chars().next().filter(|first| matches!(first, '"' | '\''));
    match quoted {
        Some(quote) => line[1..].find(quote).map_or(line.len(), |end| end + 2),
        None => line.find([' ', ',', ':', '}', ']', '#']).unwrap_or(line.len()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_place_is_found_by_characters_and_not_by_bytes() {
        let text = "a: 1\nä: \"x y\" # z\n";
        let start = offset(text, 2, 4);
        assert_eq!(&text[start..start + word(&text[start..])], "\"x y\"");
        assert_eq!(offset(text, 9, 9), text.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_place_in_any_text_can_be_shown(
            parts in prop::collection::vec(prop_oneof![
                any::<char>().prop_map(String::from),
                prop::sample::select(vec!["\n", "\r\n", "\t", "\"", "'", ": ", "[", "\u{feff}", "\u{200b}", "日本"])
                    .prop_map(String::from),
            ], 0..40),
            line in prop_oneof![0..8_u64, any::<u64>()],
            column in prop_oneof![0..8_u64, any::<u64>()],
        ) {
            let text = parts.concat();
            let place = Place::File { file: "f.yaml".into(), line, column };
            let shown = excerpts(&text, &Mistakes(vec![Mistake { place, text: String::from("a mistake") }]));
            prop_assert!(shown.starts_with("error: a mistake"), "{shown}");
        }
    }
}
