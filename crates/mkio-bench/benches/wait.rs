//! Requests per minute for waits on 1, 50 and 500 jobs of one project (in one transform, and one in
//! each of 500), against a loop that asks for
//! each job every ten seconds. The service is scripted and the clock is tokio's paused one: ten
//! minutes of waiting take moments, and nothing but the requests of the waits is counted.
//! Criterion measures the CPU time of those ten minutes.

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use criterion::{BenchmarkId, Criterion};
use http::Response;
use mkio::{Client, RateBudget, media::ProjectClient};
use mkio_bench::{CpuTime, measuring};
use mkio_core::{Dispatch, DispatchFuture};
use serde_json::{Value, json};

use tokio::{task::JoinSet, time::Instant};

const INTERVAL: Duration = Duration::from_secs(10);

/// The job of this number ends after one to ten minutes.
fn ends(number: usize) -> Duration {
    Duration::from_millis(63_700 + (number as u64 * 7_919_531) % 540_000)
}

fn name(number: usize) -> String {
    format!("nightly-job-{number:04}")
}

/// Where the jobs are.
#[derive(Clone, Copy)]
enum Layout {
    /// In one transform, each with a name of its own.
    Together,
    /// One in each transform, all of the same name.
    Apart,
}

impl Layout {
    /// Transform and name of a job.
    fn place(self, number: usize) -> (String, String) {
        match self {
            Self::Together => ("h264".to_owned(), name(number)),
            Self::Apart => (name(number), "main".to_owned()),
        }
    }
}

/// Jobs whose states change with the clock; notes when it was asked.
struct Service {
    started: Instant,
    jobs: usize,
    layout: Layout,
    asked: Arc<Mutex<Vec<Duration>>>,
}

impl Service {
    fn job(&self, number: usize) -> Value {
        let done = self.started.elapsed() >= ends(number);
        let state = if done { "Finished" } else { "Processing" };
        let (transform, name) = self.layout.place(number);
        let id = format!("/projects/acme/media/transforms/{transform}/jobs/{name}");
        json!({"id": id, "name": name, "properties": {"state": state, "outputs": [{"progress": 50}]}})
    }

    fn respond(&self, url: &url::Url) -> Value {
        if url.path().ends_with("/jobs") {
            let filter = url.query_pairs().find(|(name, _)| name == "$filter");
            let filter = filter
                .map(|(_, filter)| filter.into_owned())
                .unwrap_or_default();
            let field = match self.layout {
                Layout::Together => "name eq '",
                Layout::Apart => "transform eq '",
            };
            let wanted = filter.split(field).filter_map(|rest| rest.split_once('\''));
            let jobs: Vec<_> = wanted.filter_map(|(name, _)| self.known(name)).collect();
            return json!({"value": jobs});
        }
        let path = url.path();
        let state_only = path.strip_suffix("/state");
        let job = state_only
            .unwrap_or(path)
            .split('/')
            .find_map(|name| self.known(name));
        let job = job.expect("only jobs that exist are asked for");
        match state_only {
            Some(_) => json!({"status": {"state": job["properties"]["state"]}}),
            None => job,
        }
    }

    fn known(&self, name: &str) -> Option<Value> {
        let number = name.strip_prefix("nightly-job-")?.parse().ok()?;
        (number < self.jobs).then(|| self.job(number))
    }
}

impl Dispatch for Service {
    fn dispatch(&self, request: reqwest::Request) -> DispatchFuture<'_> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.push(self.started.elapsed());
        let response = Response::new(self.respond(request.url()).to_string());
        Box::pin(async move { Ok(response.into()) })
    }
}

/// What waiting for all jobs took.
struct Outcome {
    requests: usize,
    busiest_minute: usize,
    mean_delay: Duration,
    worst_delay: Duration,
}

#[derive(Clone)]
enum Way {
    /// One request per job and interval.
    Naive,
    /// Waits that poll in this range, or at their default pace.
    Waits(Option<Range<Duration>>),
}

async fn one(media: ProjectClient, way: Way, (transform, job): (String, String)) {
    match way {
        Way::Waits(pace) => {
            let wait = media.wait_for_job(transform, job);
            let wait = match pace {
                Some(pace) => wait.poll_every(pace),
                None => wait,
            };
            wait.await.expect("the job ends");
        }
        Way::Naive => loop {
            let request = media.get_job_state(&*transform, &*job);
            let response = request
                .send()
                .await
                .expect("the service answers")
                .into_inner();
            if response.status.and_then(|status| status.state).as_deref() == Some("Finished") {
                break;
            }
            tokio::time::sleep(INTERVAL).await;
        },
    }
}

fn wait_for(jobs: usize, layout: Layout, way: Way) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let started = Instant::now();
        let asked = Arc::new(Mutex::default());
        let service = Service {
            started,
            jobs,
            layout,
            asked: asked.clone(),
        };
        let client = Client::builder()
            .token("bench-token")
            .rate_budget(RateBudget::off())
            .dispatch(service)
            .build()
            .expect("the settings are complete");
        let media = client.project("acme").media();
        let mut waits = JoinSet::new();
        for number in 0..jobs {
            let wait = one(media.clone(), way.clone(), layout.place(number));
            waits.spawn(async move {
                wait.await;
                started.elapsed().saturating_sub(ends(number))
            });
        }
        let delays = waits.join_all().await;
        let asked = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        let in_minute = |from: &Duration| {
            let until = *from + Duration::from_secs(60);
            asked
                .iter()
                .filter(|at| (*from..until).contains(at))
                .count()
        };
        Outcome {
            requests: asked.len(),
            busiest_minute: asked.iter().map(in_minute).max().unwrap_or(0),
            mean_delay: delays.iter().sum::<Duration>() / u32::try_from(jobs).unwrap_or(u32::MAX),
            worst_delay: delays.into_iter().max().unwrap_or_default(),
        }
    })
}

fn main() {
    let ways = [
        ("a request per job every 10 s", Way::Naive),
        ("waits, every 10 s", Way::Waits(Some(INTERVAL..INTERVAL))),
        ("waits, default pace", Way::Waits(None)),
    ];
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .sample_size(10)
        .configure_from_args();
    let mut group = criterion.benchmark_group("jobs of one to ten minutes, CPU time");
    for jobs in [1, 50, 500] {
        for (title, way) in &ways {
            group.bench_function(BenchmarkId::new(*title, jobs), |bencher| {
                bencher.iter(|| wait_for(jobs, Layout::Together, way.clone()));
            });
        }
    }
    group.finish();
    criterion.final_summary();

    if measuring() {
        let measured = [1, 50, 500].map(|jobs| (jobs, "together", Layout::Together));
        let apart = [(500, "in transforms of their own", Layout::Apart)];
        for (jobs, place, layout) in measured.into_iter().chain(apart) {
            for (title, way) in &ways {
                let outcome = wait_for(jobs, layout, way.clone());
                println!(
                    "{jobs:>3} jobs {place}, {title:<28}: {:>6} requests, {:>4} in the busiest minute, \
                     seen after {:.1?} in the mean, {:.1?} at worst",
                    outcome.requests,
                    outcome.busiest_minute,
                    outcome.mean_delay,
                    outcome.worst_delay,
                );
            }
        }
    }
}
