//! Faults, over HTTP.

use crate::common::Caller;
use serde_json::{Value, json};

async fn with(faults: &str) -> Caller {
    let caller = Caller::with(|builder| builder.seed(5)).await;
    caller
        .emulator
        .control()
        .faults(faults)
        .expect("the faults parse");
    caller
}

async fn raw(caller: &Caller, path: &str) -> reqwest::Result<reqwest::Response> {
    let url = format!("{}/api/v1/projects/demo/{path}", caller.emulator.base_url());
    caller.http.get(url).bearer_auth(&caller.token).send().await
}

#[tokio::test]
async fn statuses_with_and_without_retry_after_and_html_pages() {
    let caller = with("GET */media/assets status=429 retry-after=7 times=1; GET */media/assets status=500 times=1; GET */media/assets html times=1").await;
    let first = caller.get("media/assets").await.expect(429);
    assert_eq!(first.headers["retry-after"], "7");
    caller.get("media/assets").await.expect(500);
    let page = raw(&caller, "media/assets").await.expect("a response");
    assert_eq!(
        (
            page.status().as_u16(),
            page.headers()["content-type"].as_bytes()
        ),
        (502, &b"text/html"[..])
    );
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn connections_break_before_or_after_the_write() {
    let caller =
        with("PUT */content/* reset=before nth=1; PUT */content/* reset=after nth=2").await;
    let put = async || {
        let url = format!(
            "{}/api/v1/projects/demo/media/content/c",
            caller.emulator.base_url()
        );
        caller
            .http
            .put(url)
            .bearer_auth(&caller.token)
            .json(&json!({ "metadata": { "displayName": "C" } }))
            .send()
            .await
    };
    assert!(put().await.is_err());
    caller.get("media/content/c").await.expect(404);
    assert!(put().await.is_err());
    caller.get("media/content/c").await.expect(200);
}

#[tokio::test]
async fn bodies_are_cut_off_or_slow() {
    let caller = with("GET */media/assets cut=100 nth=1; GET */media/assets slow=1 nth=2").await;
    let cut = raw(&caller, "media/assets")
        .await
        .expect("the head arrives");
    assert!(cut.bytes().await.is_err());
    let slow = raw(&caller, "media/assets")
        .await
        .expect("the head arrives");
    let body: Value = slow.json().await.expect("the whole body");
    assert_eq!(body["value"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn responses_that_do_not_fit_their_document() {
    let caller = with("GET * unknown=containerDeletionPolicy extra=more drop=supplemental null=id mistype=name link=foreign").await;
    let body: Value = raw(&caller, "media/assets?$top=1")
        .await
        .expect("a response")
        .json()
        .await
        .expect("JSON");
    let item = &body["value"][0];
    assert_eq!(
        item["properties"]["containerDeletionPolicy"],
        "SomethingNew"
    );
    assert_eq!(
        (
            item["id"].clone(),
            item["name"].clone(),
            item["more"]["added"].clone()
        ),
        (Value::Null, json!(42), json!(true))
    );
    assert_eq!(body.get("supplemental"), None);
    assert!(
        body["@odata.nextLink"]
            .as_str()
            .is_some_and(|link| link.starts_with("https://elsewhere.invalid/"))
    );
    caller.emulator.control().clear_faults();
    caller.get("media/assets").await.expect(200);
}

#[tokio::test]
async fn links_that_repeat_or_are_stale() {
    let caller =
        with("GET */media/assets link=repeat nth=1; GET */media/assets link=stale nth=2").await;
    let first: Value = raw(&caller, "media/assets?$top=2")
        .await
        .expect("a response")
        .json()
        .await
        .expect("JSON");
    let url = format!(
        "{}/api/v1/projects/demo/media/assets?$top=2",
        caller.emulator.base_url()
    );
    assert_eq!(first["@odata.nextLink"], url);
    let second: Value = raw(&caller, "media/assets?$top=2")
        .await
        .expect("a response")
        .json()
        .await
        .expect("JSON");
    let stale = second["@odata.nextLink"]
        .as_str()
        .expect("a link")
        .to_owned();
    caller.get(&stale).await.expect(400);
}

#[tokio::test]
async fn a_late_answer_and_a_slow_body_hold_up_nobody_else() {
    let hour = "3600000";
    let caller = with(&format!(
        "GET */media/assets delay={hour}; GET */media/transforms slow={hour}"
    ))
    .await;
    let url = |path: &str| format!("{}/api/v1/projects/demo/{path}", caller.emulator.base_url());
    let late = caller
        .http
        .get(url("media/assets"))
        .bearer_auth(&caller.token)
        .send();
    let late = tokio::spawn(late);
    // The head of a slow response arrives at once.
    let slow = raw(&caller, "media/transforms").await.expect("a head");
    assert_eq!(slow.status().as_u16(), 200);
    let slow = tokio::spawn(slow.bytes());
    for _ in 0..20 {
        caller.get("media/content").await.expect(200);
    }
    assert!(!late.is_finished() && !slow.is_finished());
}

#[tokio::test]
async fn probabilities_repeat_with_their_seed() {
    let run = async |seed: u64| {
        let caller = with(&format!(
            "GET */media/assets status=429 probability=0.5 seed={seed}; GET */media/assets status=500 probability=0.5 seed={seed}"
        ))
        .await;
        let mut statuses = Vec::new();
        for _ in 0..60 {
            statuses.push(caller.get("media/assets").await.status);
        }
        statuses
    };
    let (first, again, other) = tokio::join!(run(7), run(7), run(8));
    assert_eq!(first, again);
    assert_ne!(first, other);
    for status in [200, 429, 500] {
        assert!(first.contains(&status), "{status} in {first:?}");
    }
}

#[tokio::test]
async fn rules_are_picked_by_method_path_and_count_and_can_be_given_as_json_or_as_values() {
    let caller = with(
        r#"[{"method":"put","path":"*/content/*","status":409,"every":2},{"path":"/api/v1/projects/demo/media/content","html":true,"status":504,"nth":2}]"#,
    )
    .await;
    let control = caller.emulator.control();
    let one = mkio_emulator::Fault {
        path: "*/media/sources".to_owned(),
        status: Some(429),
        retry_after: Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
        times: Some(1),
        drop: vec!["detail".to_owned()],
        ..mkio_emulator::Fault::default()
    };
    control.fault(one).expect("it can meet something");
    let put = async |name: &str| {
        caller
            .put(
                &format!("media/content/{name}"),
                json!({ "metadata": { "displayName": name } }),
            )
            .await
            .status
    };
    assert_eq!(
        [put("a").await, put("b").await, put("c").await],
        [201, 409, 201]
    );
    let status = async |path: &str| {
        raw(&caller, path)
            .await
            .expect("a response")
            .status()
            .as_u16()
    };
    assert_eq!(
        [
            status("media/content").await,
            status("media/content").await,
            status("media/content").await
        ],
        [200, 504, 200]
    );
    let refused = raw(&caller, "media/sources").await.expect("a response");
    assert_eq!(
        (
            refused.status().as_u16(),
            refused.headers()["retry-after"].as_bytes()
        ),
        (429, &b"Wed, 21 Oct 2015 07:28:00 GMT"[..])
    );
    let body: Value = refused.json().await.expect("JSON");
    assert_eq!(
        (body["status"].clone(), body["error"].get("detail")),
        (json!(429), None)
    );
    caller.get("media/sources").await.expect(200);
}

#[tokio::test]
async fn faults_that_could_do_nothing_are_refused_and_none_of_them_is_added() {
    let caller = with("PUT */nothing status=500").await;
    let control = caller.emulator.control();
    let refused =
        control.faults("GET */media/assets status=500; GET */media/assets nth=0 status=500");
    let error = refused.expect_err("the second never meets anything");
    assert_eq!(error.to_string(), "fault 2: 'nth' counts from 1");
    assert!(control.fault(mkio_emulator::Fault::default()).is_err());
    caller.get("media/assets").await.expect(200);
    let started = mkio_emulator::Emulator::builder()
        .faults("GET */media/assets stats=500")
        .start()
        .await;
    let error = started.expect_err("there is no such key");
    assert!(
        error.to_string().contains("'stats' is not known"),
        "{error}"
    );
}
