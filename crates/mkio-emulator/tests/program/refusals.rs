//! Options that cannot be followed: the error names the option and the way out.

use crate::run::ended;

#[tokio::test]
async fn options_that_make_no_sense_are_named_with_a_way_out() {
    let cases: &[(&[&str], &[&str])] = &[
        (&["--listen", "4080"], &["--listen", "127.0.0.1:4080"]),
        (
            &["--listen", "127.0.0.1:99999"],
            &["--listen", "127.0.0.1:4080"],
        ),
        (
            &["--listen", "192.0.2.1:0"],
            &["--listen 192.0.2.1:0", "not an address of this machine"],
        ),
        (&["--token", ""], &["--token", "empty"]),
        (&["--token", "a b"], &["--token", "without blanks"]),
        (
            &["--project", "My Project"],
            &["--project 'My Project'", "1 to 63 characters"],
        ),
        (&["--project", ""], &["--project ''", "1 to 63 characters"]),
        (&["--time-scale", "-1"], &["--time-scale", "not negative"]),
        (&["--time-scale=-1"], &["--time-scale", "not negative"]),
        (&["--time-scale", "inf"], &["--time-scale", "such as 60"]),
        (&["--seed", "-1"], &["--seed"]),
        (&["--seed", "many"], &["--seed", "invalid digit"]),
        (&["--seed", "300000"], &["--seed 300000", "at most 200000"]),
        (
            &["--seed-file", "/nowhere/seed.json"],
            &["--seed-file /nowhere/seed.json", "No such file"],
        ),
        (&["--rate-limit", "maybe"], &["--rate-limit", "on, off"]),
        (
            &["--faults", "GET"],
            &["--faults", "a method and a path", "GET */assets"],
        ),
        (
            &["--faults", "GET * unknown=state status=500"],
            &["--faults", "no field 'state'", "detail"],
        ),
        (
            &["--faults", "GET */assets"],
            &["--faults", "does nothing", "status=503"],
        ),
        (
            &["--faults", "GET */assets color=red"],
            &["--faults", "'color'", "status"],
        ),
        (
            &["--faults", "nowhere.txt"],
            &["--faults nowhere.txt", "No such file", "GET */assets"],
        ),
        (
            &["--faults", "[{\"status\":99}]"],
            &["--faults", "between 200 and 599"],
        ),
        (
            &["--next-link", "both"],
            &["--next-link", "absolute, relative"],
        ),
        (&["--page-size", "0"], &["--page-size", "from 1 on"]),
        (&["--job-slots", "0"], &["--job-slots", "from 1 on"]),
        (
            &["--log", "mkio_emulator=loud"],
            &["--log 'mkio_emulator=loud'", "info"],
        ),
        (&["--sed", "3"], &["--sed", "--seed"]),
        (&["extra"], &["extra", "Usage"]),
    ];
    for (arguments, expected) in cases {
        let mut all = vec!["--listen", "127.0.0.1:0"];
        if arguments[0] == "--listen" {
            all.clear();
        }
        all.extend(*arguments);
        let (status, out, err) = ended(&all).await;
        assert!(
            matches!(status.code(), Some(1 | 2)),
            "{arguments:?}: {status}"
        );
        assert_eq!(out, "", "{arguments:?}");
        for text in *expected {
            assert!(err.contains(text), "{arguments:?}: no '{text}' in {err}");
        }
    }
}

#[tokio::test]
async fn a_port_that_is_in_use_is_named_with_a_way_out() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let (status, out, err) = ended(&["--listen", &address]).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(
        err.contains(&format!("--listen {address}")) && err.contains("choose another port"),
        "{err}"
    );
}

/// The path of a file that an option names, and the error of the program.
async fn refused(option: &str, content: &str) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.json");
    std::fs::write(&path, content).expect("it can be written");
    let path = path.to_string_lossy().into_owned();
    let (status, out, err) = ended(&["--listen", "127.0.0.1:0", option, &path]).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    (path, err)
}

#[tokio::test]
async fn a_world_that_cannot_be_played_names_the_file_and_the_place() {
    let standard = include_str!("../../data/world.json");
    for (world, expected) in [
        (
            standard.replace("\"location\": \"eastus\"", "\"location\": \"mars\""),
            "/location: there is no location named 'mars'",
        ),
        (
            standard.replace("\"meters\"", "\"metres\""),
            "unknown field `metres`",
        ),
        ("{".to_owned(), "line 1 column 1"),
    ] {
        let (path, err) = refused("--world", &world).await;
        assert!(
            err.contains(&format!("--world {path}: ")) && err.contains(expected),
            "{err}"
        );
    }
}

#[tokio::test]
async fn a_seed_file_that_is_refused_names_the_request_and_no_secret() {
    for (seed, expected) in [
        (r#"{"path":"media/content/a"}"#, "not a JSON array"),
        (r#"[{"path":"media/content/a","boddy":{}}]"#, "boddy"),
        (
            r#"[{"path":"media/content/a","body":{"metadata":{"displayName":"A"}}},{"path":"media/content/b","body":{}}]"#,
            "request 2, PUT /api/v1/projects/demo/media/content/b: 400",
        ),
        (
            r#"[{"path":"media/storage/s","body":{"spec":{"type":"AWS.S3","bucketName":"b","credential":{"secretAccessKey":"hush hush"}}}}]"#,
            "request 1",
        ),
        (r#"[{"path":"media/nothing"}]"#, "404"),
        (r#"[{"path":"bad path"}]"#, "request 1"),
    ] {
        let (path, err) = refused("--seed-file", seed).await;
        assert!(
            err.contains(&format!("--seed-file {path}")) && err.contains(expected),
            "{seed}: {err}"
        );
        assert!(!err.contains("hush"), "{err}");
    }
}
