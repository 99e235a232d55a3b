//! Recordings: what the recorder has written, and which of it a window touches.

use std::num::NonZeroU32;

use super::time::{EpochSeconds, TimeRange};

/// Where a recording ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordingEnd {
    /// Finished, or its newest part is written up to here.
    At(EpochSeconds),
    /// Still being written; listed with the end `-1`. Only a world file can contain one.
    Ongoing,
}

/// One recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Recording {
    /// Its first second.
    pub start: EpochSeconds,
    /// Its end.
    pub end: RecordingEnd,
}

impl Recording {
    /// Whether it shares any time with the window.
    #[must_use]
    pub fn overlaps(self, window: TimeRange) -> bool {
        self.start < window.end()
            && match self.end {
                RecordingEnd::At(end) => end > window.start(),
                RecordingEnd::Ongoing => true,
            }
    }
}

/// Back-to-back recordings of one length that a running recorder keeps adding to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Where the first one begins; the others follow in steps of `length_s`.
    pub from: EpochSeconds,
    /// Nothing is recorded before this.
    pub not_before: EpochSeconds,
    /// Length of each, seconds.
    pub length_s: NonZeroU32,
}

/// All recordings, as a rule rather than a list: the newest one grows with the clock.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Catalog {
    spans: Vec<Recording>,
    series: Option<Series>,
    gaps: Vec<TimeRange>,
    stopped_since: Option<EpochSeconds>,
}

impl Catalog {
    /// A catalogue of fixed recordings and, where given, a series that goes on; gaps cut into the series alone.
    #[must_use]
    pub fn new(spans: Vec<Recording>, series: Option<Series>, gaps: Vec<TimeRange>) -> Self {
        Self { spans, series, gaps: merged(gaps), stopped_since: None }
    }

    /// The recorder stops: the newest recording ends here for good.
    pub fn stop_recording(&mut self, at: EpochSeconds) {
        self.stopped_since.get_or_insert(at);
    }

    /// The recorder runs again; the time in between stays unrecorded.
    pub fn resume_recording(&mut self, at: EpochSeconds) {
        if let Some(gap) = self.stopped_since.take().and_then(|since| TimeRange::new(since, at)) {
            self.gaps.push(gap);
            self.gaps = merged(std::mem::take(&mut self.gaps));
        }
    }

    /// Every recording that overlaps the window, sorted by start, bounds not clipped to the window.
    #[must_use]
    pub fn overlapping(&self, window: TimeRange, now: EpochSeconds) -> Vec<Recording> {
        let mut found: Vec<_> = self.all_overlapping(window, now).collect();
        found.sort_by_key(|recording| (recording.start, matches!(recording.end, RecordingEnd::Ongoing)));
        found
    }

    /// Whether there is any; looks no further than the first.
    #[must_use]
    pub fn any_overlapping(&self, window: TimeRange, now: EpochSeconds) -> bool {
        self.all_overlapping(window, now).next().is_some()
    }

    fn all_overlapping(&self, window: TimeRange, now: EpochSeconds) -> impl Iterator<Item = Recording> {
        let spans = self.spans.iter().copied();
        let series = self.series.into_iter().flat_map(move |series| self.of_series(series, window, now));
        spans.chain(series).filter(move |recording| recording.overlaps(window))
    }

    /// The recordings of the series around a window; only those are looked at, for a scaled clock makes it long.
    fn of_series(
        &self,
        series: Series,
        window: TimeRange,
        now: EpochSeconds,
    ) -> impl Iterator<Item = Recording> {
        let written_to = self.stopped_since.map_or(now, |stopped| stopped.min(now));
        let length = i64::from(series.length_s.get());
        let first = (window.start().0.max(series.not_before.0) - series.from.0).div_euclid(length).max(0);
        let last = (window.end().0.min(written_to.0) - series.from.0).div_euclid(length);
        (first..=last).flat_map(move |number| {
            let start = series.from.plus(number * length);
            let end = start.plus(length).min(written_to);
            let whole = TimeRange::new(start.max(series.not_before), end);
            whole
                .into_iter()
                .flat_map(|whole| self.without_gaps(whole))
                .map(|piece| Recording { start: piece.start(), end: RecordingEnd::At(piece.end()) })
        })
    }

    /// What the gaps leave of a range.
    fn without_gaps(&self, whole: TimeRange) -> Vec<TimeRange> {
        let mut pieces = Vec::with_capacity(1);
        let mut from = whole.start();
        let first = self.gaps.partition_point(|gap| gap.end() <= whole.start());
        for gap in self.gaps[first..].iter().take_while(|gap| gap.start() < whole.end()) {
            pieces.extend(TimeRange::new(from, gap.start()));
            from = gap.end();
        }
        pieces.extend(TimeRange::new(from, whole.end()));
        pieces
    }
}

