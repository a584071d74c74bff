//! Files of assets, from this machine and to it.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use mkio_emulator::STORAGE_SAS;

use crate::{Ran, Service, ran};

/// The program with the credential of the emulator's storage account.
fn storing(service: &Service, args: &[&str]) -> Command {
    let mut command = service.command(args);
    command.env("MKIO_STORAGE_SAS", STORAGE_SAS);
    command
}

fn stored(service: &Service, args: &[&str]) -> Ran {
    ran(&mut storing(service, args))
}

fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

fn local(service: &Service, name: &str, size: usize) -> String {
    let path = service.folder.path().join(name);
    fs::write(&path, bytes(size)).expect("a file");
    path.display().to_string()
}

fn below(service: &Service, name: &str) -> PathBuf {
    service.folder.path().join(name)
}

#[test]
fn files_go_in_and_come_out_as_they_were() {
    let service = Service::with(0);
    let (one, two) = (
        local(&service, "one.mp4", 300_000),
        local(&service, "two.vtt", 12),
    );
    let without = service.run(&["upload", &one, "film"]);
    assert_eq!(without.code, 3, "{}", without.err);
    assert!(without.err.contains("MKIO_STORAGE_SAS"), "{}", without.err);
    assert_eq!(
        service.run(&["asset", "get", "film"]).code,
        4,
        "nothing was made"
    );
    let dry = stored(&service, &["upload", &one, &two, "film", "--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert!(
        dry.out.contains("300000") && dry.err.contains("not sent"),
        "{dry:?}"
    );
    assert_eq!(
        service.run(&["asset", "get", "film"]).code,
        4,
        "nothing was made"
    );
    let storage = ["--storage", "storage1"];
    let up = stored(
        &service,
        &[&["upload", &one, &two, "film"], &storage[..]].concat(),
    );
    assert_eq!(up.code, 0, "{}", up.err);
    assert!(
        up.err.contains("one.mp4: uploaded, 300000 bytes"),
        "{}",
        up.err
    );
    assert!(
        !up.err.contains("sig=") && !up.out.contains("sig="),
        "{up:?}"
    );
    let listed = service.ok(&["asset", "files", "film", "-o", "json"]);
    assert!(
        listed.contains("one.mp4") && listed.contains("two.vtt"),
        "{listed}"
    );
    let to = below(&service, "out");
    let folder = to.display().to_string();
    let dry = service.ok(&["download", "film", &folder, "--dry-run"]);
    assert!(dry.contains("one.mp4") && !to.exists(), "{dry}");
    let down = service.run(&["download", "film", &folder]);
    assert_eq!(down.code, 0, "{}", down.err);
    assert_eq!(
        fs::read(to.join("one.mp4")).expect("it is there"),
        bytes(300_000)
    );
    assert_eq!(
        fs::read(to.join("two.vtt")).expect("it is there"),
        bytes(12)
    );
    let left = fs::read_dir(&to).expect("a folder").count();
    assert_eq!(left, 2, "neither parts nor marks");
}

#[test]
fn nothing_is_replaced_unless_it_is_meant() {
    let service = Service::with(0);
    let one = local(&service, "one.mp4", 1000);
    let up = ["upload", &one, "film", "--storage", "storage1"];
    assert_eq!(stored(&service, &up).code, 0);
    let again = stored(&service, &up);
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("--force"), "{}", again.err);
    let forced = stored(&service, &[&up[..], &["--force"]].concat());
    assert_eq!(forced.code, 0, "{}", forced.err);
    let twice = stored(&service, &["upload", &one, &one, "film", "--force"]);
    assert_eq!(twice.code, 2, "{}", twice.err);
    let to = below(&service, "out");
    fs::create_dir(&to).expect("a folder");
    fs::write(to.join("one.mp4"), "mine").expect("a file");
    let folder = to.display().to_string();
    let refused = service.run(&["download", "film/one.mp4", &folder]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert_eq!(fs::read(to.join("one.mp4")).expect("it stays"), b"mine");
    service.ok(&["download", "film/one.mp4", &folder, "--force"]);
    assert_eq!(
        fs::read(to.join("one.mp4")).expect("it is there"),
        bytes(1000)
    );
    service.emulator.control().clear_requests();
    let there = service.run(&["download", "film", &folder]);
    assert!(
        there.code == 0 && there.err.contains("already complete"),
        "{there:?}"
    );
    let fetched = service.emulator.control().requests();
    assert!(fetched.iter().all(|of| !of.path.contains("downloadBlob")));
    assert_eq!(service.run(&["download", "film/none.mp4", &folder]).code, 4);
    assert_eq!(service.run(&["download", "film/../x", &folder]).code, 2);
    assert_eq!(service.run(&["download", "nowhere", &folder]).code, 4);
}

/// What has arrived is not fetched again.
#[test]
fn a_download_goes_on_where_it_stopped() {
    let service = Service::with(0);
    let one = local(&service, "one.mp4", 200_000);
    let up = ["upload", &one, "film", "--storage", "storage1"];
    assert_eq!(stored(&service, &up).code, 0);
    let to = below(&service, "out");
    fs::create_dir(&to).expect("a folder");
    // Another beginning than the file's shows that it is kept.
    let mut partial = bytes(150_000);
    partial[0] = 99;
    let part = to.join("one.mp4.mkio-part");
    fs::write(&part, &partial).expect("a file");
    let folder = to.display().to_string();
    // Without a mark it is not ours.
    let refused = service.run(&["download", "film", &folder]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert_eq!(fs::read(&part).expect("it stays"), partial);
    let mark = r#"{"project":"demo","asset":"film","file":"one.mp4","size":200000,"etag":null}"#;
    fs::write(to.join("one.mp4.mkio-mark"), mark).expect("a file");
    // What others call `.part` is neither read nor removed.
    fs::write(to.join("one.mp4.part"), "mine").expect("a file");
    service.ok(&["download", "film", &folder]);
    assert_eq!(
        fs::read(to.join("one.mp4.part")).expect("it stays"),
        b"mine"
    );
    let mut whole = bytes(200_000);
    whole[0] = 99;
    assert_eq!(fs::read(to.join("one.mp4")).expect("it is there"), whole);
    fs::write(&part, bytes(300_000)).expect("a file");
    service.ok(&["download", "film", &folder, "--force"]);
    assert_eq!(
        fs::read(to.join("one.mp4")).expect("it is there"),
        bytes(200_000)
    );
}

/// A service that answers every request with this.
fn answering(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                line.clear();
            }
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let response = head + &body;
            reader
                .get_mut()
                .write_all(response.as_bytes())
                .expect("it reads");
        }
    });
    url
}

