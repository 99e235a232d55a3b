//! Bodies that are no JSON, and those that only look like it.

use serde_json::json;

use crate::common::{START, base, held};
use crate::judge;
use crate::raw::{Wire, ask, request};

const POSTS: [&str; 4] = [
    "/configure",
    "/focus-server/configure",
    "/recordings_in_time_range",
    "/focus-server/recordings_in_time_range",
];

fn assert_malformed(wire: &mut Wire, body: &[u8]) {
    for path in POSTS {
        wire.send(&request("POST", path, &[("content-type", "application/json")], body));
        let answer = wire.answer();
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        assert_eq!(answer.status, 400, "{path}: {shown}");
        judge::refused(&answer, 400, "MALFORMED_JSON", "Request body is not valid JSON");
        let detail =
            json!([{"loc": ["body"], "msg": "Request body is not valid JSON", "type": "json_invalid"}]);
        assert_eq!(answer.json()["detail"], detail, "{shown}");
    }
}

#[test]
fn a_body_that_is_not_json_is_malformed() {
    let server = held();
    let before = judge::state(&server);
    let mut wire = Wire::to(server.rest());
    let valid = base().to_string();
    for body in [
        "",
        " ",
        "\r\n\t",
        "x",
        "{",
        "}",
        "{}}",
        "{} x",
        "{}{}",
        "{},",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":'x'}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":undefined}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":5.}",
        "{\"a\":0x10}",
        "{\"a\":1e}",
        "{\"a\":1e999}",
        "{\"a\":-1e999}",
        "{\"a\":\"x}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\u12\"}",
        "/* c */{}",
        "{}//",
        "\u{feff}{}",
        "view_type=0&nfftSelection=1024",
        "<configure/>",
        &valid[..valid.len() - 1],
        &format!("{valid}\0"),
        &format!("{valid};"),
        &format!("\u{feff}{valid}"),
        &valid.replace("1024", "1e999"),
    ] {
        assert_malformed(&mut wire, body.as_bytes());
    }
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_body_that_is_not_utf_8_is_malformed_wherever_the_bytes_stand() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let valid = base().to_string();
    let utf_16: Vec<u8> = valid.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin_1 = [&valid.as_bytes()[..valid.len() - 1], b",\"x\":\"\xe4\"}"].concat();
    let key = [&valid.as_bytes()[..valid.len() - 1], b",\"\xff\":1}"].concat();
    for body in [
        &utf_16[..],
        &latin_1,
        &key,
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\xc0\x80\"}",
        b"\"\xed\xa0\x80\"",
    ] {
        assert_malformed(&mut wire, body);
    }
}

#[test]
fn nesting_of_127_is_read_and_of_128_is_malformed() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let valid = base().to_string();
    // The object itself is the first level.
    let nested = |levels: usize, open: &str, close: &str| {
        let inner = levels - 1;
        format!("{},\"x\":{}1{}}}", &valid[..valid.len() - 1], open.repeat(inner), close.repeat(inner))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for levels in [2, 126, 127] {
            wire.send(&request("POST", "/configure", &[], nested(levels, open, close).as_bytes()));
            assert_eq!(wire.answer().status, 200, "{levels}");
        }
        for levels in [128, 129, 1000, 100_000] {
            assert_malformed(&mut wire, nested(levels, open, close).as_bytes());
        }
    }
    assert_malformed(&mut wire, "[".repeat(500_000).as_bytes());
}

#[test]
fn white_space_around_the_object_and_escapes_in_it_are_json() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let valid = base().to_string();
    let escaped = valid.replace("view_type", "\\u0076iew_type").replace("\"0\"", "\"\\u0030\"");
    for body in [format!(" \r\n\t{valid}\r\n "), valid.replace(':', " :\n "), escaped] {
        wire.send(&request("POST", "/configure", &[], body.as_bytes()));
        assert_eq!(wire.answer().status, 200, "{body}");
    }
}

#[test]
fn a_body_that_breaks_off_is_malformed_or_nobody_is_told() {
    let server = held();
    let before = judge::state(&server);
    let valid = base().to_string();
    for head in ["content-length: 5000", "transfer-encoding: chunked"] {
        let mut wire = Wire::to(server.rest());
        let chunked = head.starts_with("transfer");
        let body = if chunked { format!("{:x}\r\n{valid}\r\n", valid.len()) } else { valid.clone() };
        wire.send(format!("POST /configure HTTP/1.1\r\nhost: x\r\n{head}\r\n\r\n{body}").as_bytes());
        wire.end_sending();
        judge::refused(&wire.answer(), 400, "MALFORMED_JSON", "Request body is not valid JSON");
        wire.assert_closed();
    }
    assert_eq!(judge::state(&server), before);
}

#[test]
fn a_body_in_chunks_is_a_body() {
    let server = held();
    let mut wire = Wire::to(server.rest());
    let body = json!({"start_time": START - 3600, "end_time": START}).to_string();
    for path in ["/recordings_in_time_range", "/focus-server/recordings_in_time_range"] {
        wire.send(
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").as_bytes(),
        );
        for byte in body.bytes() {
            wire.send(&[b"1;ext=1\r\n", &[byte][..], b"\r\n"].concat());
        }
        wire.send(b"0\r\nx-trailer: 1\r\n\r\n");
        let answer = wire.answer();
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!([[START - 3600, START]])));
    }
}

#[test]
fn an_empty_body_is_malformed_with_and_without_a_length() {
    let server = held();
    for path in POSTS {
        judge::refused(
            &ask(server.rest(), "POST", path, b""),
            400,
            "MALFORMED_JSON",
            "Request body is not valid JSON",
        );
        for head in ["content-length: 0\r\n\r\n", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n"] {
            let mut wire = Wire::to(server.rest());
            wire.send(format!("POST {path} HTTP/1.1\r\nhost: x\r\n{head}").as_bytes());
            let answer = wire.answer();
            judge::refused(&answer, 400, "MALFORMED_JSON", "Request body is not valid JSON");
        }
    }
}
