//! What everybody says, laid over each other.

use super::flags::{FLAGS, Flag, Reading, VARIABLES};
use super::{FileKind, Sources, server};
use crate::document::{self, Found, Mistake, Mistakes, Node, Place, Section, Value, tree, world};

/// One who says keys, with the files it names.
#[derive(Default)]
struct Layer {
    /// Sections and single keys.
    keys: Vec<(Node, Node)>,
    configuration: Option<Node>,
}

/// All who say something, the ones that win later first.
pub(super) struct Layers {
    trees: Vec<Vec<(Node, Node)>>,
    /// What is wrong with single ones.
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    pub(super) fn of(sources: &Sources) -> Self {
        let mut layers = Self { trees: Vec::new(), mistakes: Vec::new() };
        let mistakes = &mut layers.mistakes;
        let mut defaults = Layer::default();
        for (key, value) in sources.defaults {
            defaults.key_and_value(&format!("{key}={value}"), &Place::Default, mistakes);
        }
        let flags = flags(sources, mistakes);
        let environment = environment(sources, mistakes);
        let named = flags.configuration.as_ref().or(environment.configuration.as_ref());
        let file = named.map(|named| configuration(named, mistakes)).unwrap_or_default();
        // The world of whoever wins; it counts as said there, below the single keys.
        let ranks = [file, environment.keys, flags.keys];
        let world =
            ranks.iter().enumerate().rev().find_map(|(rank, keys)| Some((rank, find(keys, "world_file")?)));
        let world = world.and_then(|(rank, named)| Some((rank, world_file(named, mistakes)?)));
        layers.trees.push(defaults.keys);
        for (rank, keys) in ranks.into_iter().enumerate() {
            layers
                .trees
                .extend(world.iter().filter(|(named, _)| *named == rank).map(|(_, keys)| keys.clone()));
            layers.trees.push(keys);
        }
        layers
    }

    /// What it all comes to: each key as the one who wins says it. A value is never put together from several: a range
    /// or a list of recordings that is given is given whole.
    pub(super) fn merged(&self) -> Node {
        let mut merged: Vec<(Node, Node)> = Vec::new();
        for (key, value) in self.trees.iter().flatten() {
            match (merged.iter_mut().find(|(known, _)| is_same(known, key)), &value.value) {
                (None, _) => merged.push((key.clone(), value.clone())),
                // A section without anything in it takes nothing away.
                (Some((_, Node { value: Value::Mapping(_), .. })), Value::Nothing) => {}
                (Some((_, Node { value: Value::Mapping(below), .. })), Value::Mapping(above)) => {
                    for (key, value) in above {
                        below.retain(|(known, _)| !is_same(known, key));
                        below.push((key.clone(), value.clone()));
                    }
                }
                (Some(said), _) => *said = (key.clone(), value.clone()),
            }
        }
        Node { value: Value::Mapping(merged), place: Place::Default }
    }
}

fn is_same(one: &Node, other: &Node) -> bool {
    matches!((&one.value, &other.value), (Value::Text(one), Value::Text(other)) if one == other)
}

fn find<'a>(keys: &'a [(Node, Node)], name: &str) -> Option<&'a Node> {
    let is_it = |key: &Node| matches!(&key.value, Value::Text(text) if text == name);
    keys.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
}

