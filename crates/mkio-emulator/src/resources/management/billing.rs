//! Payment methods, rate cards, usage.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    base::{error::ApiError, format, kind::Kind, merge, read::Read, store::Address, world::Usage},
    platform::{
        call::{Call, Response},
        identity, list, render,
        rules::{Entry, Platform, Rules, Shape},
        start::Meter,
    },
};

impl Kind {
    /// Payment methods.
    pub const PAYMENT_METHOD: Self = Self::new("paymentMethod", "payment method");
}

/// Payment methods, rate cards, usage.
pub static ENTRY: Entry = Entry {
    kinds: &[&PAYMENT_METHODS],
    routes: &[
        ("GET /api/v1/organization/paymentMethods", payments),
        ("GET /api/v1/organization/paymentMethods/{}", payment),
        ("PATCH /api/v1/organization/paymentMethods/{}", rename),
        (
            "POST /api/v1/organization/paymentMethods/{}/acceptTermsAndConditions",
            accept_terms,
        ),
        (
            "GET /api/v1/organization/paymentMethods/{}/rateCard",
            rate_card,
        ),
        ("POST /api/v1/organization/reports/usage", report),
        ("GET ~/usage", project_usage),
    ],
    ..Entry::NONE
};

/// Payment methods.
pub static PAYMENT_METHODS: Rules = Rules::new(Kind::PAYMENT_METHOD, "PaymentMethod", Shape::Bare);

/// A payment method as responses show it.
pub fn shown(world: &Platform, id: &str) -> Result<Value, ApiError> {
    let payment = world.find(&Address::new("", Kind::PAYMENT_METHOD, id))?;
    let mut out = payment.body.clone();
    let projects: Vec<String> = world
        .all("", Kind::PROJECT)
        .filter(|(_, project)| {
            project
                .text("/paymentMethodId")
                .is_some_and(|used| used.eq_ignore_ascii_case(id))
        })
        .map(|(_, project)| project.name.to_string())
        .collect();
    merge::put(&mut out, "/related", json!({ "projects": projects }));
    let (created, by) = (format::time(payment.created), payment.created_by);
    merge::put(&mut out, "/metadata/created", json!(created));
    let email = render::email(world, by);
    merge::put(&mut out, "/metadata/createdByEmail", json!(email));
    Ok(out)
}

fn id_of(call: &Call<'_>) -> String {
    call.parameter("paymentmethod_id").to_ascii_lowercase()
}

fn address(call: &Call<'_>) -> Address {
    Address::new("", Kind::PAYMENT_METHOD, &id_of(call))
}

/// GET `…/paymentMethods`.
pub fn payments(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let names: Vec<String> = world
        .all("", Kind::PAYMENT_METHOD)
        .map(|(_, payment)| payment.name.to_string())
        .collect();
    let values = names
        .iter()
        .map(|id| {
            let address = Address::new("", Kind::PAYMENT_METHOD, id);
            let index = render::index(world, &address, world.find(&address)?);
            Ok((shown(world, id)?, index))
        })
        .collect::<Result<Vec<_>, ApiError>>()?;
    list::indexed_page(world, call, "PaymentMethod", values)
}

/// GET `…/paymentMethods/{paymentmethod_id}`.
pub fn payment(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    Ok(Response::ok(shown(world, &id_of(call))?))
}

/// PATCH `…/paymentMethods/{paymentmethod_id}`: a JSON Patch that can replace the display name alone.
pub fn rename(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let payment = world.find_mut(&address(call))?;
    let mut name = None;
    for (at, entry) in call.body.as_array().into_iter().flatten().enumerate() {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let refuse =
            |reason: &str| ApiError::invalid("patch", vec![(format!("/{at}"), reason.to_owned())]);
        if text("op") != "replace" || text("path") != "/metadata/displayName" {
            return Err(refuse(
                "only 'replace' of '/metadata/displayName' is supported",
            ));
        }
        let value = entry
            .text("/value")
            .ok_or_else(|| refuse("its value is not a string"))?;
        if value.chars().count() > 256 {
            return Err(refuse("a display name has at most 256 characters"));
        }
        name = Some(value.to_owned());
    }
    if let Some(name) = name {
        merge::put(&mut payment.body, "/metadata/displayName", json!(name));
    }
    self::payment(world, call)
}

/// POST `…/acceptTermsAndConditions`.
pub fn accept_terms(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let payment = world.find_mut(&address(call))?;
    merge::put(
        &mut payment.body,
        "/status/termsAndConditionsAccepted",
        json!(true),
    );
    Ok(Response::empty(StatusCode::OK))
}

