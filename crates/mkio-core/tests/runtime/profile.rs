//! The profile file.

use std::{ffi::OsString, path::PathBuf};

use mkio_core::{ErrorKind, Transport, TransportBuilder};

use super::tokens::set_mode;
use crate::support::*;

struct File {
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl File {
    fn new(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        Self {
            path,
            _directory: directory,
        }
    }

    fn builder(&self, script: &Script) -> TransportBuilder {
        Transport::builder()
            .config_file(&self.path)
            .dispatch(script.clone())
    }
}

fn variables(
    variables: &'static [(&'static str, &'static str)],
) -> impl Fn(&str) -> Option<OsString> + Send + Sync {
    move |name| {
        let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
        Some(OsString::from(value))
    }
}

const TWO: &str = r#"
    default = "prod"

    [profiles.prod]
    token = "prod-token"
    project = "acme"

    [profiles.stage]
    base_url = "https://stage.example"
    token = "stage-token"

    [profiles.stage.api.channels]
    base_url = "http://10.0.0.5"
"#;

#[tokio::test(start_paused = true)]
async fn profiles_are_found_by_name_or_default() {
    let file = File::new(TWO);
    let script = Script::new([]);
    for (builder, token, base, project) in [
        (
            file.builder(&script).with_env_from(|_| None),
            "prod-token",
            "https://app.mk.io",
            Some("acme"),
        ),
        (
            file.builder(&script)
                .with_env_from(variables(&[("MKIO_PROFILE", "stage")])),
            "stage-token",
            "https://stage.example",
            None,
        ),
        (
            file.builder(&script).profile("stage"),
            "stage-token",
            "https://stage.example",
            None,
        ),
    ] {
        let transport = builder.build().unwrap();
        call(&transport, &GET).await.unwrap();
        assert_eq!(script.seen().last().unwrap().bearer(), Some(token));
        assert_eq!(transport.base_url("media"), base);
        assert_eq!(transport.project(), project);
    }
    let stage = file.builder(&script).profile("stage").build().unwrap();
    assert_eq!(stage.base_url("channels"), "http://10.0.0.5");
}

#[tokio::test(start_paused = true)]
async fn code_beats_the_environment_and_the_environment_beats_every_profile() {
    let file = File::new(TWO);
    let script = Script::new([]);
    let environment = || {
        variables(&[
            ("MKIO_PROFILE", "stage"),
            ("MKIO_TOKEN", "env-token"),
            ("MKIO_BASE_URL", "https://env.example"),
            ("MKIO_PROJECT", "zeta"),
        ])
    };
    let from = |builder: TransportBuilder| builder.build().unwrap();
    let transport = from(file.builder(&script).with_env_from(environment()));
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("env-token"));
    assert_eq!(transport.base_url("media"), "https://env.example");
    assert_eq!(transport.project(), Some("zeta"));
    // So it does when the profile is named in code; of two named profiles, that one is read.
    let transport = from(
        file.builder(&script)
            .profile("prod")
            .with_env_from(environment()),
    );
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[1].bearer(), Some("env-token"));
    assert_eq!(transport.project(), Some("zeta"));
    assert_eq!(transport.base_url("media"), "https://env.example");
    // Without the environment a profile is all there is.
    let transport = from(file.builder(&script).profile("prod"));
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[2].bearer(), Some("prod-token"));
    assert_eq!(transport.project(), Some("acme"));
    let transport = from(file.builder(&script).profile("prod").token("code-token"));
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[3].bearer(), Some("code-token"));
}

#[tokio::test(start_paused = true)]
async fn a_token_goes_only_to_the_address_it_was_given_for() {
    let file = File::new(TWO);
    let script = Script::new([]);
    let env = |profile: &str, others: &'static [(&'static str, &'static str)]| {
        file.builder(&script)
            .profile(profile)
            .with_env_from(variables(others))
    };
    let url = &[("MKIO_BASE_URL", "https://env.example")];
    let token = &[("MKIO_TOKEN", "env-token")];
    for (builder, names) in [
        (
            env("prod", url),
            ["token of profile `prod`", "MKIO_BASE_URL"],
        ),
        (
            env("stage", url),
            ["token of profile `stage`", "MKIO_BASE_URL"],
        ),
        (
            env("stage", token),
            ["MKIO_TOKEN", "base URL of profile `stage`"],
        ),
    ] {
        let error = builder.clone().build().unwrap_err();
        let line = error.to_string();
        assert_eq!(error.kind(), ErrorKind::Config, "{line}");
        assert!(names.iter().all(|name| line.contains(name)), "{line}");
        assert!(!line.contains("-token"), "{line}");
        // Unless code says so.
        builder.clone().token("code-token").build().unwrap();
        builder.clone().anonymous().build().unwrap();
        builder.base_url("https://code.example").build().unwrap();
    }
    for builder in [env("prod", token), env("prod", &[]), env("stage", &[])] {
        builder.build().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_default_the_profile_of_that_name_is_used_or_none() {
    let script = Script::new([]);
    let file = File::new("[profiles.default]\ntoken = \"d\"");
    let transport = file
        .builder(&script)
        .with_env_from(|_| None)
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("d"));
    let file = File::new("[profiles.prod]\ntoken = \"p\"");
    let error = file
        .builder(&script)
        .with_env_from(|_| None)
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("there is no token"), "{error}");
}

