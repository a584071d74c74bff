//! Polls of many resources with list requests.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::report::report;
use crate::{
    Error, Transport,
    page::{Page, Pages, query::quoted},
    retry,
    wait::{
        ListSource, pointer,
        seen::{created_at, date},
        target::Target,
    },
};

/// How much of a URL's query the names of one list request may take: web servers commonly stop at
/// 8 KiB for the whole request line.
const NAMES: usize = 6000;

/// Any page of any list.
#[derive(Deserialize)]
struct PollPage {
    value: Option<Vec<Value>>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Page for PollPage {
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

/// One list request, for some of the targets.
#[derive(Debug, Default)]
pub(super) struct ListPoll {
    /// Places of the targets.
    pub(super) members: Vec<usize>,
    /// Conditions by name for each scope; none when the list takes no filter.
    scopes: Vec<(String, Vec<String>)>,
    length: usize,
}

impl ListPoll {
    /// The list requests that show all `targets`, which are of one collection.
    pub(super) fn all(targets: &[Target]) -> Vec<Self> {
        let list = targets
            .first()
            .and_then(|first| first.resource.list.as_ref());
        let Some(list) = list else {
            return Vec::new();
        };
        let Some(field) = list.name_field else {
            return vec![Self {
                members: (0..targets.len()).collect(),
                ..Self::default()
            }];
        };
        let mut polls: Vec<Self> = Vec::new();
        for (place, target) in targets.iter().enumerate() {
            let scope = |(param, scope): &(&str, &str)| {
                Some(format!("{scope} eq {}", quoted(target.value(param)?)))
            };
            let scope: Vec<_> = list.scope_fields.iter().filter_map(scope).collect();
            let scope = scope.join(" and ");
            let name = format!("{field} eq {}", quoted(target.name()));
            let fits = polls.iter_mut().find(|poll| poll.takes(&scope, &name));
            if let Some(poll) = fits {
                poll.add(place, scope, name);
            } else {
                let mut poll = Self::default();
                poll.add(place, scope, name);
                polls.push(poll);
            }
        }
        polls
    }

    fn takes(&self, scope: &str, condition: &str) -> bool {
        let is_new = self.scopes.iter().all(|(known, _)| known != scope);
        let more = encoded(condition) + if is_new { encoded(scope) } else { 0 };
        self.length + more <= NAMES
    }

    fn add(&mut self, place: usize, scope: String, condition: String) {
        self.members.push(place);
        self.length += encoded(&condition);
        match self.scopes.iter_mut().find(|(known, _)| *known == scope) {
            Some((_, conditions)) => conditions.push(condition),
            None => {
                self.length += encoded(&scope);
                self.scopes.push((scope, vec![condition]));
            }
        }
    }

    pub(super) fn filter(&self) -> Option<String> {
        let conditions = self
            .scopes
            .iter()
            .map(|(scope, names)| match (&**scope, &**names) {
                ("", names) => names.join(" or "),
                (scope, [name]) => format!("{scope} and {name}"),
                (scope, names) => format!("{scope} and ({})", names.join(" or ")),
            });
        let conditions: Vec<_> = conditions.collect();
        match &*conditions {
            [] => None,
            [condition] => Some(condition.clone()),
            conditions => Some(format!("({})", conditions.join(") or ("))),
        }
    }
}

/// Length in a query, with ` or ` around it.
fn encoded(condition: &str) -> usize {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let length = |byte| if plain(byte) { 1 } else { 3 };
    condition.bytes().map(length).sum::<usize>() + 4
}

/// What list requests showed.
pub(super) struct Listed {
    /// The item of each target, if it was listed.
    pub(super) items: Vec<Option<Value>>,
    /// How many pages were read.
    pub(super) pages: usize,
    /// When the service wants to be asked again.
    pub(super) retry_after: Option<Duration>,
    /// `Date` of the oldest page.
    pub(super) date: Option<DateTime<Utc>>,
    /// The error that cut the list short.
    pub(super) cut: Option<Error>,
    /// An item may have been that of several targets: a target that was not shown may exist all the
    /// same.
    pub(super) ambiguous: bool,
}

impl Listed {
    pub(super) fn shows_all(&self) -> bool {
        self.items.iter().all(Option::is_some)
    }
}

/// Carries out one list request, over as many pages as it takes.
pub(super) async fn poll_list(
    transport: &Transport,
    targets: &[Target],
    filter: Option<&str>,
) -> Listed {
    let mut listed = Listed {
        items: vec![None; targets.len()],
        pages: 0,
        retry_after: None,
        date: None,
        cut: None,
        ambiguous: false,
    };
    let first = targets.first();
    let Some((first, list)) = first.and_then(|first| Some((first, first.resource.list.as_ref()?)))
    else {
        return listed;
    };
    let mut request = first.request(transport, list.operation);
    if let (Ok(request), Some(filter)) = (&mut request, filter) {
        add_filter(request.url_mut(), filter, targets.len());
    }
    let since = Instant::now();
    let mut pages = Pages::<PollPage>::new(transport.clone(), list.operation, request).prefetch(0);
    let matcher = ItemMatcher::new(targets, list);
    // Without a filter, newer resources of the same name may come later.
    let all_pages = filter.is_none() && !first.resource.created_pointer.is_empty();
    while all_pages || !listed.shows_all() {
        let page = match pages.try_next().await {
            Ok(Some(page)) => page,
            Ok(None) => break,
            // The items of the pages before are kept.
            Err(error) => {
                listed.cut = Some(error);
                break;
            }
        };
        listed.pages += 1;
        listed.retry_after = listed.retry_after.max(retry::retry_after(page.headers()));
        // The oldest page is the one that counts.
        listed.date = listed.date.or_else(|| date(page.headers()));
        let mut page = page.into_inner();
        let items = page.items_mut().map(std::mem::take);
        for item in items.unwrap_or_default() {
            matcher.place(item, &mut listed);
        }
    }
    let outcome = listed.cut.as_ref().map_or(Ok(StatusCode::OK), Err);
    let project = first.value("project_name");
    report(
        transport,
        list.operation,
        project,
        since,
        outcome,
        targets.len(),
    );
    listed
}

fn add_filter(url: &mut Url, filter: &str, count: usize) {
    url.query_pairs_mut()
        .append_pair("$filter", filter)
        .append_pair("$top", &count.to_string());
}

/// Finds the target of an item.
struct ItemMatcher<'a> {
    targets: &'a [Target],
    list: &'a ListSource,
    names: HashMap<&'a str, Vec<usize>>,
}

impl<'a> ItemMatcher<'a> {
    fn new(targets: &'a [Target], list: &'a ListSource) -> Self {
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

    /// Puts an item where its target stands; the newest of several of one name stays.
    fn place(&self, item: Value, listed: &mut Listed) {
        let places = self.candidates(&item);
        listed.ambiguous |= places.len() > 1;
        let [place] = &*places else {
            return;
        };
        let (Some(target), Some(slot)) = (self.targets.get(*place), listed.items.get_mut(*place))
        else {
            return;
        };
        let created = |item| created_at(target, item);
        if slot
            .as_ref()
            .is_none_or(|known| created(&item) > created(known))
        {
            *slot = Some(item);
        }
    }

    /// The targets that the item may be of: one, unless it lacks an id that tells them apart.
    fn candidates(&self, item: &Value) -> Vec<usize> {
        let name = pointer::text(item, self.list.name_pointer);
        let places = name.and_then(|name| self.of_name(name)).unwrap_or_default();
        let id = Some(self.list.id_pointer).filter(|at| !at.is_empty());
        let id = id.and_then(|at| pointer::text(item, at));
        let has_id = |place: usize| self.targets.get(place)?.has_id(id?, self.list);
        let places = places.iter().copied();
        places
            .filter(|place| has_id(*place) != Some(false))
            .collect()
    }

    /// The targets of this name; where the list shows file extensions, also without these.
    fn of_name(&self, name: &str) -> Option<&[usize]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::tests::service::job;

    fn polls(names: &[(&str, &str)]) -> Vec<(Vec<usize>, String)> {
        let targets: Vec<_> = names.iter().map(|(t, j)| job(t, j)).collect();
        let polls = ListPoll::all(&targets).into_iter();
        polls
            .map(|poll| (poll.members.clone(), poll.filter().unwrap()))
            .collect()
    }

    #[test]
    fn asks_for_many_names_at_once() {
        assert_eq!(
            polls(&[("t", "a"), ("t", "it's")]),
            [(
                vec![0, 1],
                "transform eq 't' and (name eq 'a' or name eq 'it''s')".to_owned()
            )]
        );
        assert_eq!(
            polls(&[("t", "a"), ("u", "a"), ("u", "b")]),
            [(
                vec![0, 1, 2],
                "(transform eq 't' and name eq 'a') or \
                 (transform eq 'u' and (name eq 'a' or name eq 'b'))"
                    .to_owned()
            )]
        );
    }

    #[test]
    fn a_request_is_as_long_as_it_may_be() {
        let count = |transforms: [&str; 8], length: usize| -> Vec<usize> {
            let name = "n".repeat(length);
            let polls = polls(&transforms.map(|transform| (transform, name.as_str())));
            polls.iter().map(|(members, _)| members.len()).collect()
        };
        // The scope takes 28 bytes and each name 22 more than its length.
        assert_eq!(count(["t"; 8], (NAMES - 28) / 4 - 22), [4, 4]);
        assert_eq!(count(["t"; 8], (NAMES - 28) / 4 - 21), [3, 3, 2]);
        let transforms = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(count(transforms, NAMES / 4 - 28 - 22), [4, 4]);
        assert_eq!(count(transforms, NAMES / 4 - 28 - 21), [3, 3, 2]);
    }

    #[test]
    fn no_request_is_too_long() {
        let long: Vec<_> = (0..500).map(|n| format!("{n:0>260}")).collect();
        let names: Vec<_> = long.iter().map(|name| ("t", name.as_str())).collect();
        let polls = polls(&names);
        assert!(polls.len() <= 25, "{}", polls.len());
        let members = polls.iter().flat_map(|(members, _)| members.clone());
        let mut members: Vec<_> = members.collect();
        members.sort_unstable();
        assert_eq!(members, (0..500).collect::<Vec<_>>());
        for (_, filter) in polls {
            let mut url = Url::parse("https://app.mk.io/").unwrap();
            add_filter(&mut url, &filter, 500);
            assert!(url.as_str().len() < 6500, "{}", url.as_str().len());
        }
    }
}
