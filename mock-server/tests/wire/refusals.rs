//! Every way in which the REST interface says no: its status, its code and its text, and which "no" comes first.

mod bodies;
mod checks;
mod combined;
mod order;
mod rows;
mod size;

use focus_mock::MockServer;
use focus_mock::sim::setup::Dependencies;
use serde_json::{Value, json};

use crate::common::{START, base, with};

/// A configuration of one channel.
fn single() -> Value {
    with(base(), &json!({"view_type": "1", "channels": {"min": 7, "max": 7}}))
}

/// A configuration of a waterfall, without what it must not have.
fn waterfall() -> Value {
    json!({"view_type": "2", "channels": {"min": 1, "max": 10}, "displayInfo": {"height": 256}})
}

/// A configuration of an hour that is recorded.
fn historic() -> Value {
    with(base(), &json!({"start_time": START - 7200, "end_time": START - 3600}))
}

/// A configuration without one of its fields; a dot leads to a field of a field.
fn without(mut body: Value, place: &str) -> Value {
    let (parent, key) = match place.split_once('.') {
        Some((parent, key)) => (&mut body[parent], key),
        None => (&mut body, place),
    };
    parent.as_object_mut().expect("an object").shift_remove(key).expect("the field is there");
    body
}

fn depend(server: &MockServer, dependencies: Dependencies) {
    server.simulation().with(|world, now| world.change_dependencies(dependencies, now));
}
