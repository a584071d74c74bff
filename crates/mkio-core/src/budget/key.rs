//! The requests that the service counts together: those of a project, or of the organization.

/// The project in a URL path that holds `/projects/{name}/`; `/projects/{name}` itself belongs to
/// the organization.
pub(crate) fn project(path: &str) -> Option<&str> {
    const BEFORE: &[u8] = b"/projects/";
    // It is near the beginning, where a plain search is the fastest; this runs for every call.
    let mut windows = path.as_bytes().windows(BEFORE.len());
    let at = windows.position(|bytes| bytes == BEFORE)?;
    let rest = path.get(at + BEFORE.len()..)?;
    let name = &rest[..rest.bytes().position(|byte| byte == b'/')?];
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_in_paths() {
        for (path, expected) in [
            ("/api/v1/projects/acme/media/assets", Some("acme")),
            ("/gw/api/v1/projects/a%2Fb/", Some("a%2Fb")),
            ("/api/v1/projects/acme", None),
            ("/api/v1/projects/", None),
            ("/api/v1/projects//media", None),
            ("/api/v1/organization", None),
        ] {
            assert_eq!(project(path), expected, "{path}");
        }
    }
}
