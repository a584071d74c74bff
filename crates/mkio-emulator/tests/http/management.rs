//! The organization, usage and billing.

use crate::common::Caller;
use serde_json::{Value, json};

#[tokio::test]
async fn an_organization_is_provisioned() {
    let caller = Caller::start().await;
    let organization = caller
        .get("/api/v1/organization")
        .await
        .expect(200)
        .text("/metadata/id");
    let methods = caller.get("/api/v1/organization/paymentMethods?$filter=displayName%20eq%20'Billing%20with%20pending%20terms'").await.expect(200);
    let payment = methods.text("/value/0/metadata/id");
    let project =
        json!({ "displayName": "Acme", "locationName": "westeurope", "paymentMethodId": payment });
    let refused = caller
        .put("/api/v1/projects/acme", project.clone())
        .await
        .expect(400);
    assert!(refused.detail().contains("terms"), "{}", refused.detail());
    caller
        .post(
            &format!("/api/v1/organization/paymentMethods/{payment}/acceptTermsAndConditions"),
            Value::Null,
        )
        .await
        .expect(200);
    caller
        .put("/api/v1/projects/acme", project.clone())
        .await
        .expect(201);
    caller
        .get("/api/v1/projects/acme/media/streamingPolicies")
        .await
        .expect(200);
    caller
        .patch(
            "/api/v1/projects/acme",
            json!({ "spec": { "isHidden": true } }),
        )
        .await
        .expect(200);
    let count = async |path: &str| {
        caller.get(path).await.expect(200).body["value"]
            .as_array()
            .map(Vec::len)
    };
    assert_eq!(
        (
            count("/api/v1/projects").await,
            count("/api/v1/projects?show_hidden=true").await
        ),
        (Some(1), Some(2))
    );

    let users = caller.get("/api/v1/organization/users").await.expect(200);
    let colleague = users.text("/value/1/metadata/id");
    let team = json!({ "spec": { "members": { &colleague: { "isTeamAdmin": false } }, "scopes": { "Project acme": { "roles": ["Reader"] } } } });
    caller
        .put("/api/v1/organization/teams/ops", team.clone())
        .await
        .expect(201);
    caller
        .put("/api/v1/organization/teams/ops", team)
        .await
        .expect(200);
    let patch = json!([
        { "op": "replace", "path": format!("/spec/members/{colleague}/isTeamAdmin"), "value": true },
        { "op": "add", "path": "/spec/scopes/Project acme/roles/-", "value": "Owner" },
        { "op": "remove", "path": "/spec/scopes/Project acme/roles/Reader" },
    ]);
    let patched = caller
        .patch("/api/v1/organization/teams/ops", patch)
        .await
        .expect(200);
    assert_eq!(
        patched.body["spec"]["scopes"]["Project acme"]["roles"],
        json!(["Owner"])
    );
    assert_eq!(
        patched.body["spec"]["members"][&colleague]["email"],
        "colleague@example.com"
    );
    caller
        .patch(
            "/api/v1/organization/teams/ops",
            json!([{ "op": "remove", "path": "/spec/members/nobody" }]),
        )
        .await
        .expect(400);

    let invite =
        json!({ "spec": { "email": "new@example.com", "comment": "hi", "teams": ["ops"] } });
    let id = caller
        .post("/api/v1/organization/invites", invite.clone())
        .await
        .expect(201)
        .text("/metadata/id");
    caller
        .post("/api/v1/organization/invites", invite)
        .await
        .expect(409);
    caller.step(15 * 86_400);
    caller
        .get(&format!("/api/v1/organization/invites/{id}"))
        .await
        .expect(404);
    let mine = caller.get("/api/v1/user/organizations").await.expect(200);
    let inviting = mine.text("/value/1/metadata/id");
    let path = format!("/api/v1/user/organizations/{inviting}");
    let token = json!({ "type": "full-access", "organizationId": inviting });
    let refused = caller.post("/api/v1/user/tokens", token.clone()).await;
    assert!(refused.expect(400).body.to_string().contains("pending"));
    let accepted = caller.patch(&path, json!({ "spec": { "invite": { "comment": "", "invitedBy": null, "state": "accepted" } } })).await.expect(200);
    assert_eq!(accepted.text("/spec/invite/state"), "accepted");
    let theirs = caller
        .post("/api/v1/user/tokens", token)
        .await
        .expect(201)
        .text("/metadata/id");
    // An organization revokes its own tokens alone.
    caller
        .delete(&format!("/api/v1/organization/tokens/{theirs}"))
        .await
        .expect(404);
    caller
        .get(&format!("/api/v1/user/tokens/{theirs}"))
        .await
        .expect(200);
    caller.delete(&path).await.expect(204);
    assert_ne!(organization, inviting);
    caller
        .delete("/api/v1/organization/teams/ops")
        .await
        .expect(204);
}

