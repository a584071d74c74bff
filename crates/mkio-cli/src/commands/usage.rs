//! `mkio usage`: the usage of an organization.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::call;
use crate::{
    failure::Result,
    fields, options,
    session::{Arguments, Session},
};

pub fn command() -> Command {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("usage")
        .about("Shows what the organization has used, by meter")
        .after_help(
            "Example: mkio usage --from 2026-10-01 --to 2026-11-01 --by day -o csv > october.csv",
        )
        .arg(
            text("from", "DATE", "First day, as 2026-10-01")
                .required(true)
                .value_parser(day),
        )
        .arg(text("to", "DATE", "End, as 2026-11-01; today by default").value_parser(day))
        .arg(
            text("by", "UNIT", "Length of a line")
                .value_parser(["hour", "day", "week", "month", "year"]),
        )
        .arg(text("meter", "NAME", "Only this meter; may be repeated").action(ArgAction::Append))
        .arg(text("of", "PROJECT", "Only this project; may be repeated").action(ArgAction::Append))
}

/// A day such as `2026-10-01`.
fn day(text: &str) -> Result<String, String> {
    let day = text.parse::<mkio::chrono::NaiveDate>();
    let day = day.map(|_| text.to_owned());
    day.map_err(|_| "it takes a day such as 2026-10-01".to_owned())
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let text = |name: &str| options::text(matches, name);
    let many = |name: &str| -> Vec<String> {
        let values = matches.get_many::<String>(name).into_iter().flatten();
        values.cloned().collect()
    };
    let today = || mkio::chrono::Utc::now().format("%Y-%m-%d").to_string();
    let mut body = json!({"startDate": text("from"), "endDate": text("to").unwrap_or_else(today)});
    if let Some(unit) = text("by") {
        body["granularity"] = json!(unit);
    }
    for (name, values) in [("meterNames", many("meter")), ("projectNames", many("of"))] {
        if !values.is_empty() {
            body[name] = json!(values);
        }
    }
    let entry = call::find("create_usage_report")?;
    if let Some(item) = entry.item {
        fields::refuse(session, entry, item)?;
    }
    let arguments = Arguments::from_iter([("body".to_owned(), body)]);
    let client = session.client()?;
    let response = entry.call(client.transport(), &arguments).await?;
    let mut list = session.output.list(&[]);
    let all = response.json();
    let rows = all.get("value").and_then(Value::as_array);
    if rows.is_none_or(Vec::is_empty) && session.output.is_for_people() {
        session.tell("nothing was used in this time");
    }
    for row in rows.into_iter().flatten() {
        list.item(row.clone())?;
    }
    list.end()
}
