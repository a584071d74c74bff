//! The usage of the last month: a table, the same as CSV, and the sum of each meter.

use std::collections::BTreeMap;

use anyhow::Result;
use mkio::{chrono::{Days, Utc}, management::types::*, media::types::*};

use crate::place::Place;

/// Runs the example.
pub async fn run(place: &Place) -> Result<()> {
    if place.emulator.is_some() {
        something_to_pay_for(place).await?;
    }
    let management = place.client.management();
    let now = place.emulator.as_ref().map_or_else(Utc::now, |emulator| emulator.control().now());
    // The first day counts, the last one does not. Days are UTC.
    let day = |days: u64, back: bool| {
        let day = if back { now - Days::new(days) } else { now + Days::new(days) };
        day.format("%Y-%m-%d").to_string()
    };
    let query = UsageReportQuery::new()
        .start_date(day(30, true))
        .end_date(day(1, false))
        .with_granularity(UsageReportGranularity::Day)
        .with_project_names([place.project.name()]);
    let report = management.create_usage_report(query.clone()).send().await?;
    place.say(format!("{:<28} {:>12}  unit", "meter", "quantity"));
    let mut sums: BTreeMap<(String, String), f64> = BTreeMap::new();
    for row in report.value() {
        let meter = row.meter_name().unwrap_or("?").to_owned();
        let unit = row.unit().unwrap_or("").to_owned();
        *sums.entry((meter, unit)).or_default() += row.quantity().unwrap_or_default();
    }
    for ((meter, unit), quantity) in sums {
        place.say(format!("{meter:<28} {quantity:>12.3}  {unit}"));
    }
    let query = query.with_format(UsageReportFormat::Csv);
    let csv = management.create_usage_report_csv(query).send().await?;
    let csv = csv.into_inner().bytes().await?;
    for line in String::from_utf8_lossy(&csv).lines() {
        place.say(line);
    }
    Ok(())
}

async fn something_to_pay_for(place: &Place) -> Result<()> {
    let (media, name) = (place.project.media(), place.name("shots"));
    let (film, file) = place.video().await?;
    place.undo(&name, media.delete_transform(&name).send());
    let picture = ThumbnailGeneratorConfiguration::new(ThumbnailFormat::Png);
    let output = TransformOutput::new(ThumbnailGeneratorPreset::new([picture]));
    let outputs = TransformPutProperties::new([output]);
    media.create_or_update_transform(&name, outputs).send().await?;
    place.undo_job(&name, "job");
    let source = JobInputAsset::new(&film).with_files([file]);
    let job = JobPutProperties::new(source, [JobOutputAsset::new(&film)]);
    place.wait(media.run_job(&name, "job", job)).await?;
    Ok(())
}
