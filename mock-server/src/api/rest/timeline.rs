//! `GET /get_recordings_timeline`: what is recorded, as a page to look at.
//!
//! The recordings stand in rows of a day each (of a month or a year where there are too many), time from left to right,
//! the newest row on top. Pointing at a recording or a gap shows its start, end and length. One file, no script, nothing
//! fetched.

use axum::response::Response;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::ask::Ask;
use super::{App, html as page, jobs};
use crate::api::rejection::Rejection;
use crate::domain::recording::{Recording, RecordingEnd};
use crate::domain::time::{EpochSeconds, TimeRange};

pub(super) async fn timeline(app: std::sync::Arc<App>, ask: Ask) -> Result<Response, Rejection> {
    let now = app.simulation.clock().now().seconds();
    match app.simulation.recordings(all_times()) {
        Ok(recordings) => Ok(page(render(&recordings, now).into_string())),
        Err(refusal) => Err(jobs::in_its_time(&app, refusal, ask.quirks()).await),
    }
}

fn all_times() -> TimeRange {
    TimeRange::new(EpochSeconds(0), EpochSeconds(1 << 53)).expect("0 lies before 2^53")
}

/// A stretch of the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bar {
    kind: Kind,
    start: i64,
    end: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Recorded,
    Ongoing,
    Gap,
}

/// Recordings and the gaps between them, in order of time; one that is ongoing reaches to now.
fn bars(recordings: &[Recording], now: EpochSeconds) -> Vec<Bar> {
    let mut bars = Vec::new();
    let mut covered: Option<i64> = None;
    for recording in recordings {
        let start = recording.start.0;
        let (kind, end) = match recording.end {
            RecordingEnd::At(end) => (Kind::Recorded, end.0),
            RecordingEnd::Ongoing => (Kind::Ongoing, now.0.max(start + 1)),
        };
        if let Some(covered) = covered.filter(|covered| *covered < start) {
            bars.push(Bar { kind: Kind::Gap, start: covered, end: start });
        }
        bars.push(Bar { kind, start, end });
        covered = Some(covered.map_or(end, |covered| covered.max(end)));
    }
    bars
}

/// How much time a row shows, and where its ticks stand.
struct Scale {
    row: i64,
    tick: i64,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// More rows than this nobody reads.
const MOST_ROWS: i64 = 70;
/// However long the catalogue is: the newest rows are shown, and the page says so.
const ROWS_SHOWN: i64 = 400;

impl Scale {
    fn of(length: i64) -> Self {
        let scales = [Self { row: DAY, tick: 3 * HOUR }, Self { row: 30 * DAY, tick: 5 * DAY }];
        let year = Self { row: 360 * DAY, tick: 30 * DAY };
        scales.into_iter().find(|scale| length / scale.row <= MOST_ROWS).unwrap_or(year)
    }

    fn tick_label(&self, offset: i64) -> String {
        if self.row == DAY { format!("{:02}:00", offset / HOUR) } else { format!("+{} d", offset / DAY) }
    }
}

/// Geometry of the drawing in its own units.
const LEFT: i64 = 110;
const WIDTH: i64 = 960;
const TOP: i64 = 28;
const ROW: i64 = 20;

fn render(recordings: &[Recording], now: EpochSeconds) -> Markup {
    let bars = bars(recordings, now);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Recordings" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Recordings" }
                @if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
                    (summary(&bars, first.start, last.end))
                    (drawing(&bars))
                } @else {
                    p { "Nothing is recorded." }
                }
            }
        }
    }
}

fn summary(bars: &[Bar], first: i64, last: i64) -> Markup {
    let count = |kind| bars.iter().filter(|bar| bar.kind == kind).count();
    html! {
        p {
            (count(Kind::Recorded) + count(Kind::Ongoing)) " recordings and " (count(Kind::Gap)) " gaps from "
            (time(first)) " to " (time(last)) ". Times are UTC; point at a stretch to see its own."
        }
        p.legend {
            span.key.recorded {} " recorded " span.key.ongoing {} " still being written " span.key.gap {} " gap"
        }
    }
}

fn drawing(bars: &[Bar]) -> Markup {
    let first = bars.iter().map(|bar| bar.start).min().unwrap_or(0);
    let last = bars.iter().map(|bar| bar.end).max().unwrap_or(0);
    let scale = Scale::of(last - first);
    let newest = (last - 1).div_euclid(scale.row);
    let oldest = first.div_euclid(scale.row).max(newest - ROWS_SHOWN + 1);
    let height = TOP + (newest - oldest + 1) * ROW + 8;
    let view = format!("0 0 {} {height}", LEFT + WIDTH + 20);
    html! {
        svg viewBox=(view) role="img" aria-label="Recordings over time" xmlns="http://www.w3.org/2000/svg" {
            @for offset in (0..=scale.row).step_by(usize::try_from(scale.tick).unwrap_or(1)) {
                @let x = LEFT + offset * WIDTH / scale.row;
                line.tick x1=(x) x2=(x) y1=(TOP - 4) y2=(height - 8) {}
                text.label x=(x) y=(TOP - 10) text-anchor="middle" { (scale.tick_label(offset)) }
            }
            @for row in oldest..=newest {
                text.label x=(LEFT - 10) y=(TOP + (newest - row) * ROW + 14) text-anchor="end" { (date(row * scale.row)) }
            }
            @for bar in bars {
                g class=(class(bar.kind)) {
                    title { (describe(*bar)) }
                    @for row in bar.start.div_euclid(scale.row).max(oldest)..=(bar.end - 1).div_euclid(scale.row) {
                        (stretch(*bar, row * scale.row, TOP + (newest - row) * ROW, &scale))
                    }
                }
            }
        }
        @if oldest > first.div_euclid(scale.row) {
            p { "Only the newest " (ROWS_SHOWN) " rows are shown." }
        }
    }
}

