//! The storage host: containers that take files and give them back, as far as one upload needs it. It answers what the Azure and S3
//! clients of the crate `object_store` send: a whole file, or one in parts.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use crate::{
    base::{
        blobs::Spot,
        error::ApiError,
        kind::Kind,
        read::Read,
        store::{Address, Resource},
    },
    platform::{
        call::Response,
        conditions::{Version, tag_of},
        ranges,
        rules::{Door, Entry, Platform},
    },
    resources::media::{assets, storage},
};

/// The storage host.
pub static ENTRY: Entry = Entry {
    doors: &[
        door(Method::GET),
        door(Method::PUT),
        door(Method::POST),
        door(Method::DELETE),
    ],
    ..Entry::NONE
};

const fn door(method: Method) -> Door {
    Door {
        method,
        opens: |path| path.starts_with(storage::HOST),
        blobs: true,
        serve,
    }
}

/// The protocol of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    Azure,
    S3,
}

/// One request to the storage host.
struct Asked<'a> {
    request: &'a Request<Bytes>,
    speech: Speech,
    project: String,
    account: String,
    spot: Spot,
    query: Vec<(String, String)>,
}

impl Asked<'_> {
    fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn serve(world: &mut Platform, request: &Request<Bytes>) -> Result<Response, ApiError> {
    let done = asked(world, request).and_then(|asked| done(world, &asked));
    Ok(done.unwrap_or_else(refused))
}

/// A refusal in the form that storage hosts have.
fn refused(error: ApiError) -> Response {
    let plain = |text: &str| {
        // XML has no form for control characters.
        let text = text.replace(char::is_control, "\u{fffd}");
        text.replace('&', "&amp;").replace('<', "&lt;")
    };
    let (code, message) = (plain(error.code), plain(&error.detail));
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    Response {
        status: error.status,
        ..Response::bytes("application/xml", body)
    }
}

/// Reads a request and checks its credential.
fn asked<'a>(world: &Platform, request: &'a Request<Bytes>) -> Result<Asked<'a>, ApiError> {
    let uri = request.uri();
    let path = uri.path().strip_prefix(storage::HOST).unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8();
    let decoded = decoded.map_err(|_| ApiError::bad_request("the path is not UTF-8"))?;
    let mut parts = decoded.splitn(3, '/').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (project, account, rest) = (next(), next(), next());
    let query = uri.query().unwrap_or_default().as_bytes();
    let query: Vec<(String, String)> = form_urlencoded::parse(query).into_owned().collect();
    let storage = world.find(&Address::new(&project, Kind::STORAGE, &account))?;
    let (speech, rest) = speech(storage, &rest)?;
    admit(
        world,
        request.headers(),
        &query,
        (&project, &account),
        speech,
    )?;
    let (container, path) = rest.split_once('/').unwrap_or((rest, ""));
    if container.is_empty() || path.is_empty() {
        let message = "the path must name a container and a file in it after the account";
        return Err(ApiError::bad_request(message));
    }
    let container = (project.clone(), account.clone(), container.to_owned());
    let spot = (container, path.to_owned());
    if !world.blobs.can_hold(&spot) {
        let message =
            "no file can have this name: it has control characters, or leads out of its container";
        return Err(ApiError::bad_request(message));
    }
    Ok(Asked {
        request,
        speech,
        project,
        account,
        spot,
        query,
    })
}

/// The protocol of an account, and the path below its containers.
fn speech<'a>(storage: &Resource, rest: &'a str) -> Result<(Speech, &'a str), ApiError> {
    match storage.text("/spec/type") {
        Some("Microsoft.Storage") => Ok((Speech::Azure, rest)),
        Some("AWS.S3") => {
            let bucket = storage.text("/spec/bucketName").unwrap_or_default();
            let below = rest.strip_prefix(bucket);
            let below = below.and_then(|below| below.strip_prefix('/'));
            let missing = || ApiError::not_found("the account has another bucket");
            Ok((Speech::S3, below.ok_or_else(missing)?))
        }
        _ => Err(ApiError::not_implemented(
            "this emulator stores files of Azure and S3 accounts only",
        )),
    }
}

