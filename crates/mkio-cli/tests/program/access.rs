//! Tokens and profiles.

use crate::{Service, TOKEN, fed, ran};

#[test]
fn a_token_comes_from_standard_input_and_is_never_shown() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut command = service.bare(&["login", "--base-url", &url, "-p", "demo"]);
    let told = fed(&mut command, &format!("{TOKEN}\n"));
    assert_eq!(told.code, 0, "{}", told.err);
    let out = ran(&mut service.bare(&["asset", "list", "-o", "name"]));
    assert_eq!(out.out.lines().count(), 5, "{}", out.err);
    let who = ran(&mut service.bare(&["whoami", "-o", "json"]));
    assert_eq!(who.code, 0, "{}", who.err);
    let list = ran(&mut service.bare(&["profile", "list"]));
    assert!(
        list.out.contains("default") && list.out.contains("this file"),
        "{}",
        list.out
    );
    for ran in [&told, &out, &who, &list] {
        assert!(
            !ran.out.contains(TOKEN) && !ran.err.contains(TOKEN),
            "{ran:?}"
        );
    }
    let gone = ran(&mut service.bare(&["logout"]));
    assert_eq!(gone.code, 0, "{}", gone.err);
    assert_eq!(ran(&mut service.bare(&["asset", "list"])).code, 3);
}

#[test]
fn a_token_that_the_service_refuses_is_not_stored() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut command = service.bare(&["login", "--base-url", &url]);
    let told = fed(&mut command, "wrong-token\n");
    assert_eq!(told.code, 3, "{}", told.err);
    assert!(!told.err.contains("wrong-token"), "{}", told.err);
    let list = ran(&mut service.bare(&["profile", "list", "-o", "name"]));
    assert_eq!(list.out, "");
}

/// The token of a profile goes to the profile's address, whatever the command line says.
#[test]
fn no_token_goes_to_another_address() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut command = service.bare(&["login", "--base-url", &url, "-p", "demo"]);
    assert_eq!(fed(&mut command, &format!("{TOKEN}\n")).code, 0);
    let other = ran(&mut service.bare(&["asset", "list", "--base-url", "http://127.0.0.1:9"]));
    assert_eq!(other.code, 3, "{}", other.err);
    assert!(other.err.contains("was not given for"), "{}", other.err);
    // A profile that is named shuts the environment out.
    let mut command = service.bare(&["asset", "list", "--profile", "default", "-o", "name"]);
    command
        .env("MKIO_TOKEN", "of-elsewhere")
        .env("MKIO_BASE_URL", "http://127.0.0.1:9");
    let own = ran(&mut command);
    assert_eq!(own.out.lines().count(), 5, "{}", own.err);
}

