//! What the journal keeps of a request: one text for everything that is a text, on paper that it shares with others, so
//! that most records cost no allocation.

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use crate::domain::ids::JobId;
use crate::domain::time::Moment;

use super::faults::AnyRoute;
use super::journal::{Entry, JournalLimits, Reason};

/// What stands for the value of a header that must not be kept.
pub const REDACTED: &str = "<redacted>";

/// A request with its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRecord {
    /// Id, method, path, caller, headers, refusal and body, one behind the other.
    texts: Bytes,
    /// Where each of them ends.
    ends: [u32; TEXTS],
    /// The route it was for.
    pub route: AnyRoute,
    /// Bytes of its body that were read.
    pub body_bytes: u64,
    /// When it came.
    pub came: Moment,
    /// The status of its answer; nothing where it went without one.
    pub status: Option<u16>,
    /// The code of its error body.
    pub code: Option<&'static str>,
    /// The job that it made or named.
    pub job: Option<JobId>,
    /// What made a difference.
    pub why: Vec<Reason>,
}

const TEXTS: usize = 7;

/// The texts of a request.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// The id that its answer has.
    pub id: &'a str,
    /// Its method.
    pub method: &'a str,
    /// Its path with query, as it was sent.
    pub path: &'a str,
    /// The client's address and port.
    pub caller: &'a str,
    /// What it was refused for, in the words of the answer; empty where it was not.
    pub refusal: &'a str,
}

/// The answer, and what else is known of a request by then.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The route it was for.
    pub route: AnyRoute,
    /// Its body, as far as it was read.
    pub body: Bytes,
    /// When it came.
    pub came: Moment,
    /// The status of its answer; nothing where it went without one.
    pub status: Option<u16>,
    /// The code of its error body.
    pub code: Option<&'static str>,
    /// The job that it made or named.
    pub job: Option<JobId>,
    /// What made a difference.
    pub why: Vec<Reason>,
}

impl RequestRecord {
    /// A record that is no larger than an entry may be: long texts and bodies are cut, headers that must not be kept
    /// are named without their values.
    pub fn new<'a, H>(
        texts: Texts<'_>,
        headers: impl Fn() -> H,
        answered: Answered,
        limits: &JournalLimits,
        paper: &mut Paper,
    ) -> Self
    where
        H: Iterator<Item = (&'a str, &'a [u8])>,
    {
        let why = answered.why.len() * WHY;
        let room = limits.entry_bytes.saturating_sub(size_of::<Entry>() + why);
        // At least what a value is replaced by, so that this is a little too much rather than too little.
        let line = |(name, value): (&str, &[u8])| name.len() + value.len().max(REDACTED.len()) + 3;
        let wanted = headers().map(line).sum::<usize>().min(room / 4);
        let others = texts.id.len() + texts.method.len() + texts.caller.len() + texts.refusal.len();
        let capacity = (others + texts.path.len() + wanted + answered.body.len()).min(room);
        let mut packed = Packed { text: paper.sheet(capacity), ends: [0; TEXTS], full: 0 };
        packed.push(texts.id, room / 8);
        packed.push(texts.method, room / 8);
        packed.push(texts.path, room / 4);
        packed.push(texts.caller, room / 8);
        let end = packed.text.len() + room / 4;
        for (name, value) in headers() {
            let redacted = limits.redacted.iter().any(|redacted| redacted == name);
            packed.header(name, if redacted { REDACTED.as_bytes() } else { value }, end);
        }
        packed.end();
        packed.push(texts.refusal, room / 8);
        // A copy: a part of a buffer keeps all of it in memory, which the journal would not count.
        packed.body(&answered.body, room.saturating_sub(packed.text.len()));
        let body_bytes = answered.body.len() as u64;
        let Answered { route, came, status, code, job, why, .. } = answered;
        let (texts, ends) = (packed.text.split().freeze(), packed.ends);
        Self { texts, ends, route, body_bytes, came, status, code, job, why }
    }

    /// The id that its answer has.
    #[must_use]
    pub fn id(&self) -> &str {
        self.text(0)
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text(1)
    }

    /// Its path with query, as it was sent.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text(2)
    }

    /// The client's address and port.
    #[must_use]
    pub fn caller(&self) -> &str {
        self.text(3)
    }

    /// Its headers, a line of `name: value` for each; values that must not be kept are left out.
    #[must_use]
    pub fn headers(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes_of(4))
    }

    /// What it was refused for, in the words of the answer.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        Some(self.text(5)).filter(|text| !text.is_empty())
    }

    /// Its body, as far as it was read and fits.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes_of(6)
    }

    /// About how many bytes it takes beside itself.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.texts.len() + self.why.len() * WHY
    }

    /// Everything but headers and body went in as text.
    fn text(&self, number: usize) -> &str {
        std::str::from_utf8(self.bytes_of(number)).unwrap_or_default()
    }

    fn bytes_of(&self, number: usize) -> &[u8] {
        let begin = if number == 0 { 0 } else { self.ends[number - 1] as usize };
        &self.texts[begin..self.ends[number] as usize]
    }
}

