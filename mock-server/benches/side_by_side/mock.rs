//! The mock: the built program, its log as in production.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use anyhow::Context;
use serde_json::Value;

use crate::http::{Connection, request};
use crate::process::Process;

/// Nothing is swept and nobody is cut off, however fast the clock goes.
const LASTING: &str = "sweep: { period_s: 86400, hits: 100000 }\nstream: { inactivity_s: 86400 }\n";

/// The same with a sample every ten seconds, as by default.
const SAMPLED: &str = "sweep: { period_s: 10, hits: 100000 }\nstream: { inactivity_s: 86400 }\n";

/// A started mock.
pub(crate) struct Mock {
    pub(crate) process: Process,
    pub(crate) rest: SocketAddr,
    /// The Kubernetes API, where there is one.
    kube: Option<SocketAddr>,
    admin: Option<SocketAddr>,
    _world: Option<tempfile::NamedTempFile>,
}

/// A job as its client knows it.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) port: u16,
}

impl Mock {
    /// With everything as it is by default.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::with(&["--kube", "off"], None)
    }

    /// With the Kubernetes API, on a clock that stands.
    pub(crate) fn clustered() -> anyhow::Result<Self> {
        Self::with(&["--kube", "127.0.0.1:0", "--clock", "manual"], None)
    }

    /// The same in a world where idle jobs stay, although they are looked at.
    pub(crate) fn crowded() -> anyhow::Result<Self> {
        Self::with(&["--kube", "127.0.0.1:0", "--clock", "manual"], Some(world(SAMPLED)?))
    }

    /// With a clock that goes so many times faster, in a world where idle jobs stay.
    pub(crate) fn scaled(factor: u32) -> anyhow::Result<Self> {
        Self::with(&["--kube", "off", "--clock", &format!("scaled:{factor}")], Some(world(LASTING)?))
    }

    fn with(arguments: &[&str], world: Option<tempfile::NamedTempFile>) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_focus-mock"));
        command
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--port-base", "0"])
            .args(arguments);
        if let Some(world) = &world {
            command.arg("--world").arg(world.path());
        }
        command.env_remove("FOCUS_MOCK_LOG").stdin(Stdio::null()).stderr(Stdio::null());
        let mut process = Process::start(&mut command)?;
        let ready: Value = serde_json::from_str(&process.line()?).context("the ready line")?;
        let address = |name: &str| {
            let url = ready[name].as_str().and_then(|url| url.strip_prefix("http://"));
            url.map(|address| address.parse().context("an address")).transpose()
        };
        let rest = address("rest")?.context("an address")?;
        Ok(Self { process, rest, kube: address("kube")?, admin: address("admin")?, _world: world })
    }

    pub(crate) fn kube(&self) -> anyhow::Result<SocketAddr> {
        self.kube.context("a Kubernetes API")
    }

    pub(crate) fn admin(&self) -> anyhow::Result<SocketAddr> {
        self.admin.context("an admin interface")
    }

    /// Asks once, on a connection of its own: status and body.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
        let mut connection = Connection::to(self.rest).await?;
        let answer = connection.ask(&request(method, path, body)).await?;
        Ok((answer.status, String::from_utf8(answer.body.to_vec())?))
    }

    /// Configures a job that must be accepted.
    pub(crate) async fn job(&self, body: &str) -> anyhow::Result<Job> {
        Ok(self.jobs(body, 1).await?.remove(0))
    }

    /// Configures so many jobs, one after the other.
    pub(crate) async fn jobs(&self, body: &str, count: usize) -> anyhow::Result<Vec<Job>> {
        let (mut connection, request) =
            (Connection::to(self.rest).await?, request("POST", "/configure", body));
        let mut jobs = Vec::with_capacity(count);
        while jobs.len() < count {
            let answer: Value = serde_json::from_slice(connection.ask(&request).await?.body)?;
            let id = answer["job_id"].as_str().with_context(|| format!("a job, not {answer}"))?;
            let port = answer["stream_port"].as_u64().context("a port")?;
            jobs.push(Job { id: id.to_owned(), port: port.try_into().context("a port")? });
        }
        Ok(jobs)
    }
}

fn world(text: &str) -> anyhow::Result<tempfile::NamedTempFile> {
    let world = tempfile::Builder::new().suffix(".yaml").tempfile().context("a world file")?;
    std::fs::write(world.path(), text).context("a world file")?;
    Ok(world)
}
