//! One client in several tokio runtimes.

use std::time::Duration;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use super::service::{JOB, Service};
use crate::ErrorKind;
use crate::wait::{State, Wait};

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

fn job(service: &Service, name: &str) -> Wait<Value, State> {
    let values = ["acme", "h264", name].map(str::to_owned).to_vec();
    Wait::new(&service.transport, &JOB, values)
}

fn service(runtime: &Runtime, names: &[&str]) -> Service {
    runtime.block_on(async {
        let service = Service::new();
        for name in names {
            let path = format!("media/transforms/h264/jobs/{name}");
            service.at(&path, &[(0, "Processing"), (60, "Finished")]);
        }
        service
    })
}

#[test]
fn a_runtime_that_stands_still_holds_up_no_wait_of_another() {
    let (first, second) = (runtime(), runtime());
    let service = service(&first, &["a", "b"]);
    let mut a = job(&service, "a");
    first.block_on(a.try_next()).unwrap();
    // Nobody drives the first one any more.
    let b = second.block_on(async { job(&service, "b").await });
    assert_eq!(b.unwrap()["name"], "b");
    assert_eq!(first.block_on(async { a.await }).unwrap()["name"], "a");
}

#[test]
fn a_wait_outlives_the_runtime_in_which_it_began() {
    let (first, second) = (runtime(), runtime());
    let service = service(&second, &["a", "b"]);
    let (mut a, mut b) = (job(&service, "a"), job(&service, "b"));
    first.block_on(a.try_next()).unwrap();
    second.block_on(b.try_next()).unwrap();
    assert_eq!(service.waits().pollers(), 2);
    drop(first);
    assert_eq!(service.waits().pollers(), 1);
    let mut changes = Vec::new();
    second.block_on(async {
        while let Some(change) = a.try_next().await.unwrap() {
            changes.push(change.state.to_string());
        }
        assert_eq!(a.await.unwrap()["name"], "a");
        assert_eq!(b.await.unwrap()["name"], "b");
        tokio::time::sleep(Duration::from_millis(1)).await;
    });
    // What it had seen before is not told again.
    assert_eq!(changes, ["Finished"]);
    assert_eq!(service.waits().pollers(), 0);
}

#[test]
fn a_wait_goes_on_in_the_runtime_that_polls_it() {
    let (first, second) = (runtime(), runtime());
    let service = service(&second, &["a"]);
    let mut a = job(&service, "a");
    first.block_on(a.try_next()).unwrap();
    // The first one is still there, but nobody drives it.
    assert_eq!(second.block_on(async { a.await }).unwrap()["name"], "a");
    drop(first);
    assert_eq!(service.waits().pollers(), 0);
}

#[test]
fn without_any_runtime_left_a_wait_says_so() {
    let only = runtime();
    let service = service(&only, &["a"]);
    let mut a = job(&service, "a");
    only.block_on(a.try_next()).unwrap();
    drop(only);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = a.into_future();
    let std::task::Poll::Ready(Err(error)) = future.as_mut().poll(&mut cx) else {
        panic!("it cannot go on");
    };
    assert_eq!(error.kind(), ErrorKind::Wait);
    assert!(error.to_string().contains("runtime"), "{error}");
}