#[test]
fn profiles_are_chosen_and_protected_ones_ask() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let run = |args: &[&str]| ran(&mut service.bare(args));
    for name in ["prod", "stage"] {
        let mut command =
            service.bare(&["login", "--profile", name, "--base-url", &url, "-p", "demo"]);
        assert_eq!(fed(&mut command, TOKEN).code, 0);
    }
    assert_eq!(run(&["profile", "use", "stage"]).code, 0);
    assert_eq!(run(&["profile", "use", "nowhere"]).code, 3);
    let set = run(&["profile", "set", "protected", "true", "--profile", "prod"]);
    assert_eq!(set.code, 0, "{}", set.err);
    let put = |profile: &str, more: &[&str]| {
        let mut args = vec![
            "asset",
            "put",
            "new",
            "--set",
            "properties.storageAccountName=storage1",
            "--profile",
            profile,
        ];
        args.extend(more);
        run(&args)
    };
    let asked = put("prod", &[]);
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert!(
        asked.err.contains("protected") && asked.err.contains("--yes"),
        "{}",
        asked.err
    );
    assert_eq!(
        run(&["asset", "get", "new", "--profile", "prod"]).code,
        4,
        "nothing was sent"
    );
    assert_eq!(put("stage", &[]).code, 0);
    let told = put("prod", &["--yes"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert_eq!(run(&["profile", "delete", "prod"]).code, 2, "it asks");
    assert_eq!(run(&["profile", "delete", "prod", "--yes"]).code, 0);
}

#[test]
fn deleting_several_resources_asks() {
    let service = Service::with(3);
    let names = service.ok(&["asset", "list", "-o", "name"]);
    let names: Vec<&str> = names.lines().collect();
    let asked = service.run(&["asset", "delete", names[0], names[1]]);
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert!(asked.err.contains("2 resources"), "{}", asked.err);
    assert_eq!(
        service.ok(&["asset", "list", "-o", "name"]).lines().count(),
        3
    );
    service.ok(&["asset", "delete", names[0], names[1], "--yes", "--wait"]);
    assert_eq!(
        service.ok(&["asset", "list", "-o", "name"]).lines().count(),
        1
    );
    let by_hand = "/api/v1/user/tokens";
    for all in [
        &["token", "delete-all"][..],
        &["call", "delete_all_user_tokens"],
        &["api", "DELETE", by_hand],
        &["api", "DELETE", &format!("{by_hand}/")],
    ] {
        let asked = service.run(all);
        assert_eq!(asked.code, 2, "{all:?}: {}", asked.err);
    }
    assert_eq!(
        service.run(&["asset", "list"]).code,
        0,
        "the token is still there"
    );
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let service = Service::at(0, 1.0);
    let well = service.run(&["doctor"]);
    assert_eq!(well.code, 0, "{}{}", well.out, well.err);
    let mut command = service.command(&["doctor", "--timeout", "2s"]);
    let ill = ran(command.env("MKIO_TOKEN", "wrong"));
    assert_eq!(ill.code, 1, "{}{}", ill.out, ill.err);
    assert!(
        ill.out.contains("false") && !ill.out.contains("wrong\n"),
        "{}",
        ill.out
    );
}

/// A token is kept with the address that it was given for, and asked about there.
/// A token that nothing gives, or that is refused, is the token's fault, and the hint helps.
#[test]
fn the_doctor_tells_where_the_token_comes_from() {
    let service = Service::new();
    let url = service.emulator.base_url();
    let text = format!(
        "default = 'x'\n[profiles.x]\nbase_url = '{url}'\nproject = 'demo'\ntoken_command = ['false']\n"
    );
    let file = service.file("command.toml", &text);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, mode).expect("it is ours");
    }
    let failing = |args: &[&str]| ran(&mut service.bare(&[args, &["--config", &file]].concat()));
    let list = failing(&["asset", "list"]);
    assert!(list.err.contains("mkio doctor"), "{}", list.err);
    let ill = failing(&["doctor"]);
    assert_eq!(ill.code, 1);
    let token = ill.out.lines().find(|line| line.starts_with("token"));
    let token = token.expect(&ill.out);
    for told in ["false", "profile x: a command", "`false` failed"] {
        assert!(token.contains(told), "{told}: {token}");
    }
    assert!(!ill.out.contains("address"), "{}", ill.out);
    let mut command = service.command(&["doctor"]);
    let wrong = ran(command.env("MKIO_TOKEN", "wrong"));
    assert!(wrong.out.contains("false  MKIO_TOKEN: "), "{}", wrong.out);
    // What a login tried is told of no other token.
    let login = ["login", "--profile", "new", "--base-url", url];
    let refused = fed(&mut service.bare(&login), "wrong\n");
    assert_eq!(refused.code, 3);
    assert!(
        refused.err.contains("nothing was stored"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("whoami"), "{}", refused.err);
    let unknown = service.file(
        "unknown.toml",
        &text.replace("default", "nonsense = 1\ndefault"),
    );
    let settings = service.run(&["doctor", "--config", &unknown]);
    assert_eq!(settings.code, 1);
}

/// What people see of it fits a screen; programs have all of it.
#[test]
fn who_one_is_fits_a_screen() {
    let service = Service::new();
    let shown = service.ok(&["whoami"]);
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest.expect("lines") <= 120, "{shown}");
    for told in [
        "emulator@example.com",
        "MKIO_TOKEN",
        "rights/core.project/ams.asset ",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let all = service.ok(&[
        "whoami",
        "--jq",
        ".user.spec.loginEmail, (.rights.rbac | length > 0)",
    ]);
    assert_eq!(all, "emulator@example.com\ntrue\n");
}

/// A setting that is removed is told as such.
#[test]
fn settings_are_set_and_removed() {
    let service = Service::new();
    let set = |more: &[&str]| {
        let ran = ran(&mut service.bare(&[&["profile", "set", "project"], more].concat()));
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.err
    };
    assert!(set(&["demo"]).starts_with("set `project`"));
    assert!(set(&[]).starts_with("removed `project`"));
}

#[test]
fn a_login_keeps_the_address_of_the_environment() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut command = service.bare(&["login", "-p", "demo"]);
    let told = fed(command.env("MKIO_BASE_URL", &url), &format!("{TOKEN}\n"));
    assert_eq!(told.code, 0, "{}", told.err);
    let list = ran(&mut service.bare(&["profile", "list", "-o", "json"]));
    assert!(list.out.contains(&url), "{}", list.out);
    let assets = ran(&mut service.bare(&["asset", "list", "-o", "name"]));
    assert_eq!(assets.out.lines().count(), 5, "{}", assets.err);
    // A profile that is named shuts the environment out: the address is not this one's.
    let mut command = service.bare(&["login", "--profile", "cloud", "--unchecked"]);
    let told = fed(command.env("MKIO_BASE_URL", &url), "other\n");
    assert_eq!(told.code, 0, "{}", told.err);
    let list = ran(&mut service.bare(&["profile", "list", "--jq", "map(.base_url)"]));
    assert_eq!(list.out.trim(), format!("[\"{url}\",null]"));
}

#[test]
fn a_token_of_the_environment_goes_to_the_address_of_the_environment() {
    let (service, other) = (Service::new(), Service::new());
    let theirs = other.emulator.base_url().to_owned();
    let refused = service.run(&["asset", "list", "--base-url", &theirs]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("nothing was sent"), "{}", refused.err);
    let mut command = service.bare(&["asset", "list", "--base-url", &theirs, "-p", "demo"]);
    let refused = ran(command.env("MKIO_TOKEN", TOKEN));
    assert_eq!(
        refused.code, 3,
        "the default is another address: {}",
        refused.err
    );
    assert!(other.emulator.control().requests().is_empty());
    let same = format!("{}/", service.emulator.base_url().trim_end_matches('/'));
    let own = service.run(&["asset", "list", "--base-url", &same]);
    assert_eq!(own.code, 0, "{}", own.err);
}

