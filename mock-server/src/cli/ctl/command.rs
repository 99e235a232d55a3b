//! The commands and their arguments.

use clap::{Arg, ArgAction, ArgGroup, Command, value_parser};
use focus_mock::settings::FLAGS;
use focus_mock::sim::change::Outside;

/// Keys of the journal's filter.
pub(super) const FILTERS: [(&str, &str); 9] = [
    ("method", "Requests of that method"),
    ("path", "Requests of that path; * and ? are wild"),
    ("route", "Requests of that route, such as configure"),
    ("status", "Requests that were answered with that status"),
    ("code", "What was refused with that code"),
    ("job", "What is about that job; * and ? are wild"),
    ("rule", "What that rule did something about"),
    ("caller", "Requests of that client; * and ? are wild"),
    ("request-id", "What is about that request"),
];

pub(in crate::cli) fn command() -> Command {
    // Where the server is, as whoever started it said it.
    let flags = FLAGS.iter().filter(|flag| ["admin-token", "config", "port-file"].contains(&flag.name));
    let flags = flags.map(|flag| {
        let help = format!("{} [env: {}]", flag.help, flag.variable());
        Arg::new(flag.name).long(flag.name).value_name(flag.value).help(help).global(true)
    });
    Command::new("ctl")
        .about("Look at a running server and change it: clock, faults, dependencies, quirks, limits, ports, journal")
        .after_help(
            "Exit status: 0 if it was done, 1 if the server said no (also: leaks, broken invariants, a verification that \
             does not hold), 2 if it could not be asked. Times (--for, --within) are on the server's clock.",
        )
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("admin-url")
                .long("admin")
                .value_name("URL")
                .global(true)
                .help("Where the admin interface is [env: FOCUS_ADMIN_URL, FOCUS_MOCK_ADMIN]"),
        )
        .args(flags)
        .arg(
            Arg::new("json")
                .long("json")
                .action(ArgAction::SetTrue)
                .global(true)
                .help("Show the answer as it came, as one line of JSON"),
        )
        .subcommands([state(), clock(), fault(), quirk(), profile(), limits(), port(), job(), world()])
        .subcommands(Outside::NAMES.map(dependency))
        .subcommands([journal(), verify(), explain(), metrics(), leaks(), invariants(), reset()])
}

fn word(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).value_name(value).required(true).help(help)
}

fn lasts() -> Arg {
    Arg::new("for")
        .long("for")
        .value_name("TIME")
        .help("Goes back by itself after that time on the clock, such as 60s")
}

fn state() -> Command {
    Command::new("state").about("Everything there is")
}

fn reset() -> Command {
    Command::new("reset").about("Back to the start: jobs end, ports close, rules go; the clock goes on")
}

fn clock() -> Command {
    Command::new("clock")
        .about("Show the clock, change its mode or move it on")
        .subcommand(
            Command::new("show")
                .about("What it shows, what is due next, and who waits (what happens without a word, too)"),
        )
        .subcommand(Command::new("mode").about("Change what makes it go").arg(word(
            "mode",
            "MODE",
            "system, scaled:N or manual",
        )))
        .subcommand(Command::new("advance").about("Move it on, and tell what happened on the way").arg(word(
            "by",
            "TIME",
            "How far, such as 50s or \"1m 30s\"",
        )))
}

fn fault() -> Command {
    Command::new("fault")
        .about("What goes wrong on purpose")
        .subcommand_required(true)
        .subcommand(Command::new("list").about("The rules, with how often each matched and hit"))
        .subcommand(Command::new("add").about("Install a rule, or a list of rules: all of them or none").arg(
            word(
                "rule",
                "RULE",
                "YAML or JSON such as \"{at: step.port, do: {refuse: PORT_IN_USE}}\", or @FILE",
            ),
        ))
        .subcommand(Command::new("remove").about("Take a rule away").arg(word("id", "ID", "Its name")))
        .subcommand(Command::new("reset").about("Take all rules away"))
        .subcommand(Command::new("points").about("Where rules can stand, and what can be done there"))
}

fn quirk() -> Command {
    let named = |name, about| {
        Command::new(name)
            .about(about)
            .arg(word("name", "NAME", "Its name, as quirk list has it"))
            .arg(lasts())
    };
    Command::new("quirk")
        .about("How the server deviates from the contract")
        .subcommand_required(true)
        .subcommand(Command::new("list").about("All quirks, and which of them are on"))
        .subcommand(named("on", "Switch a quirk on"))
        .subcommand(named("off", "Switch a quirk off"))
}

