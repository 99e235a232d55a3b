//! What a watch tells, when, and what it costs to have one.

use futures_util::{StreamExt, poll};

use super::*;
use crate::api::kube::selectors::Selector;
use crate::api::kube::watch::{Rendered, watch};
use crate::sim::cluster::facts::Version;

impl Rig {
    fn try_watch(&self, change: impl FnOnce(&mut Ask), team: Option<&str>) -> Result<Response, Failure> {
        let mut ask = ask(Resource::of(Kind::Service));
        change(&mut ask);
        let labels = team.map(|team| format!("team={team}")).unwrap_or_default();
        watch(&self.kube, &ask, Selector::parse(&labels, "", Kind::Service).expect("a selector"))
    }

    fn watch(&self, change: impl FnOnce(&mut Ask)) -> Reader {
        Reader::of(self.try_watch(change, None).expect("nothing speaks against it"))
    }

    fn watch_from(&self, version: Version) -> Reader {
        self.watch(|ask| ask.query.resource_version = version.to_string())
    }

    fn watch_team(&self, team: &str) -> Reader {
        Reader::of(self.try_watch(|_| {}, Some(team)).expect("nothing speaks against it"))
    }

    fn version(&self) -> Version {
        self.kube.simulation.store().version()
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_version_it_tells_what_is_there_and_then_what_changes() {
    let rig = Rig::new();
    let (b, a) = (rig.service("b", "x"), rig.service("a", "x"));
    for version in ["", "0"] {
        let mut reader = rig.watch(|ask| ask.query.resource_version = version.into());
        assert_eq!(reader.events().await, [is("ADDED", &a), is("ADDED", &b)]);
        assert!(poll!(reader.pieces.next()).is_pending(), "nothing else has happened");
        let c = rig.service("c", "x");
        assert_eq!(reader.events().await, [is("ADDED", &c)]);
        let c = rig.service("c", "y");
        assert_eq!(reader.events().await, [is("MODIFIED", &c)]);
        let c = rig.remove("c");
        let lines = reader.lines().await;
        assert_eq!(lines.iter().map(event).collect::<Vec<_>>(), [is("DELETED", &c)]);
        assert_eq!(lines[0]["object"]["metadata"]["labels"]["team"], "y", "its last state");
        assert_eq!(lines[0]["object"]["kind"], "Service");
    }
}

#[tokio::test(start_paused = true)]
async fn from_a_version_it_tells_what_came_after_it_and_of_its_own_kind_and_namespace_only() {
    let rig = Rig::new();
    rig.service("a", "x");
    let before = rig.version();
    let b = rig.service("b", "x");
    rig.deployment("b");
    rig.put(Key::new(Kind::Service, &Namespace("other".into()), "b"), service("x"));
    let a = rig.service("a", "y");
    let mut reader = rig.watch_from(before);
    assert_eq!(reader.events().await, [is("ADDED", &b), is("MODIFIED", &a)]);
    let mut all = rig.watch(|ask| {
        ask.query.resource_version = before.to_string();
        ask.namespace = None;
    });
    assert_eq!(all.events().await.len(), 3, "that of the other namespace, too");
}

#[tokio::test(start_paused = true)]
async fn what_begins_or_ceases_to_be_selected_comes_and_goes() {
    let rig = Rig::new();
    rig.service("a", "x");
    let mut reader = rig.watch_team("y");
    assert!(poll!(reader.pieces.next()).is_pending(), "none is selected");
    let a = rig.service("a", "y");
    assert_eq!(reader.events().await, [is("ADDED", &a)]);
    let gone = rig.service("a", "z");
    let lines = reader.lines().await;
    assert_eq!(lines.iter().map(event).collect::<Vec<_>>(), [is("DELETED", &gone)]);
    assert_eq!(lines[0]["object"]["metadata"]["labels"]["team"], "y", "its last state as one of them");
    // Neither what it becomes then nor its end is told; both are of others.
    rig.service("a", "w");
    rig.remove("a");
    let b = rig.service("b", "y");
    assert_eq!(reader.events().await, [is("ADDED", &b)]);
    let b = rig.remove("b");
    assert_eq!(reader.events().await, [is("DELETED", &b)]);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_ends_it_politely_with_a_bookmark_where_they_are_allowed() {
    let rig = Rig::new();
    let a = rig.service("a", "x");
    let mut plain = rig.watch(|ask| ask.query.timeout_seconds = Some(2));
    let mut marked = rig.watch(|ask| {
        ask.query.timeout_seconds = Some(2);
        ask.query.allow_watch_bookmarks = true;
    });
    assert_eq!(plain.events().await, [is("ADDED", &a)]);
    assert_eq!(marked.events().await, [is("ADDED", &a)]);
    tokio::time::advance(Duration::from_millis(1990)).await;
    assert!(poll!(plain.pieces.next()).is_pending());
    tokio::time::advance(Duration::from_millis(20)).await;
    assert_eq!(plain.piece().await, None);
    let version = rig.version().to_string();
    let line = &marked.lines().await[0];
    let expected = serde_json::json!({
        "type": "BOOKMARK",
        "object": { "kind": "Service", "apiVersion": "v1", "metadata": { "resourceVersion": version } },
    });
    assert_eq!(*line, expected);
    assert_eq!(marked.piece().await, None);
    assert_eq!(rig.kube.watches.open(), 0, "both have ended");
}

#[tokio::test(start_paused = true)]
async fn even_one_that_always_has_something_to_tell_ends_in_time() {
    let rig = Rig::new();
    let mut reader = rig.watch(|ask| ask.query.timeout_seconds = Some(1));
    let mut pieces = 0;
    rig.service("a", "x");
    while reader.piece().await.is_some() {
        pieces += 1;
        rig.service("a", &format!("x{pieces}"));
    }
    assert!((250..=335).contains(&pieces), "one each 3 or 4 ms for a second, not {pieces}");
}

#[tokio::test(start_paused = true)]
async fn a_quiet_watch_tells_each_minute_where_it_is_if_asked_to() {
    let rig = Rig::new();
    let mut reader = rig.watch(|ask| ask.query.allow_watch_bookmarks = true);
    assert!(poll!(reader.pieces.next()).is_pending());
    // A change that is none of its own takes the watch on.
    rig.deployment("d");
    tokio::time::advance(Duration::from_secs(59)).await;
    assert!(poll!(reader.pieces.next()).is_pending());
    tokio::time::advance(Duration::from_secs(2)).await;
    let version = rig.version().0;
    assert_eq!(reader.events().await, [("BOOKMARK".into(), String::new(), version)]);
    let mut without = rig.watch(|_| {});
    assert_eq!(without.piece().await, None, "without, nothing comes until the watch ends after half an hour");
}

#[tokio::test(start_paused = true)]
async fn initial_events_end_with_a_bookmark_that_says_so() {
    let rig = Rig::new();
    let a = rig.service("a", "x");
    let version = rig.version();
    let mut reader = rig.watch(|ask| {
        ask.query.send_initial_events = true;
        ask.query.resource_version = version.to_string();
    });
    let lines = reader.lines().await;
    assert_eq!(
        lines.iter().map(event).collect::<Vec<_>>(),
        [is("ADDED", &a), ("BOOKMARK".into(), String::new(), version.0)]
    );
    assert_eq!(lines[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let a = rig.service("a", "y");
    assert_eq!(reader.events().await, [is("MODIFIED", &a)]);
}

#[tokio::test(start_paused = true)]
async fn tables_have_one_row_per_event_columns_in_the_first_and_no_bookmarks() {
    let rig = Rig::new();
    let (a, b) = (rig.service("a", "x"), rig.service("b", "x"));
    for (include, whole) in [("", false), ("Object", true)] {
        let mut reader = rig.watch(|ask| {
            ask.form = Form::Table;
            ask.query.include_object = include.into();
            ask.query.send_initial_events = true;
            ask.query.allow_watch_bookmarks = true;
            ask.query.timeout_seconds = Some(120);
        });
        let lines = reader.lines().await;
        assert_eq!(lines.len(), 2);
        for (line, record, columns) in [(&lines[0], &a, 7), (&lines[1], &b, 0)] {
            assert_eq!(line["type"], "ADDED");
            let table = &line["object"];
            assert_eq!((&table["kind"], &table["apiVersion"]), (&"Table".into(), &"meta.k8s.io/v1".into()));
            assert_eq!(table["metadata"]["resourceVersion"], record.version.to_string());
            assert_eq!(table["columnDefinitions"].as_array().map(Vec::len), Some(columns));
            assert_eq!(table["rows"].as_array().map(Vec::len), Some(1));
            assert_eq!(table["rows"][0]["cells"][0], *record.key.name);
            assert_eq!(table["rows"][0]["object"]["kind"] == "Service", whole);
        }
        assert_eq!(reader.piece().await, None, "two minutes later");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_too_old_is_told_as_an_error_and_ends_it() {
    let rig = Rig::with(3, 1);
    rig.service("a", "x");
    let old = rig.version();
    for team in ["a", "b", "c", "d"] {
        rig.service("a", team);
    }
    let mut reader = rig.watch_from(old);
    let lines = reader.lines().await;
    let (message, oldest) = (&lines[0]["object"]["message"], rig.version().0 - 3);
    assert_eq!(*message, format!("too old resource version: {old} ({oldest})"));
    assert_eq!((&lines[0]["type"], lines.len()), (&"ERROR".into(), 1));
    let status = &lines[0]["object"];
    assert_eq!((&status["kind"], &status["code"]), (&"Status".into(), &410.into()));
    assert_eq!((&status["reason"], &status["status"]), (&"Expired".into(), &"Failure".into()));
    assert_eq!(reader.piece().await, None);
    drop(reader);
    let mut oldest_of_all = rig.watch_from(Version(oldest));
    assert_eq!(oldest_of_all.events().await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_from_the_future_waits_until_it_has_come() {
    let rig = Rig::new();
    let mut reader = rig.watch_from(Version(rig.version().0 + 2));
    for team in ["a", "b"] {
        rig.service("a", team);
        assert!(poll!(reader.pieces.next()).is_pending());
        tokio::time::advance(Duration::from_millis(5)).await;
        assert!(poll!(reader.pieces.next()).is_pending());
    }
    let a = rig.service("a", "c");
    assert_eq!(reader.events().await, [is("MODIFIED", &a)]);
}

#[tokio::test(start_paused = true)]
async fn changes_that_come_within_3_ms_are_told_together() {
    let rig = Rig::new();
    let mut reader = rig.watch(|_| {});
    assert!(poll!(reader.pieces.next()).is_pending());
    tokio::time::advance(Duration::from_millis(50)).await;
    for team in 0..10 {
        rig.service("a", &team.to_string());
        assert!(poll!(reader.pieces.next()).is_pending(), "not yet");
    }
    tokio::time::advance(Duration::from_millis(2)).await;
    assert!(poll!(reader.pieces.next()).is_pending(), "not yet");
    // A timer may be late by the millisecond in which it is due.
    tokio::time::advance(Duration::from_millis(2)).await;
    let std::task::Poll::Ready(Some(piece)) = poll!(reader.pieces.next()) else {
        panic!("told 4 ms after the first of them")
    };
    assert_eq!(lines(&piece).len(), 10);
}

#[tokio::test(start_paused = true)]
async fn pieces_are_bounded_and_whoever_is_behind_does_not_wait_for_them() {
    let rig = Rig::new();
    let long = "x".repeat(50);
    for number in 0..2000 {
        rig.service(&format!("{long}-{number:04}"), "x");
    }
    let mut reader = rig.watch(|_| {});
    let (mut all, mut pieces) = (Vec::new(), 0);
    while let std::task::Poll::Ready(Some(piece)) = poll!(reader.pieces.next()) {
        assert!(piece.len() < 64 * 1024 + 1024, "{}", piece.len());
        all.extend(lines(&piece).iter().map(|line| event(line).1));
        pieces += 1;
    }
    assert!(pieces > 5, "{pieces}");
    let expected: Vec<_> = (0..2000).map(|number| format!("{long}-{number:04}")).collect();
    assert_eq!(all, expected, "each once and in order, although they are listed a batch at a time");
}

#[tokio::test(start_paused = true)]
async fn what_was_there_is_told_as_it_was_while_it_changes() {
    let rig = Rig::new();
    for number in 0..1500 {
        rig.service(&format!("s{number:04}"), "x");
    }
    let mut reader = rig.watch(|_| {});
    let first = reader.events().await;
    rig.remove("s1400");
    let (mut added, mut deleted) = (first.len(), 0);
    while let std::task::Poll::Ready(Some(piece)) = poll!(reader.pieces.next()) {
        for line in lines(&piece) {
            match event(&line).0.as_str() {
                "ADDED" => added += 1,
                other => {
                    assert_eq!((other, added), ("DELETED", 1500), "first all that was there");
                    deleted += 1;
                }
            }
        }
    }
    assert_eq!((added, deleted), (1500, 1));
}

#[tokio::test(start_paused = true)]
async fn watches_that_never_read_hold_nothing_that_grows_and_are_cut() {
    let rig = Rig::with(100, 200);
    for number in 0..1000 {
        rig.service(&format!("s{number:04}"), "x");
    }
    let mut readers: Vec<_> = (0..100).map(|_| rig.watch(|_| {})).collect();
    let mut from: Vec<_> = (0..100).map(|_| rig.watch_from(rig.version())).collect();
    let old = Arc::downgrade(&rig.service("s0600", "y"));
    for number in 0..1000 {
        rig.service(&format!("s{:04}", number % 1000), "z");
        rig.service(&format!("s{:04}", number % 1000), "w");
    }
    assert!(old.upgrade().is_none(), "nobody holds what is no longer kept");
    assert_eq!(rig.kube.watches.rendered().bytes(), 0, "and nothing was rendered for them");
    for reader in readers.iter_mut().chain(&mut from) {
        let mut last = None;
        let mut bytes = 0;
        while let Some(piece) = reader.piece().await {
            bytes += piece.len();
            last = lines(&piece).pop();
        }
        let last = last.expect("at least that it ends");
        assert_eq!((&last["type"], &last["object"]["code"]), (&"ERROR".into(), &410.into()));
        assert!(bytes < 512 * 600, "no more than the batch that it held: {bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn objects_are_rendered_once_for_all_watches_of_a_form_and_kept_within_bounds() {
    let rig = Rig::new();
    let mut readers: Vec<_> = (0..3).map(|_| rig.watch(|_| {})).collect();
    let mut table = rig.watch(|ask| ask.form = Form::Table);
    for reader in readers.iter_mut().chain([&mut table]) {
        assert!(poll!(reader.pieces.next()).is_pending());
    }
    let rendered = || rig.kube.watches.rendered().bytes();
    rig.service("a", "x");
    let one = readers[0].lines().await;
    let after_one = rendered();
    assert!(after_one > 0);
    for reader in &mut readers[1..] {
        assert_eq!(reader.lines().await, one);
    }
    assert_eq!(rendered(), after_one, "rendered once");
    table.lines().await;
    assert!(rendered() > after_one, "a row is something else");
    let long = "x".repeat(1000);
    for number in 0..3000 {
        rig.service("a", &format!("{long}{number}"));
        readers[0].lines().await;
        assert!(rendered() <= Rendered::MOST);
    }
    assert!(rendered() > Rendered::MOST / 2);
}

#[tokio::test(start_paused = true)]
async fn above_the_most_watches_others_are_refused_until_one_ends() {
    let rig = Rig::with(10, 2);
    let (first, _second) = (rig.watch(|_| {}), rig.watch(|_| {}));
    let refused = rig.try_watch(|_| {}, None).expect_err("there are two");
    let text = "2 watches are open, as many as there can be: end one of them";
    assert_eq!(told(&refused), (429, text.into()));
    drop(first);
    rig.try_watch(|_| {}, None).expect("there is room again");
}

#[tokio::test]
async fn a_version_that_is_no_number_is_refused() {
    let rig = Rig::new();
    for version in ["x", "-1", "1.5", "99999999999999999999", " 1"] {
        let refused = rig.try_watch(|ask| ask.query.resource_version = version.into(), None);
        let (code, message) = told(&refused.expect_err(version));
        assert_eq!(code, 400);
        assert!(message.contains(&format!("Invalid value: {version:?}")), "{message}");
    }
    assert_eq!(rig.kube.watches.open(), 0);
}