/// An empty variable names no profile, so the default is the one in use, and protected.
#[test]
fn an_empty_variable_takes_no_protection_away() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut command = service.bare(&["login", "--base-url", &url, "-p", "demo"]);
    assert_eq!(fed(&mut command, TOKEN).code, 0);
    assert_eq!(
        ran(&mut service.bare(&["profile", "set", "protected", "true"])).code,
        0
    );
    let put = [
        "asset",
        "put",
        "new",
        "--set",
        "properties.storageAccountName=storage1",
    ];
    for empty in ["", " "] {
        let mut command = service.bare(&put);
        let asked = ran(command.env("MKIO_PROFILE", empty));
        assert_eq!(asked.code, 2, "{}", asked.err);
        assert!(asked.err.contains("protected"), "{}", asked.err);
    }
    let mut listen = service.bare(&["webhooks", "listen", "--listen", "127.0.0.1:0"]);
    let asked = ran(&mut listen);
    assert!(
        asked.code == 2 && asked.err.contains("protected"),
        "{}",
        asked.err
    );
    let mut call = service.bare(&[
        "call",
        "stop_live_event",
        "--args",
        "{\"event_name\": \"e\"}",
    ]);
    let asked = ran(&mut call);
    assert!(
        asked.code == 2 && asked.err.contains("protected"),
        "{}",
        asked.err
    );
    let control = service.emulator.control();
    let writes = |of: &&mkio_emulator::RequestRecord| of.method != mkio::http::Method::GET;
    assert_eq!(control.requests().iter().filter(writes).count(), 0);
}

/// Where there can be no configuration the environment is enough.
#[test]
fn a_home_that_cannot_be_read_is_none() {
    let service = Service::new();
    let file = service.file("no-folder", "");
    let put = [
        "asset",
        "put",
        "new",
        "--set",
        "properties.storageAccountName=storage1",
    ];
    let mut command = service.command(&put);
    let told = ran(command.env("XDG_CONFIG_HOME", &file).env("HOME", &file));
    assert_eq!(told.code, 0, "{}", told.err);
}

/// Calls by name are as careful as commands: they ask, and they write files.
#[test]
fn calls_by_name_ask_as_commands_do() {
    let service = Service::new();
    let asked = service.run(&["call", "delete_all_user_tokens"]);
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert_eq!(
        service.run(&["asset", "list"]).code,
        0,
        "the token is still there"
    );
    service.ok(&[
        "call",
        "delete_asset",
        "--args",
        "{\"asset_name\": \"asset-1\"}",
    ]);
    let gone = service.run(&[
        "call",
        "delete_asset",
        "--args",
        "{\"asset_name\": \"asset-2\"}",
    ]);
    assert!(gone.err.contains("done"), "{}", gone.err);
    let body = r#"{"startDate": "2026-01-01", "endDate": "2026-02-01", "format": "csv"}"#;
    let args = format!("{{\"body\": {body}}}");
    let csv = service.folder.path().join("usage.csv");
    let save = csv.display().to_string();
    service.ok(&[
        "call",
        "create_usage_report_csv",
        "--args",
        &args,
        "--save",
        &save,
    ]);
    let text = std::fs::read_to_string(&csv).expect("a file");
    assert!(text.contains(','), "{text}");
    // A response that breaks off leaves the earlier one.
    service.fault("POST * cut=20");
    let call = ["call", "create_usage_report_csv", "--args", &args];
    let broken = service.run(&[&call[..], &["--save", &save]].concat());
    assert_ne!(broken.code, 0, "{broken:?}");
    assert_eq!(std::fs::read_to_string(&csv).expect("it stays"), text);
}

/// A command is tried before it is stored, so that a wrong one is seen at once.
#[cfg(unix)]
#[test]
fn a_command_that_gives_no_token_is_not_stored() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let log_in = |command: &str, more: &[&str]| {
        let args = [
            "login",
            "--base-url",
            &url,
            "-p",
            "demo",
            "--command",
            command,
        ];
        ran(service
            .bare(&[&args[..], more].concat())
            .env("PATH", "/usr/bin:/bin"))
    };
    let listed = || ran(&mut service.bare(&["profile", "list", "-o", "name"])).out;
    for wrong in ["false", "no-such-program-8c1", "echo wrong-token"] {
        let refused = log_in(wrong, &[]);
        assert_eq!(refused.code, 3, "{wrong}: {}", refused.err);
        assert_eq!(listed(), "", "{wrong}");
    }
    assert_eq!(log_in("false", &["--unchecked"]).code, 0);
    let right = log_in(&format!("echo {TOKEN}"), &[]);
    assert_eq!(right.code, 0, "{}", right.err);
    assert!(right.err.contains("logged in as"), "{}", right.err);
}
