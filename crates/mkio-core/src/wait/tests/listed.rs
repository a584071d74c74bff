//! What waits make of lists: pages, gaps, paces, and what a list does not tell, with the paused clock.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use super::{
    service::{BACKUP, JOB, Service, resource, status},
    sharing::{all, gone, job, lists, path, seconds, singles},
};
use crate::{
    Error, Result,
    wait::{Reason, State, Wait, WaitFailure},
};

#[tokio::test(start_paused = true)]
async fn items_that_move_between_pages_are_not_taken_for_gone() {
    let service = Service::new();
    service.page_size(10);
    let names: Vec<_> = (0..40).map(|number| format!("job-{number:02}")).collect();
    for name in &names {
        service.at(&path(name), &[(0, "Finished"), (60, "")]);
    }
    // In the middle of the second list, the first page's jobs go.
    let (world, first) = (service.clone(), names[..10].to_vec());
    let pages = AtomicUsize::new(0);
    service.fault(move |seen| {
        let later_page = seen.parameter("$skiptoken").is_some();
        if later_page && pages.fetch_add(1, Ordering::Relaxed) == 3 {
            for name in &first {
                world.at(&path(name), &[(0, "")]);
            }
        }
        None
    });
    let ended = all(names.iter().map(|name| gone(&service, name))).await;
    for (number, at, outcome) in ended {
        outcome.unwrap();
        assert!(
            number < 10 || at >= seconds(60),
            "{number} was there at {at:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_the_list_holds_for_all() {
    let service = Service::new();
    let names: Vec<_> = (0..400)
        .map(|number| format!("job-{number:0>100}"))
        .collect();
    for name in &names {
        service.at(&path(name), &[(0, "Processing"), (200, "Finished")]);
    }
    let first = AtomicUsize::new(0);
    service.fault(move |_| {
        let mut headers = http::HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_static("60"));
        let status = http::StatusCode::SERVICE_UNAVAILABLE;
        (first.fetch_add(1, Ordering::Relaxed) == 0)
            .then(|| Error::from_response(status, headers, bytes::Bytes::new()))
    });
    let ended = all(names.iter().map(|name| job(&service, name))).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    let early = |(at, _): &&(f64, String)| (1.0..59.0).contains(at);
    assert_eq!(service.log().iter().filter(early).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_the_list_holds_for_who_comes_later_as_well() {
    let service = Service::new();
    service.script.header("retry-after", "40");
    let mut running = JoinSet::new();
    for (second, name) in [(0, "a"), (0, "b"), (5, "c")] {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
        tokio::time::sleep(seconds(second)).await;
        running.spawn(job(&service, name).into_future());
    }
    assert!(running.join_all().await.iter().all(Result::is_ok));
    let log = service.log();
    assert!(log[0].0 < 1.0 && log[1].0 >= 40.0, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_many_pages_is_read_less_often() {
    let service = Service::new();
    service.page_size(10);
    let names: Vec<_> = (0..50).map(|number| format!("job-{number:02}")).collect();
    let waits = names.iter().map(|name| {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
        job(&service, name).poll_every(seconds(1)..seconds(1))
    });
    assert!(
        all(waits)
            .await
            .iter()
            .all(|(_, _, outcome)| outcome.is_ok())
    );
    let log = service.script.log().into_iter();
    let lists: Vec<_> = log
        .filter(|seen| seen.parameter("$skiptoken").is_none())
        .map(|seen| seen.at)
        .collect();
    // Four pages more than one, for each of which there is a pause.
    let each = Duration::from_millis(1200);
    let early = lists.windows(2).find(|pair| pair[1] - pair[0] < each * 4);
    assert!(lists.len() > 5 && early.is_none(), "{lists:?}");
}

#[tokio::test(start_paused = true)]
async fn names_for_many_requests_send_as_many_as_the_pace_asks_for() {
    for odd in [0, 3] {
        let service = Service::new();
        // Three requests have place for these.
        let long = (0..80).map(|number| format!("{number:0>128}"));
        let odd = (0..odd).map(|number| format!("odd'{number}"));
        let waits = long.chain(odd).map(|name| {
            let at = path(&name.replace('\'', "%27"));
            service.at(&at, &[(0, "Processing"), (30, "Finished")]);
            job(&service, &name).poll_every(seconds(1)..seconds(1))
        });
        let ended = all(waits).await;
        assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
        // At the usual pause there were 25 in this time.
        let requests = service.script.calls();
        assert!(requests > 60, "{requests}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_soon_comes_with_what_is_due() {
    let service = Service::new();
    let mut running = JoinSet::new();
    for (second, name, pace) in [(0, "a", 40), (0, "c", 120), (10, "b", 40)] {
        service.at(&path(name), &[(0, "Processing")]);
        tokio::time::sleep(seconds(second)).await;
        let wait = job(&service, name).poll_every(seconds(pace)..seconds(pace));
        running.spawn(wait.into_future());
    }
    tokio::time::sleep(seconds(35)).await;
    let start = service.script.log()[0].at;
    let log = service.script.log().into_iter();
    let later: Vec<_> = log.filter(|seen| seen.at - start > seconds(30)).collect();
    let filter = later[0].parameter("$filter");
    assert_eq!(
        filter,
        Some("transform eq 'h264' and (name eq 'a' or name eq 'b')")
    );
}

#[tokio::test(start_paused = true)]
async fn ten_resources_that_a_list_leaves_out_are_asked_for() {
    let service = Service::new();
    service.hide("odd-");
    let names = (0..15).flat_map(|number| [format!("job-{number:02}"), format!("odd-{number:02}")]);
    let waits = names.map(|name| {
        service.at(&path(&name), &[(0, "Processing"), (100, "Finished")]);
        job(&service, &name).poll_every(seconds(20)..seconds(20))
    });
    let ended = all(waits).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    // The others' turn comes with the next list.
    let asked = [(0.0, 10.0), (10.0, 30.0)];
    let asked = asked.map(|(from, to)| singles(&service, "odd-", from, to));
    assert!(asked[0] == 10 && asked[1] >= 5, "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_hides_nothing_for_long() {
    let service = Service::new();
    service.page_size(2);
    // All are polled together, and these fill the first page for ever.
    let wait = |name: &str| job(&service, name).poll_every(seconds(30)..seconds(30));
    let mut first = JoinSet::new();
    for name in ["a", "b"] {
        service.at(&path(name), &[(0, "Processing")]);
        first.spawn(wait(name).into_future());
    }
    let names = ["c", "d"];
    for name in names {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
    }
    service.fault(|seen| seen.parameter("$skiptoken").map(|_| status(503)));
    let ended = all(names.map(wait)).await;
    for (_, at, outcome) in ended {
        outcome.unwrap();
        assert!(at < seconds(120), "{at:?}");
    }
    // A list that broke off once is tried once more before.
    let early = names.map(|name| singles(&service, name, 0.0, 0.5));
    assert_eq!(early, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_few_names_that_no_list_can_find_are_polled_alone() {
    let service = Service::new();
    service.fault(|seen| {
        let filter = seen.parameter("$filter").unwrap_or_default();
        filter.contains("odd").then(|| status(400))
    });
    for name in ["a", "b", "odd%20job"] {
        service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
    }
    let ended = all(["a", "b", "odd job"].map(|name| job(&service, name))).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    let log = service.log();
    let alone = |path: &str| path.ends_with("/jobs/odd%20job/state");
    let polls = log.iter().filter(|(_, path)| path != "media/jobs");
    let (alone, rest): (Vec<_>, Vec<_>) = polls.partition(|(_, path)| alone(path));
    assert!(alone.len() > 2 && lists(&service) > 2, "{log:?}");
    // Only the final poll, and polls of what is left last.
    assert!(rest.iter().all(|(at, _)| *at >= 60.0), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn the_list_alone_tells_what_is_gone_and_what_has_failed_is_asked_for() {
    let service = Service::new();
    service.page_size(1);
    for name in ["d", "e"] {
        service.at(&path(name), &[(0, "Processing"), (300, "Finished")]);
    }
    for name in ["a1", "a2"] {
        service.at(&path(name), &[(0, "Finished"), (60, "")]);
    }
    service.at(&path("c"), &[(0, "Processing"), (100, "")]);
    let start = Instant::now();
    let others = ["c", "d", "e"].map(|name| {
        let wait = job(&service, name);
        tokio::spawn(wait.poll_every(seconds(10)..seconds(10)).into_future())
    });
    let pace = seconds(10)..seconds(10);
    let deleted = ["a1", "a2"].map(|name| gone(&service, name).poll_every(pace.clone()));
    for (_, took, outcome) in all(deleted).await {
        outcome.unwrap();
        assert!(took >= seconds(60) && took < seconds(100), "{took:?}");
    }
    assert_eq!(singles(&service, "a", 0.0, 1000.0), 0);
    let [lost, rest @ ..] = others;
    let error = lost.await.unwrap().unwrap_err();
    assert_eq!(WaitFailure::of(&error).unwrap().reason, Reason::Gone);
    assert!(start.elapsed() < seconds(130), "{:?}", start.elapsed());
    // It is asked for as soon as a list does not show it.
    let log = service.log();
    let alone = log.iter().position(|(_, path)| path.contains("/jobs/c"));
    let [.., (listed, list), (asked, _)] = &log[..=alone.unwrap()] else {
        panic!("{log:?}");
    };
    assert!(list == "media/jobs" && asked - listed < 0.1, "{log:?}");
    for other in rest {
        other.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_list_without_pages_is_enough_to_tell_what_is_gone() {
    let service = Service::new();
    for name in ["a", "b"] {
        service.at(&path(name), &[(0, "Finished"), (60, "")]);
    }
    let pace = seconds(10)..seconds(10);
    let waits = ["a", "b"].map(|name| gone(&service, name).poll_every(pace.clone()));
    assert!(
        all(waits)
            .await
            .iter()
            .all(|(_, _, outcome)| outcome.is_ok())
    );
    let log = service.log();
    assert_eq!(
        log.iter().filter(|(at, _)| *at >= 60.0).count(),
        1,
        "{log:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_yet_is_asked_for_once_and_then_looked_for_in_lists() {
    let service = Service::new();
    service.at(&path("a"), &[(25, "Finished")]);
    service.at(&path("b"), &[(25, "Finished")]);
    let pace = seconds(1)..seconds(8);
    let waits = ["a", "b"].map(|name| job(&service, name).poll_every(pace.clone()));
    assert!(
        all(waits)
            .await
            .iter()
            .all(|(_, _, outcome)| outcome.is_ok())
    );
    assert_eq!(singles(&service, "a", 0.0, 20.0), 1);
    let lists = service.log();
    let lists = lists
        .iter()
        .filter(|(at, path)| *at < 20.0 && path == "media/jobs");
    let lists = lists.count();
    assert!((3..=8).contains(&lists), "{lists}");
}

#[tokio::test(start_paused = true)]
async fn a_list_is_read_until_it_has_shown_all_that_was_asked_for() {
    let service = Service::new();
    let items = ["a", "b"].map(|name| resource(&path(name), "Finished"));
    let body = json!({"value": items, "@odata.nextLink": "?$skiptoken=2"}).to_string();
    service.garble(move |_| Some(body.clone()));
    let ended = all(["a", "b"].map(|name| job(&service, name))).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    let [seen] = &service.script.log()[..] else {
        panic!("{:?}", service.log());
    };
    assert_eq!(seen.parameter("$top"), Some("2"));
    assert_eq!(
        seen.parameter("$filter"),
        Some("transform eq 'h264' and (name eq 'a' or name eq 'b')")
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_list_does_not_tell_apart_is_not_taken_for_gone() {
    let service = Service::new();
    let transforms = ["h264", "av1"];
    for transform in transforms {
        let at = format!("media/transforms/{transform}/jobs/main");
        service.at(&at, &[(0, "Finished"), (200, "")]);
    }
    let waits = transforms.map(|transform| {
        let values = ["acme", transform, "main"].map(str::to_owned).to_vec();
        let wait = Wait::<Value, State>::new(&service.transport, &JOB, values);
        wait.until_gone().poll_every(seconds(10)..seconds(10))
    });
    let running = tokio::spawn(all(waits));
    tokio::time::sleep(seconds(30)).await;
    assert!(lists(&service) > 1 && service.script.calls() == lists(&service));
    service.without_ids();
    for (_, at, outcome) in running.await.unwrap() {
        outcome.unwrap();
        assert!(at >= seconds(200) && at < seconds(220), "{at:?}");
    }
}

fn backup_of(service: &Service, name: &str) -> Wait<Value, State> {
    let values = ["acme", name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &BACKUP, values)
}

fn backup(service: &Service) -> Wait<Value, State> {
    backup_of(service, "b")
}

#[tokio::test(start_paused = true)]
async fn two_lists_of_several_pages_are_enough_to_tell_what_is_gone() {
    let service = Service::new();
    service.page_size(1);
    for name in ["a", "b"] {
        service.at(&format!("fleet/backups/{name}"), &[(0, "x"), (60, "")]);
    }
    for name in ["c", "d"] {
        service.at(&format!("fleet/backups/{name}"), &[(0, "x")]);
    }
    let pace = seconds(20)..seconds(20);
    let waits = ["a", "b"].map(|name| backup_of(&service, name).until_gone());
    for (_, at, outcome) in all(waits.map(|wait| wait.poll_every(pace.clone()))).await {
        outcome.unwrap();
        assert!(at >= seconds(60) && at < seconds(90), "{at:?}");
    }
    // The second one comes at once.
    let pages = service.log();
    let pages = pages.iter().filter(|(at, _)| *at >= 60.0);
    assert_eq!(pages.count(), 4, "{:?}", service.log());
}

#[tokio::test(start_paused = true)]
async fn what_only_a_list_shows_takes_one_list_a_poll() {
    let service = Service::new();
    backup(&service).until_gone().await.unwrap();
    assert_eq!(service.script.calls(), 1);

    let service = Service::new();
    service.page_size(1);
    for name in ["a", "b"] {
        service.at(&format!("fleet/backups/{name}"), &[(0, "x")]);
    }
    backup(&service).await.unwrap();
    assert_eq!(service.script.calls(), 2);

    // What moves to a page that was read before is there all the same.
    let world = service.clone();
    service.at("fleet/backups/b", &[(0, "x"), (60, "")]);
    service.fault(move |seen| {
        if seen.parameter("$skiptoken").is_some() {
            world.at("fleet/backups/a", &[(0, "")]);
        }
        None
    });
    let start = Instant::now();
    backup(&service).until_gone().await.unwrap();
    assert!(start.elapsed() >= seconds(50), "{:?}", start.elapsed());
    let shown = format!("{:?}", service.waits());
    assert!(shown.contains("pollers: 0"), "{shown}");
}