/// The part of a bar that lies in the row that begins at `from`.
fn stretch(bar: Bar, from: i64, y: i64, scale: &Scale) -> Markup {
    // Tenths of a unit: a recording of minutes still has a width in a row of a month.
    let place = |at: i64| (at - from).clamp(0, scale.row) * WIDTH * 10 / scale.row;
    let (begin, end) = (place(bar.start), place(bar.end));
    let decimal = |tenths: i64| format!("{}.{}", tenths / 10, tenths % 10);
    let width = (end - begin - 5).max(3);
    html! { rect x=(decimal(LEFT * 10 + begin)) y=(y) width=(decimal(width)) height=(ROW - 4) {} }
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Recorded => "recorded",
        Kind::Ongoing => "ongoing",
        Kind::Gap => "gap",
    }
}

fn describe(bar: Bar) -> String {
    let length = SignedDuration::from_secs(bar.end - bar.start);
    let what = match bar.kind {
        Kind::Recorded => "recorded",
        Kind::Ongoing => "recorded, still being written",
        Kind::Gap => "gap",
    };
    format!("{what}: {} to {}, {length:#}", time(bar.start), time(bar.end))
}

fn zoned(seconds: i64) -> Option<jiff::Zoned> {
    Timestamp::from_second(seconds).ok().map(|time| time.to_zoned(TimeZone::UTC))
}

/// A time for people; beyond the calendar's end its number of seconds.
fn time(seconds: i64) -> String {
    zoned(seconds).map_or_else(|| seconds.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn date(seconds: i64) -> String {
    zoned(seconds).map_or_else(|| seconds.to_string(), |time| time.strftime("%a %Y-%m-%d").to_string())
}

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2733; --faint: #c9d1da; --paper: #fff; --recorded: #2f7ed8; --ongoing: #22a06b; --gap: #d9480f; }
@media (prefers-color-scheme: dark) { :root { --ink: #dde4ec; --faint: #3a4551; --paper: #12181f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 1120px; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
svg { width: 100%; height: auto; }
.label { font: 11px system-ui, sans-serif; fill: var(--ink); }
.tick { stroke: var(--faint); stroke-width: 1; }
.recorded { fill: var(--recorded); background: var(--recorded); }
.ongoing { fill: var(--ongoing); background: var(--ongoing); }
.gap { fill: var(--gap); fill-opacity: .35; background: var(--gap); }
svg g:hover { opacity: .6; }
.key { display: inline-block; width: 1.2em; height: .8em; margin-left: 1em; border-radius: 2px; }
";

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(start: i64, end: i64) -> Recording {
        Recording { start: EpochSeconds(start), end: RecordingEnd::At(EpochSeconds(end)) }
    }

    fn page_of(recordings: &[Recording], now: i64) -> String {
        render(recordings, EpochSeconds(now)).into_string()
    }

    #[test]
    fn what_lies_between_recordings_is_a_gap_and_overlapping_ones_leave_none() {
        let found = bars(
            &[recording(0, 100), recording(50, 70), recording(100, 200), recording(300, 400)],
            EpochSeconds(0),
        );
        let gaps: Vec<_> = found.iter().filter(|bar| bar.kind == Kind::Gap).collect();
        assert_eq!(gaps, [&Bar { kind: Kind::Gap, start: 200, end: 300 }]);
        assert_eq!(found.len(), 5);
    }

    #[test]
    fn pointing_at_a_stretch_shows_its_start_end_and_length() {
        let page =
            page_of(&[recording(1_764_946_703, 1_764_953_903), recording(1_764_957_503, 1_764_957_563)], 0);
        assert!(page.contains("recorded: 2025-12-05 14:58:23 to 2025-12-05 16:58:23, 2h"), "{page}");
        assert!(page.contains("gap: 2025-12-05 16:58:23 to 2025-12-05 17:58:23, 1h"), "{page}");
        assert!(page.contains("2 recordings and 1 gaps"), "{page}");
    }

    #[test]
    fn a_recording_over_midnight_stands_in_both_rows() {
        let page = page_of(&[recording(DAY - 60, DAY + 60)], 0);
        assert_eq!(page.matches("<rect").count(), 2);
        assert!(page.contains("Thu 1970-01-01") && page.contains("Fri 1970-01-02"));
    }

    #[test]
    fn an_ongoing_recording_reaches_to_now() {
        let ongoing = Recording { start: EpochSeconds(1000), end: RecordingEnd::Ongoing };
        let page = page_of(&[ongoing], 4600);
        assert!(
            page.contains("still being written: 1970-01-01 00:16:40 to 1970-01-01 01:16:40, 1h"),
            "{page}"
        );
    }

    #[test]
    fn nothing_recorded_is_said_and_nothing_is_loaded_from_elsewhere() {
        let page = page_of(&[], 0);
        assert!(page.contains("<html") && page.contains("Nothing is recorded."));
        let page = page_of(&[recording(0, 10)], 0);
        let links = page.matches("http").count();
        assert_eq!(
            links,
            page.matches("http://www.w3.org/2000/svg").count(),
            "only the name of the drawing's dialect"
        );
        assert!(!page.contains("<script"));
    }

    #[test]
    fn a_catalogue_of_ages_is_still_a_page() {
        let page = page_of(&[recording(0, 10), recording(1 << 52, (1 << 52) + 10)], 0);
        assert!(page.matches("<text").count() < 500 && page.len() < 1 << 20);
    }
}