fn flags(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Layer {
    let mut layer = Layer::default();
    for (flag, text) in &sources.flags {
        layer.flag(flag, text, &Place::Flag(format!("--{}", flag.name)), mistakes);
    }
    layer
}

fn environment(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Layer {
    let mut layer = Layer::default();
    let speaks = |(name, text): &&(String, String)| name.starts_with(VARIABLES) && !text.is_empty();
    let mut variables: Vec<_> = sources.environment.iter().filter(speaks).collect();
    // The environment has no order, and which one was the first must not be chance.
    variables.sort();
    for (name, text) in variables {
        let place = Place::Variable(name.clone());
        match FLAGS.iter().find(|flag| flag.variable() == *name) {
            Some(flag) if flag.is_repeatable() => {
                for said in text.split(';').map(str::trim).filter(|said| !said.is_empty()) {
                    layer.one_of_several(flag, said, &place, mistakes);
                }
            }
            Some(flag) => layer.flag(flag, text, &place, mistakes),
            None => {
                let known: Vec<_> = FLAGS.iter().map(Flag::variable).collect();
                let text = format!("unknown variable: there are {}", known.join(", "));
                mistakes.push(Mistake { place, text });
            }
        }
    }
    layer
}

impl Layer {
    fn flag(&mut self, flag: &Flag, text: &str, place: &Place, mistakes: &mut Vec<Mistake>) {
        match flag.reading {
            Reading::KeyAndValue | Reading::Quirk(_) => {
                let key = text.split('=').next().unwrap_or_default().trim();
                let said = format!("--{} {key}", flag.name);
                self.one_of_several(flag, text, &Place::Flag(said.trim_end().to_owned()), mistakes);
            }
            Reading::ConfigurationFile => {
                self.configuration = Some(Node { value: Value::Text(text.to_owned()), place: place.clone() });
            }
            Reading::Text | Reading::Yaml | Reading::HostAndPort => {
                self.keys_of(flag, text, place, mistakes);
            }
        }
    }

    /// One text of a flag or variable that may have several.
    fn one_of_several(&mut self, flag: &Flag, text: &str, place: &Place, mistakes: &mut Vec<Mistake>) {
        if flag.reading == Reading::KeyAndValue {
            self.key_and_value(text, place, mistakes);
        } else {
            self.keys_of(flag, text, place, mistakes);
        }
    }

    fn keys_of(&mut self, flag: &Flag, text: &str, place: &Place, mistakes: &mut Vec<Mistake>) {
        match flag.say(text, place) {
            Ok(said) => said.into_iter().for_each(|(key, value)| self.say(&key, value, mistakes)),
            Err(mistake) => mistakes.push(mistake),
        }
    }

    fn key_and_value(&mut self, text: &str, place: &Place, mistakes: &mut Vec<Mistake>) {
        let Some((key, value)) = text.split_once('=') else {
            let text = format!("expected key=value such as limits.max_jobs=10, not {text:?}");
            return mistakes.push(Mistake { place: place.clone(), text });
        };
        match tree::parse_value(value, place) {
            Ok(node) => self.say(key.trim(), node, mistakes),
            Err(mistake) => mistakes.push(mistake),
        }
    }

    /// Notes a key; its section, if it has one, is in front of the first dot. A section with several keys in it is as
    /// good as each of them.
    fn say(&mut self, key: &str, value: Node, mistakes: &mut Vec<Mistake>) {
        let place = value.place.clone();
        let name = |text: &str| Node { value: Value::Text(text.to_owned()), place: place.clone() };
        match (key.split_once('.'), value) {
            (Some((section, short)), value) => {
                self.say_in(name(section), vec![(name(short), value)], mistakes);
            }
            (None, Node { value: Value::Mapping(entries), .. }) => self.say_in(name(key), entries, mistakes),
            (None, value) => add(&mut self.keys, "", (name(key), value), mistakes),
        }
    }

    fn say_in(&mut self, section: Node, entries: Vec<(Node, Node)>, mistakes: &mut Vec<Mistake>) {
        let position = self.keys.iter().position(|(known, _)| is_same(known, &section));
        let position = position.unwrap_or_else(|| {
            let nothing = Node { value: Value::Nothing, place: section.place.clone() };
            self.keys.push((section, nothing));
            self.keys.len() - 1
        });
        let (section, said) = &mut self.keys[position];
        if matches!(said.value, Value::Nothing) {
            said.value = Value::Mapping(Vec::new());
        }
        // Somebody may have said the section itself to be a number; that is a mistake which the reader tells.
        if let (Value::Text(section), Value::Mapping(keys)) = (&section.value, &mut said.value) {
            entries.into_iter().for_each(|entry| add(keys, section, entry, mistakes));
        }
    }
}

/// Adds a key to those of its section, unless it is there.
fn add(keys: &mut Vec<(Node, Node)>, section: &str, (key, value): (Node, Node), mistakes: &mut Vec<Mistake>) {
    match (keys.iter().find(|(known, _)| is_same(known, &key)), &key.value) {
        (Some((_, first)), Value::Text(name)) => {
            let dot = if section.is_empty() { "" } else { "." };
            let text = format!("{section}{dot}{name} is given more than once, first by {}", first.place);
            mistakes.push(Mistake { place: value.place, text });
        }
        _ => keys.push((key, value)),
    }
}

/// The keys of a configuration file; what is wrong with them is noted.
fn configuration(named: &Node, mistakes: &mut Vec<Mistake>) -> Vec<(Node, Node)> {
    file_of(named, FileKind::Configuration, mistakes).unwrap_or_default()
}

/// The keys of a world file; what is wrong with them is noted.
fn world_file(named: &Node, mistakes: &mut Vec<Mistake>) -> Option<Vec<(Node, Node)>> {
    file_of(named, FileKind::World, mistakes)
}

fn file_of(named: &Node, kind: FileKind, mistakes: &mut Vec<Mistake>) -> Option<Vec<(Node, Node)>> {
    // Anything else than a text is a mistake which the reader of the key tells.
    let Value::Text(name) = &named.value else { return None };
    let path = named.place.resolve(name);
    let tree = document::read_text(&path, &named.place).map_err(|Mistakes(unreadable)| unreadable);
    let tree = tree
        .and_then(|text| tree::parse(&text, &path.display().to_string()).map_err(|mistake| vec![mistake]));
    let tree = match tree {
        Ok(tree) => tree?,
        Err(wrong) => {
            mistakes.extend(wrong);
            return None;
        }
    };
    mistakes.extend(found_in(kind, Some(&tree)).mistakes);
    match tree.value {
        Value::Mapping(keys) => Some(keys),
        Value::Nothing
        | Value::Flag(_)
        | Value::Integer(_)
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_) => None,
    }
}

/// What is in a file by itself.
pub(super) fn found_in(kind: FileKind, tree: Option<&Node>) -> Found {
    let name = match kind {
        FileKind::World => "a world file",
        FileKind::Configuration => "a configuration",
    };
    let mut root = Section::root(name, tree);
    if kind == FileKind::Configuration {
        server::read(&mut root);
    }
    world::read(&mut root);
    root.finish()
}
