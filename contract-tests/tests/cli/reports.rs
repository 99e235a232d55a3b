//! Report files, read as their readers read them, with answers that try to break them.

use std::path::Path;

use base64::Engine as _;
use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::common::{Asked, Server, answer, ended, focus_contract, run};

/// Ends of everything that a format could be in, and characters that no format can hold.
const HOSTILE: &[u8] = b"]]></failure></testcase><script>alert(1)</script></pre></script>--> ``` \
    {\"a\":\"\\ud800\"} | ~~~ & &amp; &#0; \x00\x01\x08\x0b\x1b[2J\x7f\xff\xfe\xed\xa0\x80 \xef\xbf\xbf \xe2\x80\xae";

struct Reports {
    folder: tempfile::TempDir,
}

const KINDS: [&str; 5] = ["junit", "xray", "html", "markdown", "json"];

impl Reports {
    /// Of a run against a server, which shall end with that exit status.
    #[track_caller]
    fn of(target: &str, arguments: &[&str], status: i32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut flags = vec![String::from("--target"), target.to_owned()];
        flags.extend(arguments.iter().map(ToString::to_string));
        for kind in KINDS {
            let path = folder.path().join("below").join(kind);
            flags.extend([String::from("--report"), format!("{kind}={}", path.display())]);
        }
        run(&flags.iter().map(String::as_str).collect::<Vec<_>>()).with(status);
        Self { folder }
    }

    fn text(&self, kind: &str) -> String {
        std::fs::read_to_string(self.folder.path().join("below").join(kind)).expect("a report in UTF-8")
    }

    fn json(&self, kind: &str) -> Value {
        serde_json::from_str(&self.text(kind)).expect("JSON")
    }
}

/// The elements of an XML document with their attributes, all of it decoded; panics where it is not well-formed.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let allowed =
        |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(allowed), "characters that XML does not have");
    let mut reader = Reader::from_str(xml);
    let mut elements = Vec::new();
    let mut depth = 0_i32;
    loop {
        let event = reader.read_event().expect("well-formed XML");
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                let name = String::from_utf8(start.name().as_ref().to_vec()).expect("text");
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.expect("an attribute");
                    let key = String::from_utf8(attribute.key.as_ref().to_vec()).expect("text");
                    let raw = std::str::from_utf8(&attribute.value).expect("text");
                    (key, quick_xml::escape::unescape(raw).expect("known entities").into_owned())
                });
                elements.push((name, attributes.collect()));
                depth += i32::from(matches!(event, Event::Start(_)));
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    elements
}

fn hostile() -> Server {
    Server::start(|_| answer(500, "x-odd: ]]>\"<b>&\r\n", HOSTILE))
}

#[test]
fn junit_stays_well_formed_and_carries_the_keys() {
    let reports =
        Reports::of(&hostile().base, &["--only", "health/*", "--only", "nfft/nfft-power-of-two"], 1);
    let elements = elements(&reports.text("junit"));
    let count = |wanted: &str| elements.iter().filter(|(name, _)| name == wanted).count();
    assert_eq!(
        (count("testsuite"), count("testcase"), count("failure"), count("skipped"), count("script")),
        (2, 3, 2, 1, 0)
    );
    let properties: Vec<_> = elements
        .iter()
        .filter(|(name, _)| name == "property")
        .map(|(_, attributes)| {
            attributes.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("=")
        })
        .collect();
    let expected = ["test_key=PZ-14026", "requirements=PZ-14027,PZ-14031", "quirk=", "capability=rest"];
    assert_eq!(properties[..4], expected);
    assert_eq!(properties.last().map(String::as_str), Some("capability=rest,writes"));
    let named = |(name, attributes): &(String, Vec<(String, String)>)| {
        let attribute =
            |wanted: &str| attributes.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.clone());
        (name == "testcase").then(|| (attribute("classname"), attribute("name")))
    };
    let first = elements.iter().find_map(named);
    assert_eq!(first, Some((Some(String::from("health")), Some(String::from("ack-contract")))));
}

#[test]
fn xray_merges_by_key_and_shows_evidence() {
    let reports = Reports::of(
        &hostile().base,
        &[
            "--only",
            "health/*",
            "--only",
            "nfft/nfft-power-of-two",
            "--environment",
            "dev",
            "--test-plan",
            "PZ-14024",
        ],
        1,
    );
    let xray = reports.json("xray");
    let info = &xray["info"];
    assert_eq!((&info["project"], &info["testPlanKey"]), (&"PZ".into(), &"PZ-14024".into()));
    assert_eq!(info["testEnvironments"], serde_json::json!(["dev"]));
    let tests = xray["tests"].as_array().expect("a list");
    let found: Vec<_> =
        tests.iter().map(|test| (test["testKey"].as_str(), test["status"].as_str())).collect();
    assert_eq!(
        found,
        [
            (Some("PZ-14026"), Some("FAILED")),
            (Some("PZ-14029"), Some("FAILED")),
            (Some("PZ-13873"), Some("TODO"))
        ]
    );
    assert_eq!(tests[2]["comment"], "nfft/nfft-power-of-two: skipped: the target does not offer writes");
    let evidence = &tests[0]["evidence"][0];
    assert_eq!(evidence["filename"], "health-ack-contract.json");
    let data = evidence["data"].as_str().expect("text");
    let data = base64::engine::general_purpose::STANDARD.decode(data).expect("base64");
    let shown: Value = serde_json::from_slice(&data).expect("JSON");
    assert_eq!((&shown["request"]["method"], &shown["answer"]["status"]), (&"GET".into(), &500.into()));
    for date in [&info["startDate"], &info["finishDate"], &tests[0]["start"], &tests[0]["finish"]] {
        let date = date.as_str().expect("a date");
        assert!(date.len() == 25 && date.ends_with("+00:00") && date.as_bytes()[10] == b'T', "{date}");
    }
}

