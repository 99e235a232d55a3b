//! Which port to stream from.

use std::time::Duration;

use anyhow::{Context, bail};
use focus_mock::domain::ids::JobId;
use serde::Deserialize;

use crate::cli::http;

/// A job's port.
pub(super) struct Target {
    /// Host and port, as URLs have them.
    pub(super) authority: String,
}

/// What of a job's metadata tells where it streams.
#[derive(Deserialize)]
struct Metadata {
    stream_url: String,
    stream_port: u16,
}

const LOOK_UP_TIME: Duration = Duration::from_secs(5);

impl Target {
    /// The port that is named, or the one of the job that is.
    pub(super) fn find(named: &str, url: Option<&str>) -> anyhow::Result<Self> {
        if named.parse::<JobId>().is_ok() {
            return Self::of_job(named, &base(url));
        }
        match named.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                Ok(Self { authority: named.to_owned() })
            }
            _ => bail!("expected a job id such as 1-1, or host:port such as 127.0.0.1:12301, not {named:?}"),
        }
    }

    fn of_job(job: &str, base: &str) -> anyhow::Result<Self> {
        let url = format!("{base}/metadata/{job}");
        let answer = http::get(&url, LOOK_UP_TIME, None).with_context(|| format!("{url} does not answer"))?;
        if answer.status != 200 {
            bail!("{url} answers {}: {}", answer.status, answer.body.trim());
        }
        let metadata: Metadata = serde_json::from_str(&answer.body)
            .with_context(|| format!("{url} answers no metadata of a job"))?;
        let host = metadata.stream_url.trim_end_matches('/');
        let host = host.strip_prefix("http://").or_else(|| host.strip_prefix("https://")).unwrap_or(host);
        Ok(Self { authority: format!("{host}:{}", metadata.stream_port) })
    }
}

/// The base of the REST interface: as it is said, else as the product's clients look for it.
fn base(url: Option<&str>) -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let base = url.map(str::to_owned).or_else(|| variable("FOCUS_BASE_URL")).or_else(|| {
        let port = variable("FOCUS_SERVER_PORT").unwrap_or_else(|| String::from("5000"));
        variable("FOCUS_SERVER_HOST").map(|host| format!("http://{host}:{port}"))
    });
    let base = base.unwrap_or_else(|| String::from("http://127.0.0.1:5000"));
    base.trim_end_matches('/').to_owned()
}