/// Gaps in order of time, those that touch or overlap made one.
fn merged(mut gaps: Vec<TimeRange>) -> Vec<TimeRange> {
    gaps.sort_by_key(|gap| gap.start());
    let mut merged: Vec<TimeRange> = Vec::with_capacity(gaps.len());
    for gap in gaps {
        match merged.last_mut().filter(|last| gap.start() <= last.end()) {
            Some(last) => {
                let end = last.end().max(gap.end());
                *last = TimeRange::new(last.start(), end).unwrap_or(*last);
            }
            None => merged.push(gap),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    fn seconds(value: i64) -> EpochSeconds {
        EpochSeconds(value)
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(seconds(start), seconds(end)).expect("a range of the test")
    }

    fn hourly(gaps: Vec<TimeRange>) -> Catalog {
        let length_s = NonZeroU32::new(3600).expect("not zero");
        let series = Series { from: seconds(0), not_before: seconds(0), length_s };
        Catalog::new(Vec::new(), Some(series), gaps)
    }

    fn pairs(catalog: &Catalog, window: TimeRange, now: i64) -> Vec<(i64, i64)> {
        let pair = |recording: Recording| match recording.end {
            RecordingEnd::At(end) => (recording.start.0, end.0),
            RecordingEnd::Ongoing => (recording.start.0, -1),
        };
        catalog.overlapping(window, seconds(now)).into_iter().map(pair).collect()
    }

    #[test]
    fn the_newest_recording_ends_now_and_is_never_empty() {
        let catalog = hourly(vec![]);
        let all = range(0, 1_000_000);
        assert_eq!(
            pairs(&catalog, all, 2 * HOUR + 5),
            [(0, HOUR), (HOUR, 2 * HOUR), (2 * HOUR, 2 * HOUR + 5)]
        );
        assert_eq!(pairs(&catalog, all, 2 * HOUR), [(0, HOUR), (HOUR, 2 * HOUR)]);
    }

    #[test]
    fn a_gap_shortens_what_it_cuts_into_and_leaves_nothing_of_its_own() {
        let catalog = hourly(vec![range(HOUR + 600, 3 * HOUR + 1800)]);
        let all = range(0, 1_000_000);
        assert_eq!(
            pairs(&catalog, all, 4 * HOUR),
            [(0, HOUR), (HOUR, HOUR + 600), (3 * HOUR + 1800, 4 * HOUR)]
        );
        assert_eq!(pairs(&catalog, range(HOUR + 600, 3 * HOUR + 1800), 4 * HOUR), []);
        let inside = hourly(vec![range(600, 1200)]);
        assert_eq!(pairs(&inside, all, HOUR), [(0, 600), (1200, HOUR)]);
    }

    #[test]
    fn gaps_that_overlap_are_one_gap() {
        let catalog = hourly(vec![range(2000, 2600), range(600, 1200), range(1000, 1500), range(1500, 1600)]);
        assert_eq!(pairs(&catalog, range(0, 9 * HOUR), HOUR), [(0, 600), (1600, 2000), (2600, HOUR)]);
        assert!(!catalog.any_overlapping(range(700, 1600), seconds(HOUR)));
        assert!(catalog.any_overlapping(range(700, 1601), seconds(HOUR)));
    }

    #[test]
    fn a_window_touches_a_recording_only_if_they_share_a_second() {
        let catalog = hourly(vec![]);
        assert_eq!(pairs(&catalog, range(HOUR, HOUR + 1), 3 * HOUR), [(HOUR, 2 * HOUR)]);
        assert_eq!(pairs(&catalog, range(HOUR - 1, HOUR), 3 * HOUR), [(0, HOUR)]);
        assert_eq!(
            pairs(&catalog, range(3 * HOUR, 4 * HOUR), 3 * HOUR),
            [],
            "nothing is recorded of the future"
        );
    }

    #[test]
    fn nothing_is_recorded_before_the_earliest_time() {
        let length_s = NonZeroU32::new(3600).expect("not zero");
        let series = Series { from: seconds(0), not_before: seconds(HOUR + 60), length_s };
        let catalog = Catalog::new(Vec::new(), Some(series), vec![]);
        assert_eq!(pairs(&catalog, range(0, 9 * HOUR), 2 * HOUR), [(HOUR + 60, 2 * HOUR)]);
    }

    #[test]
    fn a_stopped_recorder_leaves_the_newest_end_where_it_was_and_a_gap_when_it_resumes() {
        let mut catalog = hourly(vec![]);
        catalog.stop_recording(seconds(HOUR + 100));
        let all = range(0, 1_000_000);
        assert_eq!(pairs(&catalog, all, 5 * HOUR), [(0, HOUR), (HOUR, HOUR + 100)]);
        catalog.resume_recording(seconds(HOUR + 400));
        assert_eq!(pairs(&catalog, all, 2 * HOUR), [(0, HOUR), (HOUR, HOUR + 100), (HOUR + 400, 2 * HOUR)]);
    }

    #[test]
    fn an_ongoing_recording_overlaps_everything_after_its_start() {
        let ongoing = Recording { start: seconds(100), end: RecordingEnd::Ongoing };
        let catalog = Catalog::new(vec![ongoing], None, vec![]);
        assert_eq!(pairs(&catalog, range(5000, 6000), 200), [(100, -1)]);
        assert_eq!(pairs(&catalog, range(50, 100), 200), []);
    }
}
