//! Looks at resources: single states, single resources, many at once.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::HeaderMap;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use super::judge::{Seen, born};
use super::target::Target;
use super::{Listing, pointer};
use crate::page::{Page, Pages};
use crate::{Error, Operation, Response, Result, Transport, glue, retry};

/// How much of a URL's query the names of one list request may take: web servers commonly stop at
/// 8 KiB for the whole request line.
const NAMES: usize = 6000;

/// What a look brought, and when the service wants to be asked again.
#[derive(Debug, Clone)]
pub(super) struct Looked<T> {
    pub(super) seen: T,
    pub(super) retry_after: Option<Duration>,
    /// The service's time of the answer.
    pub(super) date: Option<DateTime<Utc>>,
    /// How many requests it took.
    pub(super) requests: usize,
}

/// Answer of a `/state` operation.
#[derive(Deserialize)]
struct StateAnswer {
    status: Option<StateStatus>,
}

#[derive(Deserialize)]
struct StateStatus {
    state: Option<String>,
}

/// Any page of any list.
#[derive(Deserialize)]
struct AnyPage {
    value: Option<Vec<Value>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Page for AnyPage {
    type Item = Value;

    fn items(&self) -> &[Value] {
        self.value.as_deref().unwrap_or_default()
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.value.as_mut()
    }

    fn next_link(&self) -> Option<&str> {
        self.next.as_deref()
    }
}

/// Reads the state of one resource; with `whole`, or where there is no state operation, the
/// resource itself.
pub(super) async fn one(
    transport: &Transport,
    target: &Target,
    whole: bool,
) -> Result<Looked<Seen>> {
    let resource = target.resource;
    let state = resource
        .state
        .filter(|_| !whole || resource.item.is_none() || resource.state_pointer.is_empty());
    let looked = match (state, resource.item) {
        (Some(operation), _) => {
            get::<StateAnswer>(transport, target, operation)
                .await
                .map(|answer| {
                    looked(&answer, |answer| Seen::There {
                        state: answer
                            .status
                            .as_ref()
                            .and_then(|status| status.state.clone()),
                        resource: None,
                    })
                })
        }
        (None, Some(_)) => item(transport, target)
            .await
            .map(|answer| looked(&answer, |item| there(target, item.clone()))),
        (None, None) => {
            let targets = std::slice::from_ref(target);
            let rounds = resource
                .list
                .as_ref()
                .map(|list| rounds(targets, &[], list, false));
            let round = rounds.and_then(|rounds| rounds.into_iter().next());
            let filter = round.and_then(|round| round.filter);
            let mut listed = many(transport, targets, filter.as_deref()).await;
            // What is deleted while pages are read moves later items to pages that were read before.
            if listed.cut.is_none() && listed.looked.requests > 1 && !listed.shows_all() {
                listed = many(transport, targets, filter.as_deref()).await;
            }
            match listed.cut {
                Some(error) => Err(error),
                None => Ok(listed.looked.map(|seen| {
                    let item = seen.into_iter().next().flatten();
                    item.map_or(Seen::Absent, |item| there(target, item))
                })),
            }
        }
    };
    match looked {
        Err(error) if error.is_not_found() => Ok(Looked {
            seen: Seen::Absent,
            retry_after: error.retry_after(),
            date: date(error.headers()),
            requests: 1,
        }),
        looked => looked,
    }
}

/// Reads the resource.
pub(super) async fn item(transport: &Transport, target: &Target) -> Result<Response<Value>> {
    let Some(operation) = target.resource.item else {
        let message = format!("{} cannot be read by name", target.resource.name);
        return Err(Error::new(crate::ErrorKind::InvalidRequest, message));
    };
    get(transport, target, operation).await
}

async fn get<T: DeserializeOwned>(
    transport: &Transport,
    target: &Target,
    operation: &'static Operation,
) -> Result<Response<T>> {
    let request = target.request(transport, operation)?;
    glue::json(transport.call(request, operation).await?, operation)
}

fn looked<T>(answer: &Response<T>, seen: impl FnOnce(&T) -> Seen) -> Looked<Seen> {
    Looked {
        seen: seen(answer),
        retry_after: retry::retry_after(answer.headers()),
        date: date(answer.headers()),
        requests: 1,
    }
}

impl<T> Looked<T> {
    fn map<U>(self, f: impl FnOnce(T) -> U) -> Looked<U> {
        Looked {
            seen: f(self.seen),
            retry_after: self.retry_after,
            date: self.date,
            requests: self.requests,
        }
    }
}

/// The service's time of an answer.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(DateTime::from)
}

/// What the JSON of a resource says.
pub(super) fn there(target: &Target, item: Value) -> Seen {
    let at = target.pointer(target.resource.state_pointer);
    let state = match target.resource.presence {
        true => None,
        false => pointer::text(&item, &at).map(str::to_owned),
    };
    Seen::There {
        state,
        resource: Some(item),
    }
}

/// One list request, for some of the targets.
#[derive(Debug)]
pub(super) struct Round {
    /// Places of the targets.
    pub(super) members: Vec<usize>,
    pub(super) filter: Option<String>,
}