fn profile() -> Command {
    Command::new("profile").about("Switch all quirks to those of a profile").arg(word(
        "name",
        "NAME",
        "contract or observed-2025-12",
    ))
}

fn limits() -> Command {
    Command::new("limits").about("Show the limits, or change some of them").arg(lasts()).arg(
        Arg::new("changes")
            .value_name("KEY=VALUE")
            .action(ArgAction::Append)
            .num_args(0..)
            .help("Such as max_jobs=3 or gpu_pool=null"),
    )
}

fn port() -> Command {
    Command::new("port")
        .about("Job ports that are taken")
        .subcommand_required(true)
        .subcommand(Command::new("list").about("The ports that are held"))
        .subcommand(
            Command::new("hold")
                .about("Take a port away from the jobs")
                .arg(word("port", "PORT", "Its number, slot:N, or next: the one that the next job would get"))
                .arg(
                    Arg::new("by")
                        .long("by")
                        .value_parser(["service", "process"])
                        .default_value("service")
                        .help("As a left-over Service of the cluster, or as another process of the machine"),
                )
                .arg(lasts()),
        )
        .subcommand(Command::new("release").about("Let a port go").arg(word("port", "PORT", "Its number")))
}

fn job() -> Command {
    let done =
        |name, about| Command::new(name).about(about).arg(word("pattern", "JOB", "Its id; * and ? are wild"));
    Command::new("job")
        .about("What somebody with access to the cluster does to jobs")
        .subcommand_required(true)
        .subcommand(done("kill-pod", "Kill the streaming pods"))
        .subcommand(done("delete-cleanup-job", "Delete the cleanup jobs"))
}

fn world() -> Command {
    Command::new("world").about("Reset into the world of a world or scenario file").arg(word(
        "file",
        "FILE",
        "The file; with a mistake in it nothing changes",
    ))
}

fn dependency(name: &'static str) -> Command {
    let states = Outside::all().into_iter().filter(move |one| one.name() == name).map(Outside::state);
    // Files write it with an underscore, commands with a hyphen.
    let command = if name == "focus_server" { "focus-server" } else { name };
    Command::new(command)
        .about("Change the state of something outside the Focus Server")
        .arg(word("state", "STATE", "Its new state").value_parser(states.collect::<Vec<_>>()))
        .arg(lasts())
}

fn filters(command: Command) -> Command {
    command.args(FILTERS.map(|(name, help)| Arg::new(name).long(name).value_name("TEXT").help(help)))
}

fn after() -> Arg {
    Arg::new("after")
        .long("after")
        .value_name("N")
        .value_parser(value_parser!(u64))
        .help("Only entries of the journal after that number")
}

fn journal() -> Command {
    filters(Command::new("journal").about("What happened, a page of it"))
        .arg(
            Arg::new("kind")
                .long("kind")
                .value_name("KIND")
                .help("Entries of that kind, such as request or fault"),
        )
        .arg(after())
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..=1000))
                .help("So many entries at most"),
        )
}

fn verify() -> Command {
    let number = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("N").value_parser(value_parser!(u64)).help(help)
    };
    filters(Command::new("verify").about("Whether so many requests came"))
        .arg(number("count", "So many"))
        .arg(number("at-least", "So many or more"))
        .arg(number("at-most", "So many or fewer"))
        .group(ArgGroup::new("counts").args(["count", "at-least", "at-most"]).required(true))
        .arg(after())
        .arg(
            Arg::new("within")
                .long("within")
                .value_name("TIME")
                .help("Wait for them, at most that long on the server's clock"),
        )
}

fn explain() -> Command {
    Command::new("explain")
        .about("Why a request got its answer, or what became of a job")
        .arg(word("id", "ID", "The id of a job, or of a request: the x-request-id of its answer"))
        .arg(
            Arg::new("request")
                .long("request")
                .action(ArgAction::SetTrue)
                .help("It is the id of a request, although it looks like a job's"),
        )
}

fn metrics() -> Command {
    Command::new("metrics").about("What a scraper of Prometheus gets")
}

fn leaks() -> Command {
    Command::new("leaks").about("What belongs to no live job; exit status 1 if there is anything")
}

fn invariants() -> Command {
    Command::new("invariants").about("What must always hold and does not; exit status 1 if there is anything")
}
