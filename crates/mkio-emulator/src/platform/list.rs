//! List requests: filter, labels, order, page, envelope.

use serde_json::{Map, Value, json};

use crate::{
    base::{
        error::ApiError,
        kind::Kind,
        merge,
        settings::{NextLink, PageLimits},
        store::{Address, Place, Resource, Table},
    },
    platform::{
        call::{Call, Payload, Response},
        candidate::{Candidate, Kept, Ready},
        render,
        rules::{Platform, Rules, Shape},
    },
    query::{Dialect, Filter, Labels, OrderBy, PageRequest, SortKey},
};

/// GET of a family's collection.
pub fn list(world: &Platform, call: &Call<'_>, rules: &Rules) -> Result<Response, ApiError> {
    let place = call.place(rules.kind);
    if let Some(parent) = Call::parent(&place) {
        world.find(&parent)?;
    }
    let tables: Vec<(&Place, &Table)> = world
        .table(&place)
        .map(|table| (&place, table))
        .into_iter()
        .collect();
    tables_page(world, call, rules.label, &tables)
}

/// A page out of one or several tables.
pub fn tables_page<'a>(
    world: &'a Platform,
    call: &Call<'_>,
    label: &str,
    tables: &[(&'a Place, &'a Table)],
) -> Result<Response, ApiError> {
    let request = Request::parse(world.settings.pages, call)?;
    let total = tables.iter().map(|(_, table)| table.len()).sum();
    if let ([(place, table)], true) = (tables, request.is_plain()) {
        return Ok(plain(world, call, label, &request, place, table));
    }
    // Skipped before they are rendered, which takes the time.
    let after = request.after();
    let ahead = |table: &'a Table| {
        let start = after.map_or(0, |sequence| table.offset_after(sequence));
        table.slice(start, usize::MAX)
    };
    if let [(place, table)] = *tables
        && let Some(name) = request.name(world.rules(place.kind))
    {
        let item = table.get(name).into_iter();
        let candidates = item.map(|item| Kept::new(world, place, item));
        return Ok(selected(world, call, label, &request, candidates, total));
    }
    if let [(place, table)] = *tables {
        let candidates = ahead(table).map(|item| Kept::new(world, place, item));
        return Ok(selected(world, call, label, &request, candidates, total));
    }
    let mut items: Vec<(&Place, &Resource)> = tables
        .iter()
        .flat_map(|(place, table)| ahead(table).map(|item| (*place, item)))
        .collect();
    items.sort_unstable_by_key(|(_, item)| item.sequence);
    let candidates = items
        .into_iter()
        .map(|(place, item)| Kept::new(world, place, item));
    Ok(selected(world, call, label, &request, candidates, total))
}

/// A page of values in the form of responses.
pub fn values_page(
    world: &Platform,
    call: &Call<'_>,
    label: &str,
    values: Vec<Value>,
) -> Result<Response, ApiError> {
    let unindexed = values.into_iter().map(|value| (value, Map::new()));
    indexed_page(world, call, label, unindexed.collect())
}

/// A page of values in the form of responses, each with the other values that it can be found by.
pub fn indexed_page(
    world: &Platform,
    call: &Call<'_>,
    label: &str,
    values: Vec<(Value, Map<String, Value>)>,
) -> Result<Response, ApiError> {
    let request = Request::parse(world.settings.pages, call)?;
    let total = values.len();
    let numbered = values
        .into_iter()
        .enumerate()
        .map(|(at, (value, hidden))| ready(value, hidden, at));
    Ok(selected(world, call, label, &request, numbered, total))
}

/// Values in the order and selection asked for, without the envelope: `value`, and `kind` where the list has one.
pub fn bare_page(
    world: &Platform,
    call: &Call<'_>,
    kind: Option<&str>,
    values: Vec<Value>,
) -> Result<Response, ApiError> {
    let page = values_page(world, call, "", values)?;
    let Payload::Json(body) = page.payload else {
        return Ok(page);
    };
    let mut out = json!({ "value": body.get("value") });
    if let Some(kind) = kind {
        merge::put(&mut out, "/kind", json!(kind));
    }
    Ok(Response::ok(out))
}

/// A page as a device answers it: `total` counts the matches, the link is relative and escapes every `$`, any field may be named.
pub fn device_page(
    call: &Call<'_>,
    limits: PageLimits,
    label: &str,
    values: Vec<Value>,
) -> Result<Response, ApiError> {
    let request = Request::parse(limits, call)?;
    let numbered = values
        .into_iter()
        .enumerate()
        .map(|(at, value)| ready(value, Map::new(), at));
    let selection = select(&request, numbered, None);
    let (start, records) = (selection.start, selection.items.len());
    let end = start.saturating_add(records);
    let mut body = json!({ "value": selection.items, "supplemental": {
        "kind": label, "count": records, "operation": "list",
        "pagination": { "start": start, "end": end, "records": records, "total": selection.found },
    } });
    if selection.more && records > 0 {
        let query = request
            .page
            .next_query(&call.query, end, None)
            .replace('$', "%24");
        merge::put(
            &mut body,
            "/@odata.nextLink",
            json!(format!("{}?{query}", call.path)),
        );
    }
    Ok(Response::ok(body))
}

