//! Playback: manifests, segments and files behind the locators of a project with a running streaming endpoint.

mod clear_key;
mod manifest;
pub mod sample;
mod selection;
mod track;
mod wanted;

use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    base::{
        error::ApiError,
        format::parse_time,
        kind::Kind,
        states::media::{live_event, streaming_endpoint, streaming_locator},
        store::{Address, Place, Resource},
    },
    platform::{
        call::Response,
        rules::{Door, Entry, Platform},
    },
    resources::media::{
        download,
        events::PREVIEW,
        locators,
        play::{
            manifest::KeyInfo,
            track::{Medium, Presentation, Track},
            wanted::{Form, Options, Wanted},
        },
        policies::{self, KEY_DELIVERY},
        writers::LIVE_MANIFEST,
    },
};

/// Playback.
pub static ENTRY: Entry = Entry {
    doors: &[
        Door {
            method: Method::GET,
            opens: |path| located(path).is_some(),
            blobs: false,
            serve,
        },
        Door {
            method: Method::GET,
            opens: |path| path.starts_with(KEY_DELIVERY),
            blobs: false,
            serve: clear_key::serve,
        },
    ],
    ..Entry::NONE
};

/// The parts of a path: the id of the endpoint, if there is one, the id of the locator, and the rest.
fn located(path: &str) -> Option<(Option<Uuid>, Uuid, &str)> {
    let id = |text: &str| {
        Some(text)
            .filter(|text| text.len() == 36)
            .and_then(|text| Uuid::try_parse(text).ok())
    };
    let (first, rest) = path.strip_prefix('/')?.split_once('/')?;
    let first = id(first)?;
    match rest.split_once('/') {
        Some((second, rest)) => Some(match id(second) {
            Some(second) => (Some(first), second, rest),
            None => (None, first, path.get(38..)?),
        }),
        None => Some((None, first, rest)),
    }
}

/// Where media comes from.
enum Origin<'a> {
    /// From an asset.
    Asset(Address),
    /// From the preview of a live event.
    Event(&'a Resource),
}

/// The permission to play: a locator, or a preview.
struct Published<'a> {
    project: &'a str,
    /// The locator; none for the preview of a live event.
    locator: Option<&'a Resource>,
    origin: Origin<'a>,
}

impl Published<'_> {
    fn text(&self, at: &str) -> &str {
        let text = self.locator.and_then(|locator| locator.text(at));
        text.unwrap_or_default()
    }

    /// The whole presentation, without filters.
    fn presentation(&self, world: &Platform) -> Result<Presentation, ApiError> {
        match &self.origin {
            Origin::Event(event) => Ok(Presentation {
                tracks: track::encoded(&world.start.encoder, event),
                stretch: track::live_stretch(world),
            }),
            Origin::Asset(asset) => track::presentation(world, asset).ok_or_else(|| {
                ApiError::not_found(format!(
                    "the asset '{}' has no media that plays: neither a job nor a live output has written to it",
                    asset.name
                ))
            }),
        }
    }

    /// The names that its presentation has.
    fn names(&self, world: &Platform) -> Vec<String> {
        let Origin::Asset(asset) = &self.origin else {
            return vec![PREVIEW.to_owned()];
        };
        let own = locators::manifest(world, self.project, &asset.name);
        let told = self.text("/properties/defaultManifestFilename");
        let live = LIVE_MANIFEST.to_owned();
        vec![format!("{own}.ism"), told.to_owned(), live]
    }
}

fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let world: &Platform = world;
    let nothing = || ApiError::not_found(format!("there is nothing at {}", request.uri().path()));
    let (endpoint, id, rest) = located(request.uri().path()).ok_or_else(nothing)?;
    let published = published(world, id, endpoint)?;
    let (name, wanted) = wanted::read(rest)?;
    if wanted == Wanted::File {
        return file(world, &published, &name, request.headers());
    }
    if !published.names(world).contains(&name) {
        return Err(ApiError::not_found(format!(
            "the locator has no presentation '{name}'"
        )));
    }
    let (options, track) = match &wanted {
        Wanted::Manifest(options) => (options, None),
        Wanted::Playlist {
            bitrate,
            track,
            options,
        }
        | Wanted::Fragment {
            bitrate,
            track,
            options,
            ..
        } => (options, Some((*bitrate, track.as_str()))),
        Wanted::File => return Err(nothing()),
    };
    let key = key(&published, options)?;
    if let Wanted::Fragment {
        bitrate,
        track,
        time,
        ..
    } = &wanted
    {
        return fragment(world, &published, (*bitrate, track), *time, key);
    }
    let presentation = shown(world, &published, options)?;
    listing(&presentation, options, track, key)
}

