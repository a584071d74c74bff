//! Many waits at once, with the paused clock.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::Instant};

use super::service::{BACKUP, JOB, LIVE_EVENT, Service, resource, status};
use crate::{
    Error, Result,
    wait::{Reason, Resource, State, Wait, WaitFailure},
};

pub(super) fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) fn job(service: &Service, name: &str) -> Wait<Value, State> {
    let values = ["acme", "h264", name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

pub(super) fn path(name: &str) -> String {
    format!("media/transforms/h264/jobs/{name}")
}

pub(super) type Ended<T> = (usize, Duration, Result<T>);

/// Awaits these all at once; for each, when it ended and how.
pub(super) async fn all<T: DeserializeOwned + Send + 'static>(
    waits: impl IntoIterator<Item = Wait<T, State>>,
) -> Vec<Ended<T>> {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for (number, wait) in waits.into_iter().enumerate() {
        running.spawn(async move {
            let outcome = wait.await;
            (number, start.elapsed(), outcome)
        });
    }
    let mut ended = running.join_all().await;
    ended.sort_by_key(|(number, ..)| *number);
    ended
}

pub(super) fn lists(service: &Service) -> usize {
    service
        .log()
        .iter()
        .filter(|(_, path)| path == "media/jobs")
        .count()
}

#[tokio::test(start_paused = true)]
async fn five_hundred_jobs_stay_under_sixty_requests_a_minute() {
    let service = Service::new();
    let mut random = fastrand::Rng::with_seed(7);
    let ends: Vec<u64> = (0..500).map(|_| random.u64(5..1200)).collect();
    for (number, end) in ends.iter().enumerate() {
        let states = [
            (0, "Queued"),
            (end / 2, "Processing 10"),
            (*end, "Finished"),
        ];
        service.at(&path(&format!("job-{number:03}")), &states);
    }
    let ended = all((0..500).map(|number| job(&service, &format!("job-{number:03}")))).await;
    let longest = JOB.poll.1;
    for ((_, at, outcome), end) in ended.iter().zip(&ends) {
        assert_eq!(outcome.as_ref().unwrap()["properties"]["state"], "Finished");
        let delay = at.saturating_sub(seconds(*end));
        assert!(delay <= longest, "seen {delay:?} late");
    }
    let busiest = service.busiest_minute();
    assert!(busiest < 60, "{busiest} requests in a minute");
    // A poll at each would take 500 per interval; these are all, and hardly any is single.
    let single = service.script.calls() - lists(&service);
    assert!(single < 10, "{single} single polls");
}

#[tokio::test(start_paused = true)]
async fn long_names_and_small_pages_stay_within_the_limit_too() {
    let service = Service::new();
    service.page_size(100);
    let names: Vec<_> = (0..200).map(|number| format!("{number:0>128}")).collect();
    for name in &names {
        service.at(&path(name), &[(0, "Processing"), (400, "Finished")]);
    }
    let ended = all(names.iter().map(|name| job(&service, name))).await;
    assert!(
        ended
            .iter()
            .all(|(_, at, outcome)| outcome.is_ok() && *at < seconds(440))
    );
    let busiest = service.busiest_minute();
    assert!(busiest < 60, "{busiest} requests in a minute");
}

#[tokio::test(start_paused = true)]
async fn waits_that_begin_one_after_the_other_share_as_well() {
    let service = Service::new();
    let mut running = JoinSet::new();
    for number in 0..100 {
        let name = format!("job-{number}");
        service.at(&path(&name), &[(0, "Processing"), (120, "Finished")]);
        let wait = job(&service, &name);
        running.spawn(wait.into_future());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(service.waits().pollers(), 1);
    assert!(running.join_all().await.iter().all(Result::is_ok));
    let busiest = service.busiest_minute();
    assert!(busiest < 60, "{busiest} requests in a minute");
}

#[tokio::test(start_paused = true)]
async fn a_single_wait_asks_for_its_state_alone() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (60, "Finished")]);
    job(&service, "a").await.unwrap();
    assert_eq!(lists(&service), 0);
}