fn ready(value: Value, hidden: Map<String, Value>, at: usize) -> Ready {
    Ready {
        value,
        hidden,
        sequence: at as u64,
    }
}

struct Request {
    filter: Option<Filter>,
    order: OrderBy,
    labels: Labels,
    page: PageRequest,
}

impl Request {
    fn parse(limits: PageLimits, call: &Call<'_>) -> Result<Self, ApiError> {
        let query = &call.query;
        let operation = call.operation;
        let among = |fields: &[String], field: &str| {
            fields.is_empty()
                || fields.iter().any(|known| {
                    known == field
                        || field
                            .strip_prefix(known.as_str())
                            .is_some_and(|rest| known == "labels" && rest.starts_with('/'))
                })
        };
        let filter = match query.one("$filter")? {
            None => None,
            Some(source) => {
                let dialect = if operation.api.is_device() {
                    Dialect::Device
                } else {
                    Dialect::Cloud
                };
                let parsed = Filter::parse(source, dialect, &|field| {
                    among(&operation.filterable, field)
                });
                Some(parsed.map_err(|error| {
                    let mut refused =
                        ApiError::bad_request(format!("$filter does not parse {error}"));
                    refused.extra.insert("position".to_owned(), json!(error.at));
                    refused
                })?)
            }
        };
        let order = match query.one("$orderby")? {
            None => OrderBy::default(),
            Some(source) => OrderBy::parse(source, &|field| among(&operation.sortable, field))?,
        };
        let labels = if operation.takes("$label") {
            Labels::parse(query)?
        } else {
            Labels::default()
        };
        Ok(Self {
            filter,
            order,
            labels,
            page: PageRequest::parse(query, limits)?,
        })
    }

    /// In order of creation, the item after which a page that a link leads to begins: what comes before need not be looked at.
    fn after(&self) -> Option<u64> {
        let cursor = self.page.cursor.as_ref()?;
        self.order.is_default().then_some(cursor.0.sequence)
    }

    /// In order of creation, how many matches decide about a page and whether another follows.
    fn enough(&self) -> Option<usize> {
        let before = match self.page.cursor {
            Some(_) => 0,
            None => self.page.start,
        };
        let needed = before.saturating_add(self.page.size).saturating_add(1);
        self.order.is_default().then_some(needed)
    }

    /// The name that a filter asks for, where resources are kept and shown by the same name and no other passes.
    fn name(&self, rules: &Rules) -> Option<&str> {
        let named = matches!(rules.shape, Shape::Arm { .. } | Shape::Spec { name: true });
        let filter = self
            .filter
            .as_ref()
            .filter(|_| named && rules.unfiltered.is_empty())?;
        filter.name()
    }

    fn is_plain(&self) -> bool {
        self.filter.is_none() && self.order.is_default() && self.labels.is_empty()
    }
}

/// A page in order of creation: only its own items are touched, however far down it is.
fn plain(
    world: &Platform,
    call: &Call<'_>,
    label: &str,
    request: &Request,
    place: &Place,
    table: &Table,
) -> Response {
    let start = match &request.page.cursor {
        Some(cursor) => table.offset_after(cursor.0.sequence),
        None => request.page.start,
    };
    let mut last = None;
    let items: Vec<Value> = table
        .slice(start, request.page.size)
        .map(|item| {
            last = Some(SortKey {
                values: Vec::new(),
                sequence: item.sequence,
            });
            let address = Address {
                place: place.clone(),
                name: item.name.to_string(),
            };
            render::resource(world, &address, item)
        })
        .collect();
    let more = start.saturating_add(items.len()) < table.len();
    envelope(
        world,
        call,
        label,
        request,
        items,
        Totals {
            total: table.len(),
            more,
            last,
        },
    )
}

fn selected(
    world: &Platform,
    call: &Call<'_>,
    label: &str,
    request: &Request,
    items: impl Iterator<Item = impl Candidate>,
    total: usize,
) -> Response {
    let selection = select(request, items, request.enough());
    envelope(
        world,
        call,
        label,
        request,
        selection.items,
        Totals {
            total,
            more: selection.more,
            last: selection.last,
        },
    )
}

struct Selection {
    items: Vec<Value>,
    start: usize,
    found: usize,
    more: bool,
    last: Option<SortKey>,
}

