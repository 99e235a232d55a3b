//! Which server: the mock, unless a flag or the variables of known clients name another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Arg, ArgAction, ArgMatches, value_parser};
use focus_contract::client::kube::{Access, Kubeconfigs, NAMESPACE};
use focus_contract::client::rest::Trust;
use focus_contract::report::without_credentials;
use focus_contract::target::{Kube, Remote};

/// What flags say.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) target: Option<String>,
    pub(super) admin: Option<String>,
    pub(super) grpc_host: Option<String>,
    pub(super) kube: Option<String>,
    pub(super) kubeconfig: Option<PathBuf>,
    pub(super) kube_context: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) allow_writes: bool,
    pub(super) environments: Vec<String>,
}

/// The flags that say which server and which cluster, for every command that needs one.
pub(super) fn arguments(target: &'static str, allow_writes: &'static str) -> [Arg; 7] {
    let one = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    [
        one("target", "mock|URL", target),
        one("kube", "URL", "The Kubernetes API that the server works with"),
        one("kubeconfig", "FILE", "A kubeconfig that names that API, instead of --kube")
            .value_parser(value_parser!(PathBuf)),
        one("kube-context", "NAME", "The context of the kubeconfig [default: its current one]"),
        one("namespace", "NAME", "The namespace of the product [default: panda]"),
        one("admin", "URL", "The server's admin interface, if it is a mock"),
        Arg::new("allow-writes").long("allow-writes").action(ArgAction::SetTrue).help(allow_writes),
    ]
}

/// The flag that says where streams are, for every command that reads some.
pub(super) fn grpc_host() -> Arg {
    let help = "Dial this host for streams instead of the one that answers name";
    Arg::new(GRPC_HOST).long(GRPC_HOST).value_name("HOST").help(help)
}

const GRPC_HOST: &str = "grpc-host";

impl Asked {
    /// What [`arguments`] say.
    pub(super) fn of(matches: &ArgMatches, environments: Vec<String>) -> Self {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        Self {
            target: text("target"),
            admin: text("admin"),
            grpc_host: matches.try_get_one::<String>(GRPC_HOST).ok().flatten().cloned(),
            kube: text("kube"),
            kubeconfig: matches.get_one("kubeconfig").cloned(),
            kube_context: text("kube-context"),
            namespace: text("namespace"),
            allow_writes: matches.get_flag("allow-writes"),
            environments,
        }
    }
}

/// The server, and why that one.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) place: Place,
    pub(super) because: String,
    pub(super) environments: Vec<String>,
}

/// Where it is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In this process, a fresh one for each case.
    Mock,
    /// There already.
    Server(Box<Remote>),
}

/// The environment, as far as it is set to something.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn of_this_process() -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A switch, in any of the spellings that people use.
    pub(super) fn is_on(&self, name: &str) -> anyhow::Result<bool> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None | Some("false" | "0" | "no" | "off") => Ok(false),
            Some("true" | "1" | "yes" | "on") => Ok(true),
            Some(other) => bail!("{name} is {other:?}, which is neither true nor false"),
        }
    }
}

const DEFAULT_PREFIX: &str = "/focus-server";

pub(super) fn choose(asked: &Asked, variables: &Variables) -> anyhow::Result<Choice> {
    let (base, because) = match &asked.target {
        Some(target) if target == "mock" => (None, String::from("--target says so")),
        Some(target) => (Some(target.clone()), String::from("--target says so")),
        None => match by_variables(variables)? {
            Some((base, because)) => (Some(base), because),
            None => (None, String::from("neither --target nor a variable names another")),
        },
    };
    if asked.environments.iter().any(String::is_empty) {
        anyhow::bail!("--environment is empty: give the name of where the server runs, such as staging");
    }
    let Some(base) = base else { return mock(asked, because) };
    // The variable goes with those that name the server: another one may have another admin interface, or none.
    let admin_variable = || variables.get("FOCUS_ADMIN_URL").filter(|_| asked.target.is_none());
    let admin = asked.admin.clone().or_else(|| admin_variable().map(str::to_owned));
    let environments = if asked.environments.is_empty() {
        vec![variables.get("FOCUS_ENV").unwrap_or("staging").to_owned()]
    } else {
        asked.environments.clone()
    };
    let named = environments.iter().map(String::as_str).chain(variables.get("ENVIRONMENT"));
    let production = named.map(str::to_lowercase).any(|name| ["prod", "production"].contains(&name.as_str()));
    let trust = if variables.is_on("VERIFY_SSL")? { Trust::SystemRoots } else { Trust::Anyone };
    let remote = Remote {
        base: url("the target", &base)?,
        admin: admin.map(|admin| url("the admin interface", &admin)).transpose()?,
        grpc_host: asked.grpc_host.clone(),
        kube: kube(asked, variables, trust)?,
        allow_writes: asked.allow_writes,
        production,
        trust,
        faults: false,
    };
    Ok(Choice { place: Place::Server(Box::new(remote)), because, environments })
}

