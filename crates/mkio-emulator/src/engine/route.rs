//! The target of a request: an operation, or a door beside the documents.

use bytes::Bytes;
use http::{Method, Request, header};

use crate::{
    base::error::ApiError,
    docs::{Documents, Operation, Parameters, RouteError},
    platform::rules::Door,
    registry,
};

/// HEAD is GET; the host leaves the body of the response out.
pub(super) fn read(method: &Method) -> &Method {
    match *method {
        Method::HEAD => &Method::GET,
        ref method => method,
    }
}

/// The door at a path outside of all documents.
pub(super) fn door(method: &Method, path: &str) -> Option<&'static Door> {
    let mut doors = registry::get().doors();
    doors.find(|door| door.method == method && (door.opens)(path))
}

/// The operation that a request means. Of a path of the cloud, the final slash may be missing: guides leave it out.
pub(super) fn route(
    method: &Method,
    path: &str,
) -> Result<(&'static Operation, Parameters<'static>), RouteError> {
    let documents = Documents::get();
    let found = documents.route(method, path);
    let Err(RouteError::NotFound { hint: Some(other) }) = &found else {
        return found;
    };
    match documents.route(method, other) {
        Ok((operation, parameters)) if other.len() > path.len() && !operation.api.is_device() => {
            Ok((operation, parameters))
        }
        _ => found,
    }
}

/// The methods that are answered at a path.
///
/// # Errors
/// 404 when nothing is.
#[cfg_attr(not(feature = "host"), expect(dead_code, reason = "for the host"))]
pub(crate) fn methods(path: &str) -> Result<Vec<Method>, ApiError> {
    let mut found = match route(&Method::OPTIONS, path) {
        Err(RouteError::MethodNotAllowed { allowed }) => allowed,
        _ => Vec::new(),
    };
    let doors = registry::get().doors();
    found.extend(
        doors
            .filter(|door| (door.opens)(path))
            .map(|door| door.method.clone()),
    );
    if found.is_empty() {
        return Err(ApiError::not_found(format!("there is nothing at {path}")));
    }
    if found.contains(&Method::GET) {
        found.push(Method::HEAD);
    }
    found.push(Method::OPTIONS);
    Ok(found)
}

/// Refuses a `%` that no two hexadecimal digits follow.
pub(super) fn check_escapes(text: &str) -> Result<(), ApiError> {
    let broken = text.split('%').skip(1).find(|rest| {
        let digits = rest.bytes().take(2);
        digits.filter(u8::is_ascii_hexdigit).count() < 2
    });
    match broken {
        Some(rest) => {
            let shown: String = rest.chars().take(2).collect();
            Err(ApiError::bad_request(format!(
                "'%{shown}' in the path or the query is not a complete escape: send '%25' for a percent sign"
            )))
        }
        None => Ok(()),
    }
}

/// Scheme and authority that the caller used.
pub(super) fn origin(request: &Request<Bytes>) -> String {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = host.filter(|host| host.parse::<http::uri::Authority>().is_ok());
    format!("http://{}", authority.unwrap_or("127.0.0.1"))
}

pub(super) fn unrouted(request: &Request<Bytes>, error: RouteError) -> ApiError {
    let path = request.uri().path();
    match error {
        RouteError::NotFound { hint: Some(other) } => {
            ApiError::not_found(format!("there is nothing at {path}; '{other}' exists"))
        }
        RouteError::NotFound { hint: None } => {
            ApiError::not_found(format!("there is nothing at {path}"))
        }
        RouteError::NotUtf8 => {
            ApiError::bad_request("the path is not UTF-8 once its escapes are undone")
        }
        RouteError::MethodNotAllowed { allowed } => {
            let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
            ApiError::method_not_allowed(
                format!("{} is not possible at {path}", request.method()),
                allowed.join(", "),
            )
        }
    }
}