/// Checks the credential of the caller: the signature of a SAS token, the id of an access key. Signatures are not verified.
fn admit(
    world: &Platform,
    headers: &HeaderMap,
    query: &[(String, String)],
    (project, account): (&str, &str),
    speech: Speech,
) -> Result<(), ApiError> {
    let mut credentials = storage::credentials(world, project, account);
    let text = |credential: &serde_json::Value, name: &str| {
        let text = credential.get(name).and_then(serde_json::Value::as_str);
        text.map(str::to_owned)
    };
    let admitted = match speech {
        Speech::Azure => {
            let signature = |pairs: &[(String, String)]| {
                let found = pairs.iter().find(|(name, _)| name == "sig");
                found.map(|(_, signature)| signature.clone())
            };
            let given = signature(query);
            given.is_some()
                && credentials.any(|credential| {
                    let token = text(credential, "sasToken").unwrap_or_default();
                    let token = token.trim_start_matches('?').as_bytes();
                    let pairs: Vec<_> = form_urlencoded::parse(token).into_owned().collect();
                    signature(&pairs) == given
                })
        }
        Speech::S3 => {
            let given = headers.get(header::AUTHORIZATION);
            let given = given.and_then(|given| given.to_str().ok());
            given.is_some_and(|given| {
                credentials.any(|credential| {
                    let key = text(credential, "accessKeyId").unwrap_or_default();
                    given.starts_with(&format!("AWS4-HMAC-SHA256 Credential={key}/"))
                })
            })
        }
    };
    if admitted {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "this is not a valid credential of the storage account '{account}'"
    )))
}

