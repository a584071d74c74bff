//! Every resource with a state, by its generated description.

use std::time::Duration;

use mkio::wait::{Goal, PRESENT, Reason, Resource, State, StateKind};
use mkio::{Wait, WaitFailure};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::service::{Asked, Scripted, Service};

fn every() -> impl Iterator<Item = &'static Resource> {
    let apis = [
        mkio::media::waits::ALL,
        mkio::live::waits::ALL,
        mkio::fleets::waits::ALL,
        mkio::channels::waits::ALL,
    ];
    apis.into_iter().flatten().copied()
}

/// Values of the parameters: `acme` for the project, else the parameter's own name.
fn values(resource: &Resource) -> Vec<String> {
    let value = |param: &&str| match *param {
        "project_name" => "acme".to_owned(),
        param => param.replace('_', "-"),
    };
    resource.params.iter().map(value).collect()
}

fn fill(resource: &Resource, template: &str) -> String {
    let mut filled = template.to_owned();
    for (param, value) in resource.params.iter().zip(values(resource)) {
        filled = filled.replace(&format!("{{{param}}}"), &value);
    }
    filled
}

/// Puts a value where a pointer of the description leads; `name=text` makes an entry of a list.
fn put(json: &mut Value, pointer: &str, value: &str) {
    let mut place = json;
    for segment in pointer.split('/').skip(1) {
        place = match segment.split_once('=') {
            Some((name, text)) => {
                if !place.is_array() {
                    *place = json!([{name: "another"}, {name: text}]);
                }
                &mut place[1]
            }
            None => &mut place[segment],
        };
    }
    *place = value.into();
}

/// The resource in a state, with what a goal requires besides.
fn item(resource: &Resource, goal: Option<&Goal>, state: &str) -> Value {
    let mut json = json!({});
    let named = match resource.name_param {
        "" => resource.params.last().copied().unwrap_or_default(),
        named => named,
    };
    let name = fill(resource, &format!("{{{named}}}"));
    if let Some(list) = &resource.list {
        put(&mut json, list.name_pointer, &name);
    }
    if !resource.state_pointer.is_empty() {
        put(&mut json, &fill(resource, resource.state_pointer), state);
    }
    for (at, value) in goal.map_or(&[][..], |goal| goal.requires) {
        put(&mut json, at, &fill(resource, value));
    }
    json
}

/// A service that has the resource in these states from these seconds on; `""` is gone.
fn service(
    resource: &'static Resource,
    goal: Option<&'static Goal>,
    states: Vec<(u64, &'static str)>,
) -> Service {
    Service::new(move |asked| respond(resource, goal, &states, asked))
}

fn respond(
    resource: &Resource,
    goal: Option<&Goal>,
    states: &[(u64, &str)],
    asked: &Asked,
) -> Scripted {
    let now = states.iter().rfind(|(from, _)| *from <= asked.second);
    let state = now.map_or("gone", |(_, state)| *state);
    let path = |template: &str| {
        let path = fill(resource, template);
        path.replacen("/api/v1/projects/acme/", "", 1)
    };
    let is = |operation: Option<&'static mkio_core::Operation>| {
        operation.is_some_and(|operation| asked.path == path(operation.path))
    };
    let there = state != "gone";
    if is(resource.list.as_ref().map(|list| list.operation)) {
        let items = there.then(|| item(resource, goal, state));
        Some((200, json!({"value": items.into_iter().collect::<Vec<_>>()})))
    } else if !there {
        Some((
            404,
            json!({"error": {"code": "NotFound", "detail": "not there"}}),
        ))
    } else if is(resource.state) {
        Some((200, json!({"status": {"state": state}})))
    } else if is(resource.item) {
        Some((200, item(resource, goal, state)))
    } else {
        panic!("{}: {} was not expected", resource.name, asked.path)
    }
}

fn wait(service: &Service, resource: &'static Resource) -> Wait<Value, State> {
    Wait::new(service.client().transport(), resource, values(resource))
}