/// GET `…/rateCard`.
pub fn rate_card(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let payment = world.find(&address(call))?;
    let entries: Vec<Value> = world
        .start
        .meters
        .iter()
        .map(
            |Meter {
                 name,
                 unit,
                 solution,
                 family,
                 price,
                 ..
             }| {
                json!({ "solution": solution, "family": family, "prices": [{
                "name": name, "displayName": name, "price": price, "sku": null, "unit": unit,
                "locationPrices": [{ "locationGroup": "all", "price": price, "sku": null }],
            }] })
            },
        )
        .collect();
    Ok(Response::ok(json!({
        "kind": "RateCard",
        "metadata": {
            "isPrivateOffer": false, "paymentMethodId": payment.id, "productPublicationId": payment.id,
            "productPublicationName": payment.text("/spec/productPublicationName").unwrap_or_default(),
        },
        "spec": { "currency": "USD", "rateCard": entries },
    })))
}

/// The usage of a project since the month began: meters that counted something, and their quantities.
pub fn month<'a>(world: &'a Platform, project: &str) -> Vec<(&'a Meter, f64)> {
    let start = month_start(world);
    let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
    for (usage, quantity) in world
        .usage
        .iter()
        .filter(|(usage, _)| usage.project == project && usage.hour.date_naive() >= start)
    {
        *totals.entry(usage.meter.as_str()).or_default() += quantity;
    }
    let meters = world.start.meters.iter();
    meters
        .filter_map(|meter| Some((meter, *totals.get(meter.name.as_str())?)))
        .collect()
}

fn month_start(world: &Platform) -> NaiveDate {
    world.now.date_naive().with_day(1).unwrap_or_default()
}

/// GET `~/usage`: month to date.
pub fn project_usage(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let start = month_start(world);
    let values: Vec<Value> = month(world, call.project())
        .into_iter()
        .map(|(Meter { name, unit, solution, family, .. }, quantity)| {
            json!({ "meterName": name, "quantity": quantity, "unit": unit, "solution": solution, "family": family })
        })
        .collect();
    Ok(Response::ok(json!({
        "supplemental": { "project": call.project(), "records": values.len(), "start": start.to_string(), "end": world.now.date_naive().to_string() },
        "value": values,
    })))
}

fn date(call: &Call<'_>, name: &str) -> NaiveDate {
    let text = call
        .body
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default();
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap_or_default()
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc()
}

/// The start of the period that an hour belongs to.
fn period(hour: DateTime<Utc>, granularity: &str) -> DateTime<Utc> {
    let day = hour.date_naive();
    match granularity {
        "hour" => hour,
        "week" => midnight(day - TimeDelta::days(i64::from(day.weekday().num_days_from_monday()))),
        "month" => midnight(day.with_day(1).unwrap_or(day)),
        "year" => midnight(day.with_ordinal(1).unwrap_or(day)),
        _ => midnight(day),
    }
}

/// The request for a usage report.
struct Wanted {
    start: NaiveDate,
    end: NaiveDate,
    granularity: String,
    projects: Vec<String>,
    payments: Vec<String>,
    meters: Vec<String>,
    group_by: Vec<String>,
}

impl Wanted {
    fn read(call: &Call<'_>) -> Result<Self, ApiError> {
        let names = |name: &str| -> Vec<String> {
            let names = call.body.get(name).and_then(Value::as_array);
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            names.map(str::to_owned).collect()
        };
        let wanted = Self {
            start: date(call, "startDate"),
            end: date(call, "endDate"),
            granularity: text(call, "granularity", "day"),
            projects: names("projectNames"),
            payments: names("paymentMethodIds"),
            meters: names("meterNames"),
            group_by: names("groupBy"),
        };
        match wanted.problem() {
            Some((field, reason)) => Err(ApiError::field(&format!("/{field}"), reason)),
            None => Ok(wanted),
        }
    }

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.end <= self.start {
            return Some(("endDate", "is not after startDate; it is exclusive"));
        }
        let longest = match self.granularity.as_str() {
            "hour" => Some(31),
            "day" => Some(366),
            _ => None,
        };
        if longest.is_some_and(|days| (self.end - self.start).num_days() > days) {
            return Some((
                "endDate",
                "is further from startDate than this granularity allows (hour: 31 days, day: 1 year)",
            ));
        }
        let both = !self.projects.is_empty() && !self.payments.is_empty();
        both.then_some(("projectNames", "cannot be combined with paymentMethodIds"))
    }

    /// The report counts this use.
    fn counts(&self, world: &Platform, call: &Call<'_>, usage: &Usage) -> bool {
        let paid = payment_of(world, &usage.project);
        let owner = world
            .get(&Address::new("", Kind::PROJECT, &usage.project))
            .and_then(identity::owner);
        owner == Some(call.organization)
            && usage.hour >= midnight(self.start)
            && usage.hour < midnight(self.end)
            && (self.projects.is_empty() || self.projects.contains(&usage.project))
            && (self.meters.is_empty() || self.meters.contains(&usage.meter))
            && (self.payments.is_empty()
                || self
                    .payments
                    .iter()
                    .any(|id| id.eq_ignore_ascii_case(&paid)))
    }

    /// Rows of the report, by period, project and meter.
    fn rows(&self, world: &Platform, call: &Call<'_>) -> Vec<Value> {
        let grouped = self.group_by.iter().any(|by| by == "meter");
        let mut sums: BTreeMap<(DateTime<Utc>, String, String), f64> = BTreeMap::new();
        for (usage, quantity) in &world.usage {
            if !self.counts(world, call, usage) {
                continue;
            }
            let project = if grouped {
                String::new()
            } else {
                usage.project.clone()
            };
            let period = period(usage.hour, &self.granularity);
            *sums
                .entry((period, project, usage.meter.clone()))
                .or_default() += quantity;
        }
        sums.iter()
            .filter_map(|((date, project, meter), quantity)| {
                row(world, *date, project, meter, *quantity)
            })
            .collect()
    }
}

