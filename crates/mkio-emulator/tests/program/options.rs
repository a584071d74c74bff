//! The effect of each option, over HTTP.

use std::io::Write;

use reqwest::Method;
use serde_json::{Value, json};

use crate::run::{Program, ended, soon};

fn names(list: &Value) -> Vec<&str> {
    let items = list["value"].as_array().map(Vec::as_slice);
    items
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item["name"].as_str())
        .collect()
}

fn asset() -> Value {
    json!({ "properties": { "storageAccountName": "storage1" } })
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("it can be written");
    file
}

#[tokio::test]
async fn a_token_that_was_told_is_not_printed_and_opens_the_project_told() {
    let program = Program::start(&["--project", "acme", "--seed", "3"]).await;
    assert!(
        program.base.starts_with("http://127.0.0.1:"),
        "{}",
        program.base
    );
    let (status, assets) = program.get("/api/v1/projects/acme/media/assets").await;
    assert_eq!(
        (status, names(&assets)),
        (200, vec!["asset-1", "asset-2", "asset-3"])
    );
    let (status, _) = program
        .get("/api/v1/projects/acme/media/storage/storage1")
        .await;
    assert_eq!(status, 200);
    assert_eq!(program.get("media/assets").await.0, 404);
    program.signal("TERM").await;
    let (status, out, _) = program.end().await;
    assert_eq!((status.code(), out.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_token_that_is_made_up_is_the_second_line() {
    let mut program = Program::start_bare(&["--listen", "127.0.0.1:0"]).await;
    let second = program.line().await;
    program.token = second
        .strip_prefix("token ")
        .unwrap_or_else(|| panic!("the second line is '{second}'"))
        .to_owned();
    let (status, assets) = program.get("media/assets").await;
    assert_eq!((status, names(&assets)), (200, vec![]));
    program.token = "another".to_owned();
    assert_eq!(program.get("media/assets").await.0, 401);
}

#[tokio::test]
async fn other_addresses_are_listened_at_when_told_and_loopback_otherwise() {
    let mut program = Program::start_bare(&["--listen", "0.0.0.0:0", "--token", "T"]).await;
    program.token = "T".to_owned();
    program.logged("everybody who reaches this address").await;
    program.base = program.base.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(program.get("media/assets").await.0, 200);
    let (_, help, _) = ended(&["--help"]).await;
    // Lines break where the terminal ends.
    let words: Vec<_> = help.split_whitespace().collect();
    let listened = words.join(" ");
    assert!(listened.contains("[default: 127.0.0.1:4080]"), "{help}");
}

#[tokio::test]
async fn a_seed_file_is_played_before_it_listens() {
    let seed = file(
        r#"[{"path":"media/content/news","body":{"metadata":{"displayName":"News"}}},{"method":"POST","path":"/api/v1/organization","body":{"spec":{"name":"Second"}}}]"#,
    );
    let path = seed.path().to_string_lossy().into_owned();
    let program = Program::start(&["--seed-file", &path]).await;
    let (status, news) = program.get("media/content/news").await;
    assert_eq!(
        (status, &news["metadata"]["displayName"]),
        (200, &json!("News"))
    );
}

#[tokio::test]
async fn platform_time_passes_as_fast_as_told() {
    let (fast, still) = tokio::join!(
        Program::start(&["--time-scale", "100000"]),
        Program::start(&["--time-scale", "0"])
    );
    for program in [&fast, &still] {
        assert_eq!(program.put("media/assets/a", asset()).await, 201);
    }
    let state = async |program: &Program| {
        let (_, state) = program.get("media/assets/a/state").await;
        state["status"]["state"].as_str().map(str::to_owned)
    };
    soon(async { while state(&fast).await.as_deref() != Some("Ready") {} }).await;
    assert_eq!(state(&still).await.as_deref(), Some("Pending"));
}

#[tokio::test]
async fn rate_limits_hold_unless_switched_off() {
    let writes = async |program: &Program| {
        let mut last = program.call(Method::DELETE, "media/assets/x", None).await;
        for _ in 0..1_000 {
            last = program.call(Method::DELETE, "media/assets/x", None).await;
        }
        last
    };
    let (plain, told, off) = tokio::join!(
        Program::start(&[]),
        Program::start(&["--rate-limit", "on", "--retry-after"]),
        Program::start(&["--rate-limit", "off"])
    );
    let (plain, told, off) = tokio::join!(writes(&plain), writes(&told), writes(&off));
    assert_eq!(
        (plain.status().as_u16(), plain.headers().get("retry-after")),
        (429, None)
    );
    assert!(told.headers().contains_key("retry-after"));
    let body: Value = soon(told.json()).await.expect("JSON");
    assert_eq!(body["status"], 429);
    assert_eq!(off.status().as_u16(), 204);
}

#[tokio::test]
async fn faults_come_from_a_rule_or_from_a_file() {
    let rules = file("# twice\nGET */media/assets status=503 times=2\n");
    let path = rules.path().to_string_lossy().into_owned();
    let from_file = ["--faults", path.as_str()];
    let (by_rule, by_file) = tokio::join!(
        Program::start(&["--faults", "GET */media/assets status=500 nth=2"]),
        Program::start(&from_file)
    );
    for (program, expected) in [(by_rule, [200, 500, 200]), (by_file, [503, 503, 200])] {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(program.get("media/assets").await.0);
        }
        assert_eq!(statuses, expected);
    }
}

#[tokio::test]
async fn pages_and_links_look_as_told() {
    let program = Program::start(&[
        "--seed",
        "4",
        "--page-size",
        "2",
        "--next-link",
        "relative",
        "--link-when-full",
    ])
    .await;
    let (_, first) = program.get("media/assets").await;
    assert_eq!(names(&first), ["asset-1", "asset-2"]);
    let link = first["@odata.nextLink"].as_str().expect("a link");
    assert!(
        link.starts_with("/api/v1/projects/demo/media/assets?"),
        "{link}"
    );
    let (_, second) = program.get(link).await;
    let link = second["@odata.nextLink"].as_str().expect("a link");
    let (_, third) = program.get(link).await;
    assert_eq!(names(&third), Vec::<&str>::new());
    assert_eq!(third.get("@odata.nextLink"), None);
    let plain = Program::start(&["--seed", "4"]).await;
    let (_, first) = plain.get("media/assets?$top=2").await;
    let link = first["@odata.nextLink"].as_str().expect("a link");
    assert!(link.starts_with(&plain.base), "{link}");
}

#[tokio::test]
async fn jobs_run_as_many_at_a_time_and_as_long_as_told() {
    let program = Program::start(&[
        "--seed",
        "2",
        "--job-slots",
        "1",
        "--job-seconds",
        "1000000000",
        "--time-scale",
        "1000",
    ])
    .await;
    let transform = json!({ "properties": { "outputs": [{ "preset": {
        "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p" } }] } });
    assert_eq!(program.put("media/transforms/t", transform).await, 201);
    let job = json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "asset-1" },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "asset-2" }] } });
    for name in ["one", "two"] {
        let path = format!("media/transforms/t/jobs/{name}");
        assert_eq!(program.put(&path, job.clone()).await, 201);
    }
    let state = async |name: &str| {
        let path = format!("media/transforms/t/jobs/{name}/state");
        let (_, state) = program.get(&path).await;
        state["status"]["state"].as_str().map(str::to_owned)
    };
    soon(async { while state("one").await.as_deref() != Some("Processing") {} }).await;
    assert_eq!(state("two").await.as_deref(), Some("Queued"));
}

