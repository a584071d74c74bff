//! Files that are uploaded to the storage host, and given back.

use mkio_emulator::STORAGE_SAS;
use reqwest::{Method, RequestBuilder, header::AUTHORIZATION};
use serde_json::{Value, json};

use crate::common::Caller;

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

/// Names and sizes of an asset's files.
async fn files(caller: &Caller, asset: &str) -> Value {
    let storage = caller.get(&format!("media/assets/{asset}/storage/")).await;
    storage.expect(200).body["spec"]["files"].clone()
}

/// A file, as a download of the asset gives it.
async fn downloaded(
    caller: &Caller,
    asset: &str,
    name: &str,
    range: Option<&str>,
) -> (u16, String) {
    let path = format!("media/assets/{asset}/getFileAccessInfo");
    let access = caller.post(&path, Value::Null).await.expect(200);
    let body = json!({
        "storageAccountName": access.text("/storageAccountName"),
        "containerName": access.text("/containerName"), "fileName": name,
    });
    let url = format!("{}downloadBlob", access.text("/url"));
    let mut request = caller
        .http
        .post(url)
        .bearer_auth(access.text("/jwt"))
        .json(&body);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let response = request.send().await.expect("a response");
    let status = response.status().as_u16();
    (status, response.text().await.expect("a body"))
}

/// The status of a request that sends bytes, and its response.
async fn sent(request: RequestBuilder, bytes: &'static str) -> (u16, String) {
    let response = request.body(bytes).send().await.expect("a response");
    let status = response.status().as_u16();
    (status, response.text().await.expect("a body"))
}

fn azure(caller: &Caller, account: &str, path: &str, query: &str) -> RequestBuilder {
    let sas = STORAGE_SAS.trim_start_matches('?');
    let url = format!("{account}/{path}?{query}{sas}");
    caller.http.put(url).header("x-ms-blob-type", "BlockBlob")
}

async fn own_url(caller: &Caller) -> String {
    let storage = caller.get("media/storage/storage1").await.expect(200);
    let url = storage.text("/spec/url");
    assert!(url.starts_with(caller.emulator.base_url()), "{url}");
    url
}

#[tokio::test]
async fn an_azure_blob_becomes_a_file_of_its_asset() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let made_up = files(&caller, "in").await;
    let put = |path, query| azure(&caller, &account, path, query);
    let (status, _) = sent(put("container-in/a.mp4", ""), "abcdef").await;
    assert_eq!(status, 201);
    assert_eq!(
        sent(put("container-in/video.mp4", ""), "short").await.0,
        201
    );
    assert_eq!(
        files(&caller, "in").await,
        json!([
            { "name": "a.mp4", "size": 6 }, { "name": "audio.mp4", "size": 33_403 },
            { "name": "video.mp4", "size": 5 },
        ]),
        "{made_up}"
    );
    let whole = downloaded(&caller, "in", "a.mp4", None).await;
    assert_eq!(whole, (200, "abcdef".to_owned()));
    let rest = downloaded(&caller, "in", "a.mp4", Some("bytes=4-")).await;
    assert_eq!(rest, (206, "ef".to_owned()));
    let beyond = downloaded(&caller, "in", "a.mp4", Some("bytes=6-")).await;
    assert_eq!(beyond.0, 416);
    // Assets of a container have its files.
    caller.delete("media/assets/in").await.expect(200);
    caller.step(10);
    caller.asset("in").await;
    assert_eq!(
        files(&caller, "in").await,
        json!([
            { "name": "a.mp4", "size": 6 }, { "name": "audio.mp4", "size": 33_403 },
            { "name": "video.mp4", "size": 5 },
        ])
    );
}

#[tokio::test]
async fn blocks_become_a_file_when_they_are_listed() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let put = |query| azure(&caller, &account, "container-in/a.mp4", query);
    for (query, bytes) in [
        ("comp=block&blockid=MQ==&", "one"),
        ("comp=block&blockid=Mg==&", "two"),
    ] {
        assert_eq!(sent(put(query), bytes).await.0, 201);
    }
    let list =
        "<BlockList><Uncommitted>Mg==</Uncommitted><Uncommitted>MQ==</Uncommitted></BlockList>";
    let unknown = "<BlockList><Uncommitted>Mw==</Uncommitted></BlockList>";
    assert_eq!(sent(put("comp=blocklist&"), unknown).await.0, 400);
    assert_eq!(downloaded(&caller, "in", "a.mp4", None).await.0, 502);
    assert_eq!(sent(put("comp=blocklist&"), list).await.0, 201);
    let whole = downloaded(&caller, "in", "a.mp4", None).await;
    assert_eq!(whole, (200, "twoone".to_owned()));
}