/// A state on the way to others, if there is one that is not the goal's.
fn transient(resource: &Resource, goal: &Goal) -> Option<&'static str> {
    let on_the_way = |(state, kind): &&(&'static str, StateKind)| {
        *kind == StateKind::Transient && !goal.states.contains(state)
    };
    let found = resource.states.iter().find(on_the_way);
    found.map(|(state, _)| *state)
}

#[test]
fn the_resources_that_have_a_state_are_these() {
    let mut names: Vec<_> = every().map(|resource| resource.name).collect();
    names.sort_unstable();
    // Every entry of the file with goals, its own or another's, is a resource; the rest is the emulator's.
    let file = include_str!("../../../../spec/states.yaml");
    let (mut stated, mut key) = (Vec::new(), "");
    for line in file.lines() {
        if line.starts_with(|first: char| first.is_ascii_lowercase()) {
            key = line.split_once(':').map_or("", |(name, _)| name);
        } else if line.starts_with("  goals:") || line.starts_with("  <<:") {
            stated.push(key);
        }
    }
    stated.sort_unstable();
    assert!(stated.contains(&"media.job"), "{stated:?}");
    assert_eq!(names, stated);
}

#[tokio::test(start_paused = true)]
async fn each_goal_is_reached_by_each_of_its_states() {
    for resource in every() {
        for goal in resource.goals {
            for state in goal.states {
                let mut states = Vec::new();
                states.extend(transient(resource, goal).map(|state| (0, state)));
                states.push((40, "Levitating"));
                states.push((60, state));
                if resource.presence {
                    states = vec![(60, PRESENT)];
                }
                let service = service(resource, Some(goal), states);
                let start = Instant::now();
                // Longer than the default where nothing is there before.
                let found = wait(&service, resource)
                    .goal(goal.name)
                    .missing_for(Duration::from_secs(100))
                    .await;
                let what = format!("{} {} {state}", resource.name, goal.name);
                let found = found.unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(found.is_object(), "{what}: {found}");
                let took = start.elapsed();
                let latest = Duration::from_secs(61) + resource.poll.1;
                assert!(
                    took >= Duration::from_secs(60) && took <= latest,
                    "{what}: {took:?}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_failure_state_is_an_error_at_once() {
    for resource in every() {
        for goal in resource.goals {
            for state in goal.failures {
                let before = transient(resource, goal).unwrap_or("Levitating");
                let service = service(resource, None, vec![(0, before), (30, state)]);
                let start = Instant::now();
                let error = wait(&service, resource).goal(goal.name).await;
                let error = error.expect_err(state);
                let failure = WaitFailure::of(&error).expect("a failure");
                let what = format!("{} {} {state}", resource.name, goal.name);
                assert_eq!(failure.reason, Reason::State, "{what}");
                assert_eq!(failure.state.as_deref(), Some(*state), "{what}");
                let latest = Duration::from_secs(31) + resource.poll.1;
                assert!(start.elapsed() <= latest, "{what}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_that_fell_back_is_an_error_too() {
    let mut count = 0;
    for resource in every() {
        for goal in resource.goals {
            for state in goal.fell_back {
                let via = goal.on_the_way.last().expect("a state on the way");
                let service = service(resource, None, vec![(0, via), (30, state)]);
                let error = wait(&service, resource).goal(goal.name).await;
                let error = error.expect_err(state);
                let failure = WaitFailure::of(&error).expect("a failure");
                assert_eq!(
                    failure.reason,
                    Reason::FellBack,
                    "{} {state}",
                    resource.name
                );
                count += 1;
            }
        }
    }
    assert!(count > 10, "{count}");
}

#[tokio::test(start_paused = true)]
async fn each_disappears_when_that_is_waited_for() {
    for resource in every() {
        let state = resource.states.first().map_or(PRESENT, |(state, _)| *state);
        let service = service(resource, None, vec![(0, state), (30, "gone")]);
        let start = Instant::now();
        let gone = wait(&service, resource).until_gone().await;
        gone.unwrap_or_else(|error| panic!("{}: {error}", resource.name));
        let took = start.elapsed();
        let latest = Duration::from_secs(31) + resource.poll.1;
        assert!(
            took >= Duration::from_secs(30) && took <= latest,
            "{}",
            resource.name
        );
        if resource.presence {
            continue;
        }
        // Otherwise it is an error.
        let service = super::every::service(resource, None, vec![(0, "Levitating"), (30, "gone")]);
        let error = wait(&service, resource).await.expect_err(resource.name);
        let failure = WaitFailure::of(&error).expect("a failure");
        assert_eq!(failure.reason, Reason::Gone, "{}", resource.name);
    }
}

#[tokio::test(start_paused = true)]
async fn each_has_a_deadline() {
    for resource in every() {
        let service = service(resource, None, vec![(0, "Levitating")]);
        if resource.presence {
            continue;
        }
        let start = Instant::now();
        let error = wait(&service, resource).await.expect_err(resource.name);
        assert!(error.is_timeout(), "{}: {error}", resource.name);
        let late = start.elapsed().saturating_sub(resource.timeout);
        assert!(start.elapsed() >= resource.timeout && late < Duration::from_secs(1));
    }
}

#[tokio::test(start_paused = true)]
async fn each_is_described_and_taken_up_again() {
    for resource in every() {
        let goal = resource.goals.first().expect("a goal");
        let before = transient(resource, goal).unwrap_or("Levitating");
        let last = *goal.states.first().expect("a state");
        let states = if resource.presence {
            vec![(60, PRESENT)]
        } else {
            vec![(0, before), (60, last)]
        };
        let service = service(resource, Some(goal), states);
        let mut first = wait(&service, resource);
        let poll = tokio::time::timeout(Duration::from_secs(5), first.try_next()).await;
        assert_eq!(poll.is_err(), resource.presence, "{}", resource.name);
        let written = serde_json::to_string(&first.describe().expect("a description"));
        drop(first);
        let read = serde_json::from_str(&written.expect("JSON")).expect("a description");
        let client = service.client();
        let again = Wait::<Value, State>::resume(client.transport(), resource, &read);
        let found = again.expect("a wait").into_future().await;
        found.unwrap_or_else(|error| panic!("{}: {error}", resource.name));
    }
}

/// One wait of the resource, for its goal, with a service that has these states.
async fn reached(
    resource: &'static Resource,
    goal: &str,
    states: Vec<(u64, &'static str)>,
) -> mkio::Result<Value> {
    let found = resource.goals.iter().find(|found| found.name == goal);
    let found = found.unwrap_or_else(|| panic!("{}: no goal {goal}", resource.name));
    let service = service(resource, Some(found), states);
    wait(&service, resource).goal(goal).await
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_was_short_has_been_under_way() -> mkio::Result<()> {
    let operations = every().filter(|resource| resource.name.ends_with("_scheduled_operation"));
    let mut count = 0;
    for resource in operations {
        let states = vec![(0, "Accepted"), (62, "Ongoing"), (63, "Completed")];
        reached(resource, "ongoing", states).await?;
        count += 1;
    }
    assert_eq!(count, 4);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_attempt_left_behind_does_not_end_the_next() -> mkio::Result<()> {
    let (software, preload) = (
        &mkio::fleets::waits::DEVICE_SOFTWARE,
        &mkio::fleets::waits::DEVICE_PRELOAD,
    );
    let switch = vec![(0, "SwitchFailed"), (8, "Switching"), (60, "Idle")];
    reached(software, "switched", switch).await?;
    for before in ["PreloadFailed", "PreloadCancelled", "Removing", "Removed"] {
        let load = vec![(0, before), (8, "Requested"), (60, "Downloaded")];
        reached(preload, "downloaded", load).await?;
        // One that lasts is the end.
        let start = Instant::now();
        let failed = reached(preload, "downloaded", vec![(0, before)]).await;
        assert!(failed.is_err() && start.elapsed() < Duration::from_secs(21));
    }
    reached(preload, "removed", vec![(0, "Removing"), (60, "Removed")]).await?;
    Ok(())
}