/// What the service lists is not trusted, and neither is what is asked for.
#[test]
fn nothing_is_written_outside_of_the_folder() {
    let service = Service::with(0);
    let one = local(&service, "one.mp4", 1000);
    let up = ["upload", &one, "film", "--storage", "storage1"];
    assert_eq!(stored(&service, &up).code, 0);
    let to = below(&service, "out");
    let folder = to.display().to_string();
    let listed = service.ok(&["asset", "files", "film", "-o", "json"]);
    for name in ["../evil", "/tmp/mkio-evil", "a/../../evil", ".."] {
        let url = answering(listed.replace("one.mp4", name));
        let mut command = service.command(&["download", "film", &folder]);
        let refused = crate::ran(command.env("MKIO_BASE_URL", &url));
        assert_eq!(refused.code, 8, "{name}: {}{}", refused.out, refused.err);
        let told = format!("`{name}` cannot be the name of a file here");
        assert!(refused.err.contains(&told), "{}", refused.err);
        let asked = service.run(&["download", &format!("film/{name}"), &folder]);
        assert!([2, 4].contains(&asked.code), "{name}: {}", asked.err);
        assert!(!to.exists() && !below(&service, "evil").exists(), "{name}");
    }
    assert!(!Path::new("/tmp/mkio-evil").exists());
}