/// A reason with what it holds elsewhere, about.
const WHY: usize = size_of::<Reason>() + 128;

/// Paper that records are written on, one behind the other. A sheet stays as long as any record on it is kept; the
/// oldest go first, so that is one sheet more than the records need.
#[derive(Debug, Default)]
pub struct Paper(BytesMut);

impl Paper {
    const SHEET: usize = 16 * 1024;

    /// Room for so many bytes.
    fn sheet(&mut self, bytes: usize) -> &mut BytesMut {
        if self.0.capacity() < bytes {
            // A new one, and not more of the old one, which would be copied.
            self.0 = BytesMut::with_capacity(bytes.max(Self::SHEET));
        }
        &mut self.0
    }
}

struct Packed<'a> {
    text: &'a mut BytesMut,
    ends: [u32; TEXTS],
    full: usize,
}

impl Packed<'_> {
    fn push(&mut self, text: &str, most: usize) {
        let end = if text.len() <= most { text.len() } else { text.floor_char_boundary(most) };
        self.text.extend_from_slice(&text.as_bytes()[..end]);
        self.end();
    }

    /// A line for a header, unless not even its name fits.
    fn header(&mut self, name: &str, value: &[u8], end: usize) {
        let Some(most) = end.checked_sub(self.text.len() + name.len() + 3) else { return };
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b": ");
        self.text.extend_from_slice(&value[..value.len().min(most)]);
        self.text.put_u8(b'\n');
    }

    fn body(&mut self, body: &[u8], most: usize) {
        self.text.extend_from_slice(&body[..body.len().min(most)]);
        self.end();
    }

    fn end(&mut self) {
        self.ends[self.full] = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        self.full += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS_OF_IT: Texts<'_> =
        Texts { id: "an-id", method: "POST", path: "/x?y=1", caller: "127.0.0.1:9", refusal: "no" };

    fn answered(body: &'static [u8]) -> Answered {
        let body = Bytes::from_static(body);
        let came = Moment::from_nanos(0);
        let route = AnyRoute::Rest(crate::sim::faults::Route::Configure);
        Answered { route, body, came, status: Some(503), code: None, job: None, why: Vec::new() }
    }

    fn record(entry_bytes: usize, headers: &[(&'static str, &'static [u8])]) -> RequestRecord {
        let limits = JournalLimits { entry_bytes, ..JournalLimits::default() };
        let long = Box::leak(vec![b'b'; 100_000].into_boxed_slice());
        RequestRecord::new(
            TEXTS_OF_IT,
            || headers.iter().copied(),
            answered(long),
            &limits,
            &mut Paper::default(),
        )
    }

    #[test]
    fn every_text_is_found_again_and_secret_values_are_not_kept() {
        let headers: [(&str, &[u8]); 3] =
            [("host", b"h"), ("authorization", b"Bearer abc"), ("x-odd", b"a\xffb")];
        let record = record(1_000_000, &headers);
        assert_eq!(
            (record.id(), record.method(), record.path(), record.caller(), record.refusal()),
            ("an-id", "POST", "/x?y=1", "127.0.0.1:9", Some("no"))
        );
        assert_eq!(record.headers(), "host: h\nauthorization: <redacted>\nx-odd: a\u{fffd}b\n");
        assert_eq!((record.body().len(), record.body_bytes), (100_000, 100_000));
    }

    #[test]
    fn records_share_paper_and_each_has_its_own_texts() {
        let (limits, mut paper) = (JournalLimits::default(), Paper::default());
        let mut record = |path: &str| {
            let texts = Texts { path, ..TEXTS_OF_IT };
            let headers: [(&str, &[u8]); 1] = [("host", b"h")];
            RequestRecord::new(texts, || headers.into_iter(), answered(b""), &limits, &mut paper)
        };
        let (first, second, long) = (record("/1"), record("/2"), record(&"/3".repeat(5_000)));
        let last = record(&"/4".repeat(5_000));
        assert_eq!((first.path(), second.path()), ("/1", "/2"));
        assert_eq!((first.refusal(), &*second.headers()), (Some("no"), "host: h\n"));
        assert_eq!((long.path(), last.path()), (&*"/3".repeat(5_000), &*"/4".repeat(5_000)));
        assert!(std::ptr::eq(first.texts.as_ptr_range().end, second.texts.as_ptr()), "on one sheet");
    }

    #[test]
    fn a_record_is_cut_to_what_an_entry_may_have() {
        let value = Box::leak(vec![b'v'; 50_000].into_boxed_slice());
        let headers: [(&str, &[u8]); 2] = [("x-long", value), ("x-next", b"1")];
        let kept = record(8192, &headers);
        let entry = 8192 - size_of::<Entry>();
        assert_eq!(kept.bytes(), entry);
        let room = entry;
        assert_eq!(kept.headers().len(), room / 4);
        assert_eq!(kept.body().len(), room - room / 4 - "an-idPOST/x?y=1127.0.0.1:9no".len());
        assert_eq!(kept.body_bytes, 100_000);
        let none = record(10, &headers);
        assert_eq!((none.id(), &*none.headers(), none.body().len()), ("", "", 0));
    }
}