/// The list requests that show all `targets`, which are of one group. Each target has a limit for
/// the size of a request that it is part of; no limit where none is given. Unless `told`, no two of
/// a request have the same name, because the items do not tell them apart.
pub(super) fn rounds(
    targets: &[Target],
    limits: &[usize],
    list: &Listing,
    told: bool,
) -> Vec<Round> {
    let Some(field) = list.name_field else {
        return vec![Round {
            members: (0..targets.len()).collect(),
            filter: None,
        }];
    };
    let mut rounds: Vec<Draft> = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let scope: Vec<_> = list
            .scope_fields
            .iter()
            .filter_map(|(param, scope)| {
                Some(format!("{scope} eq {}", quote(target.value(param)?)))
            })
            .collect();
        let scope = scope.join(" and ");
        let name = format!("{field} eq {}", quote(target.name()));
        let limit = limits.get(place).copied().unwrap_or(usize::MAX);
        let fits = rounds.iter_mut().find(|draft| {
            draft.members.len() < draft.limit.min(limit)
                && draft.takes(&scope, target.name(), &name, told)
        });
        match fits {
            Some(draft) => {
                draft.limit = draft.limit.min(limit);
                draft.add(place, scope, target.name(), name);
            }
            None => {
                let mut draft = Draft {
                    limit,
                    ..Draft::default()
                };
                draft.add(place, scope, target.name(), name);
                rounds.push(draft);
            }
        }
    }
    rounds.into_iter().map(Draft::finish).collect()
}

/// A list request in the making.
#[derive(Default)]
struct Draft {
    members: Vec<usize>,
    limit: usize,
    names: std::collections::HashSet<String>,
    scopes: Vec<(String, Vec<String>)>,
    length: usize,
}

impl Draft {
    fn takes(&self, scope: &str, name: &str, condition: &str, told: bool) -> bool {
        let new_scope = self.scopes.iter().all(|(known, _)| known != scope);
        let more = encoded(condition) + if new_scope { encoded(scope) } else { 0 };
        (told || !self.names.contains(name)) && self.length + more <= NAMES
    }

    fn add(&mut self, place: usize, scope: String, name: &str, condition: String) {
        self.members.push(place);
        self.names.insert(name.to_owned());
        self.length += encoded(&condition);
        match self.scopes.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, names)) => names.push(condition),
            None => {
                self.length += encoded(&scope);
                self.scopes.push((scope, vec![condition]));
            }
        }
    }

    fn finish(self) -> Round {
        let conditions: Vec<_> = self
            .scopes
            .into_iter()
            .map(|(scope, names)| match (scope.as_str(), names.len()) {
                ("", _) => names.join(" or "),
                (_, 1) => format!("{scope} and {}", names.join("")),
                _ => format!("{scope} and ({})", names.join(" or ")),
            })
            .collect();
        Round {
            members: self.members,
            filter: Some(match conditions.len() {
                1 => conditions.join(""),
                _ => conditions
                    .iter()
                    .map(|c| format!("({c})"))
                    .collect::<Vec<_>>()
                    .join(" or "),
            }),
        }
    }
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Length in a query, with ` or ` around it.
fn encoded(condition: &str) -> usize {
    let length: usize = condition
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
                1
            } else {
                3
            }
        })
        .sum();
    length + 4
}

/// What list requests showed.
pub(super) struct Listed {
    /// The item of each target, if it was listed.
    pub(super) looked: Looked<Vec<Option<Value>>>,
    /// The error that cut the list short.
    pub(super) cut: Option<Error>,
    /// There were items of which one cannot tell whose they are.
    pub(super) unclear: bool,
}

impl Listed {
    fn shows_all(&self) -> bool {
        self.looked.seen.iter().all(Option::is_some)
    }
}

/// Carries out one list request, over as many pages as it takes.
pub(super) async fn many(
    transport: &Transport,
    targets: &[Target],
    filter: Option<&str>,
) -> Listed {
    let mut listed = Listed {
        looked: Looked {
            seen: vec![None; targets.len()],
            retry_after: None,
            date: None,
            requests: 0,
        },
        cut: None,
        unclear: false,
    };
    let Some(first) = targets.first() else {
        return listed;
    };
    let Some(list) = first.resource.list.as_ref() else {
        return listed;
    };
    let mut request = first.request(transport, list.operation);
    if let (Ok(request), Some(filter)) = (&mut request, filter) {
        narrow(request.url_mut(), filter, targets.len());
    }
    let mut pages = Pages::<AnyPage>::new(transport.clone(), list.operation, request).prefetch(0);
    let owners = Owners::new(targets, list);
    // Without a filter, newer resources of the same name may come later.
    let dated = filter.is_none() && !first.resource.born_pointer.is_empty();
    let mut left = targets.len();
    while left > 0 || dated {
        let page = match pages.try_next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            // What the pages before have shown is not lost.
            Err(error) => {
                listed.cut = Some(error);
                break;
            }
        };
        let looked = &mut listed.looked;
        looked.requests += 1;
        looked.retry_after = looked.retry_after.max(retry::retry_after(page.headers()));
        // The oldest page is the one that counts.
        looked.date = looked.date.or_else(|| date(page.headers()));
        for item in page.into_inner().value.unwrap_or_default() {
            match owners.of(&item) {
                Owner::Target(place) => {
                    let Some(slot) = looked.seen.get_mut(place) else {
                        continue;
                    };
                    match slot {
                        Some(known) if born(first, &item) > born(first, known) => *known = item,
                        Some(_) => {}
                        None => {
                            left -= 1;
                            *slot = Some(item);
                        }
                    }
                }
                Owner::Unclear => listed.unclear = true,
                Owner::Nobody => {}
            }
        }
    }
    listed
}