#[tokio::test]
async fn usage_is_counted_and_reported() {
    let caller = Caller::start().await;
    caller.asset("in1").await;
    caller.put("media/transforms/t", json!({ "properties": { "outputs": [{ "preset": { "@odata.type": "#MediaKind.ThumbnailGeneratorPreset", "thumbnails": [{ "format": "Png" }] } }] } })).await.expect(201);
    let job = json!({ "properties": {
        "input": { "@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "in1" },
        "outputs": [{ "@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "in1" }],
    } });
    caller
        .put("media/transforms/t/jobs/j", job)
        .await
        .expect(201);
    caller.step(120);
    assert_eq!(
        caller.get("usage").await.expect(200).body["value"][0]["quantity"],
        1.0
    );
    let today = caller.emulator.control().now().date_naive();
    let report = |end: chrono::NaiveDate, more: Value| {
        let mut body = json!({ "startDate": today.to_string(), "endDate": end.to_string() });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        body
    };
    let tomorrow = today + chrono::TimeDelta::days(2);
    let path = "/api/v1/organization/reports/usage";
    let rows = caller
        .post(path, report(tomorrow, json!({ "projectNames": ["demo"] })))
        .await
        .expect(200);
    assert_eq!(rows.body["value"][0]["meterName"], "encoding-minutes");
    assert_eq!(
        caller
            .post(path, report(tomorrow, json!({ "projectNames": ["other"] })))
            .await
            .expect(200)
            .body["value"],
        json!([])
    );
    let csv = caller
        .post(path, report(tomorrow, json!({ "format": "csv" })))
        .await
        .expect(200);
    assert!(
        csv.body.as_str().is_some_and(|text| text
            .lines()
            .nth(1)
            .is_some_and(|line| line.contains("encoding-minutes"))),
        "{}",
        csv.body
    );
    caller
        .post(path, report(today, json!({})))
        .await
        .expect(400);
    caller
        .post(
            path,
            report(
                today + chrono::TimeDelta::days(40),
                json!({ "granularity": "hour" }),
            ),
        )
        .await
        .expect(400);
    caller
        .patch("metricsEndpoint", json!({ "spec": { "enabled": true } }))
        .await
        .expect(200);
    assert_eq!(
        caller
            .get("metricsEndpoint")
            .await
            .expect(200)
            .text("/status/username"),
        "demo"
    );
}

#[tokio::test]
async fn metrics_are_scraped_with_the_credentials_of_the_endpoint() {
    let caller = Caller::start().await;
    let endpoint = json!({ "location": "eastus", "properties": { "scaleUnits": 1 } });
    caller
        .put("media/streamingEndpoints/front", endpoint)
        .await
        .expect(201);
    caller.step(5);
    caller
        .post("media/streamingEndpoints/front/start", Value::Null)
        .await
        .expect(200);
    caller.step(600);
    caller
        .post("media/streamingEndpoints/front/stop", Value::Null)
        .await
        .expect(200);
    caller.step(60);
    let on = json!({ "spec": { "enabled": true } });
    let on = caller.patch("metricsEndpoint", on).await.expect(200);
    let url = format!("{}/federate", on.text("/status/url"));
    let (user, password) = (on.text("/status/username"), on.text("/status/password"));
    let scrape = async |user: &str, password: &str| {
        let request = caller.http.get(&url).basic_auth(user, Some(password));
        let response = request.send().await.expect("a response");
        let kind = response.headers().get("content-type").cloned();
        (
            response.status().as_u16(),
            kind,
            response.text().await.expect("text"),
        )
    };
    for (user, password) in [(user.as_str(), "other"), ("other", &password)] {
        assert_eq!(scrape(user, password).await.0, 401);
    }
    // The token of the API is refused here, and the refusal names the right credential.
    let bearer = caller
        .http
        .get(&url)
        .bearer_auth(&caller.token)
        .send()
        .await;
    let bearer = bearer.expect("a response");
    assert_eq!(bearer.status(), 401);
    assert!(bearer.headers().contains_key("www-authenticate"));
    let (status, kind, samples) = scrape(&user, &password).await;
    assert_eq!(status, 200);
    assert_eq!(kind.expect("a type"), "text/plain; version=0.0.4");
    let usage = caller.get("usage").await.expect(200);
    let quantity = &usage.body["value"][0]["quantity"];
    for sample in [
        r#"mkio_state{project="demo",kind="StreamingEndpoint",name="front",state="Stopped"} 1"#
            .to_owned(),
        format!(
            r#"mkio_usage{{project="demo",meter="endpoint-minutes",unit="minute"}} {quantity}"#
        ),
    ] {
        assert!(
            samples.lines().any(|line| line == sample),
            "{sample} in\n{samples}"
        );
    }
    let off = json!({ "spec": { "enabled": false } });
    caller.patch("metricsEndpoint", off).await.expect(200);
    assert_eq!(scrape(&user, &password).await.0, 404);
}

#[tokio::test]
async fn a_report_that_is_downloaded_is_named_as_a_file() {
    let caller = Caller::start().await;
    for (format, download, name) in [
        ("json", true, Some("usage-2026-01-01-2026-01-08.json")),
        ("csv", true, Some("usage-2026-01-01-2026-01-08.csv")),
        ("json", false, None),
    ] {
        let asked = json!({ "startDate": "2026-01-01", "endDate": "2026-01-08", "granularity": "day", "projectNames": ["demo"],
            "format": format, "download": download });
        let report = caller
            .post("/api/v1/organization/reports/usage", asked)
            .await
            .expect(200);
        let told = report.headers.get("content-disposition");
        let told = told.map(|told| told.to_str().expect("text").to_owned());
        assert_eq!(
            told,
            name.map(|name| format!("attachment; filename=\"{name}\""))
        );
    }
}