#[tokio::test]
async fn the_storage_host_takes_its_own_credentials_alone() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let blob = format!("{account}/container-in/a.mp4");
    let plain = caller.http.put(&blob);
    assert_eq!(sent(plain, "x").await.0, 403);
    let token = caller.http.put(&blob).bearer_auth(&caller.token);
    assert_eq!(sent(token, "x").await.0, 403);
    let wrong = caller.http.put(format!("{blob}?sv=1&sig=wrong"));
    let (status, body) = sent(wrong, "x").await;
    assert_eq!(status, 403);
    assert!(body.starts_with("<Error><Code>Forbidden</Code>"), "{body}");
    let nowhere = azure(&caller, &account, "nowhere/a.mp4", "");
    assert_eq!(sent(nowhere, "x").await.0, 404);
    let elsewhere = azure(&caller, &format!("{account}x"), "container-in/a.mp4", "");
    assert_eq!(sent(elsewhere, "x").await.0, 404);
    let unnamed = azure(&caller, &account, "container-in", "");
    assert_eq!(sent(unnamed, "x").await.0, 400);
}

#[tokio::test]
async fn an_s3_account_takes_files_whole_and_in_parts() {
    let caller = Caller::start().await;
    let storage = json!({ "spec": {
        "type": "AWS.S3", "bucketName": "films",
        "credential": { "accessKeyId": KEY, "secretAccessKey": "x".repeat(40) },
    } });
    caller.put("media/storage/s3", storage).await.expect(201);
    let asset = json!({ "properties": {
        "storageAccountName": "s3", "container": "in-one", "subPath": "raw",
    } });
    caller.put("media/assets/in", asset).await.expect(201);
    let base = format!(
        "{}/blobs/demo/s3/films/in-one/raw",
        caller.emulator.base_url()
    );
    let signed = |method: Method, rest: &str| {
        let given = format!("AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request");
        let url = format!("{base}/{rest}");
        caller
            .http
            .request(method, url)
            .header(AUTHORIZATION, given)
    };
    assert_eq!(sent(signed(Method::PUT, "a.mp4"), "whole").await.0, 200);
    let whole = downloaded(&caller, "in", "raw/a.mp4", None).await;
    assert_eq!(whole, (200, "whole".to_owned()));

    let (_, begun) = sent(signed(Method::POST, "b.mp4?uploads="), "").await;
    let id = begun
        .split("<UploadId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    let id = id.expect("an upload id");
    for (number, bytes) in [(2, "two"), (1, "one")] {
        let part = format!("b.mp4?partNumber={number}&uploadId={id}");
        let request = signed(Method::PUT, &part).body(bytes);
        let response = request.send().await.expect("a response");
        assert!(response.headers().contains_key("etag"));
    }
    let list = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part><Part><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>";
    let (status, body) = sent(signed(Method::POST, &format!("b.mp4?uploadId={id}")), list).await;
    assert_eq!(status, 200);
    assert!(body.contains("<ETag>"), "{body}");
    let whole = downloaded(&caller, "in", "raw/b.mp4", None).await;
    assert_eq!(whole, (200, "onetwo".to_owned()));

    let (_, begun) = sent(signed(Method::POST, "c.mp4?uploads="), "").await;
    let id = begun
        .split("<UploadId>")
        .nth(1)
        .and_then(|rest| rest.split('<').next());
    let dropped = format!("c.mp4?uploadId={}", id.expect("an upload id"));
    assert_eq!(sent(signed(Method::DELETE, &dropped), "").await.0, 204);
    let late = format!("c.mp4?partNumber=1&uploadId={}", id.expect("an upload id"));
    assert_eq!(sent(signed(Method::PUT, &late), "x").await.0, 404);
    let other = format!(
        "{}/blobs/demo/s3/other/in-one/a",
        caller.emulator.base_url()
    );
    let given = format!("AWS4-HMAC-SHA256 Credential={KEY}/");
    let other = caller.http.put(other).header(AUTHORIZATION, given);
    assert_eq!(sent(other, "x").await.0, 404);
}

#[tokio::test]
async fn files_have_limits_of_their_own() {
    let caller = Caller::with(|builder| {
        builder.settings(|settings| {
            settings.body_limit = 100;
            settings.blob_limit = 128;
            settings.storage_limit = 200;
        })
    })
    .await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let put = |name: &str, size: usize| {
        let request = azure(&caller, &account, &format!("container-in/{name}"), "");
        request.body("[".repeat(size)).send()
    };
    let status = |response: reqwest::Result<reqwest::Response>| {
        response.map(|r| r.status().as_u16()).expect("a response")
    };
    assert_eq!(status(put("a", 120).await), 201);
    assert_eq!(status(put("b", 129).await), 413);
    assert_eq!(status(put("b", 120).await), 413);
    assert_eq!(status(put("b", 80).await), 201);
}

#[tokio::test]
async fn files_have_tags_and_are_stored_on_conditions() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let put = |name: &str| azure(&caller, &account, &format!("container-in/{name}"), "");
    let first = put("a").body("one").send().await.expect("a response");
    let tag = first.headers()["etag"].clone();
    let url = format!("{account}/container-in/a{STORAGE_SAS}");
    for method in [Method::GET, Method::HEAD] {
        let read = caller.http.request(method, &url).send().await;
        let read = read.expect("a response");
        assert_eq!(read.headers()["etag"], tag);
        assert_eq!(
            read.headers()["last-modified"],
            first.headers()["last-modified"]
        );
    }
    // A caller that has the file gets no bytes again; a tag counts before a time.
    let written = first.headers()["last-modified"].to_str().expect("a time");
    let own = tag.to_str().expect("a tag");
    for (names, status) in [
        (vec![("if-none-match", own)], 304),
        (vec![("if-none-match", "\"x\", W/\"y\"")], 200),
        (vec![("if-modified-since", written)], 304),
        (
            vec![("if-modified-since", "Mon, 01 Jan 1990 00:00:00 GMT")],
            200,
        ),
        (
            vec![("if-none-match", "\"x\""), ("if-modified-since", written)],
            200,
        ),
    ] {
        let mut request = caller.http.get(&url);
        for (name, value) in &names {
            request = request.header(*name, *value);
        }
        let read = request.send().await.expect("a response");
        assert_eq!(read.status(), status, "{names:?}");
        assert_eq!(read.headers()["etag"], tag);
        let bytes = read.bytes().await.expect("a body");
        assert_eq!(bytes.is_empty(), status == 304, "{names:?}");
    }
    let known = sent(put("a").header("if-none-match", "*"), "two").await;
    assert!(
        known.0 == 409 && known.1.contains("BlobAlreadyExists"),
        "{known:?}"
    );
    assert_eq!(
        sent(put("new").header("if-none-match", "*"), "x").await.0,
        201
    );
    assert_eq!(
        sent(put("a").header("if-match", "\"x\""), "two").await.0,
        412
    );
    assert_eq!(sent(put("a").header("if-match", tag), "two").await.0, 201);
    let (status, body) = sent(put("a%00b"), "x").await;
    assert_eq!(status, 400);
    assert!(!body.contains(char::is_control), "{body:?}");
}

#[tokio::test]
async fn paths_of_downloads_can_be_asked_for() {
    let caller = Caller::start().await;
    caller.asset("in").await;
    let account = own_url(&caller).await;
    let name = "container-in/a%20b%3F%23%25.txt";
    assert_eq!(
        sent(azure(&caller, &account, name, ""), "text").await.0,
        201
    );
    caller
        .post("media/streamingEndpoints/default/start", Value::Null)
        .await
        .expect(200);
    let locator = json!({ "properties": { "assetName": "in", "streamingPolicyName": "Predefined_DownloadOnly" } });
    caller
        .put("media/streamingLocators/l", locator)
        .await
        .expect(201);
    caller.step(60);
    let listed = caller
        .post("media/streamingLocators/l/listPaths", Value::Null)
        .await
        .expect(200);
    let paths = listed.body["downloadPaths"].as_array().expect("paths");
    let mut paths = paths.iter().filter_map(Value::as_str);
    let path = paths.find(|path| path.ends_with(".txt"));
    let url = format!("{}{}", caller.emulator.base_url(), path.expect("a path"));
    let response = caller.http.get(url).send().await.expect("a response");
    assert_eq!(response.text().await.expect("text"), "text");
}
