//! The program is steered with curl, and keeps its state in a file.

use std::process::Stdio;

use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::run::{Program, ended, soon};

#[cfg(unix)]
#[tokio::test]
async fn the_script_that_the_readme_names_runs() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/steer.sh");
    let run = Command::new("sh")
        .args([script, env!("CARGO_BIN_EXE_mkio-emulator")])
        .stdin(Stdio::null())
        .output();
    let output = soon(run).await.expect("sh runs; the script needs curl");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.ends_with("all as it should be\n"), "{out}{err}");
}

#[tokio::test]
async fn a_state_is_saved_at_the_end_and_a_scale_of_the_command_line_goes_before_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.json");
    let path = path.to_str().expect("text");
    let program = Program::start(&["--state", path, "--time-scale", "7"]).await;
    let asset = json!({ "properties": { "storageAccountName": "storage1" } });
    assert_eq!(program.put("media/assets/a", asset).await, 201);
    program.signal("TERM").await;
    assert_eq!(program.end().await.0.code(), Some(0));
    for (arguments, scale) in [(&[][..], 7.0), (&["--time-scale", "2"], 2.0)] {
        let program = Program::start(&[&["--state", path], arguments].concat()).await;
        let (status, _) = program.get("media/assets/a").await;
        let (_, clock) = program.get("/_emulator/clock").await;
        assert_eq!((status, clock["scale"].as_f64()), (200, Some(scale)));
    }
    let text = std::fs::read_to_string(path).expect("a text");
    assert!(!text.contains("\"T\""), "the token is in it");
}

#[tokio::test]
async fn a_file_that_is_no_state_is_named_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.json");
    let told = path.to_str().expect("text");
    for (text, reason) in [
        ("{}", "missing field `version`"),
        ("{\"version\": 9}", "version 9"),
    ] {
        std::fs::write(&path, text).expect("it can be written");
        let (status, out, err) = ended(&["--listen", "127.0.0.1:0", "--state", told]).await;
        assert_eq!((status.code(), out.as_str()), (Some(1), ""));
        assert!(err.contains(told) && err.contains(reason), "{err}");
        assert_eq!(std::fs::read_to_string(&path).expect("a text"), text);
    }
}

#[tokio::test]
async fn whoever_steers_needs_the_token_that_was_told() {
    let program = Program::start(&["--control-token", "S"]).await;
    let url = format!("{}/_emulator/clock", program.base);
    let status = async |token: &str| {
        let request = program.http.request(Method::GET, &url).bearer_auth(token);
        soon(request.send())
            .await
            .expect("a response")
            .status()
            .as_u16()
    };
    assert_eq!((status("T").await, status("S").await), (401, 200));
    let (_, _, err) = ended(&["--control-token", ""]).await;
    assert!(err.contains("--control-token"), "{err}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_state_that_could_not_be_written_at_the_end_is_refused_at_the_start() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("fixed.json"), "{}").expect("a file");
    let mode = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(at("fixed.json"), mode).expect("it is read-only");
    symlink("gone/state.json", at("lost.json")).expect("a link");
    for (name, reason) in [
        ("none/state.json", "no folder"),
        ("lost.json", "no folder"),
        ("fixed.json", "read-only"),
        ("", "is a folder"),
    ] {
        let path = at(name);
        let path = path.to_str().expect("text");
        let (status, out, err) = ended(&["--listen", "127.0.0.1:0", "--state", path]).await;
        assert_eq!((status.code(), out.as_str()), (Some(1), ""), "{name}");
        assert!(
            err.contains(&format!("--state {path}")) && err.contains(reason),
            "{err}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_a_state_that_is_not_there_yet_stays_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (link, file) = (
        folder.path().join("link.json"),
        folder.path().join("state.json"),
    );
    std::os::unix::fs::symlink("state.json", &link).expect("a link");
    let program = Program::start(&["--state", link.to_str().expect("text")]).await;
    program.signal("TERM").await;
    assert_eq!(program.end().await.0.code(), Some(0));
    assert!(link.is_symlink() && file.is_file());
}
