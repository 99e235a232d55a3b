//! Settings as a library: who is heard, what a mistake looks like, and that the documentation has every key.

mod documents;
mod files;
mod hostile;
mod keys;
mod mistakes;
mod precedence;
mod quirks;
mod round_trip;
mod said;
mod single_keys;
mod variables;
mod worlds;
