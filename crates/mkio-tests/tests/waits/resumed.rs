//! Waits that are saved, and continued by the typed clients of another process.

use mkio::media::types::*;
use mkio::{ErrorKind, WaitDescription};
use serde_json::json;

use super::service::{Asked, Scripted, Service};

/// A job that runs for a minute and is gone a minute later.
fn job(asked: &Asked) -> Scripted {
    let state = match asked.second {
        0..60 => "Processing",
        60..120 => "Finished",
        _ => {
            return Some((
                404,
                json!({"error": {"code": "NotFound", "detail": "gone"}}),
            ));
        }
    };
    let body = json!({
        "name": "job", "status": {"state": state}, "properties": {"state": state},
    });
    Some((200, body))
}

/// As another process reads it.
fn read(description: mkio::Result<WaitDescription>) -> WaitDescription {
    let written = serde_json::to_string(&description.expect("a description"));
    serde_json::from_str(&written.expect("JSON")).expect("a description")
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_job_is_taken_up_again() -> mkio::Result<()> {
    let service = Service::new(job);
    let media = service.client().project("acme").media();
    let mut wait = media.wait_for_job("encode", "job");
    wait.try_next().await?;
    let description = read(wait.describe());
    drop(wait);
    assert!(!description.is_until_gone());

    let media = service.client().project("acme").media();
    let job: Job = media.resume_wait_for_job(&description)?.await?;
    assert_eq!(job.state(), JobState::Finished);

    // It has a resource to give.
    let error = media.resume_wait_until_job_gone(&description).map(drop);
    let error = error.expect_err("a wait for a state");
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(
        error.to_string().contains("`resume_wait_for_job`"),
        "{error}"
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_wait_until_a_job_is_gone_is_taken_up_again() -> mkio::Result<()> {
    for deleted in [false, true] {
        let service = Service::new(|asked| match asked.call() {
            ("DELETE", _) => Some((200, json!(null))),
            _ => job(asked),
        });
        let media = service.client().project("acme").media();
        let mut wait = if deleted {
            media.delete_job_and_wait("encode", "job")
        } else {
            media.wait_for_job("encode", "job").until_gone()
        };
        wait.try_next().await?;
        let description = read(wait.describe());
        drop(wait);
        assert!(description.is_until_gone());

        let media = service.client().project("acme").media();
        let error = media.resume_wait_for_job(&description).map(drop);
        let error = error.expect_err("there is no job to give");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let call = "`resume_wait_until_job_gone`";
        assert!(error.to_string().contains(call), "{error}");
        media.resume_wait_until_job_gone(&description)?.await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_description_of_another_project_or_kind_is_refused() {
    let service = Service::new(job);
    let client = service.client();
    let written = |gone: bool| {
        let wait = client.project("acme").media().wait_for_job("encode", "job");
        read(if gone {
            wait.until_gone().describe()
        } else {
            wait.describe()
        })
    };
    let other = client.project("other").media();
    let refused = [
        other.resume_wait_for_job(&written(false)).map(drop),
        other.resume_wait_until_job_gone(&written(true)).map(drop),
    ];
    for error in refused {
        let error = error.expect_err("another project");
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let line = error.to_string();
        assert!(
            line.contains("`acme`") && line.contains("`other`"),
            "{line}"
        );
    }
    let media = client.project("acme").media();
    let error = media.resume_wait_for_asset(&written(false)).map(drop);
    let error = error.expect_err("another kind").to_string();
    assert!(
        error.contains("media.job") && error.contains("media.asset"),
        "{error}"
    );
    let error = media.resume_wait_until_asset_gone(&written(true)).map(drop);
    assert!(error.is_err());
}
