//! Many waits at once, with the paused clock.

use std::{collections::BTreeSet, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

use super::service::{JOB, LIVE_EVENT, Service, status};
use crate::{
    Result,
    wait::{Resource, State, Wait},
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

pub(super) fn singles(service: &Service, name: &str, from: f64, to: f64) -> usize {
    let log = service.log();
    let alone = |path: &str| path.contains(&format!("/jobs/{name}"));
    let found = log
        .iter()
        .filter(|(at, path)| (from..to).contains(at) && alone(path));
    found.count()
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
pub(super) fn gone(service: &Service, name: &str) -> Wait<(), State> {
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
