//! The operator's world: its effects, and the errors of a wrong one.

use mkio_emulator::Emulator;
use serde_json::{Value, json};

use crate::common::Caller;
use crate::media::{job, transform};

/// The world of the crate, changed.
fn world(change: impl FnOnce(&mut Value)) -> String {
    let text = include_str!("../../data/world.json");
    let mut world = serde_json::from_str(text).expect("the world is JSON");
    change(&mut world);
    world.to_string()
}

async fn playing(change: impl FnOnce(&mut Value)) -> Caller {
    let own = world(change);
    Caller::with(|builder| builder.world(own)).await
}

/// The names of the files of an asset.
async fn files(caller: &Caller, asset: &str) -> Vec<String> {
    let path = format!("media/assets/{asset}/storage/");
    let body = caller.get(&path).await.expect(200).body;
    let files = body["spec"]["files"].as_array().into_iter().flatten();
    let names = files.filter_map(|file| file["name"].as_str());
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn networks_are_those_of_the_world() {
    let standard = include_str!("../../data/world.json");
    let own = standard.replace("\"internet\"", "\"outside\"");
    let caller = Caller::with(|builder| builder.world(own)).await;
    caller.get("infra/networks/outside").await.expect(200);
    caller.get("infra/networks/internet").await.expect(404);
}

#[tokio::test]
async fn ladders_and_pipelines_are_those_of_the_world() {
    let caller = playing(|world| {
        world["encoder"]["presets"] = json!([
            { "name": "H264SingleBitrate720p", "renditions": [{ "width": 1000, "height": 700, "kilobits": 123 }] },
        ]);
        world["encoder"]["live"] = json!({ "standard": "H264SingleBitrate720p", "premium": "H264SingleBitrate720p" });
        world["pipelines"] = json!([
            { "name": "Mine", "ending": "srt", "targetLanguages": { "least": 2, "most": 3 } },
        ]);
    })
    .await;
    caller.asset("source").await;
    let encode = |name: &str| {
        let kind = "#Microsoft.Media.BuiltInStandardEncoderPreset";
        transform(json!({ "@odata.type": kind, "presetName": name }))
    };
    let path = "media/transforms/encode";
    caller
        .put(path, encode("H264SingleBitrate720p"))
        .await
        .expect(201);
    let refused = caller
        .put(path, encode("H264SingleBitrate1080p"))
        .await
        .expect(400);
    assert!(
        refused
            .detail()
            .contains("is none of H264SingleBitrate720p"),
        "{}",
        refused.detail()
    );
    caller
        .put("media/transforms/encode/jobs/j", job("source", "encoded"))
        .await
        .expect(201);
    caller.step(120);
    let made = files(&caller, "encoded").await;
    assert!(
        made.contains(&"video_1000x700_123k.mp4".to_owned()),
        "{made:?}"
    );

    let speak = |name: &str, languages: &[&str]| {
        let arguments = json!({ "key": [{ "name": "targetLanguages", "value": languages }] });
        transform(
            json!({ "@odata.type": "#MediaKind.AIPipelinePreset", "pipeline": { "name": name, "arguments": arguments } }),
        )
    };
    let path = "media/transforms/speak";
    let refused = caller
        .put(path, speak("Predefined_ACSVodTranscription", &[]))
        .await
        .expect(400);
    assert!(
        refused.detail().contains("is none of Mine"),
        "{}",
        refused.detail()
    );
    let refused = caller
        .put(path, speak("Mine", &["sv-SE"]))
        .await
        .expect(400);
    assert!(
        refused.detail().contains("from 2 to 3"),
        "{}",
        refused.detail()
    );
    caller
        .put(path, speak("Mine", &["sv-SE", "da-DK"]))
        .await
        .expect(201);
    caller
        .put("media/transforms/speak/jobs/j", job("source", "spoken"))
        .await
        .expect(201);
    caller.step(120);
    let made = files(&caller, "spoken").await;
    assert!(made.contains(&"video.mp4_sv-SE.srt".to_owned()), "{made:?}");
}

#[tokio::test]
async fn devices_are_those_of_the_world() {
    let caller = playing(|world| {
        world["devices"] = json!({
            "model": "Box", "softwareName": "Ray", "firstVersion": "2.0.0.1",
            "software": [
                { "version": "2.0.0.1", "released": "2026-01-02", "minimumVersion": "1.0.0.0", "minimumVersionHA": "1.0.0.1" },
                { "version": "2.0.0.10", "released": "2026-02-03", "minimumVersion": "2.0.0.0", "minimumVersionHA": "2.0.0.0" },
            ],
            "interfaces": [{ "name": "sdi7", "type": "SDIASI", "ipAddresses": [] }],
            "operationSeconds": { "backup": 500, "restore": 1, "removeServices": 1, "supportPackage": 1 },
        });
        world["channelDevice"]["system"]["softwareVersion"] = json!("3.0.0.0");
        world["channelDevice"]["interfaces"]["ip"][1]["name"] = json!("lan0");
    })
    .await;
    let body = json!({ "metadata": { "displayName": "D" }, "spec": { "availableNetworks": [], "shortCode": "ABCD1234" } });
    let device = caller.put("fleet/devices/d", body).await.expect(201);
    assert_eq!(device.text("/status/currentSoftwareVersion"), "2.0.0.1");
    assert_eq!(device.text("/status/interfaces/0/name"), "sdi7");
    let software = caller.get("fleet/devices/d/software").await.expect(200);
    assert_eq!(software.text("/value/1/spec/displayName"), "Ray 2.0.0.10");
    assert_eq!(
        software.body["value"][1]["status"]["upgradeCompatible"],
        true
    );
    let found = caller
        .get("fleet/devices?$filter=status/model%20eq%20'Box'")
        .await
        .expect(200);
    assert_eq!(found.body["supplemental"]["count"], 1);
    let backup = json!({ "metadata": { "displayName": "B" }, "spec": {} });
    caller
        .post("fleet/devices/d/backup", backup)
        .await
        .expect(202);
    caller.step(400);
    let kept = caller.get("fleet/backups").await.expect(200);
    assert_eq!(kept.body["supplemental"]["count"], 0);
    caller.step(200);
    let kept = caller.get("fleet/backups").await.expect(200);
    assert_eq!(kept.body["supplemental"]["count"], 1);

    let system = caller.get("/api/channel-system/").await.expect(200);
    assert_eq!(system.text("/data/softwareVersion"), "3.0.0.0");
    let interfaces = caller.get("/api/interfaces/").await.expect(200);
    assert_eq!(interfaces.text("/ip/1/name"), "lan0");
}

#[tokio::test]
async fn meters_count_what_the_world_says() {
    let caller = playing(|world| {
        world["meters"] = json!([
            { "name": "job-minutes", "counts": "encoding", "unit": "minute", "solution": "S", "family": "F", "price": 1.0 },
        ]);
    })
    .await;
    caller.asset("source").await;
    let kind = "#Microsoft.Media.BuiltInStandardEncoderPreset";
    let encode = transform(json!({ "@odata.type": kind, "presetName": "H264SingleBitrate720p" }));
    caller
        .put("media/transforms/encode", encode)
        .await
        .expect(201);
    caller
        .put("media/transforms/encode/jobs/j", job("source", "encoded"))
        .await
        .expect(201);
    caller.step(120);
    let usage = caller.get("usage").await.expect(200);
    assert!(
        usage.body.to_string().contains("job-minutes"),
        "{}",
        usage.body
    );
}

#[tokio::test]
async fn the_assets_of_the_start_are_in_the_storage_account_of_the_world() {
    let own = include_str!("../../data/world.json").replace("\"storage1\"", "\"vault\"");
    let caller = Caller::with(|builder| builder.world(own).seed(1)).await;
    let asset = caller.get("media/assets/asset-1").await.expect(200);
    assert_eq!(asset.text("/properties/storageAccountName"), "vault");
    let none = world(|world| world["firstProject"] = json!([]));
    let refused = Emulator::builder().world(none).seed(1).start().await;
    let refused = refused.map(drop).expect_err("no account").to_string();
    assert!(refused.contains("no storage account"), "{refused}");
}

#[tokio::test]
async fn the_place_of_what_is_wrong_is_told() {
    type Change = fn(&mut Value);
    let cases: &[(Change, &str)] = &[
        (
            |world| world["unknown"] = json!(1),
            "unknown field `unknown`",
        ),
        (
            |world| world["location"] = json!("mars"),
            "/location: there is no location named 'mars'",
        ),
        (
            |world| world["paymentMethod"] = json!("6d6b696f-0000-4000-8000-000000000019"),
            "/paymentMethod: there is no",
        ),
        (
            |world| world["organization"][0]["kind"] = json!("person"),
            "/organization/0/kind: there is no kind of resource named 'person'",
        ),
        (
            |world| world["organization"][0]["name"] = json!("{new}"),
            "/organization: there is no user named",
        ),
        (
            |world| world["project"][0]["kind"] = json!("user"),
            "/project/0/kind: a user belongs into /organization",
        ),
        (
            |world| world["organization"][0]["kind"] = json!("site"),
            "/organization/0/kind: a site belongs into /project",
        ),
        (
            |world| world["project"][0]["kind"] = json!("job"),
            "/project/0/kind: lies below another resource",
        ),
        (
            |world| world["project"][1]["name"] = world["project"][0]["name"].clone(),
            "/project: the streamingPolicy 'Predefined_ClearStreamingOnly' is there twice",
        ),
        (
            |world| world["project"][0]["body"]["properties"]["noEncryption"] = json!(5),
            "/project/0/body/properties/noEncryption: ",
        ),
        (
            |world| world["firstProject"][0]["body"]["spec"]["type"] = json!("Tape"),
            "/firstProject/0/body/spec",
        ),
        (
            |world| world["roles"][1]["name"] = json!("Owner"),
            "/roles/1/name: 'Owner' is there already",
        ),
        (
            |world| world["roles"][1]["except"][0] = json!("core.rule"),
            "/roles/1/except/0: there is no capability 'core.rule'",
        ),
        (
            |world| world["meters"][1]["name"] = world["meters"][0]["name"].clone(),
            "/meters/1/name: 'encoding-minutes' is there already",
        ),
        (
            |world| world["meters"][0]["counts"] = json!("storage"),
            "unknown variant `storage`",
        ),
        (
            |world| world["encoder"]["presets"] = json!([]),
            "/encoder/presets: has to hold one",
        ),
        (
            |world| world["encoder"]["presets"][1]["name"] = json!("AdaptiveStreaming"),
            "/encoder/presets/1/name: the document lists no preset 'AdaptiveStreaming'",
        ),
        (
            |world| world["encoder"]["presets"][0]["renditions"][2]["height"] = json!(0),
            "/encoder/presets/0/renditions/2: ",
        ),
        (
            |world| world["encoder"]["live"]["premium"] = json!("None"),
            "/encoder/live/premium: there is no preset 'None'",
        ),
        (
            |world| world["pipelines"][2]["targetLanguages"]["least"] = json!(30),
            "/pipelines/2/targetLanguages/least: is more than most",
        ),
        (
            |world| world["pipelines"][1]["name"] = world["pipelines"][0]["name"].clone(),
            "/pipelines/1/name: ",
        ),
        (
            |world| world["devices"]["firstVersion"] = json!("9"),
            "/devices/firstVersion: there is no version 9",
        ),
        (
            |world| world["devices"]["software"][1]["version"] = json!("1.2"),
            "/devices/software/1/version: is not newer than 1.11.0.5",
        ),
        (
            |world| world["devices"]["software"][1]["released"] = json!("soon"),
            "/devices/software/1/released: is not a day",
        ),
        (
            |world| world["devices"]["interfaces"][1]["name"] = json!("eth0"),
            "/devices/interfaces/1/name: ",
        ),
        (
            |world| world["channelDevice"]["interfaces"]["ip"][0]["name"] = json!(1),
            "/channelDevice/interfaces/ip/0/name: ",
        ),
        (
            |world| world["channelDevice"]["capability"] = json!([]),
            "/channelDevice/capability: ",
        ),
        (
            |world| world["templates"]["presets"][0]["type"] = json!("mine"),
            "/templates/presets/0/type: there is no type 'mine'",
        ),
        (
            |world| world["templates"]["presets"][0]["settings"] = json!(1),
            "/templates/presets/0/settings: is no object",
        ),
        (
            |world| world["templates"]["presets"][1]["name"] = json!("default_1080p"),
            "/templates/presets/1/name: ",
        ),
    ];
    for (change, expected) in cases {
        let started = Emulator::builder().world(world(*change)).start().await;
        let problem = started.map(drop).expect_err(expected).to_string();
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
    let broken = Emulator::builder()
        .world("{\n\"location\": 5}")
        .start()
        .await;
    let problem = broken.map(drop).expect_err("no text").to_string();
    assert!(problem.contains("line 2 column 13"), "{problem}");
    // All problems are reported at once, and the world of the crate has none.
    let both = world(|world| {
        world["location"] = json!("mars");
        world["devices"]["firstVersion"] = json!("9");
    });
    let problem = Emulator::builder()
        .world(both)
        .start()
        .await
        .map(drop)
        .expect_err("two")
        .to_string();
    assert!(
        problem.contains("/location") && problem.contains("/devices/firstVersion"),
        "{problem}"
    );
    playing(|_| {}).await;
}
