//! A server inside a test's process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use crate::client::Admin;
use crate::config::{Config, Token};
use crate::serve::{Server, StartError};
use crate::sim::Simulation;
use crate::sim::signal::Signal;

/// A server on a thread and runtime of its own, for as long as this lives.
///
/// Any number of them run side by side, in one process and in parallel ones: with [`Addresses::Own`] each takes a
/// loopback address that nobody else has, with the documented ports on it, so that a job's port is always
/// 12300 + slot. Where 127.0.0.1 is the only loopback address, it takes a free block of ports there instead.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use focus_mock::{Config, MockServer};
///
/// let server = MockServer::start(Config::default())?;
/// let mut client = TcpStream::connect(server.rest())?;
/// client.write_all(b"GET /channels HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.ends_with(r#"{"lowest_channel":1,"highest_channel":2337}"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Addresses::Own`]: crate::Addresses::Own
pub struct MockServer {
    rest: SocketAddr,
    admin: Option<SocketAddr>,
    admin_token: Option<Token>,
    kube: Option<SocketAddr>,
    kube_url: Option<String>,
    kubeconfig: Option<String>,
    port_base: u16,
    base_url: String,
    certificate: Option<String>,
    simulation: Option<Arc<Simulation>>,
    stop: Arc<Signal<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Starts a server and returns once it answers.
    ///
    /// # Errors
    /// When its addresses cannot be had, or the machine gives no thread or runtime.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let admin_token = config.admin_token.clone();
        let stop = Arc::new(Signal::default());
        let stopped = Arc::clone(&stop);
        let (ready, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(String::from("focus-mock"))
            .spawn(move || run(config, &stopped, &ready))
            .map_err(StartError::Runtime)?;
        match started.recv() {
            Ok(Ok(started)) => Ok(Self {
                rest: started.rest,
                admin: started.admin,
                admin_token,
                kube: started.kube,
                kube_url: started.kube_url,
                kubeconfig: started.kubeconfig,
                port_base: started.port_base,
                base_url: started.base_url,
                certificate: started.certificate,
                simulation: Some(started.simulation),
                stop,
                thread: Some(thread),
            }),
            Ok(Err(error)) => {
                let _ = thread.join();
                Err(error)
            }
            Err(mpsc::RecvError) => {
                let _ = thread.join();
                Err(StartError::Runtime(std::io::Error::other(
                    "the server's thread ended before it was ready",
                )))
            }
        }
    }

    /// Address of the REST listener.
    #[must_use]
    pub fn rest(&self) -> SocketAddr {
        self.rest
    }

    /// Base of the REST routes, `http://address:port`, or `https` with a certificate.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// The certificate that was made for this server, as PEM, so that a client can trust it and no other; `None` where
    /// it came from a file, or there is none.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Address of the admin listener, if there is one.
    #[must_use]
    pub fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// A client of the admin interface, if there is one.
    #[must_use]
    pub fn admin_client(&self) -> Option<Admin> {
        self.admin.map(|address| Admin::at(address, self.admin_token.clone()))
    }

    /// Address of the listener of the Kubernetes API, if there is one.
    #[must_use]
    pub fn kube(&self) -> Option<SocketAddr> {
        self.kube
    }

    /// Base of the Kubernetes API, `http://address:port`, or `https` where it speaks TLS.
    #[must_use]
    pub fn kube_url(&self) -> Option<String> {
        self.kube_url.clone()
    }

    /// A kubeconfig with which any client of the Kubernetes API finds this server and is let in, as YAML.
    #[must_use]
    pub fn kubeconfig(&self) -> Option<String> {
        self.kubeconfig.clone()
    }

    /// Job ports are this plus the slot.
    #[must_use]
    pub fn port_base(&self) -> u16 {
        self.port_base
    }

    /// The same world that the wire reaches, for tests that need to hold it.
    #[must_use]
    pub fn simulation(&self) -> &Simulation {
        self.simulation.as_ref().expect("taken only by drop")
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // First: the world, with the ports it holds, goes with its last owner, and that shall be the thread.
        self.simulation = None;
        self.stop.raise(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Started {
    rest: SocketAddr,
    admin: Option<SocketAddr>,
    kube: Option<SocketAddr>,
    kube_url: Option<String>,
    kubeconfig: Option<String>,
    port_base: u16,
    base_url: String,
    certificate: Option<String>,
    simulation: Arc<Simulation>,
}

fn run(config: Config, stop: &Signal<()>, ready: &mpsc::Sender<Result<Started, StartError>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(StartError::Runtime(error)))),
    };
    let (token, namespace) = (config.kube.token.clone(), config.setup.namespace.clone());
    runtime.block_on(async {
        match Server::start(config).await {
            Ok(server) => {
                drop(ready.send(Ok(Started {
                    rest: server.rest,
                    admin: server.admin,
                    kube: server.kube,
                    kube_url: server.kube_url(),
                    kubeconfig: server.kubeconfig(&namespace, token.as_ref()),
                    port_base: server.port_base,
                    base_url: server.base_url(),
                    certificate: server.certificate_pem().map(str::to_owned),
                    simulation: Arc::clone(server.simulation()),
                })));
                stop.wait().await;
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
    // Dropping the runtime drops every task with its sockets: a test waits for nobody.
}
