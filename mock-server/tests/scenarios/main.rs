//! What people write for rehearsals: rules, changes, scenarios, and the schema that editors hold them against.

mod arbitrary;
mod changes;
mod files;
mod mistakes;
mod round_trip;
mod rules;
mod schema;
mod sentences;
