//! Requests with known defects: one kind for every check and every way to fail it.

use std::fmt;

use proptest::prelude::{Strategy, any};
use proptest::{collection, prop_oneof, sample};
use serde_json::{Value, json};

use super::{Bounds, Configure, valid};

/// A way to spoil a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Check 1.
    NoObject,
    /// Checks 2, 4, 12, 14, 16 and 18: a field is not there.
    Absent(&'static str),
    /// Checks 5, 12, 14, 16, 18 and 23: a number is something else.
    NoInteger(&'static str),
    /// Checks 5, 12 and 18: an object is something else.
    NoDict(&'static str),
    /// Check 3.
    UnknownView,
    /// Check 6.
    ChannelBelowOne,
    /// Check 7.
    ChannelsReversed,
    /// Check 8.
    ChannelBelowLowest,
    /// Check 9.
    ChannelAboveHighest,
    /// Check 10.
    TooManyChannels,
    /// Check 11.
    SeveralInSingleChannel,
    /// Checks 13 and 15: zero or less.
    NotPositive(&'static str),
    /// Checks 14, 16 and 18: a waterfall with something it must not have.
    InWaterfall(&'static str),
    /// Check 17.
    UnsupportedNfft,
    /// Check 19.
    NegativeFrequency,
    /// Check 20.
    FrequenciesReversed,
    /// Check 21.
    AboveNyquist,
    /// Check 22: only this one is given.
    OnlyTime(&'static str),
    /// Check 24.
    NegativeTime(&'static str),
    /// Check 25.
    WindowReversed,
    /// Check 26.
    WindowInFuture,
}

/// Every way.
const KINDS: [Kind; 46] = {
    use Kind::{Absent, InWaterfall, NegativeTime, NoDict, NoInteger, NotPositive, OnlyTime};
    [
        Kind::NoObject,
        Absent("view_type"),
        Kind::UnknownView,
        Absent("channels"),
        Absent("channels.min"),
        Absent("channels.max"),
        NoDict("channels"),
        NoInteger("channels.min"),
        NoInteger("channels.max"),
        Kind::ChannelBelowOne,
        Kind::ChannelsReversed,
        Kind::ChannelBelowLowest,
        Kind::ChannelAboveHighest,
        Kind::TooManyChannels,
        Kind::SeveralInSingleChannel,
        Absent("displayInfo"),
        Absent("displayInfo.height"),
        NoDict("displayInfo"),
        NoInteger("displayInfo.height"),
        NotPositive("displayInfo.height"),
        Absent("displayTimeAxisDuration"),
        NoInteger("displayTimeAxisDuration"),
        InWaterfall("displayTimeAxisDuration"),
        NotPositive("displayTimeAxisDuration"),
        Absent("nfftSelection"),
        NoInteger("nfftSelection"),
        InWaterfall("nfftSelection"),
        Kind::UnsupportedNfft,
        Absent("frequencyRange"),
        NoDict("frequencyRange"),
        Absent("frequencyRange.min"),
        Absent("frequencyRange.max"),
        NoInteger("frequencyRange.min"),
        NoInteger("frequencyRange.max"),
        InWaterfall("frequencyRange"),
        Kind::NegativeFrequency,
        Kind::FrequenciesReversed,
        Kind::AboveNyquist,
        OnlyTime("start_time"),
        OnlyTime("end_time"),
        NoInteger("start_time"),
        NoInteger("end_time"),
        NegativeTime("start_time"),
        NegativeTime("end_time"),
        Kind::WindowReversed,
        Kind::WindowInFuture,
    ]
};

/// No integers, each in its own way: a numeric string, a fraction, the first float beyond 2^53.
fn no_integer(pick: u8) -> Value {
    let wrong = [
        json!("10"),
        json!(1.5),
        json!(true),
        json!([1]),
        json!({}),
        json!(9_007_199_254_740_994_i64),
        json!(-9_007_199_254_740_994_i64),
        json!(1e300),
        json!("abc"),
    ];
    wrong[usize::from(pick) % wrong.len()].clone()
}

fn no_dict(pick: u8) -> Value {
    let wrong = [json!(5), json!("min"), json!(false), json!([1, 2]), json!([])];
    wrong[usize::from(pick) % wrong.len()].clone()
}

fn unknown_view(pick: u8) -> Value {
    let wrong = [
        json!(3),
        json!(-1),
        json!(99),
        json!("3"),
        json!("02"),
        json!("1 "),
        json!(""),
        json!("MULTICHANNEL"),
        json!(0.5),
        json!(true),
        json!([0]),
        json!({}),
    ];
    wrong[usize::from(pick) % wrong.len()].clone()
}

fn unsupported_nfft(pick: u8) -> Value {
    let wrong = [0, -1, 1, 2, 64, 100, 127, 129, 300, 500, 1000, 3000, 65_537, 100_000, 131_072, 1_i64 << 52];
    wrong[usize::from(pick) % wrong.len()].into()
}

fn no_object(pick: u8) -> Value {
    let wrong =
        [json!([]), json!([{"view_type": 0}]), json!("view_type"), json!(0), json!(null), json!(true)];
    wrong[usize::from(pick) % wrong.len()].clone()
}

impl Kind {
    /// All that can be made on a server within these bounds.
    #[must_use]
    pub fn all(bounds: &Bounds) -> Vec<Self> {
        let possible = |kind: &Self| match kind {
            Self::ChannelBelowLowest => bounds.lowest > 1,
            Self::TooManyChannels => bounds.highest - bounds.lowest >= bounds.most_channels,
            _ => true,
        };
        KINDS.into_iter().filter(possible).collect()
    }

    /// The view in which this is one defect, if not in the one drawn.
    fn view(self, drawn: u8) -> u8 {
        match self {
            Self::InWaterfall(_) => 2,
            Self::SeveralInSingleChannel => 1,
            Self::TooManyChannels if drawn == 1 => 0,
            kind if drawn == 2 && kind.is_of_spectrograms() => 0,
            _ => drawn,
        }
    }

    fn is_of_spectrograms(self) -> bool {
        match self {
            Self::UnsupportedNfft
            | Self::NegativeFrequency
            | Self::FrequenciesReversed
            | Self::AboveNyquist => true,
            Self::Absent(loc) | Self::NoInteger(loc) | Self::NoDict(loc) | Self::NotPositive(loc) => {
                ["displayTimeAxisDuration", "nfftSelection", "frequencyRange"]
                    .iter()
                    .any(|field| loc.starts_with(field))
            }
            _ => false,
        }
    }

    /// The check that a request with this defect alone does not pass.
    #[must_use]
    pub fn row(self) -> u8 {
        match self {
            Self::NoObject => 1,
            Self::UnknownView => 3,
            Self::ChannelBelowOne => 6,
            Self::ChannelsReversed => 7,
            Self::ChannelBelowLowest => 8,
            Self::ChannelAboveHighest => 9,
            Self::TooManyChannels => 10,
            Self::SeveralInSingleChannel => 11,
            Self::UnsupportedNfft => 17,
            Self::NegativeFrequency => 19,
            Self::FrequenciesReversed => 20,
            Self::AboveNyquist => 21,
            Self::OnlyTime(_) => 22,
            Self::NegativeTime(_) => 24,
            Self::WindowReversed => 25,
            Self::WindowInFuture => 26,
            Self::NotPositive(loc) => 1 + Self::Absent(loc).row(),
            Self::NoDict("channels") | Self::NoInteger("channels.min" | "channels.max") => 5,
            Self::NoInteger("start_time" | "end_time") => 23,
            Self::Absent(loc) | Self::NoDict(loc) | Self::NoInteger(loc) | Self::InWaterfall(loc) => {
                match loc.split('.').next() {
                    Some("view_type") => 2,
                    Some("channels") => 4,
                    Some("displayInfo") => 12,
                    Some("displayTimeAxisDuration") => 14,
                    Some("nfftSelection") => 16,
                    _ => 18,
                }
            }
        }
    }

    /// Spoils a request in this way; `pick` chooses among the many values that do it.
    pub fn spoil(self, body: &mut Value, pick: u8, bounds: &Bounds) {
        let some = i64::from(pick);
        let (lowest, highest) = (i64::from(bounds.lowest), i64::from(bounds.highest));
        let single = body["view_type"] == json!(1);
        match self {
            Self::NoObject => *body = no_object(pick),
            Self::Absent(loc) if pick.is_multiple_of(2) => set(body, loc, Value::Null),
            Self::Absent(loc) => remove(body, loc),
            // Times come in pairs, or they would be a defect of another sort.
            Self::NoInteger(loc @ ("start_time" | "end_time")) => {
                times(body, bounds);
                set(body, loc, no_integer(pick));
            }
            Self::NoInteger(loc) => set(body, loc, no_integer(pick)),
            Self::NoDict(loc) => set(body, loc, no_dict(pick)),
            Self::UnknownView => set(body, "view_type", unknown_view(pick)),
            Self::ChannelBelowOne => channels(body, -some % 7, if single { -some % 7 } else { lowest + 5 }),
            Self::ChannelsReversed => channels(body, lowest + 1 + some, lowest),
            Self::ChannelBelowLowest => channels(body, lowest - 1, if single { lowest - 1 } else { lowest }),
            Self::ChannelAboveHighest => {
                let beyond = highest + 1 + some * some;
                channels(body, if single { beyond } else { (beyond - 10).max(lowest) }, beyond);
            }
            Self::TooManyChannels => {
                let most = i64::from(bounds.most_channels);
                channels(body, lowest, (lowest + most + some).min(highest));
            }
            Self::SeveralInSingleChannel => channels(body, lowest + some, lowest + some + 1 + some % 5),
            Self::NotPositive(loc) => set(body, loc, (-some).into()),
            Self::InWaterfall(loc @ "frequencyRange") => {
                let wrong =
                    if pick.is_multiple_of(2) { json!({"min": 0, "max": 500}) } else { no_dict(pick) };
                set(body, loc, wrong);
            }
            Self::InWaterfall(loc) => {
                let lengths = [0, 2, 4, 128, 256, 512, 1024, 2048, 65_536, -1];
                let length = lengths[usize::from(pick / 2) % lengths.len()];
                set(body, loc, if pick.is_multiple_of(2) { length.into() } else { no_integer(pick) });
            }
            Self::UnsupportedNfft => set(body, "nfftSelection", unsupported_nfft(pick)),
            Self::NegativeFrequency => frequencies(body, -1 - some, i64::from(bounds.nyquist())),
            Self::FrequenciesReversed => frequencies(body, 7 + some, 7 + some / 2),
            Self::AboveNyquist => frequencies(body, 0, i64::from(bounds.nyquist()) + 1 + some * some),
            Self::OnlyTime(loc) => {
                times(body, bounds);
                let absent = if loc == "start_time" { "end_time" } else { "start_time" };
                Self::Absent(absent).spoil(body, pick, bounds);
            }
            Self::NegativeTime("end_time") => window(body, -2 - some, -1 - some),
            Self::NegativeTime(_) => {
                times(body, bounds);
                set(body, "start_time", (-1 - some).into());
            }
            Self::WindowReversed => window(body, bounds.now - 3600 + some, bounds.now - 3600),
            // Far enough beyond the tolerance for clocks that differ a little.
            Self::WindowInFuture => {
                times(body, bounds);
                set(body, "end_time", (bounds.now + 300 + some * some).into());
            }
        }
    }
}

fn set(body: &mut Value, loc: &str, value: Value) {
    let (object, field) = match loc.split_once('.') {
        Some((object, field)) => (body.get_mut(object), field),
        None => (Some(body), loc),
    };
    // Where another defect took the object away, there is nothing left to spoil.
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.insert(field.to_owned(), value);
    }
}

fn remove(body: &mut Value, loc: &str) {
    let (object, field) = match loc.split_once('.') {
        Some((object, field)) => (body.get_mut(object), field),
        None => (Some(body), loc),
    };
    if let Some(object) = object.and_then(Value::as_object_mut) {
        object.shift_remove(field);
    }
}

fn channels(body: &mut Value, min: i64, max: i64) {
    set(body, "channels", json!({"min": min, "max": max}));
}

fn frequencies(body: &mut Value, min: i64, max: i64) {
    set(body, "frequencyRange", json!({"min": min, "max": max}));
}

fn window(body: &mut Value, start: i64, end: i64) {
    set(body, "start_time", start.into());
    set(body, "end_time", end.into());
}

/// A window for requests that have none; what another defect left of one stays.
fn times(body: &mut Value, bounds: &Bounds) {
    for (loc, time) in [("start_time", bounds.now - 7200), ("end_time", bounds.now - 3600)] {
        if body[loc].is_null() {
            set(body, loc, time.into());
        }
    }
}

/// A request with defects.
#[derive(Clone)]
pub struct Spoilt {
    /// The request as it was.
    pub from: Configure,
    /// What was done to it.
    pub kinds: Vec<Kind>,
    /// The request as it is.
    pub body: Value,
}

impl fmt::Debug for Spoilt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (with {:?})", self.text(), self.kinds)
    }
}

impl Spoilt {
    fn new(from: Configure, kinds: &[(Kind, u8)], bounds: &Bounds) -> Self {
        let mut body = from.body();
        for (kind, pick) in kinds {
            kind.spoil(&mut body, *pick, bounds);
        }
        Self { from, kinds: kinds.iter().map(|(kind, _)| *kind).collect(), body }
    }

    /// The request as it is sent.
    #[must_use]
    pub fn text(&self) -> String {
        self.from.form.write(&self.body)
    }
}

/// Requests with one defect.
pub fn one_defect(bounds: &Bounds) -> impl Strategy<Value = Spoilt, Tree: Send> + Send + Sync + use<> {
    let bounds = bounds.clone();
    let kind = sample::select(Kind::all(&bounds));
    (valid(&bounds), kind, any::<u8>()).prop_map(move |(from, kind, pick)| {
        let view = kind.view(from.request.view);
        Spoilt::new(from.seen_as(view), &[(kind, pick)], &bounds)
    })
}

/// Requests with several, some of which may take others away.
pub fn some_defects(bounds: &Bounds) -> impl Strategy<Value = Spoilt, Tree: Send> + Send + Sync + use<> {
    let bounds = bounds.clone();
    let kinds: Vec<_> = Kind::all(&bounds).into_iter().filter(|kind| *kind != Kind::NoObject).collect();
    // Neighbours in the list concern the same fields: their mistakes meet more often than chance has it.
    let place = prop_oneof![2 => 0..8_usize, 1 => 0..kinds.len()];
    let places = collection::vec((place, any::<u8>()), 2..=6);
    (valid(&bounds), 0..kinds.len(), places).prop_map(move |(from, first, places)| {
        let kind = |place: usize| kinds[(first + place) % kinds.len()];
        let kinds: Vec<_> = places.into_iter().map(|(place, pick)| (kind(place), pick)).collect();
        Spoilt::new(from, &kinds, &bounds)
    })
}

#[cfg(test)]
mod tests {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::requests::checks;

    fn bounds(lowest: u32) -> Bounds {
        Bounds {
            lowest,
            highest: 2400,
            prr: 2000,
            most_channels: 2222,
            largest_nfft: 65_536,
            now: 1_790_000_000,
            tolerance: 60,
            recordings: vec![(1_789_990_000, 1_789_993_600), (1_789_993_600, 1_790_000_000)],
        }
    }

    #[test]
    fn what_is_valid_passes_every_check() {
        for lowest in [1, 30] {
            let bounds = bounds(lowest);
            let mut runner = TestRunner::deterministic();
            for _ in 0..300 {
                let drawn = valid(&bounds).new_tree(&mut runner).expect("no filters").current();
                let sent: Value = serde_json::from_str(&drawn.form.write(&drawn.body())).expect("JSON");
                assert_eq!(checks::found(&sent, &bounds), [], "{drawn:?}");
            }
        }
    }

    /// Each kind fails its own check and no other, in every view and with every value.
    #[test]
    fn a_kind_is_one_defect() {
        for lowest in [1, 30] {
            let bounds = bounds(lowest);
            let mut runner = TestRunner::deterministic();
            let valid = valid(&bounds);
            for kind in Kind::all(&bounds) {
                for pick in 0..=40 {
                    let drawn = valid.new_tree(&mut runner).expect("no filters").current();
                    let view = kind.view(drawn.request.view);
                    let spoilt = Spoilt::new(drawn.seen_as(view), &[(kind, pick)], &bounds);
                    let sent: Value = serde_json::from_str(&spoilt.text()).expect("JSON");
                    let mut rows: Vec<_> =
                        checks::found(&sent, &bounds).iter().map(|found| found.row).collect();
                    // A window that ends before 1970 begins before it, too: one check, twice.
                    rows.dedup();
                    assert_eq!(rows, [kind.row()], "{spoilt:?}");
                }
            }
        }
    }

    #[test]
    fn there_is_a_kind_for_every_check() {
        let rows: std::collections::BTreeSet<_> = Kind::all(&bounds(30)).into_iter().map(Kind::row).collect();
        assert_eq!(rows, (1..=26).collect());
    }
}
