//! The examples, and the list of them.

use crate::example::Example;

macro_rules! examples {
    ($($name:ident: $about:literal,)*) => {
        $(mod $name;)*

        /// All examples.
        pub const ALL: &[Example] = &[$(Example {
            name: stringify!($name),
            about: $about,
            run: |place| Box::pin($name::run(place)),
        }),*];
    };
}

examples! {
    vod_encode_and_publish: "upload a video, encode it, publish it, print complete addresses",
    vod_captions_and_thumbnails: "transcribe a video, insert the captions, make thumbnails",
    live_event: "a live event with an archive: start, ingest address, outputs, stop, VOD",
    live_channel: "a channel of the Live API from a template, started and stopped by schedule",
    content_protection: "DRM with a token restriction, and the token that a player sends",
    playback_filters: "filters of an asset and of the account, in a locator and in an address",
    bulk_jobs: "many jobs, waited for together, with a table at the end",
    bulk_change: "a change of every asset and a deletion, several at a time, errors by name",
    sync_assets: "a list that goes on where the last run stopped, by a token in a file",
    copy_project: "assets, transforms and locators of a project, copied to another one",
    streaming_urls: "all addresses at which a project plays",
    webhooks: "a rule, a receiver, and a wait that an event ends",
    provision_project: "a project with its payment method, team, token and webhook rule",
    beam_fleet: "a device: onboarding, backup, software, removal",
    beam_channels: "channels on a Beam device: start, alarms, export and import",
    usage_report: "the usage of a month as a table and as CSV",
    errors_and_retries: "what an error contains, and an own policy for retries",
    custom_http_client: "reqwest middleware below the SDK",
    blocking_script: "the same without async",
}