/// Whose an item of a list is.
enum Owner {
    Target(usize),
    /// One of several, and it does not tell which.
    Unclear,
    Nobody,
}

/// Targets by their names.
struct Owners<'a> {
    targets: &'a [Target],
    list: &'a Listing,
    names: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Owners<'a> {
    fn new(targets: &'a [Target], list: &'a Listing) -> Self {
        let mut names: HashMap<_, Vec<_>> = HashMap::new();
        for (place, target) in targets.iter().enumerate() {
            names.entry(target.name()).or_default().push(place);
        }
        Self {
            targets,
            list,
            names,
        }
    }

    fn of(&self, item: &Value) -> Owner {
        let name = pointer::text(item, self.list.name_pointer);
        let Some(places) = name.and_then(|name| self.named(name)) else {
            return Owner::Nobody;
        };
        let id = match self.list.id_pointer {
            "" => None,
            at => pointer::text(item, at),
        };
        let has_id = |place: &usize| self.targets.get(*place)?.has_id(id?, self.list);
        match places {
            [place] => match has_id(place) {
                Some(false) => Owner::Nobody,
                _ => Owner::Target(*place),
            },
            places if places.iter().any(|place| has_id(place).is_none()) => Owner::Unclear,
            places => {
                let owner = places.iter().find(|place| has_id(place) == Some(true));
                owner.map_or(Owner::Nobody, |place| Owner::Target(*place))
            }
        }
    }

    /// The targets of this name; where the list shows file extensions, also without these.
    fn named(&self, name: &str) -> Option<&[usize]> {
        // Longest first: a name may have dots of its own.
        let mut tried = Some(name);
        while let Some(name) = tried {
            if let Some(places) = self.names.get(name) {
                return Some(places);
            }
            let stem = name.rsplit_once('.').filter(|_| self.list.stem);
            tried = stem.map(|(stem, _)| stem);
        }
        None
    }
}

fn narrow(url: &mut Url, filter: &str, count: usize) {
    url.query_pairs_mut()
        .append_pair("$filter", filter)
        .append_pair("$top", &count.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::testing::{JOB, job};

    fn rounds(names: &[(&str, &str)]) -> Vec<(Vec<usize>, String)> {
        let targets: Vec<_> = names.iter().map(|(t, j)| job(t, j)).collect();
        super::rounds(&targets, &[], JOB.list.as_ref().unwrap(), false)
            .into_iter()
            .map(|round| (round.members, round.filter.unwrap()))
            .collect()
    }

    #[test]
    fn asks_for_many_names_at_once() {
        assert_eq!(
            rounds(&[("t", "a"), ("t", "it's")]),
            [(
                vec![0, 1],
                "transform eq 't' and (name eq 'a' or name eq 'it''s')".to_owned()
            )]
        );
        assert_eq!(
            rounds(&[("t", "a"), ("u", "b")]),
            [(
                vec![0, 1],
                "(transform eq 't' and name eq 'a') or (transform eq 'u' and name eq 'b')"
                    .to_owned()
            )]
        );
    }

    #[test]
    fn no_request_has_a_name_twice() {
        assert_eq!(
            rounds(&[("t", "a"), ("u", "a"), ("u", "b")]),
            [
                (
                    vec![0, 2],
                    "(transform eq 't' and name eq 'a') or (transform eq 'u' and name eq 'b')"
                        .to_owned()
                ),
                (vec![1], "transform eq 'u' and name eq 'a'".to_owned()),
            ]
        );
    }

    #[test]
    fn no_request_is_too_long() {
        let long: Vec<_> = (0..500).map(|n| format!("{n:0>260}")).collect();
        let names: Vec<_> = long.iter().map(|name| ("t", name.as_str())).collect();
        let rounds = rounds(&names);
        assert!(rounds.len() <= 25, "{}", rounds.len());
        let mut members: Vec<_> = rounds
            .iter()
            .flat_map(|(members, _)| members.clone())
            .collect();
        members.sort_unstable();
        assert_eq!(members, (0..500).collect::<Vec<_>>());
        for (_, filter) in rounds {
            let mut url = Url::parse("https://app.mk.io/").unwrap();
            narrow(&mut url, &filter, 500);
            assert!(url.as_str().len() < 6500, "{}", url.as_str().len());
        }
    }
}