#[tokio::test]
async fn webhooks_stay_on_this_machine_unless_told() {
    let rule = json!({ "spec": { "url": "https://example.com/hook", "enabled": true, "events": ["MediaKind.JobFinished"] } });
    let (plain, remote) = tokio::join!(Program::start(&[]), Program::start(&["--remote-webhooks"]));
    assert_eq!(plain.put("webhook/rules/r", rule.clone()).await, 400);
    assert_eq!(remote.put("webhook/rules/r", rule).await, 201);
}

#[tokio::test]
async fn what_is_logged_goes_to_standard_error_and_holds_no_token() {
    let mut program = Program::start_bare(&[
        "--listen",
        "127.0.0.1:0",
        "--token",
        "hush-hush",
        "--log",
        "trace",
    ])
    .await;
    program.token = "hush-hush".to_owned();
    assert_eq!(program.get("media/assets").await.0, 200);
    let line = program.logged("answered").await;
    assert!(
        line.contains("GET") && line.contains("/media/assets") && line.contains("200"),
        "{line}"
    );
    program.signal("TERM").await;
    let (_, out, err) = program.end().await;
    assert_eq!(out, "");
    assert!(!err.contains("hush-hush"), "{err}");
}

#[tokio::test]
async fn a_refusal_is_logged_with_its_reason_and_what_the_answer_calls_it() {
    let mut program = Program::start(&["--log", "info"]).await;
    let (status, refused) = program.get("media/assets/none").await;
    let reference = refused["ref"].as_str().expect("a reference").to_owned();
    let line = program.logged("refused").await;
    assert_eq!(status, 404);
    for part in [
        "method=GET",
        "path=\"/api/v1/projects/demo/media/assets/none\"",
        "status=404",
        reference.as_str(),
        "there is no asset named 'none'",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test]
async fn containers_are_folders_where_they_are_told_to_be() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(root.path().join("films")).expect("a folder");
    let told = root.path().to_str().expect("text");
    let program = Program::start(&["--files", told, "--time-scale", "3600"]).await;
    let asset = json!({ "properties": { "storageAccountName": "storage1", "container": "films" } });
    assert_eq!(program.put("media/assets/films", asset).await, 201);
    // Files that are put there later are listed, too.
    std::fs::write(root.path().join("films/mine.mp4"), b"real bytes").expect("a file");
    let (_, stored) = program.get("media/assets/films/storage/").await;
    assert_eq!(
        stored["spec"]["files"],
        json!([{ "name": "mine.mp4", "size": 10 }])
    );
    let access = program
        .call(Method::POST, "media/assets/films/getFileAccessInfo", None)
        .await;
    let access: Value = soon(access.json()).await.expect("JSON");
    let url = format!("{}downloadBlob", access["url"].as_str().expect("a URL"));
    let wanted = json!({ "storageAccountName": "storage1", "containerName": "films", "fileName": "mine.mp4" });
    let taken = program.http.post(url).json(&wanted);
    let taken = taken.bearer_auth(access["jwt"].as_str().expect("a token"));
    let taken = soon(taken.send()).await.expect("a response");
    assert_eq!(soon(taken.bytes()).await.expect("bytes"), "real bytes");
    let blob = format!(
        "{}/blobs/demo/storage1/films/up/b.bin{}",
        program.base,
        mkio_emulator::STORAGE_SAS
    );
    let put = soon(program.http.put(blob).body("uploaded").send()).await;
    assert_eq!(put.expect("a response").status().as_u16(), 201);
    let written = std::fs::read(root.path().join("films/up/b.bin")).expect("a file");
    assert_eq!(written, b"uploaded");
    // A file is where its folder would be: nothing is written, and the response says so.
    let below = format!(
        "{}/blobs/demo/storage1/films/up/b.bin/c{}",
        program.base,
        mkio_emulator::STORAGE_SAS
    );
    let put = soon(program.http.put(below).body("lost").send()).await;
    assert_eq!(put.expect("a response").status().as_u16(), 500);
    // A link that leads nowhere hides no other file.
    #[cfg(unix)]
    {
        let link = root.path().join("films/broken");
        std::os::unix::fs::symlink("/nowhere/at/all", link).expect("a link");
        let (_, stored) = program.get("media/assets/films/storage/").await;
        let files = stored["spec"]["files"].as_array().expect("files");
        assert!(
            files.iter().any(|file| file["name"] == "mine.mp4"),
            "{stored}"
        );
    }
    // Of a container that is a link, only the link goes.
    #[cfg(unix)]
    {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("kept"), b"mine").expect("a file");
        let link = root.path().join("linked");
        std::os::unix::fs::symlink(outside.path(), &link).expect("a link");
        let asset = json!({ "properties": {
            "storageAccountName": "storage1", "container": "linked", "containerDeletionPolicy": "Delete",
        } });
        assert_eq!(program.put("media/assets/linked", asset).await, 201);
        let gone = program.call(Method::DELETE, "media/assets/linked", None);
        assert_eq!(gone.await.status().as_u16(), 200);
        soon(async { while program.get("media/assets/linked").await.0 != 404 {} }).await;
        assert!(outside.path().join("kept").exists() && !link.is_symlink());
    }
    let (status, out, err) = ended(&["--files", "/nowhere/at/all"]).await;
    assert_eq!((status.code(), out.as_str()), (Some(1), ""));
    assert!(err.contains("--files /nowhere/at/all"), "{err}");
}
