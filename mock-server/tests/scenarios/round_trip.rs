//! What is shown is read as the same again.

use focus_mock::document::changes::{change, render as render_change};
use focus_mock::document::rules::{render, rule};
use focus_mock::document::scenario;
use focus_mock::document::{duration, json as json_text};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{arbitrary, schema};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_that_is_shown_is_read_as_the_same_rule(original in arbitrary::rule()) {
        let shown = render(&original);
        let text = json_text(&shown);
        let read = rule(&text, "r").map_err(|wrong| TestCaseError::fail(format!("{wrong}\n{text}")))?;
        prop_assert_eq!(&read, &original, "{}", text);
        schema::assert_valid(&json!({ "faults": [shown] }));
    }

    #[test]
    fn a_change_that_is_shown_is_read_as_the_same_change((original, lasts) in arbitrary::change()) {
        let mut shown = render_change(&original);
        if let (Some(lasts), Value::Object(keys)) = (lasts, &mut shown) {
            keys.insert(String::from("for"), json!(duration::show(lasts)));
        }
        let read = change(&json_text(&shown), "c").map_err(|wrong| TestCaseError::fail(format!("{wrong}\n{shown}")))?;
        prop_assert_eq!(read, (original, lasts), "{}", shown);
        shown["at"] = json!("1s");
        schema::assert_valid(&json!({ "timeline": [shown] }));
    }

    #[test]
    fn a_scenario_takes_every_rule_and_every_change(
        rule in arbitrary::rule(),
        (change, lasts) in arbitrary::change(),
    ) {
        let mut entry = render_change(&change);
        entry["at"] = json!("1s");
        if let Some(lasts) = lasts {
            entry["for"] = json!(duration::show(lasts));
        }
        let text = json!({ "faults": [render(&rule)], "timeline": [entry] });
        let text = json_text(&text);
        let read =
            scenario::parse(&text, "s").map_err(|wrong| TestCaseError::fail(format!("{wrong}\n{text}")))?;
        prop_assert_eq!(&*read.setup.rules[0], &rule);
        prop_assert_eq!(&read.setup.timeline[0].change, &change);
        prop_assert_eq!(read.setup.timeline[0].lasts, lasts);
    }
}
