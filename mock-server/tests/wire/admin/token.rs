//! The token, without which nothing answers; and the product's listeners, which know none of this.

use focus_mock::Token;
use focus_mock::client::Error;
use reqwest::StatusCode;
use serde_json::Value;

use super::super::common::{Client, held, held_as};

const ROUTES: [(&str, &str); 8] = [
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/__mock/state"),
    ("POST", "/__mock/reset"),
    ("GET", "/__mock/openapi.json"),
    ("DELETE", "/__mock/clock"),
    ("GET", "/nowhere"),
];

#[tokio::test]
async fn with_a_token_nothing_answers_without_it_and_nothing_is_told() {
    let server = held_as(|config| config.admin_token = Token::new("open-sesame"));
    let base = format!("http://{}", server.admin().expect("an admin listener"));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let send = async |method: &str, path: &str, said: &[&str]| {
        let method = method.parse().expect("a method");
        let mut request = http.request(method, format!("{base}{path}"));
        for said in said {
            request = request.header("authorization", *said);
        }
        request.send().await.expect("an answer")
    };
    let mut told = Vec::new();
    for (method, path) in ROUTES {
        for said in [
            &[][..],
            &["Bearer open-sesam"],
            &["Bearer open-sesame "],
            &["Bearer open-sesameX"],
            &["Bearer  open-sesame"],
            &["Basic open-sesame"],
            &["open-sesame"],
            &["Bearer"],
            &["Bearer wrong", "Bearer open-sesame"],
            &["Bearer open-sesame", "Bearer wrong"],
        ] {
            // Blanks at the end of a header's value do not arrive.
            if said == ["Bearer open-sesame "] {
                continue;
            }
            let answer = send(method, path, said).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{method} {path} {said:?}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            assert_eq!(answer.headers().get("allow"), None);
            told.push(answer.text().await.expect("a body"));
        }
    }
    told.dedup();
    assert_eq!(told, [r#"{"error":"this needs the header authorization: Bearer, and the admin token"}"#]);
    for ((method, path), status) in ROUTES.into_iter().zip([200, 200, 200, 200, 200, 200, 405, 404]) {
        for scheme in ["Bearer", "bearer"] {
            let answer = send(method, path, &[&format!("{scheme} open-sesame")]).await;
            assert_eq!(answer.status(), status, "{method} {path}");
        }
    }
}

#[test]
fn the_client_of_a_server_with_a_token_sends_it_and_another_does_not_get_in() {
    let server = held_as(|config| config.admin_token = Token::new("open-sesame"));
    let admin = server.admin_client().expect("an admin listener");
    assert_eq!(admin.clock().expect("an answer").mode, "manual");
    let address = server.admin().expect("an admin listener");
    let stranger = focus_mock::client::Admin::at(address, Token::new("open"));
    let refused = stranger.clock().expect_err("no answer");
    assert!(matches!(refused, Error::Refused { status: 401, .. }), "{refused}");
    assert!(!format!("{admin:?}").contains("sesame"), "{admin:?}");
}

#[tokio::test]
async fn the_listeners_of_the_product_know_no_admin_route() {
    let server = held();
    let client = Client::of(&server);
    let document: Value = serde_json::from_str(focus_proto::ADMIN_OPENAPI_JSON).expect("JSON");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys().filter(|key| *key != "parameters") {
            for prefix in ["", "/focus-server"] {
                let method = method.to_uppercase().parse().expect("a method");
                let answer = client.send(method, &format!("{prefix}{path}"), None).await;
                assert_eq!(answer.refusal(), (404, String::from("NOT_FOUND")), "{prefix}{path}");
            }
        }
    }
}
