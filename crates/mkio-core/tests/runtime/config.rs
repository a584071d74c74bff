//! Settings from code and environment, and which of them wins.

use std::ffi::OsString;

use mkio_core::{
    ErrorKind, RetryPolicy, Token, Transport, TransportBuilder, http_client_builder, token_fn,
};

use crate::support::*;

/// A builder that sees these variables and no profile file.
fn env(script: &Script, variables: &[(&'static str, &'static str)]) -> TransportBuilder {
    let variables: Vec<_> = variables.to_vec();
    Transport::builder()
        .dispatch(script.clone())
        .with_env_from(move |name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(value))
        })
}

fn no_file() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.toml");
    std::fs::write(&path, "").unwrap();
    super::tokens::set_mode(&path, 0o600);
    (directory, path)
}

#[tokio::test(start_paused = true)]
async fn the_environment_fills_what_code_leaves_open() {
    let (_guard, file) = no_file();
    let script = Script::new([]);
    let variables = [
        ("MKIO_TOKEN", " from-env\n"),
        ("MKIO_BASE_URL", "https://mkio.example/"),
        ("MKIO_PROJECT", "acme"),
        ("MKIO_PROFILE", ""),
    ];
    let builder = env(&script, &variables).config_file(&file);
    let transport = builder.clone().build().unwrap();
    assert_eq!(transport.base_url("media"), "https://mkio.example");
    assert_eq!(transport.project(), Some("acme"));
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("from-env"));

    let transport = builder
        .token("from-code")
        .base_url("https://other.example")
        .project("zeta")
        .build()
        .unwrap();
    assert_eq!(transport.base_url("media"), "https://other.example");
    assert_eq!(transport.project(), Some("zeta"));
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[1].bearer(), Some("from-code"));
}

#[tokio::test(start_paused = true)]
async fn a_provider_in_code_beats_a_token_in_the_environment() {
    let (_guard, file) = no_file();
    let script = Script::new([]);
    let transport = env(&script, &[("MKIO_TOKEN", "from-env")])
        .config_file(&file)
        .token_provider(token_fn(|| async { Ok(Token::new("from-provider")) }))
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), Some("from-provider"));
}

#[tokio::test(start_paused = true)]
async fn anonymous_sends_no_token_even_if_the_environment_has_one() {
    let (_guard, file) = no_file();
    let script = Script::new([]);
    let transport = env(&script, &[("MKIO_TOKEN", "from-env")])
        .config_file(&file)
        .anonymous()
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    assert_eq!(script.seen()[0].bearer(), None);
}