/// The cluster that flags name, else the variable. As the admin interface's, that goes with those that name the server:
/// nobody wants to have another cluster scaled down that happens to be the current one of a shell.
fn kube(asked: &Asked, variables: &Variables, trust: Trust) -> anyhow::Result<Option<Kube>> {
    let namespace = asked.namespace.as_deref().unwrap_or(NAMESPACE);
    if let Some(base) = &asked.kube {
        let said =
            [("--kubeconfig", asked.kubeconfig.is_some()), ("--kube-context", asked.kube_context.is_some())];
        if let Some((flag, _)) = said.iter().find(|(_, said)| *said) {
            bail!("{flag} does not go with --kube, which names the cluster already");
        }
        let base = url("the Kubernetes API", base)?;
        let token = variables.get("FOCUS_KUBE_TOKEN").map(str::to_owned);
        let access = Access::at(&base, namespace, token, trust);
        return Ok(Some(Kube::At(Box::new(
            access.map_err(|why| anyhow::anyhow!("the Kubernetes API {why}"))?,
        ))));
    }
    let by_variable = asked.target.is_none() || asked.kube_context.is_some();
    let files: Vec<PathBuf> = match (&asked.kubeconfig, variables.get("KUBECONFIG")) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(files)) if by_variable => {
            std::env::split_paths(files).filter(|file| !file.as_os_str().is_empty()).collect()
        }
        (None, _) => Vec::new(),
    };
    if files.is_empty() {
        let said = [("--kube-context", &asked.kube_context), ("--namespace", &asked.namespace)];
        if let Some((flag, _)) = said.iter().find(|(_, said)| said.is_some()) {
            bail!("{flag} needs a cluster: --kubeconfig, --kube or KUBECONFIG");
        }
        return Ok(None);
    }
    let kubeconfigs = Kubeconfigs { files, context: asked.kube_context.clone() };
    Ok(Some(Kube::By(kubeconfigs, namespace.to_owned())))
}

fn mock(asked: &Asked, because: String) -> anyhow::Result<Choice> {
    let foreign = [
        ("--admin", asked.admin.is_some()),
        ("--grpc-host", asked.grpc_host.is_some()),
        ("--kube", asked.kube.is_some()),
        ("--kubeconfig", asked.kubeconfig.is_some()),
        ("--kube-context", asked.kube_context.is_some()),
        ("--namespace", asked.namespace.is_some()),
    ];
    if let Some((flag, _)) = foreign.iter().find(|(_, said)| *said) {
        bail!("{flag} goes with a target that runs already; the mock of each case has all of its own");
    }
    let environments =
        if asked.environments.is_empty() { vec![String::from("mock")] } else { asked.environments.clone() };
    Ok(Choice { place: Place::Mock, because, environments })
}

fn by_variables(variables: &Variables) -> anyhow::Result<Option<(String, String)>> {
    // Set to nothing, it means that there is no prefix, unlike all others.
    let prefix = variables.0.get("FOCUS_API_PREFIX").map_or(DEFAULT_PREFIX, |prefix| prefix.trim());
    let prefix = match prefix.trim_matches('/') {
        "" => String::new(),
        prefix => format!("/{prefix}"),
    };
    if let Some(base) = variables.get("FOCUS_BASE_URL") {
        let base = base.trim_end_matches('/');
        let base = if base.ends_with(&prefix) { base.to_owned() } else { format!("{base}{prefix}") };
        return Ok(Some((base, String::from("FOCUS_BASE_URL says so"))));
    }
    match (variables.get("FOCUS_SERVER_HOST"), variables.get("FOCUS_SERVER_PORT")) {
        (None, None) => Ok(None),
        (Some(host), Some(port)) => {
            let base = format!("http://{host}:{port}{prefix}");
            Ok(Some((base, String::from("FOCUS_SERVER_HOST and FOCUS_SERVER_PORT say so"))))
        }
        (Some(_), None) => bail!("FOCUS_SERVER_HOST is set, but FOCUS_SERVER_PORT is not"),
        (None, Some(_)) => bail!("FOCUS_SERVER_PORT is set, but FOCUS_SERVER_HOST is not"),
    }
}

