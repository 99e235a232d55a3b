//! The ways to write one and the same request.

use proptest::prelude::{Just, Strategy, any};
use serde_json::{Map, Value};

/// The fields of a configuration, in the order in which known clients send them.
const FIELDS: [&str; 8] = [
    "displayTimeAxisDuration",
    "nfftSelection",
    "displayInfo",
    "channels",
    "frequencyRange",
    "start_time",
    "end_time",
    "view_type",
];

/// How a request is written. Whatever it says, the request means the same; all bits unset is the plainest way.
#[derive(Clone, Debug, Default)]
pub struct Form {
    /// Order of the fields; those that are not in it come last.
    pub order: Vec<usize>,
    /// Fields whose whole numbers get a fraction: `30.0`.
    pub fractions: u8,
    /// Absent fields that are sent as null.
    pub nulls: u8,
    /// Fields that are sent twice, with rubbish first: the last one counts.
    pub twice: u8,
    /// Whether the view is a string.
    pub view_as_text: bool,
    /// Whether there are fields that nobody knows, in the objects within, too.
    pub unknown_fields: bool,
    /// Whether the objects within have their fields the other way round.
    pub turned_round: bool,
    /// Whether there are blanks and line breaks between the tokens.
    pub blanks: bool,
}

/// All the ways.
pub fn forms() -> impl Strategy<Value = Form, Tree: Send> + Send + Sync + use<> {
    let order = Just((0..FIELDS.len()).collect::<Vec<_>>()).prop_shuffle();
    // Bits that come in pairs are rarer than each alone: most requests shall be odd in a few ways only.
    let bits = || (any::<u8>(), any::<u8>()).prop_map(|(one, other)| one & other);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (order, bits(), any::<u8>(), bits(), flags).prop_map(|(order, fractions, nulls, twice, flags)| {
        let (view_as_text, unknown_fields, turned_round, blanks) = flags;
        Form { order, fractions, nulls, twice, view_as_text, unknown_fields, turned_round, blanks }
    })
}

impl Form {
    /// A request, written this way; what is no object is written plainly.
    #[must_use]
    pub fn write(&self, body: &Value) -> String {
        let Value::Object(fields) = body else { return body.to_string() };
        let mut written = Vec::new();
        for place in self.places() {
            let (key, bit) = (FIELDS[place], 1 << place);
            if self.twice & bit != 0 && fields.contains_key(key) {
                written.push(self.entry(key, r#"{"rubbish":[]}"#));
            }
        }
        if self.unknown_fields {
            written.push(self.entry("colour_map", r#"{"name":"jet","limits":[0,1.5,null]}"#));
        }
        for place in self.places() {
            let key = FIELDS[place];
            match fields.get(key) {
                Some(value) => written.push(self.entry(key, &self.value(place, value))),
                None if self.nulls & (1 << place) != 0 => written.push(self.entry(key, "null")),
                None => {}
            }
        }
        let (open, comma, close) = if self.blanks { ("{\r\n\t", " , ", "\n}\n") } else { ("{", ",", "}") };
        format!("{open}{}{close}", written.join(comma))
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        let first = self.order.iter().copied().filter(|place| *place < FIELDS.len());
        first.chain((0..FIELDS.len()).filter(|place| !self.order.contains(place)))
    }

    fn entry(&self, key: &str, value: &str) -> String {
        let colon = if self.blanks { " :\n " } else { ":" };
        format!("\"{key}\"{colon}{value}")
    }

    fn value(&self, place: usize, value: &Value) -> String {
        let fraction = self.fractions & (1 << place) != 0;
        match value {
            Value::Object(fields) => self.object(fields, fraction),
            Value::Number(view) if FIELDS[place] == "view_type" && self.view_as_text && view.is_u64() => {
                format!("\"{view}\"")
            }
            value => number(value, fraction),
        }
    }

    fn object(&self, fields: &Map<String, Value>, fraction: bool) -> String {
        let mut written: Vec<_> =
            fields.iter().map(|(key, value)| self.entry(key, &number(value, fraction))).collect();
        if self.unknown_fields {
            written.push(self.entry("step", "\"all\""));
        }
        if self.turned_round {
            written.reverse();
        }
        format!("{{{}}}", written.join(","))
    }
}

fn number(value: &Value, fraction: bool) -> String {
    if fraction && (value.is_i64() || value.is_u64()) { format!("{value}.0") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plain_form_changes_nothing() {
        let body = json!({"displayInfo": {"height": 3}, "channels": {"min": 1, "max": 2}, "view_type": 2});
        assert_eq!(Form::default().write(&body), body.to_string());
    }

    #[test]
    fn an_odd_form_means_the_same() {
        let body = json!({"displayInfo": {"height": 3}, "channels": {"min": 1, "max": 2}, "view_type": 2});
        let odd = Form {
            order: vec![7, 3, 2],
            fractions: 0b100,
            nulls: 1,
            twice: 0b1000,
            view_as_text: true,
            unknown_fields: true,
            turned_round: true,
            blanks: false,
        };
        let expected = concat!(
            r#"{"channels":{"rubbish":[]},"colour_map":{"name":"jet","limits":[0,1.5,null]},"#,
            r#""view_type":"2","channels":{"step":"all","max":2,"min":1},"#,
            r#""displayInfo":{"step":"all","height":3.0},"displayTimeAxisDuration":null}"#
        );
        assert_eq!(odd.write(&body), expected);
        let blank = Form { blanks: true, ..odd };
        assert_eq!(
            serde_json::from_str::<Value>(&blank.write(&body)).ok(),
            serde_json::from_str(expected).ok()
        );
    }
}