/// Chooses a page: of everything that matches, only the keys are kept, and only the page's own items are answered.
fn select<C: Candidate>(
    request: &Request,
    items: impl Iterator<Item = C>,
    enough: Option<usize>,
) -> Selection {
    let after = request.after();
    let mut kept: Vec<(SortKey, C)> = Vec::new();
    for mut item in items {
        if after.is_some_and(|after| item.sequence() <= after) {
            continue;
        }
        if enough.is_some_and(|enough| kept.len() >= enough) {
            break;
        }
        let filter = request.filter.as_ref();
        if (request.labels.is_empty() || request.labels.accept(item.document()))
            && filter.is_none_or(|filter| filter.accepts(&item) || item.is_unfiltered())
        {
            let key = request.order.key(&item, item.sequence());
            if enough.is_none() {
                item.shrink();
            }
            kept.push((key, item));
        }
    }
    let order =
        |left: &(SortKey, C), right: &(SortKey, C)| request.order.compare(&left.0, &right.0);
    let found = kept.len();
    let start = match &request.page.cursor {
        Some(cursor) => {
            kept.retain(|(key, _)| request.order.compare(key, &cursor.0).is_gt());
            found - kept.len()
        }
        None => request.page.start.min(found),
    };
    let skipped = start - (found - kept.len());
    // The order after the page does not matter.
    let end = skipped.saturating_add(request.page.size);
    if end < kept.len() {
        kept.select_nth_unstable_by(end, order);
        kept.truncate(end);
    }
    kept.sort_unstable_by(order);
    let mut last = None;
    let items: Vec<Value> = kept
        .into_iter()
        .skip(skipped)
        .map(|(key, item)| {
            last = Some(key);
            item.shown()
        })
        .collect();
    let more = start + items.len() < found;
    Selection {
        items,
        start,
        found,
        more,
        last,
    }
}

struct Totals {
    total: usize,
    more: bool,
    last: Option<SortKey>,
}

fn envelope(
    world: &Platform,
    call: &Call<'_>,
    label: &str,
    request: &Request,
    items: Vec<Value>,
    totals: Totals,
) -> Response {
    let records = items.len();
    let start = request.page.start;
    let end = start.saturating_add(records);
    let full = records > 0 && records == request.page.size;
    let mut supplemental = json!({
        "kind": label, "count": records, "operation": "list",
        "pagination": { "start": start, "end": end, "records": records, "total": totals.total },
    });
    if let (true, Some(project), Some(fields)) = (
        call.operation.in_project(),
        project_info(world, call.project()),
        supplemental.as_object_mut(),
    ) {
        fields.insert("subscription".to_owned(), project);
    }
    // `json!` would copy the items.
    let mut body = Value::Object(Map::from_iter([
        ("value".to_owned(), Value::Array(items)),
        ("supplemental".to_owned(), supplemental),
    ]));
    if full && (totals.more || world.settings.link_when_full) {
        let query = request.page.next_query(&call.query, end, totals.last);
        let relative = format!("{}?{query}", call.path);
        let link = match world.settings.next_link {
            NextLink::Absolute => format!("{}{relative}", call.origin),
            NextLink::Relative => relative,
        };
        merge::put(&mut body, "/@odata.nextLink", json!(link));
    }
    Response::ok(body)
}

fn project_info(world: &Platform, name: &str) -> Option<Value> {
    let address = Address::new("", Kind::PROJECT, name);
    let project = world.get(&address)?;
    Some(json!({ "id": project.id, "name": name }))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::query::{Cursor, Fields};

    /// Counts how often it is rendered.
    struct Counted<'a> {
        at: u64,
        rendered: &'a Cell<usize>,
        none: Value,
    }

    impl Fields for Counted<'_> {
        fn values(&self, _: &str) -> Vec<Value> {
            // Scattered, so that the order asked for is not that of creation.
            vec![json!(self.at * 37 % 101)]
        }
    }

    impl Candidate for Counted<'_> {
        fn sequence(&self) -> u64 {
            self.at
        }

        fn document(&self) -> &Value {
            self.rendered.set(self.rendered.get() + 1);
            &self.none
        }

        fn shrink(&mut self) {}

        fn shown(self) -> Value {
            self.document();
            json!(self.at * 37 % 101)
        }
    }

    #[test]
    fn an_ordered_page_renders_its_own_items_alone() -> Result<(), ApiError> {
        let page = |start, cursor| {
            let request = Request {
                filter: None,
                order: OrderBy::parse("name desc", &|_| true)?,
                labels: Labels::default(),
                page: PageRequest {
                    size: 10,
                    start,
                    cursor,
                },
            };
            let rendered = Cell::new(0);
            let items = (0..101).map(|at| Counted {
                at,
                rendered: &rendered,
                none: Value::Null,
            });
            let selection = select(&request, items, request.enough());
            assert_eq!(rendered.get(), selection.items.len());
            Ok::<_, ApiError>(selection)
        };
        let numbers =
            |range: std::ops::Range<u64>| -> Vec<Value> { range.rev().map(Value::from).collect() };
        let first = page(0, None)?;
        assert_eq!((first.items, first.more), (numbers(91..101), true));
        let second = page(10, first.last.map(Cursor))?;
        assert_eq!(second.items, numbers(81..91));
        assert_eq!((second.start, second.found), (10, 101));
        let by_offset = page(10, None)?;
        assert_eq!((by_offset.items, by_offset.start), (numbers(81..91), 10));
        let last = page(95, None)?;
        assert_eq!((last.items, last.more), (numbers(0..6), false));
        assert_eq!(page(500, None)?.items, numbers(0..0));
        Ok(())
    }
}
