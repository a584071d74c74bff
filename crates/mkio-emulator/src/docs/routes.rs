//! From a method and a path to an operation.

use std::collections::HashMap;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::docs::operation::Operation;

/// Why no operation answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteError {
    /// No document has the path.
    NotFound {
        /// A path that would have matched, when only a final slash was wrong.
        hint: Option<String>,
    },
    /// The path exists, under these methods only.
    MethodNotAllowed {
        /// Methods that the documents declare for the path.
        allowed: Vec<Method>,
    },
    /// A path segment is not UTF-8 once its escapes are undone.
    NotUtf8,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Parameter(String),
}

#[derive(Debug)]
struct Path {
    segments: Vec<Segment>,
    operations: Vec<(Method, usize)>,
}

/// Path parameters by name, decoded.
pub type Parameters<'a> = Vec<(&'a str, String)>;

/// The route table of all documents.
#[derive(Debug)]
pub struct Routes {
    by_length: HashMap<usize, Vec<Path>>,
}

impl Routes {
    pub(super) fn new(operations: &[Operation]) -> Self {
        let mut templates: HashMap<&str, Vec<(Method, usize)>> = HashMap::new();
        let mut order = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            let entry = templates.entry(&operation.path).or_insert_with(|| {
                order.push(operation.path.as_str());
                Vec::new()
            });
            entry.push((operation.method.clone(), index));
        }
        let mut by_length: HashMap<usize, Vec<Path>> = HashMap::new();
        for template in order {
            let segments: Vec<Segment> = template.split('/').map(segment).collect();
            let operations = templates.remove(template).unwrap_or_default();
            by_length.entry(segments.len()).or_default().push(Path {
                segments,
                operations,
            });
        }
        // A literal wins over a parameter at the same place, wherever the document lists it.
        for paths in by_length.values_mut() {
            paths.sort_by_key(|path| {
                path.segments
                    .iter()
                    .filter(|segment| matches!(segment, Segment::Parameter(_)))
                    .count()
            });
        }
        Self { by_length }
    }

    pub(super) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(usize, Parameters<'_>), RouteError> {
        let raw: Vec<&str> = path.split('/').collect();
        let mut allowed = Vec::new();
        for candidate in self.by_length.get(&raw.len()).into_iter().flatten() {
            let Some(parameters) = candidate.accept(&raw)? else {
                continue;
            };
            match candidate
                .operations
                .iter()
                .find(|(declared, _)| declared == method)
            {
                Some((_, index)) => return Ok((*index, parameters)),
                None => allowed.extend(
                    candidate
                        .operations
                        .iter()
                        .map(|(declared, _)| declared.clone()),
                ),
            }
        }
        if !allowed.is_empty() {
            return Err(RouteError::MethodNotAllowed { allowed });
        }
        Err(RouteError::NotFound {
            hint: self.hint(path),
        })
    }

    fn hint(&self, path: &str) -> Option<String> {
        let other = match path.strip_suffix('/') {
            Some(shorter) => shorter.to_owned(),
            None => format!("{path}/"),
        };
        let raw: Vec<&str> = other.split('/').collect();
        let known = self
            .by_length
            .get(&raw.len())?
            .iter()
            .any(|candidate| matches!(candidate.accept(&raw), Ok(Some(_))));
        known.then_some(other)
    }
}

impl Path {
    /// The decoded parameters if the raw segments match.
    fn accept(&self, raw: &[&str]) -> Result<Option<Vec<(&str, String)>>, RouteError> {
        let mut parameters = Vec::new();
        for (segment, given) in self.segments.iter().zip(raw) {
            match segment {
                Segment::Literal(literal) if literal == given => {}
                Segment::Literal(_) => return Ok(None),
                Segment::Parameter(_) if given.is_empty() => return Ok(None),
                Segment::Parameter(name) => {
                    let decoded = percent_decode_str(given)
                        .decode_utf8()
                        .map_err(|_| RouteError::NotUtf8)?;
                    parameters.push((name.as_str(), decoded.into_owned()));
                }
            }
        }
        Ok(Some(parameters))
    }
}

fn segment(text: &str) -> Segment {
    match text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        Some(name) => Segment::Parameter(name.to_owned()),
        None => Segment::Literal(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::documents::Documents;

    fn find(method: Method, path: &str) -> Result<String, RouteError> {
        Documents::get()
            .route(&method, path)
            .map(|(operation, parameters)| format!("{} {parameters:?}", operation.path))
    }

    #[test]
    fn parameters_are_decoded_and_literals_win() {
        let found = find(Method::GET, "/api/v1/projects/demo/media/assets/a%20b%2Fc");
        assert_eq!(
            found.as_deref(),
            Ok(
                r#"/api/v1/projects/{project_name}/media/assets/{asset_name} [("project_name", "demo"), ("asset_name", "a b/c")]"#
            )
        );
        let found = find(Method::GET, "/api/v1/projects/demo/live/search").unwrap_or_default();
        assert!(
            found.starts_with("/api/v1/projects/{project_name}/live/search "),
            "{found}"
        );
    }

    #[test]
    fn what_no_document_has_is_not_found_and_a_wrong_slash_is_named() {
        assert_eq!(
            find(Method::GET, "/api/v2/projects"),
            Err(RouteError::NotFound { hint: None })
        );
        assert_eq!(
            find(Method::GET, "/api/v1/projects/demo/media/assets/a/storage"),
            Err(RouteError::NotFound {
                hint: Some("/api/v1/projects/demo/media/assets/a/storage/".to_owned())
            })
        );
        assert_eq!(
            find(Method::GET, "/api/v1/projects//media/assets"),
            Err(RouteError::NotFound { hint: None })
        );
    }

    #[test]
    fn another_method_and_bad_escapes_are_told_apart() {
        assert_eq!(
            find(Method::POST, "/api/v1/projects/demo/media/assets"),
            Err(RouteError::MethodNotAllowed {
                allowed: vec![Method::GET]
            })
        );
        assert_eq!(
            find(Method::GET, "/api/v1/projects/demo/media/assets/%ff"),
            Err(RouteError::NotUtf8)
        );
    }
}
