//! Mistakes are told in the words of who makes them, and lose nothing.

use crate::{LIVE_EVENT, Service, ran};

#[cfg(unix)]
fn editor(service: &Service, name: &str, line: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = service.file(name, &format!("#!/bin/sh\n{line}\n"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a script");
    path
}

fn asset(service: &Service, more: &[&str]) {
    let put = [
        "asset",
        "put",
        "a",
        "--set",
        "properties.storageAccountName=storage1",
    ];
    service.ok(&[&put[..], more].concat());
}

/// Somebody deletes the transform while it is in the editor.
#[cfg(unix)]
#[test]
fn an_edit_that_makes_a_deleted_resource_again_is_told() {
    let service = Service::new();
    let preset = r##"[{"preset": {"@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p"}}]"##;
    let outputs = format!("properties.outputs={preset}");
    service.ok(&[
        "transform",
        "put",
        "t",
        "--set",
        &outputs,
        "--set",
        "properties.description=old",
    ]);
    let delete = format!("{} transform delete t", env!("CARGO_BIN_EXE_mkio"));
    let line = format!("{delete} && /bin/sed -i s/old/new/ \"$1\"");
    let editor = editor(&service, "editor.sh", &line);
    let mut command = service.command(&["edit", "transform", "t", "--editor"]);
    let told = ran(command.env("EDITOR", &editor));
    assert_ne!(told.code, 0, "{}", told.out);
    assert!(
        told.err.contains("deleted while it was edited"),
        "{}",
        told.err
    );
}

/// What was written by hand is kept when it cannot be sent.
#[cfg(unix)]
#[test]
fn an_edit_that_is_refused_is_kept() {
    let service = Service::new();
    asset(&service, &["--set", "properties.description=old"]);
    let edits = [
        ("/bin/echo 'a: [geheim' > \"$1\"", "", 2),
        ("/bin/echo 'geheim: 1' >> \"$1\"", "", 2),
        (
            "/bin/sed -i s/old/geheim/ \"$1\"",
            "* */media/assets/a status=400 nth=2",
            5,
        ),
    ];
    for (line, fault, code) in edits {
        service.fault(fault);
        let editor = editor(&service, "editor.sh", line);
        let mut command = service.command(&["edit", "asset", "a", "--editor"]);
        let told = ran(command.env("EDITOR", &editor));
        assert_eq!(told.code, code, "{line}: {}", told.err);
        let path = told
            .err
            .split("edited is in ")
            .nth(1)
            .expect(&told.err)
            .trim();
        let kept = std::fs::read_to_string(path).expect("the file");
        std::fs::remove_file(path).expect("it is ours");
        assert!(kept.contains("geheim"), "{kept}");
    }
}

#[cfg(unix)]
#[test]
fn editors_are_found() {
    let service = Service::new();
    asset(&service, &["--set", "properties.description=old"]);
    let one = editor(&service, "my editor.sh", "/bin/sed -i s/old/new/ \"$1\"");
    let mut command = service.command(&["edit", "asset", "a", "--editor"]);
    let command = command.env("VISUAL", "").env("EDITOR", format!("'{one}'"));
    assert_eq!(ran(command).code, 0);
    let shown = service.ok(&["asset", "get", "a", "-o", "json"]);
    assert!(shown.contains("\"new\""), "{shown}");
    let mut command = service.command(&["edit", "asset", "a", "--editor"]);
    let none = ran(command.env("VISUAL", "").env("EDITOR", ""));
    assert_eq!(none.code, 2);
    assert!(none.err.contains("VISUAL"), "{}", none.err);
}

/// A body is written in the editor: from a skeleton, or from what is given.
#[cfg(unix)]
#[test]
fn a_body_is_written_in_the_editor() {
    let service = Service::new();
    let put = ["asset", "put", "a", "--editor"];
    let begun = |line: &str, more: &[&str]| {
        let editor = editor(&service, "editor.sh", line);
        let mut command = service.command(&[&put[..], more].concat());
        ran(command.env("EDITOR", &editor))
    };
    let fill = "/bin/sed -i 's/storageAccountName: .*/storageAccountName: storage1/' \"$1\"";
    let made = begun(fill, &[]);
    assert_eq!(made.code, 0, "{}", made.err);
    let change = "/bin/sed -i s/old/new/ \"$1\"";
    let sets = [
        "--set",
        "properties.storageAccountName=storage1",
        "--set",
        "properties.description=old",
    ];
    assert_eq!(begun(change, &sets).code, 0);
    let shown = service.ok(&["asset", "get", "a", "-o", "json"]);
    assert!(shown.contains("\"new\""), "{shown}");
    let emptied = begun("echo > \"$1\"", &[]);
    assert_eq!(emptied.code, 2, "{}", emptied.err);
    assert!(emptied.err.contains("nothing was sent"), "{}", emptied.err);
    // What was written by hand is not lost.
    let misspelt = begun("echo 'propertis: {}' > \"$1\"", &[]);
    assert_eq!(misspelt.code, 2, "{}", misspelt.err);
    let path = misspelt.err.split("edited is in ").nth(1);
    let path = path.expect(&misspelt.err).trim();
    let kept = std::fs::read_to_string(path).expect("the file");
    std::fs::remove_file(path).expect("it is ours");
    assert_eq!(kept, "propertis: {}\n");
}

#[test]
fn every_command_says_that_no_project_is_named() {
    let service = Service::with(1);
    for args in [
        &[
            "edit",
            "asset",
            "asset-1",
            "--set",
            "properties.description=x",
        ][..],
        &["asset", "get", "asset-1"],
    ] {
        let mut command = service.command(args);
        let none = ran(command.env_remove("MKIO_PROJECT"));
        assert_eq!(none.code, 3, "{}", none.err);
        let empty = service.run(&[args, &["-p", ""]].concat());
        assert_eq!(empty.code, 3, "{}", empty.err);
        for told in [none.err, empty.err] {
            assert!(told.contains("no project is named"), "{told}");
        }
    }
}

#[test]
fn fields_are_set_removed_and_told_in_plain_words() {
    let service = Service::new();
    asset(
        &service,
        &[
            "--set",
            "labels.2024=x",
            "--set",
            "properties.description=d",
        ],
    );
    let shown = service.ok(&["asset", "get", "a", "-o", "json"]);
    assert!(shown.contains("\"2024\": \"x\""), "{shown}");
    let edit = ["edit", "asset", "a", "--set"];
    service.ok(&[&edit[..], &["labels.2024=null"]].concat());
    service.ok(&[&edit[..], &["properties.description=null"]].concat());
    let shown = service.ok(&["asset", "get", "a", "-o", "json"]);
    assert!(
        !shown.contains("2024") && !shown.contains("\"d\""),
        "{shown}"
    );

    let event = service.file("event.yaml", LIVE_EVENT);
    let create = ["live-event", "create", "e", "-f", &event, "--set"];
    let wrong = service.run(&[&create[..], &["properties.useStaticHostname=yes"]].concat());
    assert_eq!(wrong.code, 2);
    let told = "`properties.useStaticHostname`: it takes true or false, not text";
    assert!(wrong.err.contains(told), "{}", wrong.err);
    let empty = service.file("empty.yaml", "");
    let none = service.run(&["asset", "put", "b", "-f", &empty]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("it has no body"), "{}", none.err);
    let null = service.run(&["asset", "put", "b", "--set", "properties=null"]);
    assert!(!null.err.contains("struct"), "{}", null.err);
}

#[test]
fn names_and_filters_are_not_mixed() {
    let service = Service::with(1);
    for args in [
        &["watch", "asset", "asset-1", "--filter", "name eq 'x'"][..],
        &["export", "asset", "asset-1", "--filter", "name eq 'x'"],
        &["export", "asset", "asset-1", "-l", "a=b"],
    ] {
        let ran = service.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn messages_are_for_people() {
    let service = Service::new();
    let none = ran(&mut service.bare(&["asset", "list", "-p", "demo"]));
    assert!(none.err.contains("mkio login"), "{}", none.err);
    assert!(!none.err.contains("builder"), "{}", none.err);
    let mut command = service.command(&["asset", "list"]);
    let plain = ran(command.env("MKIO_BASE_URL", "http://mkio.example"));
    assert_eq!(plain.code, 3, "{}", plain.err);
    assert!(plain.err.contains("https"), "{}", plain.err);
    assert!(!plain.err.contains("allow_plain_http"), "{}", plain.err);
    assert!(!plain.err.contains("mkio login"), "{}", plain.err);
}

#[test]
fn nothing_is_made_for_what_is_not_there() {
    let service = Service::with(1);
    let film = service.file("film.mp4", "x");
    for args in [
        &["encode", "asset-1", "--transform", "nosuch"][..],
        &[
            "live",
            "record",
            "nosuch",
            "--for",
            "1s",
            "--storage",
            "storage1",
        ],
    ] {
        let ran = service.run(args);
        assert_eq!(ran.code, 4, "{args:?}: {}", ran.err);
    }
    for input in [&*film, "https://example.com/a.mp4"] {
        let ran = service.run(&[
            "encode",
            input,
            "--preset",
            "H264SingleBitrate720p",
            "--files",
            "a",
        ]);
        assert_eq!(ran.code, 2, "{}", ran.err);
    }
    assert_eq!(service.ok(&["asset", "list", "-o", "name"]), "asset-1\n");
}

#[test]
fn the_doctor_does_not_wait_for_long() {
    let service = Service::new();
    let config = service.file("config.toml", "profiles = 1\n");
    let mut command = service.command(&["doctor", "--config", &config]);
    let begun = std::time::Instant::now();
    let ill = ran(command.env("MKIO_BASE_URL", "http://127.0.0.1:1"));
    assert_eq!(ill.code, 1, "{}", ill.err);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    assert!(
        ill.out.contains("`profiles` has to be a table"),
        "{}",
        ill.out
    );
    assert!(!ill.out.contains("rights"), "{}", ill.out);
}

#[test]
fn what_waits_in_any_case_takes_the_flag() {
    let service = Service::new();
    for noun in [&["channel"][..], &["beam", "channel"]] {
        let start = [noun, &["start", "nosuch", "--wait"]].concat();
        let ran = service.run(&start);
        assert_eq!(ran.code, 4, "{start:?}: {}", ran.err);
    }
}

/// A watch finds what is below parents, as an export does.
#[test]
fn all_of_a_kind_are_found_below_their_parents() {
    let service = Service::new();
    for kind in ["live-output", "channel-schedule", "job"] {
        let watched = service.run(&["watch", kind]);
        assert_eq!(watched.code, 0, "{kind}: {}", watched.err);
        assert!(
            watched.err.contains("nothing to watch"),
            "{kind}: {}",
            watched.err
        );
        let exported = service.run(&["export", kind]);
        assert_eq!(exported.code, 0, "{kind}: {}", exported.err);
    }
}

/// An export of many needs no more requests than their list.
#[test]
fn an_export_takes_the_items_of_the_list() {
    let service = Service::with(40);
    let control = service.emulator.control();
    control.clear_requests();
    let all = service.ok(&["export", "asset"]);
    assert_eq!(all.matches("kind: asset").count(), 40, "{all}");
    let asked = control.requests().len();
    assert!(asked < 5, "{asked} requests");
    let one = service.ok(&["export", "asset", "asset-1"]);
    assert!(all.contains(&one), "{one}");
}

#[test]
fn a_folder_is_read_whole() {
    let service = Service::with(0);
    let folder = service.folder.path().join("manifests/below");
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = "kind: asset\nname: deep\nbody:\n  properties: {storageAccountName: storage1}\n";
    std::fs::write(folder.join("one.yaml"), text).expect("a file");
    let above = service
        .folder
        .path()
        .join("manifests")
        .display()
        .to_string();
    service.ok(&["apply", "-f", &above]);
    service.ok(&["asset", "get", "deep"]);
    let empty = service.file("empty.yaml", "");
    let none = service.run(&["apply", "-f", &empty]);
    assert!(none.err.contains("0 manifests"), "{}", none.err);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_that_is_not_there_yet_stays_one() {
    let service = Service::new();
    let link = service.folder.path().join("link.toml");
    std::os::unix::fs::symlink("real/config.toml", &link).expect("a link");
    let config = link.display().to_string();
    let set = ["profile", "set", "project", "acme", "--config", &config];
    service.ok(&set);
    assert!(link.is_symlink());
    let real = service.folder.path().join("real/config.toml");
    let text = std::fs::read_to_string(real).expect("the file");
    assert!(text.contains("acme"), "{text}");
}

#[test]
fn the_head_of_an_answer_is_shown_beside_it() {
    let service = Service::with(1);
    let path = "/api/v1/projects/demo/media/assets/asset-1";
    let ran = service.run(&["api", "GET", path, "-i"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.starts_with("200 OK\n"), "{}", ran.err);
    assert!(
        ran.err.contains("\ncontent-type: application/json"),
        "{}",
        ran.err
    );
    assert!(ran.out.starts_with('{'), "{}", ran.out);
    let none = service.run(&["api", "GET", &format!("{path}-none"), "--include"]);
    assert_eq!(none.code, 4);
    assert!(none.err.starts_with("404 Not Found\n"), "{}", none.err);
}

/// Looks at secrets change nothing, so a protected profile does not ask.
#[test]
fn a_look_at_secrets_is_no_change() {
    let service = Service::new();
    service.ok(&["profile", "set", "protected", "true"]);
    let ran = service.run(&["key-policy", "secrets", "nosuch"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    let delete = ["key-policy", "delete", "nosuch"];
    assert_eq!(service.run(&delete).code, 2, "a change is asked for");
}

/// A new asset whose upload fails is told.
#[test]
fn what_a_failed_upload_leaves_is_told() {
    let service = Service::with(0);
    let film = service.file("film.mp4", "x");
    let mut command = service.command(&["upload", &film, "film", "--storage", "storage1"]);
    let bad = ran(command.env("MKIO_STORAGE_SAS", "sv=1&sig=wrong"));
    assert_ne!(bad.code, 0);
    assert!(bad.err.contains("mkio asset delete film"), "{}", bad.err);
}