#[test]
fn an_unknown_profile_is_answered_with_the_known_ones() {
    let file = File::new(TWO);
    let script = Script::new([]);
    let error = file.builder(&script).profile("prdo").build().unwrap_err();
    let line = error.to_string();
    assert!(
        line.contains("`prdo`") && line.contains("prod, stage"),
        "{line}"
    );
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let script = Script::new([]);
    let error = Transport::builder()
        .dispatch(script)
        .config_file("/no/such/file.toml")
        .with_env_from(|_| None)
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("/no/such/file.toml"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_read_is_refused_with_the_fix() {
    let script = Script::new([]);
    for mode in [0o644, 0o640, 0o604] {
        let file = File::new(TWO);
        set_mode(&file.path, mode);
        let error = file.builder(&script).profile("prod").build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let fix = format!("chmod 600 {}", file.path.display());
        assert!(error.to_string().contains(&fix), "{error}");
        set_mode(&file.path, 0o600);
        file.builder(&script).profile("prod").build().unwrap();
    }
}

#[tokio::test]
async fn the_token_may_be_in_a_file_next_to_it() {
    let file = File::new("[profiles.p]\ntoken_file = \"mkio.token\"");
    let path = file.path.with_file_name("mkio.token");
    std::fs::write(&path, "from-file\n").unwrap();
    set_mode(&path, 0o600);
    let script = Script::new([]);
    let transport = file.builder(&script).profile("p").build().unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("from-file"));
}

#[cfg(unix)]
#[tokio::test]
async fn the_token_may_come_from_a_command() {
    let file = File::new("[profiles.p]\ntoken_command = [\"echo\", \"from command\"]");
    let script = Script::new([]);
    let transport = file.builder(&script).profile("p").build().unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("from command"));
}

#[test]
fn two_sources_of_one_token_are_both_named() {
    let script = Script::new([]);
    for (text, names) in [
        (
            "token = \"hunter2\"\ntoken_file = \"f\"",
            ["token", "token_file"],
        ),
        (
            "token_file = \"f\"\ntoken_command = [\"c\"]",
            ["token_file", "token_command"],
        ),
        (
            "token = \"hunter2\"\ntoken_command = [\"c\"]",
            ["token", "token_command"],
        ),
    ] {
        let file = File::new(&format!("[profiles.p]\n{text}"));
        let error = file.builder(&script).profile("p").build().unwrap_err();
        let line = error.to_string();
        assert!(
            names.iter().all(|name| line.contains(&format!("`{name}`"))),
            "{line}"
        );
        assert!(
            line.contains("profile `p`") && !line.contains("hunter2"),
            "{line}"
        );
    }
}

#[test]
fn mistakes_in_the_file_are_located_and_not_quoted() {
    let script = Script::new([]);
    for (text, line, why) in [
        ("[profiles.p]\ntoken = \"hunter2\nproject = \"x\"", 2, ""),
        ("[profiles.p]\n\ntokn = \"hunter2\"", 3, "tokn"),
        ("[profiles.p]\ntoken_command = \"hunter2 x\"", 2, "sequence"),
        ("[profiles.p]\ntoken_command = []", 0, "is empty"),
        (
            "[profiles.p.api.channels]\ntoken = \"hunter2\"",
            0,
            "base_url",
        ),
    ] {
        let file = File::new(text);
        let error = file.builder(&script).profile("p").build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(
            shown.contains(why) && shown.contains("config.toml"),
            "{shown}"
        );
        if line > 0 {
            assert!(shown.contains(&format!("line {line}")), "{shown}");
        }
    }
}
