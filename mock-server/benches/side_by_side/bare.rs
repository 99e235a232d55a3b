//! Servers without logic: the same bytes out of axum and out of tonic, each in a process of its own.
//!
//! This program starts itself again with [`ARGUMENT`] for that. What to serve comes as one line of JSON on standard
//! input, the address goes out as one line; the server ends when its standard input does.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::routing::{MethodFilter, on};
use axum::serve::ListenerExt;
use focus_proto::pandadatastream::data_stream_service_server::{DataStreamService, DataStreamServiceServer};
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use prost::Message;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::grpc::LARGEST_MESSAGE;
use crate::process::Process;

/// Makes this program a bare server.
pub(crate) const ARGUMENT: &str = "--bare-server";

/// What a bare server serves.
#[derive(Serialize, Deserialize)]
pub(crate) enum Spec {
    /// Routes.
    Rest(Vec<Canned>),
    /// The messages of this file, over and over.
    Stream(PathBuf),
}

/// One route and its only answer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Canned {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Whether the body of a request is parsed as JSON first.
    pub(crate) parses: bool,
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// A started bare server.
pub(crate) struct Bare {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Bare {
    pub(crate) fn start(spec: &Spec) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut process = Process::start(command.arg(ARGUMENT).stdin(Stdio::piped()))?;
        let mut line = serde_json::to_string(spec)?;
        line.push('\n');
        let stdin = process.child().stdin.as_mut().context("a pipe")?;
        stdin.write_all(line.as_bytes())?;
        let address = process.line()?.trim().parse().context("an address")?;
        Ok(Self { process, address })
    }
}

/// Messages as a file has them, each after its length.
pub(crate) fn encode(messages: &[DataStream]) -> Vec<u8> {
    messages.iter().flat_map(Message::encode_length_delimited_to_vec).collect()
}

/// The life of a bare server's process.
pub(crate) fn serve() -> anyhow::Result<()> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let spec: Spec = serde_json::from_str(&line)?;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        match spec {
            Spec::Rest(routes) => rest(listener, routes).await,
            Spec::Stream(file) => stream(listener, &std::fs::read(file)?).await,
        }
    })
}

async fn rest(listener: TcpListener, routes: Vec<Canned>) -> anyhow::Result<()> {
    let mut router = Router::new();
    for route in routes {
        router = router.route(&route.path.clone(), method_router(&route)?);
    }
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(listener, router).await?)
}

fn method_router(route: &Canned) -> anyhow::Result<axum::routing::MethodRouter> {
    let filter = MethodFilter::try_from(route.method.parse::<Method>()?)?;
    let status = StatusCode::from_u16(route.status)?;
    let headers = [
        (http::header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("x-request-id"), HeaderValue::from_static("5f1c0e7a9b3d4c21")),
    ];
    let answer = (status, headers, Bytes::from(route.body.clone()));
    Ok(if route.parses {
        on(filter, move |body: Bytes| async move {
            let parsed = serde_json::from_slice::<serde_json::Value>(&body);
            drop(std::hint::black_box(parsed));
            answer
        })
    } else {
        on(filter, move || async move { answer })
    })
}

async fn stream(listener: TcpListener, mut file: &[u8]) -> anyhow::Result<()> {
    let mut messages = Vec::new();
    while !file.is_empty() {
        messages.push(DataStream::decode_length_delimited(&mut file)?);
    }
    let service = DataStreamServiceServer::new(Replay(messages)).max_encoding_message_size(LARGEST_MESSAGE);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Ok(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await?)
}

struct Replay(Vec<DataStream>);

#[tonic::async_trait]
impl DataStreamService for Replay {
    type StreamDataStream = BoxStream<'static, Result<DataStream, Status>>;

    async fn stream_data(
        &self,
        _: Request<StreamDataRequest>,
    ) -> Result<Response<Self::StreamDataStream>, Status> {
        Ok(Response::new(stream::iter(self.0.clone().into_iter().cycle().map(Ok)).boxed()))
    }
}