/// Also the library writes through no link.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;

    let service = Service::with(0);
    let one = local(&service, "one.mp4", 1000);
    let up = ["upload", &one, "film", "--storage", "storage1"];
    assert_eq!(stored(&service, &up).code, 0);
    let (to, mine) = (below(&service, "out"), below(&service, "mine"));
    fs::create_dir(&to).expect("a folder");
    fs::write(&mine, "mine").expect("a file");
    let folder = to.display().to_string();
    let client = mkio::Client::builder()
        .base_url(service.emulator.base_url())
        .token(crate::TOKEN)
        .build();
    let client: mkio::Client = client.expect("a client");
    let files = client.project("demo").files();
    for name in [
        "one.mp4",
        "one.mp4.mkio-part",
        "one.mp4.mkio-mark",
        "one.mp4.part",
    ] {
        let link = to.join(name);
        symlink(&mine, &link).expect("a link");
        if !name.ends_with(".part") {
            let refused = service.run(&["download", "film", &folder, "--force"]);
            assert_eq!(refused.code, 2, "{name}: {}", refused.err);
        }
        if !name.contains("mkio") {
            let to_file = files
                .download("film", "one.mp4")
                .to_file(to.join("one.mp4"));
            assert!(crate::runtime().block_on(to_file).is_err(), "{name}");
        }
        fs::remove_file(&link).expect("it stays a link");
    }
    assert_eq!(fs::read(&mine).expect("it stays"), b"mine");
}

