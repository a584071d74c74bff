//! Where the request of a failed call went.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::Operation;

/// Origin and path of a URL; its query may hold secrets and is left out.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) origin: String,
    pub(super) path: String,
}

impl Target {
    pub(super) fn new(url: &Url) -> Self {
        Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().to_owned(),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Names of the resource in the path without its project, as in `h264/job-1`; the path itself for
    /// an operation that no document describes. Nothing for an operation on a collection.
    pub(super) fn resource(&self, operation: &Operation) -> Option<String> {
        if operation.path.is_empty() {
            return Some(self.path.clone());
        }
        // The base URL may have a path before the template's.
        let template = operation.path.rsplit('/');
        let mut names: Vec<_> = template
            .zip(self.path.rsplit('/'))
            .filter(|(segment, _)| segment.starts_with('{') && *segment != "{project_name}")
            .map(|(_, name)| percent_decode_str(name).decode_utf8_lossy())
            .collect();
        names.reverse();
        (!names.is_empty()).then(|| names.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn resource(template: &'static str, url: &str) -> Option<String> {
        let operation = Operation {
            id: "x",
            api: "media",
            method: Method::GET,
            path: template,
            request_body: None,
            streams: false,
        };
        Target::new(&Url::parse(url).unwrap()).resource(&operation)
    }

    #[test]
    fn names_the_resource_below_any_base_path() {
        for (template, url, expected) in [
            (
                "/p/{project_name}/a/{name}",
                "https://h/p/x/a/in%20tro",
                Some("in tro"),
            ),
            (
                "/p/{project_name}/a/{name}",
                "https://h/base/p/x/a/b?sig=s",
                Some("b"),
            ),
            (
                "/p/{project_name}/t/{t}/j/{j}",
                "https://h/p/x/t/h264/j/1",
                Some("h264/1"),
            ),
            ("/p/{project_name}/a", "https://h/p/x/a", None),
            ("", "https://h/any/path?q=1", Some("/any/path")),
        ] {
            assert_eq!(resource(template, url).as_deref(), expected, "{url}");
        }
    }
}
