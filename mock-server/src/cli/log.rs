//! What is logged, and how a line looks.

use std::io::IsTerminal;

use focus_mock::settings::{Log, LogFormat};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Starts to log to standard error.
pub(super) fn start(log: &Log) {
    let filter: Targets = log.filter.parse().unwrap_or_default();
    let terminal = std::io::stderr().is_terminal();
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        // It would complain on standard error that standard error is closed, and die of that.
        .log_internal_errors(false)
        .with_ansi(terminal);
    let layer = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
        LogFormat::Auto if !terminal => lines.json().flatten_event(true).boxed(),
        LogFormat::Auto | LogFormat::Text => lines.boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).init();
}
