//! Waits for many resources at once.

use std::time::Duration;

use mkio::http::Method;
use serde_json::json;

use crate::Service;

const JOBS: usize = 500;
/// Pages of a list of so many jobs.
const PAGES: usize = 3;

/// A wait for 500 jobs takes hardly more requests than a list of them.
#[test]
fn many_waits_share_their_requests() {
    let service = Service::at(1, 1800.0);
    let control = service.emulator.control();
    control.pause();
    let preset = json!({"@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", "presetName": "H264SingleBitrate720p"});
    let mut requests = vec![json!({
        "method": "PUT", "path": "media/transforms/enc",
        "body": {"properties": {"outputs": [{"preset": preset}]}},
    })];
    for n in 0..JOBS {
        requests.push(json!({
            "method": "PUT", "path": format!("media/transforms/enc/jobs/job-{n:03}"),
            "body": {"properties": {
                "input": {"@odata.type": "#Microsoft.Media.JobInputAsset", "assetName": "asset-1"},
                "outputs": [{"@odata.type": "#Microsoft.Media.JobOutputAsset", "assetName": "asset-1"}],
            }},
        }));
    }
    let made = control.make("demo", &json!(requests).to_string());
    made.expect("500 jobs");
    let names: Vec<String> = (0..JOBS).map(|n| format!("enc/job-{n:03}")).collect();
    let mut args = vec!["wait", "job", "-o", "name", "--timeout", "10m"];
    args.extend(names.iter().map(String::as_str));
    // The clock stands still while the program runs: how many looks it needs is not a matter of speed.
    control.step(Duration::from_secs(24 * 3600));
    control.clear_requests();
    let done = service.run(&args);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), JOBS);
    let asked = control.requests();
    assert!(asked.iter().all(|of| of.method == Method::GET));
    // One list for all; the few that began after it was asked for share another one, or are read alone.
    let few = PAGES..=4 * PAGES;
    assert!(few.contains(&asked.len()), "{} requests", asked.len());
}