/// The manifest of a presentation, or the playlist of one of its tracks.
fn listing(
    presentation: &Presentation,
    options: &Options,
    track: Option<(u64, &str)>,
    key: Option<Key>,
) -> Result<Response, ApiError> {
    match track {
        Some(wanted) => {
            let track = find(presentation, wanted)?;
            let info = key.map(|(info, _)| info);
            let text =
                manifest::playlist(track, presentation.stretch, &options.text, info.as_ref());
            Ok(Response::bytes(HLS, text))
        }
        None => match options.form {
            Some(Form::Hls) => Ok(Response::bytes(
                HLS,
                manifest::hls(presentation, &options.text),
            )),
            Some(Form::Dash) => Ok(Response::bytes(
                "application/dash+xml",
                manifest::dash(presentation, Utc::now()),
            )),
            None => Err(ApiError::bad_request(
                "name a format: manifest(format=m3u8-cmaf) or manifest(format=mpd-time-cmaf)",
            )),
        },
    }
}

const HLS: &str = "application/vnd.apple.mpegurl";

/// The live event that has this id as its own or as that of its preview, while it runs.
fn preview(world: &Platform, id: Uuid) -> Option<Published<'_>> {
    let own = |event: &Resource| match event.text("/properties/preview/previewLocator") {
        Some(told) => Uuid::try_parse(told).ok() == Some(id),
        None => event.id == id,
    };
    let (place, event) = everywhere(world, Kind::LIVE_EVENT).find(|(_, event)| own(event))?;
    (event.state == live_event::RUNNING).then_some(Published {
        project: &place.project,
        locator: None,
        origin: Origin::Event(event),
    })
}

/// The resources of a kind in all projects.
fn everywhere(world: &Platform, kind: Kind) -> impl Iterator<Item = (&Place, &Resource)> {
    let projects = world.all("", Kind::PROJECT);
    projects.flat_map(move |(_, project)| world.all(&project.name, kind))
}

/// The locator of an id, if it can be played now.
fn published(
    world: &Platform,
    id: Uuid,
    endpoint: Option<Uuid>,
) -> Result<Published<'_>, ApiError> {
    if let Some(preview) = preview(world, id) {
        return Ok(preview);
    }
    let nothing = || ApiError::not_found(format!("there is no streaming locator with the id {id}"));
    let own = |locator: &Resource| {
        let own = locator.text("/properties/streamingLocatorId");
        own.and_then(|own| Uuid::try_parse(own).ok()) == Some(id)
    };
    let (place, locator) = everywhere(world, Kind::STREAMING_LOCATOR)
        .find(|(_, locator)| own(locator))
        .ok_or_else(nothing)?;
    let project = place.project.as_str();
    let serves = |one: &Resource| endpoint.is_none_or(|id| one.id == id) && runs(one);
    if !world
        .all(project, Kind::STREAMING_ENDPOINT)
        .any(|(_, one)| serves(one))
    {
        return Err(ApiError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "ServiceUnavailable",
            ..ApiError::not_found(format!(
                "no streaming endpoint of the project '{project}' runs there; start one"
            ))
        });
    }
    if !matches!(
        locator.state,
        streaming_locator::CREATED | streaming_locator::UPDATING
    ) {
        return Err(ApiError::not_found(format!(
            "the streaming locator '{}' is {}",
            locator.name, locator.state
        )));
    }
    available(world, project, locator)?;
    let asset = Address::new(
        project,
        Kind::ASSET,
        locator.text("/properties/assetName").unwrap_or_default(),
    );
    world.find(&asset)?;
    Ok(Published {
        project,
        locator: Some(locator),
        origin: Origin::Asset(asset),
    })
}

/// Whether an endpoint serves: while it restarts, is scaled or updated, playback goes on.
fn runs(endpoint: &Resource) -> bool {
    let was_running = endpoint.private.get("since").is_some();
    was_running
        && !matches!(
            endpoint.state,
            streaming_endpoint::STOPPING | streaming_endpoint::DELETING
        )
}

/// 404 before a locator's time and while it is suppressed, or what its policy says instead; 410 after its time.
fn available(world: &Platform, project: &str, locator: &Resource) -> Result<(), ApiError> {
    let time = |at: &str| locator.text(at).and_then(parse_time);
    if time("/properties/endTime").is_some_and(|end| end < world.now) {
        return Err(ApiError {
            status: StatusCode::GONE,
            code: "Gone",
            ..ApiError::not_found(format!(
                "the streaming locator '{}' has ended",
                locator.name
            ))
        });
    }
    let suppressed = locator.body.pointer("/properties/suppressed") == Some(&Value::Bool(true));
    let early = time("/properties/startTime").is_some_and(|start| start > world.now);
    if !suppressed && !early {
        return Ok(());
    }
    let policy = locator
        .text("/properties/streamingPolicyName")
        .unwrap_or_default();
    let status = world
        .get(&Address::new(project, Kind::STREAMING_POLICY, policy))
        .and_then(|policy| {
            policy
                .body
                .pointer("/properties/catalog/preAvailabilityStatusCode")
        })
        .and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()))
        .and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
    let what = if suppressed {
        "is suppressed"
    } else {
        "has not started"
    };
    Err(ApiError {
        status: status.unwrap_or(StatusCode::NOT_FOUND),
        ..ApiError::not_found(format!("the streaming locator '{}' {what}", locator.name))
    })
}

