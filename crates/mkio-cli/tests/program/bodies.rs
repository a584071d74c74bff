//! Bodies: from files, standard input and single fields.

use serde_json::Value;

use crate::Service;

fn asset(service: &Service, name: &str) -> Value {
    let text = service.ok(&["asset", "get", name, "-o", "json"]);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn bodies_come_from_files_standard_input_and_fields() {
    let service = Service::new();
    let yaml = service.file(
        "asset.yaml",
        "properties:\n  storageAccountName: storage1\n  description: from a file\n",
    );
    service.ok(&["asset", "put", "a", "-f", &yaml]);
    assert_eq!(
        asset(&service, "a")["properties"]["description"],
        "from a file"
    );
    service.ok(&[
        "asset",
        "put",
        "b",
        "-f",
        &yaml,
        "--set",
        "properties.description=123",
    ]);
    assert_eq!(
        asset(&service, "b")["properties"]["description"],
        "123",
        "text stays text"
    );
    let told = service.fed(
        &["asset", "put", "c", "-f", "-"],
        "{\"properties\": {\"storageAccountName\": \"storage1\"}}",
    );
    assert_eq!(told.code, 0, "{}", told.err);
    let ran = service.run(&["asset", "put", "d", "-f", "no-such-file.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    let broken = service.file("broken.yaml", "a: [geheim");
    let ran = service.run(&["asset", "put", "d", "-f", &broken]);
    assert!(ran.code == 2 && !ran.err.contains("geheim"), "{}", ran.err);
}

/// Standard input is named as such, not by the word that stands for it.
#[test]
fn an_empty_standard_input_is_told() {
    let service = Service::with(0);
    for input in ["", "a: [x"] {
        let ran = service.fed(&["asset", "put", "a", "-f", "-"], input);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(ran.err.contains("standard input"), "{}", ran.err);
    }
    let none = service.fed(&["apply", "-f", "-"], "");
    assert_eq!(none.err.trim(), "standard input: 0 manifests");
}

#[test]
fn edits_leave_the_rest_as_it_is() {
    let service = Service::new();
    service.ok(&[
        "asset",
        "put",
        "a",
        "--set",
        "properties.storageAccountName=storage1",
        "--set",
        "properties.description=old",
        "--set",
        "labels.team=news",
    ]);
    let shown = service.ok(&[
        "edit",
        "asset",
        "a",
        "--set",
        "properties.description=new",
        "--dry-run",
    ]);
    assert!(
        shown.starts_with("PUT ") && shown.contains("\"team\": \"news\""),
        "{shown}"
    );
    assert_eq!(asset(&service, "a")["properties"]["description"], "old");
    service.ok(&["edit", "asset", "a", "--set", "properties.description=new"]);
    let after = asset(&service, "a");
    assert_eq!(after["properties"]["description"], "new");
    assert_eq!(after["labels"]["team"], "news");
    service.fault("PUT */assets/* status=500");
    let same = service.run(&["edit", "asset", "a", "--set", "properties.description=new"]);
    assert_eq!(same.code, 0, "{}", same.err);
    assert!(same.err.contains("nothing changed"), "{}", same.err);
    let wrong = service.run(&["edit", "asset", "a", "--set", "properties.descripton=new"]);
    assert!(
        wrong.code == 2 && wrong.err.contains("`description`"),
        "{}",
        wrong.err
    );
}

#[cfg(unix)]
#[test]
fn an_editor_changes_the_resource() {
    use std::os::unix::fs::PermissionsExt;
    let service = Service::new();
    service.ok(&[
        "asset",
        "put",
        "a",
        "--set",
        "properties.storageAccountName=storage1",
        "--set",
        "properties.description=old",
    ]);
    let editor = service.file(
        "editor.sh",
        "#!/bin/sh\n/bin/sed -i s/old/by-hand/ \"$1\"\n",
    );
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).expect("a script");
    let mut command = service.command(&["edit", "asset", "a", "--editor"]);
    let ran = crate::ran(command.env("EDITOR", &editor));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(asset(&service, "a")["properties"]["description"], "by-hand");
}
