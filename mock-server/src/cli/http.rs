//! A request to a server, from the commands that ask one.

use std::time::Duration;

use focus_mock::Token;
use ureq::Agent;
use ureq::tls::TlsConfig;

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks. Certificates are not verified: a mock signs its own, and the admin interface, whose token is sent, has none.
pub(super) fn get(url: &str, timeout: Duration, token: Option<&Token>) -> anyhow::Result<Answer> {
    let tls = TlsConfig::builder().disable_verification(true).build();
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(timeout))
        // A mock is reached directly, whatever the machine's proxy is for.
        .proxy(None)
        .tls_config(tls)
        .build()
        .into();
    let mut request = agent.get(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {}", token.reveal()));
    }
    let mut response = request.call()?;
    let status = response.status().as_u16();
    Ok(Answer { status, body: response.body_mut().read_to_string()? })
}
