//! Every operation once, by its command.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use mkio::dynamic::{Entry, Place, ResponseBody, Ty};

use crate::Service;

/// The command of an operation with what it cannot do without.
fn arguments(entry: &'static Entry, body: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = entry.command.iter().map(|&word| word.to_owned()).collect();
    let own_project = entry.operation.path.ends_with("{project_name}");
    for parameter in entry.parameters {
        let project = parameter.ident == "project_name" && !own_project;
        match parameter.place {
            Place::Path if project => {}
            Place::Path => all.push("x1".to_owned()),
            _ if parameter.required => {
                all.push(format!("--{}", parameter.ident.replace('_', "-")));
                all.push(match parameter.ty {
                    Ty::Integer | Ty::Unsigned | Ty::Number => "1".to_owned(),
                    _ => "2026-01-01".to_owned(),
                });
            }
            _ => {}
        }
    }
    if let Some(body) = body {
        all.extend(["-f".to_owned(), body.to_owned()]);
    }
    all
}

#[test]
fn every_operation_runs_by_its_command() {
    let service = Service::new();
    let entries: Vec<&'static Entry> = mkio::CATALOGS
        .iter()
        .flat_map(|catalog| catalog.entries)
        // Afterwards nobody could call anything.
        .filter(|entry| !["delete_all_user_tokens", "delete_user_token"].contains(&entry.id()))
        .collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let odd = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let told = one(&service, entry);
                    match told {
                        Ok(()) => {
                            done.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(told) => odd.lock().expect("no panic").push(told),
                    }
                }
            });
        }
    });
    let odd = odd.into_inner().expect("no panic");
    assert!(odd.is_empty(), "{}", odd.join("\n"));
    assert!(entries.len() >= 257, "{}", entries.len());
    // The others are refused by the service for what the skeletons hold, or are not there.
    assert!(done.load(Ordering::SeqCst) == entries.len());
}

/// Codes of responses of the service; 2 would be a request that the program does not make, and 8 a
/// response that it does not read.
const ANSWERED: [i32; 5] = [0, 3, 4, 5, 6];

fn one(service: &Service, entry: &'static Entry) -> Result<(), String> {
    let file = entry.body.as_ref().map(|_| {
        let body = entry.skeleton().unwrap_or_default();
        service.file(
            &format!("{}-{}.json", entry.operation.api, entry.id()),
            &body.to_string(),
        )
    });
    let arguments = arguments(entry, file.as_deref());
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let channels = format!("channels={}", service.emulator.base_url());
    arguments.extend([
        "--yes",
        "-o",
        "json",
        "--timeout",
        "20s",
        "--api-url",
        &channels,
    ]);
    let shown = ran_ok(service, &arguments, true)?;
    if !shown.contains(entry.operation.method.as_str()) {
        return Err(format!("{}: --dry-run shows {shown}", entry.id()));
    }
    let out = ran_ok(service, &arguments, false)?;
    let json = matches!(entry.response, ResponseBody::Json(..)) && !out.trim().is_empty();
    if json && serde_json::from_str::<serde_json::Value>(&out).is_err() {
        return Err(format!("{}: no JSON: {out}", entry.id()));
    }
    Ok(())
}

fn ran_ok(service: &Service, arguments: &[&str], dry: bool) -> Result<String, String> {
    let mut arguments = arguments.to_vec();
    if dry {
        arguments.push("--dry-run");
    }
    let ran = service.run(&arguments);
    let fine = if dry {
        ran.code == 0
    } else {
        ANSWERED.contains(&ran.code)
    };
    if fine {
        Ok(ran.out)
    } else {
        Err(format!(
            "{arguments:?}: {}: {}{}",
            ran.code, ran.out, ran.err
        ))
    }
}
