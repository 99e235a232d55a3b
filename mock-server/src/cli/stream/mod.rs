//! `focus-mock stream`: a job's frames as they come, as a picture on a terminal, as lines elsewhere.

mod picture;
mod tally;
mod target;

use std::io::{IsTerminal, Write, stdout};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use focus_mock::Server;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use tonic::transport::Endpoint;
use tonic::{Code, Status, Streaming};

use picture::Screen;
use tally::{TICK, Tally};
use target::Target;

/// Largest message; servers and clients of the product agree on it.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;
/// How long a job's port may take to be reached.
const CONNECT_TIME: Duration = Duration::from_secs(5);

pub(super) fn command() -> Command {
    Command::new("stream")
        .about("Show the frames of a job's stream as they come")
        .after_help(
            "A job is looked up at --url, else at FOCUS_BASE_URL, else at FOCUS_SERVER_HOST and FOCUS_SERVER_PORT, \
             else at http://127.0.0.1:5000.\n\nExit status: 0 if the stream ended as it should, or Ctrl-C or --frames \
             ended it; 1 if the server ended it otherwise; 2 if there is no such stream.",
        )
        .arg(
            Arg::new("target")
                .value_name("JOB")
                .required(true)
                .help("A job id such as 1-1, or host:port of a job's port"),
        )
        .arg(Arg::new("url").long("url").value_name("URL").help("Base of the REST interface that knows the job"))
        .arg(
            Arg::new("stream")
                .long("stream")
                .value_name("N")
                .default_value("0")
                .allow_negative_numbers(true)
                .value_parser(value_parser!(i32))
                .help("Which of the job's streams"),
        )
        .arg(
            Arg::new("frames")
                .long("frames")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("End after so many frames"),
        )
        .arg(
            Arg::new("plain")
                .long("plain")
                .action(ArgAction::SetTrue)
                .help("A line for each frame, no picture, also on a terminal"),
        )
}

pub(super) fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let target = matches.get_one::<String>("target").map_or("", String::as_str);
    let target = Target::find(target, matches.get_one::<String>("url").map(String::as_str))?;
    let stream = *matches.get_one::<i32>("stream").unwrap_or(&0);
    let most = matches.get_one::<u64>("frames").copied();
    let plain = matches.get_flag("plain") || !stdout().is_terminal();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let frames = open(&target, stream).await?;
        let mut view = if plain { View::Lines } else { View::Picture(Box::new(Screen::open()?)) };
        let mut tally = Tally::default();
        let ended = watch(frames, most, &mut view, &mut tally).await?;
        view.close(&tally)?;
        anyhow::Ok(ended)
    })?;
    Ok(ended.report())
}

async fn open(target: &Target, stream: i32) -> anyhow::Result<Streaming<DataStream>> {
    let endpoint = Endpoint::from_shared(format!("http://{}", target.authority))
        .with_context(|| format!("{} is no host and port", target.authority))?
        .connect_timeout(CONNECT_TIME);
    let channel = endpoint
        .connect()
        .await
        .with_context(|| format!("nothing streams at {}: is the job still running?", target.authority))?;
    let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
    let answered = client.stream_data(StreamDataRequest { stream_id: stream }).await;
    answered.map(tonic::Response::into_inner).map_err(|status| {
        anyhow::anyhow!("stream {stream} of {} is refused: {}", target.authority, told(&status))
    })
}

/// Why nothing more comes.
enum Ended {
    /// Somebody, or --frames, has seen enough.
    Enough,
    /// The server has sent everything.
    Over,
    /// The server says why.
    Failed(Status),
}

impl Ended {
    fn report(self) -> ExitCode {
        match self {
            Self::Enough => ExitCode::SUCCESS,
            Self::Over => {
                eprintln!("the stream is over: OK");
                ExitCode::SUCCESS
            }
            Self::Failed(status) => {
                eprintln!("focus-mock: the server ended the stream: {}", told(&status));
                ExitCode::FAILURE
            }
        }
    }
}

fn told(status: &Status) -> String {
    match (status.code(), status.message()) {
        (code, "") => format!("{code:?}"),
        (code, text) => format!("{code:?}, {text}"),
    }
}

/// Where frames are shown.
enum View {
    Picture(Box<Screen>),
    Lines,
}

impl View {
    fn frame(&mut self, tally: &Tally, frame: &DataStream) -> std::io::Result<()> {
        match self {
            Self::Picture(screen) => {
                screen.add(frame);
                Ok(())
            }
            Self::Lines => writeln!(stdout().lock(), "{}", tally.line(frame)),
        }
    }

    fn tick(&mut self, tally: &Tally) -> std::io::Result<()> {
        match self {
            Self::Picture(screen) => screen.draw(tally),
            Self::Lines => Ok(()),
        }
    }

    fn close(self, tally: &Tally) -> std::io::Result<()> {
        match self {
            Self::Picture(screen) => screen.close(tally),
            Self::Lines => Ok(()),
        }
    }
}

/// Shows frames until there are no more, or enough.
async fn watch(
    mut frames: Streaming<DataStream>,
    most: Option<u64>,
    view: &mut View,
    tally: &mut Tally,
) -> anyhow::Result<Ended> {
    let mut signals = Server::asked_to_end()?;
    let mut ticks = tokio::time::interval(TICK);
    while most.is_none_or(|most| tally.frames() < most) {
        let next = tokio::select! {
            next = frames.message() => next,
            _ = ticks.tick() => {
                tally.tick();
                view.tick(tally)?;
                continue;
            }
            _ = signals.next() => return Ok(Ended::Enough),
        };
        let frame = match next {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(Ended::Over),
            // Clients take it for "no more frames", but whoever looks wants to know.
            Err(status) if status.code() == Code::Ok => return Ok(Ended::Over),
            Err(status) => return Ok(Ended::Failed(status)),
        };
        tally.count(&frame);
        match view.frame(tally, &frame) {
            // Whoever read our lines has seen enough, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(Ended::Enough),
            shown => shown?,
        }
    }
    Ok(Ended::Enough)
}