#[tokio::test(start_paused = true)]
async fn the_task_ends_with_its_last_wait_and_dropped_waits_disappear() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing")]);
    service.at(&path("b"), &[(0, "Processing")]);
    let mut a = job(&service, "a");
    let mut b = job(&service, "b");
    a.try_next().await.unwrap();
    b.try_next().await.unwrap();
    assert_eq!(service.waits().pollers(), 1);
    drop(a);
    tokio::time::sleep(seconds(60)).await;
    // With one wait left, its state is enough.
    let later = service.log().into_iter().filter(|(at, _)| *at > 5.0);
    let (of_a, of_b): (Vec<_>, Vec<_>) = later.partition(|(_, path)| path.contains("/a/"));
    assert!(of_a.is_empty(), "{of_a:?}");
    assert!(of_b.iter().all(|(_, path)| path.contains("jobs/b")) && !of_b.is_empty());

    drop(b);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(service.waits().pollers(), 0);
    let calls = service.script.calls();
    tokio::time::sleep(seconds(600)).await;
    assert_eq!(service.script.calls(), calls);

    service.at(&path("c"), &[(0, "Finished")]);
    job(&service, "c").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(service.waits().pollers(), 0);
}

#[tokio::test(start_paused = true)]
async fn waits_of_one_collection_share_a_task_and_others_do_not() {
    let service = Service::new();
    let wait = |resource: &'static Resource, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Wait::<Value, State>::new(&service.transport, resource, values)
    };
    let mut waits = Vec::new();
    for (resource, values, tasks) in [
        (&JOB, &["acme", "h264", "a"][..], 1),
        // The list shows the jobs of all transforms.
        (&JOB, &["acme", "av1", "a"], 1),
        (&JOB, &["other", "h264", "a"], 2),
        (&LIVE_EVENT, &["acme", "show"], 3),
        (&LIVE_EVENT, &["acme", "news"], 3),
        (&LIVE_EVENT, &["other", "show"], 4),
    ] {
        let mut begun = wait(resource, values);
        let first = tokio::time::timeout(seconds(1), begun.try_next()).await;
        assert!(first.is_err(), "there is nothing to see yet: {first:?}");
        waits.push(begun);
        assert_eq!(service.waits().pollers(), tasks, "{values:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_filtered_is_done_without() {
    for code in [400, 403, 404] {
        let service = Service::new();
        service.fault(move |seen| seen.path.ends_with("/jobs").then(|| status(code)));
        for name in ["a", "b", "c"] {
            service.at(&path(name), &[(0, "Processing"), (60, "Finished")]);
        }
        let ended = all(["a", "b", "c"].map(|name| job(&service, name))).await;
        assert!(
            ended
                .iter()
                .all(|(_, at, outcome)| outcome.is_ok() && *at < seconds(91))
        );
        assert_eq!(lists(&service), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_leaves_out_what_exists_is_not_believed() {
    let service = Service::new();
    for name in ["a", "b", "c"] {
        service.at(&path(name), &[(0, "Processing"), (100, "Finished")]);
    }
    // The list knows jobs of another transform only.
    let mut waits = Vec::new();
    for name in ["a", "b", "c"] {
        waits.push(job(&service, name));
    }
    service.hide("/h264/");
    let ended = all(waits).await;
    for (_, at, outcome) in ended {
        outcome.unwrap();
        assert!(at < seconds(131), "{at:?}");
    }
    assert!(lists(&service) < 4, "{}", lists(&service));
}

#[tokio::test(start_paused = true)]
async fn jobs_of_the_same_name_are_told_apart() {
    let service = Service::new();
    let of = |transform: &str| {
        let values = ["acme", transform, "job's 1"].map(str::to_owned).to_vec();
        Wait::<Value, State>::new(&service.transport, &JOB, values)
    };
    service.at(
        "media/transforms/h264/jobs/job%27s%201",
        &[(0, "Processing"), (50, "Finished")],
    );
    service.at(
        "media/transforms/av1/jobs/job%27s%201",
        &[(0, "Processing"), (90, "Error")],
    );
    let ended = all([of("h264"), of("av1")]).await;
    assert!(ended[0].2.is_ok() && ended[0].1 < seconds(81));
    assert!(ended[1].2.is_err() && ended[1].1 >= seconds(90));
}

#[tokio::test(start_paused = true)]
async fn many_deletions_are_seen_through_the_list() {
    let service = Service::new();
    let names: Vec<_> = (0..50).map(|number| format!("job-{number}")).collect();
    for name in &names {
        service.at(&path(name), &[(0, "Finished"), (60, "")]);
    }
    let mut running = JoinSet::new();
    for name in &names {
        let wait = job(&service, name).until_gone();
        running.spawn(wait.into_future());
    }
    assert!(running.join_all().await.iter().all(Result::is_ok));
    let single = service.script.calls() - lists(&service);
    assert_eq!(single, 0);
    let lists = lists(&service);
    assert!(lists < 20, "{lists} lists");
}

#[tokio::test(start_paused = true)]
async fn many_waits_have_their_last_poll_together() {
    let service = Service::new();
    let names: Vec<_> = (0..50).map(|number| format!("job-{number}")).collect();
    for name in &names {
        service.at(&path(name), &[(0, "Processing"), (100, "Finished")]);
    }
    let ended = all(names
        .iter()
        .map(|name| job(&service, name).timeout(seconds(100))))
    .await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    assert_eq!(service.script.calls(), lists(&service));
}

/// A wait until a job is gone, which has no resource to give.
fn gone(service: &Service, name: &str) -> Wait<(), State> {
    job(service, name).until_gone()
}

/// Jobs of these transforms and names run for five minutes; all ends, and what is said of it.
async fn run_all(service: &Service, jobs: &[(String, String)]) {
    for (transform, name) in jobs {
        let at = format!("media/transforms/{transform}/jobs/{name}");
        service.at(&at, &[(0, "Processing"), (300, "Finished")]);
    }
    let waits = jobs.iter().map(|(transform, name)| {
        let values = ["acme", transform, name].map(str::to_owned).to_vec();
        Wait::<Value, State>::new(&service.transport, &JOB, values)
    });
    for (number, at, outcome) in all(waits).await {
        let (transform, name) = &jobs[number];
        let id = outcome.unwrap()["id"].clone();
        if !id.is_null() {
            let own = format!("/transforms/{transform}/jobs/{name}");
            assert!(id.as_str().unwrap().ends_with(&own), "{id} is not {own}");
        }
        assert!(at < seconds(300) + JOB.poll.1, "{at:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_many_transforms_share_their_polls() {
    for name in [
        |number: usize| format!("job-{number:03}"),
        // Each transform has a job of the same name.
        |_| "main".to_owned(),
    ] {
        let service = Service::new();
        let jobs: Vec<_> = (0..500)
            .map(|number| (format!("transform-{number:03}"), name(number)))
            .collect();
        run_all(&service, &jobs).await;
        let busiest = service.busiest_minute();
        assert!(busiest < 60, "{busiest} requests in a minute");
        let single = service.script.calls() - lists(&service);
        assert!(single < 10, "{single} single polls");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_of_one_name_that_a_list_does_not_tell_apart_are_not_mixed_up() {
    let service = Service::new();
    service.without_ids();
    let jobs: Vec<_> = (0..20)
        .map(|number| (format!("transform-{number:03}"), "main".to_owned()))
        .collect();
    run_all(&service, &jobs).await;
    // The list shows none of them, so it is off for most of the time.
    assert!(lists(&service) <= 10, "{} lists", lists(&service));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_no_list_request_has_such_a_name_either() {
    let service = Service::new();
    let waits = ["a", "b", "odd job"].map(|name| {
        let at = path(&name.replace(' ', "%20"));
        service.at(&at, &[(0, "Processing"), (60, "Finished")]);
        let wait = job(&service, name).timeout(seconds(70));
        wait.poll_every(seconds(3600)..seconds(3600))
    });
    let ended = all(waits).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    let log = service.script.log();
    let filters = log.iter().filter_map(|seen| seen.parameter("$filter"));
    let filters: Vec<_> = filters.collect();
    assert!(
        filters.len() == 2 && !filters.concat().contains("odd"),
        "{filters:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn names_that_the_list_cannot_find_are_polled_alone() {
    let service = Service::new();
    service.hide("odd-");
    let jobs: Vec<_> = (0..500)
        .map(|number| {
            let kind = if number % 50 == 0 { "odd" } else { "job" };
            ("h264".to_owned(), format!("{kind}-{number:03}"))
        })
        .collect();
    run_all(&service, &jobs).await;
    let busiest = service.busiest_minute();
    assert!(busiest < 60, "{busiest} requests in a minute");
    let of_odd = |(_, path): &(f64, String)| path.contains("/odd-");
    let single = service.script.calls() - lists(&service);
    assert!(service.log().iter().filter(|call| of_odd(call)).count() >= single - 10);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_needs_escaping_or_is_long_goes_into_no_list_request() {
    let service = Service::new();
    service.fault(|seen| {
        let filter = seen.parameter("$filter").unwrap_or_default();
        let odd = filter.contains("odd") || filter.contains(&"l".repeat(129));
        odd.then(|| status(400))
    });
    let jobs: Vec<_> = (0..500)
        .map(|number| {
            let name = match number {
                7 => "odd job".to_owned(),
                8 => "odd'job".to_owned(),
                9 => "l".repeat(129),
                _ => format!("job-{number:03}._~"),
            };
            ("h264".to_owned(), name)
        })
        .collect();
    let paths = jobs
        .iter()
        .map(|(_, name)| name.replace(' ', "%20").replace('\'', "%27"));
    let paths: Vec<_> = paths.map(|name| path(&name)).collect();
    for path in &paths {
        service.at(path, &[(0, "Processing"), (300, "Finished")]);
    }
    let ended = all(jobs.iter().map(|(_, name)| job(&service, name))).await;
    for (_, at, outcome) in ended {
        outcome.unwrap();
        assert!(at < seconds(300) + JOB.poll.1, "{at:?}");
    }
    let busiest = service.busiest_minute();
    assert!(busiest < 60, "{busiest} requests in a minute");
    let singly: BTreeSet<_> = service
        .log()
        .into_iter()
        .filter_map(|(_, path)| path.strip_suffix("/state").map(str::to_owned))
        .collect();
    assert_eq!(singly, paths[7..10].iter().cloned().collect());
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_a_list_left_out_is_in_none_for_a_while() {
    let service = Service::new();
    service.hide("/jobs/c");
    for name in ["a", "b", "c"] {
        service.at(&path(name), &[(0, "Processing")]);
    }
    let pace = seconds(5)..seconds(5);
    let waits = ["a", "b", "c"].map(|name| job(&service, name).poll_every(pace.clone()));
    let running = tokio::spawn(all(waits));
    tokio::time::sleep(seconds(200)).await;
    running.abort();
    let start = service.script.log()[0].at;
    let asked = |from: u64, to: u64, name: &str| {
        let log = service.script.log().into_iter().filter(|seen| {
            let at = seen.at - start;
            let filter = seen.parameter("$filter").unwrap_or_default();
            at >= seconds(from) && at < seconds(to) && filter.contains(name)
        });
        log.count()
    };
    // A minute the first time, two the next.
    let lists = [(0, 59), (60, 69), (70, 179), (180, 200)];
    let of_c = lists.map(|(from, to)| asked(from, to, "'c'"));
    assert_eq!(of_c, [1, 1, 0, 1], "{:?}", service.log());
    assert!(asked(0, 200, "'a'") > 30);
    let alone = singles(&service, "c", 0.0, 200.0);
    assert!(alone > 30, "{alone}");
}

#[tokio::test(start_paused = true)]
async fn many_waits_for_one_resource_poll_once_for_all() {
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (60, "Finished")]);
    let ended = all((0..100).map(|_| job(&service, "a"))).await;
    assert!(ended.iter().all(|(_, _, outcome)| outcome.is_ok()));
    assert_eq!(lists(&service), 0);
    let (together, calls) = (service.script.calls(), service.log());
    let service = Service::new();
    service.at(&path("a"), &[(0, "Processing"), (60, "Finished")]);
    job(&service, "a").await.unwrap();
    let alone = service.script.calls();
    assert!(together <= alone + 2, "{together} and {alone}: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn deadlines_close_to_each_other_share_their_last_poll() {
    let service = Service::new();
    let mut running = JoinSet::new();
    for number in 0..200 {
        let name = format!("job-{number}");
        service.at(&path(&name), &[(0, "Processing"), (100, "Finished")]);
        let wait = job(&service, &name).timeout(seconds(100));
        let wait = wait.poll_every(seconds(600)..seconds(600));
        running.spawn(wait.into_future());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(running.join_all().await.iter().all(Result::is_ok));
    let last = service.log().iter().filter(|(at, _)| *at >= 99.0).count();
    assert!(last <= 20, "{last} polls at the deadlines");
}

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

fn singles(service: &Service, name: &str, from: f64, to: f64) -> usize {
    let log = service.log();
    let alone = |path: &str| path.contains(&format!("/jobs/{name}"));
    let found = log
        .iter()
        .filter(|(at, path)| (from..to).contains(at) && alone(path));
    found.count()
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