/// The presentation, cut down as the path asks.
fn shown(
    world: &Platform,
    published: &Published<'_>,
    options: &Options,
) -> Result<Presentation, ApiError> {
    let mut presentation = published.presentation(world)?;
    let Origin::Asset(asset) = &published.origin else {
        return Ok(presentation);
    };
    let (now, created) = (world.now, world.find(asset)?.created);
    let outside =
        options.from.is_some_and(|from| from > now) || options.to.is_some_and(|to| to < created);
    if outside {
        return Err(ApiError::not_found(
            "the archive has nothing of the time that is asked for",
        ));
    }
    selection::cut(&mut presentation, options)?;
    for name in filters(published, options) {
        let own = Place::under(published.project, Kind::ASSET_FILTER, &asset.name).at(name);
        let shared = Address::new(published.project, Kind::ACCOUNT_FILTER, name);
        let filter = world
            .get(&own)
            .or_else(|| world.get(&shared))
            .ok_or_else(|| ApiError::not_found(format!("there is no filter named '{name}'")))?;
        selection::apply(&mut presentation, &filter.body)?;
    }
    Ok(presentation)
}

/// The filters of the path, or else those of the locator.
fn filters<'a>(published: &'a Published<'_>, options: &'a Options) -> Vec<&'a str> {
    if let Some(named) = &options.filters {
        return named.iter().map(String::as_str).collect();
    }
    let own = published
        .locator
        .and_then(|locator| locator.body.pointer("/properties/filters")?.as_array());
    own.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn find<'a>(
    presentation: &'a Presentation,
    (bitrate, name): (u64, &str),
) -> Result<&'a Track, ApiError> {
    let mut tracks = presentation.tracks.iter();
    tracks
        .find(|track| track.bitrate == bitrate && track.name == name)
        .ok_or_else(|| {
            ApiError::not_found(format!(
                "there is no track '{name}' of {bitrate} bits a second"
            ))
        })
}

type Key = (KeyInfo, [u8; 16]);

/// The key that segments are encrypted with, where they are.
fn key(published: &Published<'_>, options: &Options) -> Result<Option<Key>, ApiError> {
    let Some(encryption) = options.encryption.as_deref() else {
        return Ok(None);
    };
    let hls = options.form == Some(Form::Hls);
    let key = published
        .locator
        .and_then(clear_key::key_of)
        .filter(|_| hls && encryption == "cbc");
    let Some((id, key)) = key else {
        return Err(ApiError::not_implemented(format!(
            "this emulator encrypts HLS only for ClearKey (encryption=cbc), not encryption={encryption}"
        )));
    };
    let locator = published.text("/properties/streamingLocatorId");
    let url = format!(
        "{KEY_DELIVERY}{}/{}/{locator}?kid={id}",
        published.project,
        clear_key::SYSTEM
    );
    let vector = Uuid::try_parse(&id).unwrap_or_default().into_bytes();
    Ok(Some((KeyInfo { url, vector }, key)))
}

fn fragment(
    world: &Platform,
    published: &Published<'_>,
    wanted: (u64, &str),
    time: Option<u64>,
    key: Option<Key>,
) -> Result<Response, ApiError> {
    let presentation = published.presentation(world)?;
    let track = find(&presentation, wanted)?;
    let Some(sample) = track.sample() else {
        return Ok(Response::bytes(
            "text/vtt",
            "WEBVTT\n\n00:00.000 --> 00:05.000\nA test caption.\n",
        ));
    };
    let number = time.map(|ticks| ticks / sample.duration());
    let bytes = match number {
        None => sample.init(),
        // Players also ask for segments before and after those of the manifest.
        Some(number) if number < presentation.stretch.end => sample.segment(number),
        Some(_) => {
            return Err(ApiError::not_found(format!(
                "the track '{}' has no fragment at this time",
                track.name
            )));
        }
    };
    let kind = match track.medium {
        Medium::Audio => "audio/mp4",
        _ => "video/mp4",
    };
    Ok(Response::bytes(
        kind,
        match key {
            Some((info, key)) => clear_key::encrypt(&bytes, &key, &info.vector),
            None => bytes,
        },
    ))
}

/// A file of the asset, where the policy of the locator lets it be downloaded.
fn file(
    world: &Platform,
    published: &Published<'_>,
    name: &str,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let Origin::Asset(asset) = &published.origin else {
        return Err(ApiError::not_found("a preview has no files"));
    };
    let policy = published.text("/properties/streamingPolicyName");
    let policy = world.find(&Address::new(
        published.project,
        Kind::STREAMING_POLICY,
        policy,
    ))?;
    if !policies::schemes(&policy.body)
        .iter()
        .any(|scheme| scheme.has("download"))
    {
        return Err(ApiError::not_found(
            "the streaming policy of the locator allows no download",
        ));
    }
    let resource = world.find(asset)?;
    let bytes = download::bytes(world, published.project, resource, name).ok_or_else(|| {
        ApiError::not_found(format!("the asset '{}' has no file '{name}'", asset.name))
    })?;
    let version = download::version(world, published.project, resource, name, &bytes);
    Ok(version.read(headers, || download::part(world, headers, bytes)))
}