#[test]
fn without_a_token_the_error_names_the_ways_out() {
    let (_guard, file) = no_file();
    let script = Script::new([]);
    for builder in [Transport::builder(), env(&script, &[]).config_file(file)] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        for way in ["MKIO_TOKEN", "profile", "token_provider"] {
            assert!(error.to_string().contains(way), "{error}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt;

    let error = Transport::builder()
        .with_env_from(|name| (name == "MKIO_BASE_URL").then(|| OsString::from_vec(vec![0xff])))
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("MKIO_BASE_URL"), "{error}");
}

#[test]
fn settings_that_exclude_each_other_are_both_named() {
    let client = || http_client_builder().unwrap().build().unwrap();
    let second = std::time::Duration::from_secs(1);
    let provider = || token_fn(|| async { Ok(Token::new("x")) });
    let certificate = || super::network::certificate().0;
    let proxy = || reqwest::Proxy::all("http://proxy.example").unwrap();
    let builder = || Transport::builder().token("t");
    for (builder, names) in [
        (
            builder().token_provider(provider()),
            ["token", "token_provider"],
        ),
        (builder().anonymous(), ["token", "anonymous"]),
        (
            Transport::builder().token_provider(provider()).anonymous(),
            ["token_provider", "anonymous"],
        ),
        (
            builder().http_client(client()).proxy(proxy()),
            ["http_client", "proxy"],
        ),
        (
            builder().http_client(client()).connect_timeout(second),
            ["http_client", "connect_timeout"],
        ),
        (
            builder().http_client(client()).dispatch(client()),
            ["http_client", "dispatch"],
        ),
        (
            builder().dispatch(client()).proxy(proxy()),
            ["dispatch", "proxy"],
        ),
        (
            builder().dispatch(client()).connect_timeout(second),
            ["dispatch", "connect_timeout"],
        ),
        (
            builder().dispatch(client()).root_certificate(certificate()),
            ["dispatch", "root_certificate"],
        ),
        (
            builder()
                .http_client(client())
                .root_certificate(certificate()),
            ["http_client", "root_certificate"],
        ),
    ] {
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        for name in names {
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
    }
    let error = builder().api_token("channels", "x").build().unwrap_err();
    assert!(error.to_string().contains("api_base_url"), "{error}");
}

#[test]
fn base_urls_are_checked() {
    for (url, why) in [
        ("app.mk.io", "not a URL"),
        ("ftp://app.mk.io", "https://"),
        ("https://user:hunter2@app.mk.io", "password"),
        ("https://hunter2@app.mk.io", "password"),
        ("https://:hunter2@app.mk.io", "password"),
        ("https://app.mk.io/?sig=hunter2", "query"),
        ("https://app.mk.io/#x", "fragment"),
        ("", "not a URL"),
    ] {
        let builder = Transport::builder().token("t").base_url(url);
        assert!(!format!("{builder:?}").contains("hunter2"));
        let error = builder.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(why), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_base_url_may_have_the_beginning_that_every_path_has() {
    let script = Script::new([]);
    for (url, expected) in [
        ("https://app.mk.io/api/v1", "https://app.mk.io"),
        ("https://app.mk.io/api/v1/", "https://app.mk.io"),
        ("https://app.mk.io/api/", "https://app.mk.io"),
        ("https://gw.example/mkio/api/v1", "https://gw.example/mkio"),
        ("https://gw.example/mkio/api", "https://gw.example/mkio/api"),
        (
            "https://gw.example/api/v1/mkio",
            "https://gw.example/api/v1/mkio",
        ),
    ] {
        let transport = builder(&script).base_url(url).build().unwrap();
        assert_eq!(transport.base_url("media"), expected, "{url}");
        call(&transport, &GET).await.unwrap();
        let asked = script.seen().last().unwrap().url.to_string();
        assert_eq!(asked, format!("{expected}{PATH}"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_user_agent_names_the_crate_and_then_the_caller() {
    let script = Script::new([]);
    let transport = builder(&script)
        .user_agent_suffix("ingest/2")
        .build()
        .unwrap();
    call(&transport, &GET).await.unwrap();
    let user_agent = script.seen()[0].headers["user-agent"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(user_agent.starts_with("mkio-rust/") && user_agent.ends_with(" ingest/2"));
    let error = builder(&script)
        .user_agent_suffix("a\nb")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("user_agent_suffix"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn clones_share_the_script_and_their_own_settings() {
    let script = Script::new([Scripted::status(500)]);
    let transport = builder(&script).retry(RetryPolicy::none()).build().unwrap();
    call(&transport.clone(), &GET).await.unwrap_err();
    call(&transport, &GET).await.unwrap_err();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_api_of_devices_is_not_looked_for_in_the_cloud() {
    static CHANNELS: mkio_core::Operation = mkio_core::Operation {
        id: "get_channels",
        api: "channels",
        method: http::Method::GET,
        path: "/api/v1/channels",
        request_body: None,
        streams: false,
    };
    let script = Script::new([Scripted::ok()]);
    let cloud = || {
        mkio_core::Transport::builder()
            .token("token")
            .dispatch(script.clone())
    };
    let error = call(&cloud().build().unwrap(), &CHANNELS)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), mkio_core::ErrorKind::Config);
    assert!(
        error.to_string().contains("api_base_url(\"channels\""),
        "{error}"
    );
    assert_eq!(script.count(), 0);
    for builder in [
        cloud().base_url("https://one.example"),
        // Another port is another service, and so is one without TLS.
        cloud().base_url("https://app.mk.io:8443"),
        cloud().base_url("http://app.mk.io").allow_plain_http(true),
        cloud().api_base_url("channels", "https://device.example"),
    ] {
        call(&builder.build().unwrap(), &CHANNELS).await.unwrap();
    }
    assert_eq!(script.count(), 4);
}

#[test]
fn apis_that_do_not_exist_are_named() {
    for builder in [
        Transport::builder().api_base_url("chanels", "https://device.example"),
        Transport::builder().api_token("chanels", "hunter2"),
    ] {
        let line = builder.token("t").build().unwrap_err().to_string();
        assert!(
            line.contains("`chanels`") && line.contains("channels"),
            "{line}"
        );
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_cloud_by_its_address_has_no_device_either() {
    let script = Script::new([]);
    let transport = builder(&script)
        .base_url("https://app.mk.io/")
        .build()
        .unwrap();
    let other = builder(&script)
        .base_url("https://api.mk.io/api/v1")
        .build()
        .unwrap();
    for transport in [transport, other] {
        let list = transport.request(http::Method::GET, "/api/channels/");
        let error = list.api("channels").send().await.unwrap_err();
        assert_eq!((error.kind(), script.count()), (ErrorKind::Config, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_device_has_a_token_of_its_own_and_no_rate_limits() {
    let script = Script::new([]);
    let transport = builder(&script)
        .api_base_url("channels", "https://device.example")
        .api_token_provider(
            "channels",
            token_fn(|| async { Ok(Token::new("of-the-device")) }),
        )
        .rate_budget(mkio_core::RateBudget::default().reads(1).writes(1))
        .build()
        .unwrap();
    let started = tokio::time::Instant::now();
    for _ in 0..50 {
        let list = transport.request(http::Method::GET, "/api/channels/");
        list.api("channels").send().await.unwrap();
    }
    assert_eq!(started.elapsed(), std::time::Duration::ZERO);
    assert!(
        script
            .seen()
            .iter()
            .all(|seen| seen.bearer() == Some("of-the-device"))
    );
}

/// What runs in the child process of the next test; by itself it has nothing to do.
#[tokio::test]
async fn child_with_an_environment_of_its_own() {
    let Ok(expected) = std::env::var("MKIO_TEST_EXPECTS") else {
        return;
    };
    let script = Script::new([]);
    let built = Transport::builder().with_env().dispatch(script.clone());
    let found = match built.build() {
        Ok(transport) => {
            call(&transport, &GET).await.unwrap();
            format!(
                "{} {} {}",
                transport.base_url("media"),
                transport.project().unwrap_or("-"),
                script.seen()[0].bearer().unwrap()
            )
        }
        Err(error) => error.to_string(),
    };
    assert_eq!(found, expected);
    assert_eq!(
        Transport::from_env().is_ok(),
        expected.starts_with("https:")
    );
}

#[cfg(unix)]
#[test]
fn the_environment_of_the_process_and_the_platforms_folder_are_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("mkio")).unwrap();
    let file = folder.path().join("mkio/config.toml");
    std::fs::write(
        &file,
        "default = \"p\"\n[profiles.p]\ntoken = \"t\"\nproject = \"from-file\"\n\
         [profiles.q]\ntoken = \"t\"\nbase_url = \"https://q.example\"\n\
         [profiles.r]\ntoken_file = \"~/token\"\n",
    )
    .unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "of-my-home").unwrap();
    super::tokens::set_mode(&token, 0o600);
    super::tokens::set_mode(&file, 0o600);
    let closed = folder.path().join("mkio/config.toml/nothing");
    let home = folder.path().to_owned();
    let odd = folder.path().join("odd");
    std::fs::create_dir_all(odd.join("mkio")).unwrap();
    let no_text = odd.join("mkio/config.toml");
    std::fs::write(&no_text, b"\xff").unwrap();
    super::tokens::set_mode(&no_text, 0o600);
    let unread = format!("cannot read the profile file {}", no_text.display());
    let rows = [
        (vec![], &home, "https://app.mk.io from-file t"),
        (vec![("MKIO_PROFILE", "q")], &home, "https://q.example - t"),
        (
            vec![("MKIO_PROFILE", "r")],
            &home,
            "https://app.mk.io - of-my-home",
        ),
        (
            vec![
                ("MKIO_TOKEN", "t"),
                ("MKIO_PROJECT", "acme"),
                ("MKIO_BASE_URL", "https://e.example"),
            ],
            &home,
            "https://e.example acme t",
        ),
        // A home that cannot be looked into has no profile file.
        (vec![("MKIO_TOKEN", "t")], &closed, "https://app.mk.io - t"),
        // One that is there and cannot be read is a mistake.
        (vec![("MKIO_TOKEN", "t")], &odd, &unread),
    ];
    for (variables, home, expected) in rows {
        let name = "config::child_with_an_environment_of_its_own";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env_clear()
            .envs(variables)
            .env("XDG_CONFIG_HOME", home)
            .env("HOME", home)
            .env("MKIO_TEST_EXPECTS", expected)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
}