#[test]
fn the_page_loads_nothing_and_runs_nothing_foreign() {
    let page = Reports::of(&hostile().base, &["--only", "health/*"], 1).text("html");
    assert_eq!(page.matches("<script>").count(), 1, "only its own");
    assert_eq!(page.matches("</script>").count(), 1);
    assert_eq!(page.matches("</pre>").count(), page.matches("<pre>").count());
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for reference in ["src=", "href=", "@import", "url("] {
        assert!(!page.contains(reference), "{reference}");
    }
    let control = |character: char| character.is_control() && !['\n', '\t'].contains(&character);
    assert!(!page.contains(control));
    assert_eq!(page.matches("class=\"case\"").count(), 2);
    assert!(page.contains("data-outcome=\"failed\""));
}

#[test]
fn markdown_has_totals_failures_and_what_was_skipped() {
    let reports =
        Reports::of(&hostile().base, &["--only", "health/*", "--only", "nfft/nfft-power-of-two"], 1);
    let text = reports.text("markdown");
    for part in [
        "**2 failed, 1 skipped** of 3 cases; exit status 1\n",
        "| smoke | 0 | 2 | 0 | 0 | 0 | 1 |\n",
        "\n## Failures\n\n### health/ack-contract PZ-14026, PZ-14027, PZ-14031\n",
        "\n## Skipped\n\n- nfft/nfft-power-of-two: the target does not offer writes\n",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(!text.contains("<script>"), "{text}");
}

#[test]
fn json_has_everything() {
    let json = Reports::of(&hostile().base, &["--only", "health/*"], 1).json("json");
    assert_eq!((&json["exit_status"], &json["totals"]["failed"]), (&1.into(), &2.into()));
    let failure = &json["cases"][0]["failure"];
    let body = failure["exchange"]["answer"]["body"].as_str().expect("text");
    assert!(body.starts_with("]]></failure>") && body.contains("\\ud800") && body.contains('␀'), "{body}");
    assert!(failure["again"].as_str().is_some_and(|again| again.ends_with("--only health/ack-contract")));
}

/// Credentials that a case makes up are none, but nobody can tell them from real ones.
#[test]
fn no_report_tells_a_secret() {
    let server = Server::start(|asked: &Asked| {
        let status = if asked.headers.contains("authorization: ") { 500 } else { 200 };
        answer(status, "set-cookie: session=hush\r\n", b"")
    });
    let reports = Reports::of(&server.base, &["--only", "health/ack-headers"], 1);
    for kind in KINDS {
        let text = reports.text(kind);
        for secret in ["hush", "Bearer nobody"] {
            assert!(!text.contains(secret), "{secret} in {kind}:\n{text}");
        }
    }
    let evidence = &reports.json("xray")["tests"][0]["evidence"][0]["data"];
    let data =
        base64::engine::general_purpose::STANDARD.decode(evidence.as_str().expect("text")).expect("base64");
    let data = String::from_utf8(data).expect("text");
    assert!(data.contains("[redacted]") && !data.contains("hush") && !data.contains("nobody"), "{data}");
    assert!(reports.text("html").contains("authorization: [redacted]"));
    let target = hostile().base.replace("http://", "http://me:hush@");
    let reports = Reports::of(&target, &["--only", "health/ack-headers"], 1);
    for kind in KINDS {
        assert!(!reports.text(kind).contains("hush"), "{kind}:\n{}", reports.text(kind));
    }
}

#[test]
fn a_list_that_rots_fails_in_the_report_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "gone/* | PZ-1 | x | 9999-12-31\nhealth/* | PZ-2 | odd: x | 9999-12-31\n")
        .expect("a list");
    let list = list.display().to_string();
    let reports = Reports::of("mock", &["--only", "health/*", "--known-failing", &list], 1);
    let failures =
        |name: &str| elements(&reports.text("junit")).iter().filter(|element| element.0 == name).count();
    assert_eq!(failures("failure"), 3, "two healed, one line that matches nothing");
    let reports = Reports::of(&hostile().base, &["--only", "health/*", "--known-failing", &list], 1);
    let text = reports.text("markdown");
    assert!(text.contains("\n## Known bugs\n\n- health/ack-contract: PZ-2: odd: x; "), "{text}");
    assert!(!text.contains("\n## Failures\n"), "{text}");
    let known =
        ("property".to_owned(), vec![("name".into(), "quirk".into()), ("value".into(), "odd".into())]);
    assert!(elements(&reports.text("junit")).contains(&known));
    assert_eq!(reports.json("xray")["tests"][0]["status"], "FAILED");
}

#[test]
fn the_step_summary_is_added_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("summary");
    std::fs::write(&path, "before\n").expect("a file");
    let mut command = focus_contract(&["run", "--only", "health/*"]);
    command.env("GITHUB_STEP_SUMMARY", &path).env("CI", "true");
    ended(command).with(0);
    let text = std::fs::read_to_string(&path).expect("the summary");
    assert!(text.starts_with("before\n# Focus Server contract\n\n**2 passed** of 2 cases"), "{text}");
    // A file of CI's own does not fail a run.
    let mut command = focus_contract(&["run", "--only", "health/*"]);
    command.env("GITHUB_STEP_SUMMARY", Path::new("/dev/null/x"));
    ended(command).with(0).complains("no step summary");
}
