//! Typed filters and orders, as lists send them.

use std::time::SystemTime;

use mkio_core::{
    ErrorKind, Timestamp, UrlText,
    chrono::NaiveDate,
    glue::RequestBuilder,
    page::query::{Field, Filter, Flag, Number, OrderBy, Text, Time},
};

use crate::support::*;

enum Assets {}
const NAME: Field<Assets, Text> = Field::new("name");
const CREATED: Field<Assets, Time> = Field::new("properties/created");
const SIZE: Field<Assets, Number> = Field::new("size");
const ON: Field<Assets, Flag> = Field::new("on");

/// The filter in the request of a list.
fn sent(filter: &Filter<Assets>) -> mkio_core::Result<String> {
    let transport = transport(&Script::new([]));
    let mut request = RequestBuilder::new(&transport, &GET, &["acme", "intro"]);
    request.filter("$filter", filter);
    let request = request.build()?;
    let (name, value) = request.url().query_pairs().next().unwrap();
    assert_eq!(name, "$filter");
    Ok(value.into_owned())
}

#[test]
fn a_filter_is_sent_as_it_is_shown() {
    let time = Timestamp::from("2026-03-01T00:00:00Z");
    let soon = "soon".to_owned();
    for (filter, text) in [
        (NAME.eq("soon"), "name eq 'soon'"),
        (NAME.eq(&soon), "name eq 'soon'"),
        (
            NAME.eq(UrlText::from("rtmp://h/it's")),
            "name eq 'rtmp://h/it''s'",
        ),
        (SIZE.gt(5), "size gt 5"),
        (ON.eq(true), "on eq true"),
        (
            CREATED.ge(&time),
            "properties/created ge 2026-03-01T00:00:00Z",
        ),
        (
            CREATED.ge(time),
            "properties/created ge 2026-03-01T00:00:00Z",
        ),
        (
            CREATED.lt("2026-03-01"),
            "properties/created lt 2026-03-01T00:00:00Z",
        ),
        (
            CREATED.lt("2026-03-01T02:00:00+02:00".to_owned()),
            "properties/created lt 2026-03-01T00:00:00Z",
        ),
        (
            CREATED.gt(SystemTime::UNIX_EPOCH),
            "properties/created gt 1970-01-01T00:00:00Z",
        ),
        (
            CREATED.le(NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()),
            "properties/created le 2026-03-01T00:00:00Z",
        ),
    ] {
        assert_eq!(sent(&filter).unwrap(), text);
        assert_eq!(
            format!("{filter} {filter:?}"),
            format!("{text} Filter({text:?})")
        );
    }
}

#[test]
fn a_filter_with_a_text_that_is_no_time_is_refused() {
    let soon = Timestamp::from("soon");
    for filter in [
        CREATED.eq("soon"),
        CREATED.eq("soon".to_owned()),
        CREATED.eq(&soon),
        CREATED.eq(soon),
        CREATED.one_of(["2026-03-01", "soon"]),
        NAME.eq("a").and(CREATED.lt("soon")),
        CREATED.lt("soon").or("name eq 'a'"),
    ] {
        let error = sent(&filter).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let why = "`properties/created`: `soon` is not a time";
        assert!(error.message().contains(why), "{error}");
        assert_eq!(error.operation_id(), Some("GET"));
    }
}

#[test]
fn filters_are_equal_when_they_say_the_same() {
    assert!(NAME.eq("a") == Filter::from("name eq 'a'"));
    assert!(NAME.eq("a") != NAME.eq("b"));
}

#[test]
fn an_order_is_shown_as_it_is_sent() {
    let order = OrderBy::from([CREATED.desc(), NAME.asc()]);
    let text = "properties/created desc,name asc";
    assert_eq!((order.as_str(), order.to_string().as_str()), (text, text));
    assert_eq!(
        format!("{order:?} {:?} {NAME:?}", NAME.asc()),
        format!("OrderBy({text:?}) Sort(\"name asc\") Field(\"name\")")
    );
}
