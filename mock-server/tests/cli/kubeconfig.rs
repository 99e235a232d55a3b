//! `focus-mock kubeconfig`, and everything else that says where the simulated cluster is.

use std::process::Output;

use kube::config::Kubeconfig;

use super::child::{Ready, ask, focus_mock};

fn printed(arguments: &[&str]) -> Output {
    focus_mock(&["kubeconfig"]).args(arguments).output().expect("it runs")
}

fn read(output: &Output) -> Kubeconfig {
    let text = std::str::from_utf8(&output.stdout).expect("a text");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Kubeconfig::from_yaml(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn server(config: &Kubeconfig) -> String {
    config.clusters[0].cluster.clone().and_then(|cluster| cluster.server).expect("a server")
}

fn namespace(config: &Kubeconfig) -> Option<String> {
    assert_eq!(config.current_context.as_deref(), Some(config.contexts[0].name.as_str()));
    config.contexts[0].context.clone().and_then(|context| context.namespace)
}

fn token(config: &Kubeconfig) -> Option<String> {
    let user = config.auth_infos[0].auth_info.clone().expect("a user");
    serde_json::to_value(user).expect("JSON")["token"].as_str().map(str::to_owned)
}

#[test]
fn without_anything_it_leads_to_the_documented_port_and_the_namespace_of_the_jobs() {
    let config = read(&printed(&[]));
    assert_eq!(server(&config), "http://127.0.0.1:5002");
    assert_eq!((namespace(&config).as_deref(), token(&config)), (Some("panda"), None));
}

#[test]
fn it_says_what_the_flags_of_the_server_say() {
    let config =
        read(&printed(&["--kube", "0.0.0.0:7", "--kube-token", "a", "--set", "cluster.namespace=das"]));
    assert_eq!(server(&config), "http://127.0.0.1:7", "an address that can be dialled");
    assert_eq!((namespace(&config).as_deref(), token(&config).as_deref()), (Some("das"), Some("a")));
    let config =
        read(&printed(&["--kube-token", "a", "--token", "b", "--namespace", "default", "--kube-tls"]));
    assert_eq!((namespace(&config).as_deref(), token(&config).as_deref()), (Some("default"), Some("b")));
    let cluster = config.clusters[0].cluster.clone().expect("a cluster");
    assert_eq!(cluster.server.as_deref(), Some("https://127.0.0.1:5002"));
    assert_eq!(cluster.insecure_skip_tls_verify, Some(true), "nobody knows the certificate");
}

#[test]
fn the_port_file_knows_where_a_server_is_and_what_it_is_known_by() {
    for tls in [&[][..], &["--kube-tls"]] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let path = file.path().to_str().expect("a path of ASCII");
        let mock = Ready::with(&[tls, &["--port-file", path]].concat());
        let config = read(&printed(&["--port-file", path]));
        assert_eq!(Some(server(&config).as_str()), mock.said["kube"].as_str());
        let cluster = config.clusters[0].cluster.clone().expect("a cluster");
        assert_eq!(cluster.certificate_authority_data.is_some(), !tls.is_empty());
        assert_eq!(cluster.insecure_skip_tls_verify, None);
    }
}

#[test]
fn where_there_is_none_to_be_found_it_says_why() {
    for (arguments, told) in [
        (&["--kube", "off"][..], "the server has no Kubernetes API: it was left out with --kube off"),
        (
            &["--kube", "127.0.0.1:0"],
            "a port is 0, so only the port file can tell where the server is: give --port-file",
        ),
        (&["--token", "a b"], "--token must be 1 to 256 visible characters of ASCII, without blanks"),
        (&["--port-file", "/nowhere"], "port file /nowhere: No such file or directory (os error 2)"),
        (&["--kube", "on"], "--kube: kube.listen must be an IP address and a port"),
    ] {
        let output = printed(arguments);
        let said = String::from_utf8(output.stderr).expect("a text");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
        assert!(said.starts_with(&format!("focus-mock: {told}")), "{said}");
    }
}

#[test]
fn the_ready_line_has_the_address_and_null_where_there_is_none() {
    let mock = Ready::with(&[]);
    let kube = mock.said["kube"].as_str().and_then(|base| base.strip_prefix("http://")).expect("a base");
    assert_eq!(ask(kube.parse().expect("an address"), "GET", "/healthz", ""), (200, String::from("ok")));
    mock.program.log.wait_for("curl");
    assert!(mock.program.log.text().contains(&format!("kube   http://{kube}\n")));
    let without = Ready::with(&["--kube", "off"]);
    assert!(without.said["kube"].is_null());
    without.program.log.wait_for("kube   off");
}

#[test]
fn an_api_that_others_may_reach_without_a_token_is_warned_of() {
    let warning = "the Kubernetes API listens on 0.0.0.0:";
    let open = Ready::with(&["--kube", "0.0.0.0:0"]);
    open.program.log.wait_for(warning);
    open.program.log.wait_for("give --kube-token or FOCUS_MOCK_KUBE_TOKEN");
    let guarded = Ready::with(&["--kube", "0.0.0.0:0", "--kube-token", "open-sesame"]);
    guarded.program.log.wait_for("answers");
    let log = guarded.program.log.text();
    assert!(!log.contains(warning) && !log.contains("sesame"), "{log}");
}

#[test]
fn a_token_that_kubectl_would_not_send_is_warned_of() {
    let warning = "over which kubectl sends none: give --kube-tls";
    Ready::with(&["--kube-token", "a"]).program.log.wait_for(warning);
    for quiet in [&["--kube-token", "a", "--kube-tls"][..], &[]] {
        let mock = Ready::with(quiet);
        mock.program.log.wait_for("answers");
        assert!(!mock.program.log.text().contains(warning), "{quiet:?}");
    }
}

#[test]
fn a_command_with_a_server_of_its_own_finds_it_in_a_file_that_goes_with_it() {
    let mut command = focus_mock(&["exec", "--kube-token", "open-sesame", "--"]);
    let output = command.args(["sh", "-c", "echo $KUBECONFIG; cat $KUBECONFIG"]).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("a text");
    let (path, yaml) = text.split_once('\n').expect("a path and a file");
    let config = Kubeconfig::from_yaml(yaml).expect("a kubeconfig");
    assert!(server(&config).starts_with("http://127.0.0.1:"), "{yaml}");
    assert_eq!(
        (namespace(&config).as_deref(), token(&config).as_deref()),
        (Some("panda"), Some("open-sesame"))
    );
    assert!(!std::path::Path::new(path).exists(), "{path} is left behind");
    assert_eq!(output.status.code(), Some(0));
}
