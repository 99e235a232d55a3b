//! Label selectors: equality, sets, existence, numbers. The grammar, and the words for what is wrong, are those of a real
//! API server's own parser; no library for clients reads them.

use std::collections::BTreeSet;

use super::names;

/// What a label must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) key: String,
    must: Must,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Must {
    Exist,
    NotExist,
    BeIn(BTreeSet<String>),
    /// Also if there is no such label.
    NotBeIn(BTreeSet<String>),
    BeAbove(i64),
    BeBelow(i64),
}

impl Requirement {
    /// Whether a label may have that value, or may be missing.
    pub(super) fn matches(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.must {
            Must::Exist => value.is_some(),
            Must::NotExist => value.is_none(),
            Must::BeIn(values) => value.is_some_and(|value| values.contains(value)),
            Must::NotBeIn(values) => value.is_none_or(|value| !values.contains(value)),
            Must::BeAbove(than) => number().is_some_and(|number| number > *than),
            Must::BeBelow(than) => number().is_some_and(|number| number < *than),
        }
    }
}

/// The requirements of a selector, or what is wrong with it.
pub(super) fn parse(selector: &str) -> Result<Vec<Requirement>, String> {
    let tokens = tokens(selector);
    let mut parser = Parser { tokens: &tokens };
    let mut requirements = Vec::new();
    loop {
        match parser.peek() {
            Token::End => return Ok(requirements),
            token if token.begins() => {
                let requirement = parser.requirement();
                requirements.push(requirement.map_err(|why| format!("unable to parse requirement: {why}"))?);
            }
            token => return Err(expected(token, "!, identifier, or 'end of string'")),
        }
        match parser.next() {
            Token::End => return Ok(requirements),
            Token::Comma if parser.peek().begins() => {}
            Token::Comma => return Err(expected(parser.peek(), "identifier after ','")),
            token => return Err(expected(token, "',' or 'end of string'")),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    End,
    /// `(`, `)`, `,`, `!`, `=`, `==`, `!=`, `<`, `>`
    Comma,
    Open,
    Close,
    Not,
    Operator(&'a str),
    /// A key or value; also `in` and `notin`, which are operators only behind a key.
    Word(&'a str),
}

impl<'a> Token<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::End => "",
            Self::Comma => ",",
            Self::Open => "(",
            Self::Close => ")",
            Self::Not => "!",
            Self::Operator(text) | Self::Word(text) => text,
        }
    }

    /// Whether a requirement can begin so.
    fn begins(self) -> bool {
        matches!(self, Self::Word(_) | Self::Not)
    }
}

fn expected(found: Token<'_>, what: &str) -> String {
    format!("found '{}', expected: {what}", found.text())
}

fn tokens(selector: &str) -> Vec<Token<'_>> {
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let is_special = |c: char| matches!(c, '=' | '!' | '(' | ')' | ',' | '>' | '<');
    let mut tokens = Vec::new();
    let mut rest = selector.trim_start_matches(is_blank);
    while let Some(first) = rest.chars().next() {
        let length = if !is_special(first) {
            rest.find(|c| is_blank(c) || is_special(c)).unwrap_or(rest.len())
        } else if rest.starts_with("==") || rest.starts_with("!=") {
            2
        } else {
            1
        };
        let (text, behind) = rest.split_at(length);
        tokens.push(match text {
            "," => Token::Comma,
            "(" => Token::Open,
            ")" => Token::Close,
            "!" => Token::Not,
            "=" | "==" | "!=" | "<" | ">" => Token::Operator(text),
            word => Token::Word(word),
        });
        rest = behind.trim_start_matches(is_blank);
    }
    tokens
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens.first().copied().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let denied = self.peek() == Token::Not;
        if denied {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            token => return Err(expected(token, "identifier")),
        };
        names::check_key(key).map_err(|why| format!("<nil>: Invalid value: {key:?}: {why}"))?;
        let must = match self.peek() {
            _ if denied => Must::NotExist,
            Token::End | Token::Comma => Must::Exist,
            _ => self.comparison(key)?,
        };
        Ok(Requirement { key: key.into(), must })
    }

    fn comparison(&mut self, key: &str) -> Result<Must, String> {
        let operator = self.next();
        let must = match operator {
            Token::Word("in") => Must::BeIn(self.set(key)?),
            Token::Word("notin") => Must::NotBeIn(self.set(key)?),
            Token::Operator("=" | "==") => Must::BeIn([self.value(key)?].into()),
            Token::Operator("!=") => Must::NotBeIn([self.value(key)?].into()),
            Token::Operator(">") => Must::BeAbove(self.number()?),
            Token::Operator("<") => Must::BeBelow(self.number()?),
            token => return Err(expected(token, "in, notin, =, ==, !=, gt, lt")),
        };
        Ok(must)
    }

    fn exact(&mut self) -> Result<&'a str, String> {
        match self.peek() {
            Token::End | Token::Comma => Ok(""),
            Token::Word(value) => {
                self.next();
                Ok(value)
            }
            token => Err(expected(token, "identifier")),
        }
    }

    fn value(&mut self, key: &str) -> Result<String, String> {
        let value = self.exact()?;
        check_value(key, 0, value)?;
        Ok(value.into())
    }

    fn number(&mut self) -> Result<i64, String> {
        let value = self.exact()?;
        value.parse().map_err(|_| {
            format!(
                "values[0]: Invalid value: {value:?}: for 'Gt', 'Lt' operators, the value must be an integer"
            )
        })
    }

    /// Values in parentheses; one that is left out before or behind a comma is the empty one.
    fn set(&mut self, key: &str) -> Result<BTreeSet<String>, String> {
        match self.next() {
            Token::Open => {}
            token => return Err(format!("found '{}' expected: '('", token.text())),
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            Token::Word(_) | Token::Comma => self.words(&mut values)?,
            Token::Close => {}
            token => return Err(expected(token, "',', ')' or identifier")),
        }
        self.next();
        if values.is_empty() {
            return Err(
                "values: Invalid value: []string{}: for 'in', 'notin' operators, values set can't be empty"
                    .into(),
            );
        }
        for (at, value) in values.iter().enumerate() {
            check_value(key, at, value)?;
        }
        Ok(values)
    }

    /// Up to the closing parenthesis, which is next then.
    fn words(&mut self, values: &mut BTreeSet<String>) -> Result<(), String> {
        loop {
            match self.next() {
                Token::Word(word) => {
                    values.insert(word.into());
                    match self.peek() {
                        Token::Comma => {}
                        Token::Close => return Ok(()),
                        token => return Err(expected(token, "',' or ')'")),
                    }
                }
                Token::Comma => {
                    if values.is_empty() {
                        values.insert(String::new());
                    }
                    match self.peek() {
                        Token::Close => {
                            values.insert(String::new());
                            return Ok(());
                        }
                        Token::Comma => {
                            self.next();
                            values.insert(String::new());
                        }
                        _ => {}
                    }
                }
                token => return Err(expected(token, "',', or identifier")),
            }
        }
    }
}

fn check_value(key: &str, at: usize, value: &str) -> Result<(), String> {
    names::check_value(value).map_err(|why| format!("values[{at}][{key}]: Invalid value: {value:?}: {why}"))
}