#[test]
fn a_file_is_encoded() {
    let service = Service::with(0);
    let one = local(&service, "my film.mp4", 50_000);
    let preset = ["--preset", "H264SingleBitrate720p", "--storage", "storage1"];
    let done = stored(
        &service,
        &[&["encode", &one, "-o", "json"], &preset[..]].concat(),
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(done.err.contains("uploaded, 50000 bytes"), "{}", done.err);
    let told: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(told["asset"], "my-film-H264SingleBitrate720p");
    let job = told["job"].as_str().expect("a name");
    let job = service.ok(&["job", "get", "H264SingleBitrate720p", job, "-o", "json"]);
    let job: serde_json::Value = serde_json::from_str(&job).expect("JSON");
    assert_eq!(job["properties"]["input"]["assetName"], "my-film");
    assert_eq!(job["properties"]["input"]["files"][0], "my film.mp4");
    assert_eq!(job["properties"]["state"], "Finished");
    let named = stored(
        &service,
        &[
            &["encode", &one, "--name", "other", "--to", "done"],
            &preset[..],
        ]
        .concat(),
    );
    assert_eq!(named.code, 0, "{}", named.err);
    let storage = service.ok(&["asset", "files", "other", "-o", "json"]);
    assert!(storage.contains("my film.mp4"), "{storage}");
    let again = stored(
        &service,
        &[&["encode", &one, "--name", "other"], &preset[..]].concat(),
    );
    assert_eq!(again.code, 2, "the file is there: {}", again.err);
    let web = "https://example.com/a/intro.mp4";
    let web = stored(
        &service,
        &[&["encode", web, "-o", "json"], &preset[..]].concat(),
    );
    assert_eq!(web.code, 0, "{}", web.err);
    assert!(
        web.out.contains("intro-H264SingleBitrate720p"),
        "{}",
        web.out
    );
    let odd = stored(
        &service,
        &[&["encode", "no-file.mp4", "--name", "x"], &preset[..]].concat(),
    );
    assert_eq!(odd.code, 2, "{}", odd.err);
}

/// Who does not wait is told how to.
#[test]
fn an_encode_need_not_wait() {
    let service = Service::with(1);
    let encode = ["encode", "asset-1", "--preset", "H264SingleBitrate720p"];
    let done = service.run(&[&encode[..], &["--no-wait", "-o", "json"]].concat());
    assert_eq!(done.code, 0, "{}", done.err);
    let told: serde_json::Value = serde_json::from_str(&done.out).expect("JSON");
    let job = told["job"].as_str().expect("a name");
    let line = format!("mkio wait job H264SingleBitrate720p/{job}");
    assert!(done.err.contains(&line), "{}", done.err);
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    service.ok(&words);
    let both = service.run(&[&encode[..], &["--no-wait", "--publish"]].concat());
    assert_eq!(both.code, 2, "{}", both.err);
    let waits = service.run(&[&encode[..], &["--wait", "--to", "other"]].concat());
    assert_eq!(waits.code, 0, "{}", waits.err);
}

/// What an encode is to make beside the video.
#[test]
fn captions_and_thumbnails_are_made() {
    let service = Service::with(1);
    let encode = [
        "encode",
        "asset-1",
        "--preset",
        "H264SingleBitrate720p",
        "--to",
        "film",
    ];
    let told = service.run(&[&encode[..], &["--captions", "en-US", "--thumbnails"]].concat());
    assert_eq!(told.code, 0, "{}", told.err);
    for asset in ["film", "film-captions-en-US", "film-thumbnails"] {
        service.ok(&["asset", "get", asset]);
    }
    let film = service.ok(&["asset", "files", "film", "-o", "json"]);
    assert!(film.contains("en-US"), "the captions are a track: {film}");
    let captions = service.ok(&["asset", "files", "film-captions-en-US", "-o", "json"]);
    assert!(captions.contains(".vtt"), "{captions}");
    let thumbnails = service.ok(&["asset", "files", "film-thumbnails", "-o", "json"]);
    assert!(
        thumbnails.contains(".jpg") || thumbnails.contains(".jpeg"),
        "{thumbnails}"
    );
    let odd = service.run(&[&encode[..], &["--captions", "en US"]].concat());
    assert_eq!(odd.code, 2, "{}", odd.err);
}

/// What a command has made before it fails is told, with the way to remove it.
#[test]
fn what_a_failed_command_leaves_is_told() {
    let service = Service::with(1);
    let one = local(&service, "one.mp4", 1_000);
    let left = |asset: &str| format!("mkio asset delete {asset} removes it");
    let broken = |args: &[&str]| {
        let mut command = service.command(args);
        ran(command.env("MKIO_STORAGE_SAS", "sv=1&sig=broken"))
    };
    let refused = broken(&["upload", &one, "film", "--storage", "storage1"]);
    assert_ne!(refused.code, 0, "{}", refused.err);
    assert!(refused.err.contains(&left("film")), "{}", refused.err);
    service.ok(&["asset", "delete", "film"]);
    let there = broken(&["upload", &one, "asset-1", "--force"]);
    assert!(
        !there.err.contains("removes it"),
        "it was there: {}",
        there.err
    );
    let encode = [
        "encode",
        &one,
        "--preset",
        "H264SingleBitrate720p",
        "--storage",
        "storage1",
    ];
    let refused = broken(&encode);
    assert_ne!(refused.code, 0, "{}", refused.err);
    assert_eq!(
        refused.err.matches(&left("one")).count(),
        1,
        "{}",
        refused.err
    );
    service.ok(&["asset", "delete", "one"]);
    service.fault("PUT */jobs/* status=400");
    let refused = stored(&service, &encode);
    assert_eq!(refused.code, 5, "{}", refused.err);
    for asset in ["one", "one-H264SingleBitrate720p"] {
        assert!(
            refused.err.contains(&left(asset)),
            "{asset}: {}",
            refused.err
        );
    }
    service.fault("PUT */streamingLocators/* status=400");
    let publish = [
        "encode",
        "asset-1",
        "--preset",
        "H264SingleBitrate720p",
        "--publish",
    ];
    let refused = service.run(&publish);
    assert_eq!(refused.code, 5, "{}", refused.err);
    let way = "mkio publish asset-1-H264SingleBitrate720p publishes it";
    assert!(refused.err.contains(way), "{}", refused.err);
}

#[test]
fn what_a_locator_plays_is_printed_without_a_terminal() {
    let service = Service::with(1);
    service.ok(&["publish", "asset-1"]);
    let url = service.ok(&["open", "asset-1"]);
    assert!(url.starts_with("http") && url.lines().count() == 1, "{url}");
    let player = "https://player.example.com/?u={url}";
    let played = service.ok(&["open", "asset-1", "--player", player]);
    assert!(
        played.starts_with("https://player.example.com/?u=http"),
        "{played}"
    );
    assert!(!played.contains("u=http:"), "{played}");
    let odd = service.run(&["open", "asset-1", "--player", "file:///{url}"]);
    assert_eq!(odd.code, 2, "{}", odd.err);
}
