//! Lets insta keep the snapshots: `cargo insta review` then shows what is new, and INSTA_UPDATE=no writes nothing.

use std::panic::catch_unwind;

use focus_contract::snapshot::{approved, difference};
use insta::Settings;

/// insta's comparison; it writes a `.snap.new` beside a file that differs.
pub(crate) fn insta(name: &str, text: &str) -> Result<(), String> {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let compared = settings.bind(|| catch_unwind(|| insta::assert_snapshot!(name, text)));
    compared.map_err(|_| match approved(name) {
        Some(approved) => format!(
            "the answer is not the approved snapshot {name} (- approved, + came):\n{}\n`cargo insta review` approves it",
            difference(approved, text.trim_end())
        ),
        None => format!("snapshot {name} is new: `cargo insta review`, then name it in src/snapshot.rs"),
    })
}
