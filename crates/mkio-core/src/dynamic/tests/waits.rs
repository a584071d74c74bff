//! Calls by name that wait for their resource.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{arguments, crates::CRATES};
use crate::{ErrorKind, page::script::Script};

const CRATE: &str = "/api/v1/projects/p/media/crates/c";

fn names() -> Map<String, Value> {
    arguments(json!({"project_name": "p", "crate_name": "c"}))
}

/// A service whose crate is open until something was posted, then sealing, then sealed.
fn service() -> Arc<Script> {
    let polls = std::sync::Mutex::new(None);
    Script::new(move |seen| {
        let mut polls = polls.lock().unwrap();
        if seen.path != CRATE {
            *polls = Some(0);
            return Ok("{}".to_owned());
        }
        let state = match &mut *polls {
            None => "Open",
            Some(polls) => {
                *polls += 1;
                if *polls > 1 { "Sealed" } else { "Sealing" }
            }
        };
        Ok(json!({"state": state}).to_string())
    })
}

fn paths(service: &Arc<Script>) -> Vec<String> {
    service.log().into_iter().map(|seen| seen.path).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_goal_of_its_operation() {
    let service = service();
    let seal = CRATES.entry("seal_crate").unwrap();
    let wait = seal.call_and_wait(&service.transport(), &names()).unwrap();
    assert_eq!(service.calls(), 0);
    assert_eq!(wait.await.unwrap(), json!({"state": "Sealed"}));
    let paths = paths(&service);
    let seals = paths.iter().filter(|path| path.ends_with("/c/seal"));
    assert_eq!(seals.count(), 1, "{paths:?}");
    assert_eq!(paths.last().unwrap(), CRATE);
}

#[tokio::test(start_paused = true)]
async fn values_of_the_path_go_by_their_names_before_their_order() {
    let service = service();
    let weigh = CRATES.entry("weigh_crate").unwrap();
    let given = arguments(json!({"project": "p", "crate_name": "c"}));
    let wait = weigh.call_and_wait(&service.transport(), &given).unwrap();
    assert_eq!(wait.await.unwrap(), json!({"state": "Sealed"}));
    let paths = paths(&service);
    assert!(
        paths
            .iter()
            .any(|path| path == "/api/v1/crates/c/of/p/weight")
    );
    assert_eq!(paths.last().unwrap(), CRATE);
}

#[tokio::test(start_paused = true)]
async fn steps_of_an_action_are_made_one_after_the_other() {
    let service = service();
    let [action] = CRATES.actions else {
        panic!("one action");
    };
    let wait = action.call_and_wait(&CRATES, &service.transport(), &names());
    assert_eq!(wait.unwrap().await.unwrap(), json!({"state": "Sealed"}));
    let paths = paths(&service);
    let seals = paths.iter().filter(|path| path.ends_with("/c/seal"));
    assert_eq!(seals.count(), 2, "{paths:?}");
}

#[test]
fn a_step_has_its_own_body() {
    let [action] = CRATES.actions else {
        panic!("one action");
    };
    let [first, second] = action.steps else {
        panic!("two steps");
    };
    let (entry, given) = first.call(&CRATES, &names()).unwrap();
    assert_eq!((entry.id(), given), ("seal_crate", names()));
    let (_, given) = second.call(&CRATES, &names()).unwrap();
    assert_eq!(given["body"], json!({"twice": true}));
}

#[test]
fn an_operation_without_a_resource_cannot_wait() {
    let get = CRATES.entry("get_crate").unwrap();
    let transport = service().transport();
    let error = get.call_and_wait(&transport, &names()).map(drop);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.message().contains("get_crate"), "{error}");
}