fn url(what: &str, text: &str) -> anyhow::Result<String> {
    let shown = without_credentials(text);
    let parsed = reqwest::Url::parse(text).with_context(|| format!("{what} {shown:?} is no URL"))?;
    if !["http", "https"].contains(&parsed.scheme()) || !parsed.has_host() {
        bail!("{what} {shown:?} is no http or https URL");
    }
    if parsed.query().or_else(|| parsed.fragment()).is_some() {
        bail!("{what} {shown:?} has something behind its path");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The command that does the same again, but for what picks the cases.
pub(super) fn command_line(choice: &Choice, seed: u64) -> String {
    let mut words = vec![String::from("focus-contract"), String::from("run")];
    match &choice.place {
        Place::Mock => words.extend(["--target", "mock"].map(String::from)),
        Place::Server(remote) => {
            if remote.trust == Trust::SystemRoots {
                words.insert(0, String::from("VERIFY_SSL=true"));
            }
            let said = [
                ("--target", Some(without_credentials(&remote.base))),
                ("--admin", remote.admin.as_deref().map(without_credentials)),
                ("--grpc-host", remote.grpc_host.clone()),
            ];
            for (flag, value) in said.into_iter().chain(kube_flags(remote)) {
                words.extend(value.into_iter().flat_map(|value| [flag.to_owned(), quoted(&value)]));
            }
            if remote.allow_writes {
                words.push(String::from("--allow-writes"));
            }
            for environment in &choice.environments {
                words.extend([String::from("--environment"), quoted(environment)]);
            }
        }
    }
    words.extend([String::from("--seed"), seed.to_string()]);
    words.join(" ")
}

/// The flags that name the cluster; of several files only a variable could name more than the first.
fn kube_flags(remote: &Remote) -> Vec<(&'static str, Option<String>)> {
    let other = |namespace: &str| Some(namespace.to_owned()).filter(|namespace| namespace != NAMESPACE);
    match &remote.kube {
        None => Vec::new(),
        Some(Kube::At(access)) => {
            vec![("--kube", Some(access.shown())), ("--namespace", other(access.namespace()))]
        }
        Some(Kube::By(kubeconfigs, namespace)) => vec![
            ("--kubeconfig", kubeconfigs.files.first().map(|file| file.display().to_string())),
            ("--kube-context", kubeconfigs.context.clone()),
            ("--namespace", other(namespace)),
        ],
    }
}

/// A word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(said: &[(&str, &str)]) -> Variables {
        Variables(said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn target(target: &str) -> Asked {
        Asked { target: Some(target.to_owned()), ..Asked::default() }
    }

    fn chosen(asked: &Asked, said: &[(&str, &str)]) -> Result<String, String> {
        match choose(asked, &variables(said)) {
            Ok(Choice { place: Place::Mock, .. }) => Ok(String::from("mock")),
            Ok(Choice { place: Place::Server(remote), .. }) => Ok(remote.base),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn variables_name_a_server_and_a_flag_wins() {
        const HOST: (&str, &str) = ("FOCUS_SERVER_HOST", "there");
        const PORT: (&str, &str) = ("FOCUS_SERVER_PORT", "5000");
        const BASE: (&str, &str) = ("FOCUS_BASE_URL", "https://here/");
        for (asked, said, expected) in [
            (Asked::default(), &[][..], Ok("mock")),
            (Asked::default(), &[HOST, PORT], Ok("http://there:5000/focus-server")),
            (Asked::default(), &[HOST, PORT, ("FOCUS_API_PREFIX", "")], Ok("http://there:5000")),
            (Asked::default(), &[HOST, PORT, ("FOCUS_API_PREFIX", "api/")], Ok("http://there:5000/api")),
            (Asked::default(), &[HOST, PORT, BASE], Ok("https://here/focus-server")),
            (
                Asked::default(),
                &[("FOCUS_BASE_URL", "http://a:1/focus-server/")],
                Ok("http://a:1/focus-server"),
            ),
            (Asked::default(), &[HOST], Err("FOCUS_SERVER_HOST is set, but FOCUS_SERVER_PORT is not")),
            (Asked::default(), &[PORT], Err("FOCUS_SERVER_PORT is set, but FOCUS_SERVER_HOST is not")),
            (target("mock"), &[BASE], Ok("mock")),
            // What the flag says is the whole base.
            (target("http://b:2"), &[BASE, ("FOCUS_API_PREFIX", "/api")], Ok("http://b:2")),
            (target("b:2"), &[], Err("the target \"b:2\" is no http or https URL")),
            (
                target("http://u:hush@b/?x"),
                &[],
                Err("the target \"http://b/?x\" has something behind its path"),
            ),
            (
                target("http://b"),
                &[("VERIFY_SSL", "perhaps")],
                Err("VERIFY_SSL is \"perhaps\", which is neither true nor false"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(chosen(&asked, said), expected, "{asked:?} {said:?}");
        }
    }

    #[test]
    fn the_admin_interface_of_the_variables_is_that_of_their_server() {
        const SAID: [(&str, &str); 2] = [("FOCUS_BASE_URL", "http://a:1"), ("FOCUS_ADMIN_URL", "http://a:2")];
        let admin = |asked| match choose(&asked, &variables(&SAID)).expect("a choice").place {
            Place::Mock => None,
            Place::Server(remote) => remote.admin,
        };
        assert_eq!(admin(Asked::default()).as_deref(), Some("http://a:2"));
        assert_eq!(admin(target("http://b:1")), None);
        assert_eq!(admin(target("mock")), None);
        let asked = Asked { admin: Some(String::from("http://b:2")), ..target("mock") };
        assert!(choose(&asked, &variables(&[])).is_err());
    }

    /// The cluster, as the command line that names it again.
    fn cluster(asked: &Asked, said: &[(&str, &str)]) -> Result<String, String> {
        let choice = choose(asked, &variables(said)).map_err(|error| error.to_string())?;
        let Place::Server(remote) = choice.place else { return Ok(String::from("the mock's own")) };
        let said =
            kube_flags(&remote).into_iter().filter_map(|(flag, value)| Some(format!("{flag} {}", value?)));
        Ok(said.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn a_cluster_is_named_by_flags_or_by_the_variable_that_goes_with_a_server() {
        const SERVER: (&str, &str) = ("FOCUS_BASE_URL", "http://a:1");
        const CONFIGS: (&str, &str) = ("KUBECONFIG", "/first:/second");
        let text = |text: &str| Some(text.to_owned());
        let kube = || Asked { kube: text("http://me:hush@c:1/"), ..target("http://b") };
        let file = || Asked { kubeconfig: Some(PathBuf::from("/given")), ..target("http://b") };
        for (asked, said, expected) in [
            (Asked::default(), &[SERVER][..], Ok("")),
            (Asked::default(), &[SERVER, CONFIGS], Ok("--kubeconfig /first")),
            (Asked::default(), &[CONFIGS], Ok("the mock's own")),
            // A shell's current cluster is not the one of any server.
            (target("http://b"), &[CONFIGS], Ok("")),
            (
                Asked { kube_context: text("c"), ..target("http://b") },
                &[CONFIGS],
                Ok("--kubeconfig /first --kube-context c"),
            ),
            (file(), &[CONFIGS], Ok("--kubeconfig /given")),
            (
                Asked { kube_context: text("c"), namespace: text("n"), ..file() },
                &[],
                Ok("--kubeconfig /given --kube-context c --namespace n"),
            ),
            (kube(), &[CONFIGS], Ok("--kube http://c:1")),
            (Asked { namespace: text("n"), ..kube() }, &[], Ok("--kube http://c:1 --namespace n")),
            (
                Asked { kube_context: text("c"), ..kube() },
                &[],
                Err("--kube-context does not go with --kube, which names the cluster already"),
            ),
            (
                Asked { kube_context: text("c"), ..target("http://b") },
                &[],
                Err("--kube-context needs a cluster: --kubeconfig, --kube or KUBECONFIG"),
            ),
            (
                Asked { namespace: text("n"), ..target("http://b") },
                &[],
                Err("--namespace needs a cluster: --kubeconfig, --kube or KUBECONFIG"),
            ),
            (
                Asked { kubeconfig: Some(PathBuf::from("/given")), ..target("mock") },
                &[],
                Err(
                    "--kubeconfig goes with a target that runs already; the mock of each case has all of its own",
                ),
            ),
            (
                Asked { kube: text("c:1"), ..target("http://b") },
                &[],
                Err("the Kubernetes API \"c:1\" is no http or https URL"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(cluster(&asked, said), expected, "{asked:?} {said:?}");
        }
    }

    #[test]
    fn the_command_repeats_the_choice_and_tells_no_secret() {
        let asked = Asked {
            grpc_host: Some(String::from("it's")),
            allow_writes: true,
            ..target("https://me:hush@b/api")
        };
        let choice =
            choose(&asked, &variables(&[("VERIFY_SSL", "TRUE"), ("FOCUS_ENV", "dev")])).expect("a choice");
        let expected = r"VERIFY_SSL=true focus-contract run --target https://b/api --grpc-host 'it'\''s' --allow-writes --environment dev --seed 7";
        assert_eq!(command_line(&choice, 7), expected);
    }

    #[test]
    fn production_is_known_by_any_of_its_names() {
        for said in [("ENVIRONMENT", "Production"), ("FOCUS_ENV", "prod")] {
            let choice = choose(&target("http://b"), &variables(&[said])).expect("a choice");
            assert!(matches!(choice.place, Place::Server(remote) if remote.production), "{said:?}");
        }
    }
}