fn text(call: &Call<'_>, name: &str, preset: &str) -> String {
    let text = call.body.get(name).and_then(Value::as_str);
    text.unwrap_or(preset).to_owned()
}

/// POST `…/reports/usage`.
pub fn report(world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
    let wanted = Wanted::read(call)?;
    let rows = wanted.rows(world, call);
    let download = call.body.get("download").and_then(Value::as_bool);
    let download = download.unwrap_or(false);
    let format = if text(call, "format", "json") == "csv" {
        "csv"
    } else {
        "json"
    };
    let (start, end) = (wanted.start, wanted.end);
    let mut response = if format == "csv" {
        Response::bytes("text/csv", csv(&rows))
    } else {
        Response::ok(json!({
            "supplemental": {
                "start": start.to_string(), "end": end.to_string(), "records": rows.len(),
                "granularity": wanted.granularity, "format": "json", "download": download,
                "groupBy": wanted.group_by,
                "filters": {
                    "projectNames": wanted.projects,
                    "paymentMethodIds": wanted.payments,
                    "meterNames": wanted.meters,
                },
            },
            "value": rows,
        }))
    };
    if download {
        let disposition = format!("attachment; filename=\"usage-{start}-{end}.{format}\"");
        let header = "content-disposition".to_owned();
        response.headers.insert(header, json!(disposition));
    }
    Ok(response)
}

fn payment_of(world: &Platform, project: &str) -> String {
    let project = world.get(&Address::new("", Kind::PROJECT, project));
    project
        .and_then(|project| project.text("/paymentMethodId"))
        .unwrap_or_default()
        .to_ascii_lowercase()
}

fn row(
    world: &Platform,
    date: DateTime<Utc>,
    project: &str,
    meter: &str,
    quantity: f64,
) -> Option<Value> {
    let mut meters = world.start.meters.iter();
    let Meter {
        name,
        unit,
        solution,
        family,
        price,
        ..
    } = meters.find(|known| known.name == meter)?;
    let mut out = json!({
        "date": format::time(date), "dateProcessed": format::time(date), "meterName": name, "quantity": quantity, "unit": unit,
        "solution": solution, "family": family, "price": price, "cost": format!("{:.4}", price * quantity), "currency": "USD",
    });
    if !project.is_empty() {
        merge::put(&mut out, "/project", json!(project));
        let id = payment_of(world, project);
        if uuid::Uuid::try_parse(&id).is_ok() {
            merge::put(&mut out, "/paymentMethod", json!(id));
        }
    }
    Some(out)
}

fn csv(rows: &[Value]) -> String {
    const COLUMNS: [&str; 10] = [
        "date",
        "dateProcessed",
        "project",
        "meterName",
        "quantity",
        "unit",
        "price",
        "cost",
        "currency",
        "family",
    ];
    let mut out = COLUMNS.join(",");
    for row in rows {
        let cells: Vec<String> = COLUMNS
            .iter()
            .map(|column| match row.get(*column) {
                Some(Value::String(text)) if text.contains([',', '"', '\n']) => {
                    format!("\"{}\"", text.replace('"', "\"\""))
                }
                Some(Value::String(text)) => text.clone(),
                Some(Value::Null) | None => String::new(),
                Some(other) => other.to_string(),
            })
            .collect();
        out.push_str("\r\n");
        out.push_str(&cells.join(","));
    }
    out.push_str("\r\n");
    out
}