fn done(world: &mut Platform, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let method = asked.request.method();
    let part = match asked.speech {
        Speech::Azure => asked.query("comp"),
        Speech::S3 => asked.query("uploadId").or(asked.query("uploads")),
    };
    match (method.as_str(), asked.speech, part) {
        ("GET" | "HEAD", _, None) => read(world, asked),
        ("DELETE", _, None) => delete(world, asked),
        ("PUT", _, None) => {
            room_for(world, asked.request.body().len())?;
            in_container(world, asked)?;
            check_conditions(world, asked)?;
            let bytes = asked.request.body().clone();
            stored(world, asked, bytes)
        }
        ("PUT", Speech::Azure, Some("block")) => block(world, asked),
        ("PUT", Speech::Azure, Some("blocklist")) => {
            finish(world, asked, "", &["Uncommitted", "Latest"])
        }
        ("POST", Speech::S3, Some("")) => Ok(begin(world, asked)),
        ("PUT", Speech::S3, Some(upload)) => numbered(world, asked, upload),
        ("POST", Speech::S3, Some(upload)) => finish(world, asked, upload, &["PartNumber"]),
        ("DELETE", Speech::S3, Some(upload)) => {
            world.blobs.abandon(asked.spot.clone(), upload);
            Ok(Response::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ApiError::not_implemented(
            "this emulator stores, returns and removes single files; it serves no other request of a storage host",
        )),
    }
}

/// An upload needs its container: one of an asset, or one that has files. A bucket takes any path.
fn in_container(world: &Platform, asked: &Asked<'_>) -> Result<(), ApiError> {
    let (container, _) = &asked.spot;
    let known = world.blobs.has(container)
        || world.containers.contains(container)
        || world.retained.contains_key(container);
    if known || asked.speech == Speech::S3 {
        return Ok(());
    }
    let (account, name) = (&asked.account, &container.2);
    Err(ApiError::not_found(format!(
        "the storage account '{account}' has no container '{name}': make an asset with it first"
    )))
}

/// Checks the caller's condition: there is no file yet, or one with this tag.
fn check_conditions(world: &Platform, asked: &Asked<'_>) -> Result<(), ApiError> {
    let header = |name| {
        let value = asked.request.headers().get(name)?;
        value.to_str().ok().map(str::trim)
    };
    let there = world.blobs.get(&asked.spot);
    let path = &asked.spot.1;
    if header(header::IF_NONE_MATCH) == Some("*") && there.is_some() {
        let (status, code) = match asked.speech {
            Speech::Azure => (StatusCode::CONFLICT, "BlobAlreadyExists"),
            Speech::S3 => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
        };
        return Err(ApiError {
            status,
            code,
            ..ApiError::conflict(format!("there is a file '{path}' already"))
        });
    }
    let Some(wanted) = header(header::IF_MATCH) else {
        return Ok(());
    };
    let fits = there.is_some_and(|bytes| wanted == "*" || wanted == tag_of(&bytes));
    if fits {
        return Ok(());
    }
    let code = match asked.speech {
        Speech::Azure => "ConditionNotMet",
        Speech::S3 => "PreconditionFailed",
    };
    Err(ApiError {
        status: StatusCode::PRECONDITION_FAILED,
        code,
        ..ApiError::conflict(format!("the file '{path}' is another one"))
    })
}

/// The version of a file that is stored.
fn version(world: &Platform, spot: &Spot, bytes: &[u8]) -> Version {
    // Files of a loaded state have no time.
    Version::new(bytes, world.blobs.written(spot).unwrap_or_default())
}

fn room_for(world: &Platform, more: usize) -> Result<(), ApiError> {
    let limit = world.settings.storage_limit;
    if world.blobs.bytes().saturating_add(more) <= limit {
        return Ok(());
    }
    Err(ApiError::too_large(format!(
        "this emulator keeps at most {limit} bytes of files; delete some of them"
    )))
}

fn missing(asked: &Asked<'_>) -> ApiError {
    ApiError::not_found(format!("there is no file '{}'", asked.spot.1))
}

/// The assets of a container that a path lies in, with the file's name in them.
fn holders(world: &Platform, asked: &Asked<'_>) -> Vec<(Address, String)> {
    let (container, path) = &asked.spot;
    let assets = world.all(&asked.project, Kind::ASSET);
    let held = assets.filter_map(|(place, asset)| {
        if assets::spot(&asked.project, asset, path).0 != *container {
            return None;
        }
        let name = path.strip_prefix(&assets::folder(asset))?;
        Some((place.at(&asset.name), name.to_owned()))
    });
    held.collect()
}

/// Stores a file, and lists it where it lies in an asset.
fn stored(world: &mut Platform, asked: &Asked<'_>, bytes: Bytes) -> Result<Response, ApiError> {
    let size = bytes.len() as u64;
    let (now, tag) = (world.now, tag_of(&bytes));
    let stored = Version::new(&bytes, now);
    if !world.blobs.are_on_disk() {
        for (asset, name) in holders(world, asked) {
            assets::add_files(world, &asset, &[(name, size)]);
        }
    }
    if !world.blobs.put(asked.spot.clone(), bytes) {
        let path = &asked.spot.1;
        return Err(ApiError::internal(format!(
            "the file '{path}' cannot be written"
        )));
    }
    world.blobs.note(asked.spot.clone(), now);
    let (status, body) = match asked.speech {
        Speech::Azure => (StatusCode::CREATED, String::new()),
        Speech::S3 => {
            let tag = tag.trim_matches('"');
            let name = "CompleteMultipartUploadResult";
            (
                StatusCode::OK,
                format!("<{name}><ETag>{tag}</ETag></{name}>"),
            )
        }
    };
    let mut response = Response::bytes("application/xml", body);
    response.status = status;
    Ok(stored.tell(response))
}

fn read(world: &Platform, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let bytes = world.blobs.get(&asked.spot);
    let bytes = bytes.ok_or_else(|| missing(asked))?;
    let headers = asked.request.headers();
    let version = version(world, &asked.spot, &bytes);
    Ok(version.read(headers, || ranges::respond(headers, bytes)))
}

/// Forgets a file that a deleted asset left; false when there is none.
fn forget_retained(world: &mut Platform, (container, path): &Spot) -> bool {
    let left = world.retained.get_mut(container);
    let Some(Value::Array(files)) = left.and_then(|left| left.get_mut("files")) else {
        return false;
    };
    let before = files.len();
    files.retain(|file| file.text("/name") != Some(path));
    files.len() < before
}

fn delete(world: &mut Platform, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let removed = world.blobs.remove(&asked.spot) | forget_retained(world, &asked.spot);
    for (asset, name) in holders(world, asked) {
        assets::drop_file(world, &asset, &name);
    }
    match asked.speech {
        Speech::S3 => Ok(Response::empty(StatusCode::NO_CONTENT)),
        Speech::Azure if removed => Ok(Response::empty(StatusCode::ACCEPTED)),
        Speech::Azure => Err(missing(asked)),
    }
}

/// Azure: a block of a file, under an id of the caller's.
fn block(world: &mut Platform, asked: &Asked<'_>) -> Result<Response, ApiError> {
    let id = asked.query("blockid");
    let id = id.ok_or_else(|| ApiError::bad_request("'blockid' is missing"))?;
    room_for(world, asked.request.body().len())?;
    in_container(world, asked)?;
    if !world.blobs.is_open(&asked.spot, "") {
        world.blobs.begin(asked.spot.clone(), "");
    }
    let bytes = asked.request.body().clone();
    let spot = asked.spot.clone();
    world.blobs.put_part(spot, "", id.to_owned(), bytes);
    Ok(Response::empty(StatusCode::CREATED))
}

/// S3: the beginning of an upload in parts.
fn begin(world: &mut Platform, asked: &Asked<'_>) -> Response {
    let id = Uuid::new_v4().simple().to_string();
    world.blobs.begin(asked.spot.clone(), &id);
    let name = "InitiateMultipartUploadResult";
    let body = format!("<{name}><UploadId>{id}</UploadId></{name}>");
    Response::bytes("application/xml", body)
}

/// S3: a part of an upload, by its number.
fn numbered(world: &mut Platform, asked: &Asked<'_>, upload: &str) -> Result<Response, ApiError> {
    let number = asked.query("partNumber");
    let number = number.ok_or_else(|| ApiError::bad_request("'partNumber' is missing"))?;
    room_for(world, asked.request.body().len())?;
    let bytes = asked.request.body().clone();
    let tag = tag_of(&bytes);
    let (spot, number) = (asked.spot.clone(), number.to_owned());
    if !world.blobs.put_part(spot, upload, number, bytes) {
        return Err(ApiError::not_found("there is no such upload"));
    }
    let mut response = Response::empty(StatusCode::OK);
    response.headers.insert("etag".to_owned(), json!(tag));
    Ok(response)
}

/// Makes a file of the parts that the body lists, in these elements.
fn finish(
    world: &mut Platform,
    asked: &Asked<'_>,
    upload: &str,
    elements: &[&str],
) -> Result<Response, ApiError> {
    let body = std::str::from_utf8(asked.request.body());
    let body = body.map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
    check_conditions(world, asked)?;
    let parts = texts(body, elements);
    let whole = world.blobs.finish(asked.spot.clone(), upload, &parts);
    let unknown = || ApiError::bad_request("the body lists a part that was not uploaded");
    let whole = whole.ok_or_else(unknown)?;
    stored(world, asked, whole)
}

/// The texts of some elements of an XML document, in order. Ids and numbers of parts have no character that XML escapes.
fn texts(xml: &str, elements: &[&str]) -> Vec<String> {
    let opened = xml.split('<').filter_map(|piece| {
        let (tag, text) = piece.split_once('>')?;
        elements.contains(&tag).then(|| text.trim().to_owned())
    });
    opened.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_parts() {
        let azure = "<?xml version=\"1.0\"?>\n<BlockList>\n\t<Uncommitted>YQ==</Uncommitted>\n\t<Latest>Yg==</Latest></BlockList>";
        assert_eq!(texts(azure, &["Uncommitted", "Latest"]), ["YQ==", "Yg=="]);
        let s3 = "<CompleteMultipartUpload><Part><ETag>e</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>";
        assert_eq!(texts(s3, &["PartNumber"]), ["1"]);
        assert!(texts("<PartNumber", &["PartNumber"]).is_empty());
    }
}
