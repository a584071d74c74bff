//! Account and asset filters.

use serde_json::Value;

use crate::{
    base::{error::ApiError, kind::Kind},
    platform::rules::{Entry, Rules, Shape},
};

impl Kind {
    /// Filters of a project.
    pub const ACCOUNT_FILTER: Self = Self::new("accountFilter", "account filter");
    /// Filters of an asset.
    pub const ASSET_FILTER: Self = Self::under("assetFilter", "asset filter", &Self::ASSET);
}

/// Account and asset filters.
pub static ENTRY: Entry = Entry {
    kinds: &[&ACCOUNT, &ASSET],
    ..Entry::NONE
};

/// Filters of a project.
pub static ACCOUNT: Rules = Rules {
    collection: "~/media/accountFilters",
    check: |_, _, body, _| check(body),
    ..Rules::new(
        Kind::ACCOUNT_FILTER,
        "AccountFilter",
        Shape::Arm {
            collection: "accountFilters",
            envelope: true,
            times: false,
        },
    )
};

/// Filters of an asset.
pub static ASSET: Rules = Rules {
    collection: "~/media/assets/{}/assetFilters",
    check: |_, _, body, _| check(body),
    ..Rules::new(
        Kind::ASSET_FILTER,
        "AssetFilter",
        Shape::Arm {
            collection: "assets/assetFilters",
            envelope: true,
            times: false,
        },
    )
};

/// Ticks per second where a filter names none.
pub const TIMESCALE: u64 = 10_000_000;

/// Checks limits that the document gives in prose, in seconds.
fn check(body: &Value) -> Result<(), ApiError> {
    let at = "/properties/presentationTimeRange";
    let Some(range) = body.pointer(at) else {
        return Ok(());
    };
    let ticks = |name: &str| {
        let value = range.get(name)?;
        let signed = value.as_i64().map(i128::from);
        signed.or_else(|| value.as_u64().map(i128::from))
    };
    let scale = range.get("timescale").and_then(Value::as_u64);
    let scale = i128::from(scale.unwrap_or(TIMESCALE));
    let within = |name: &str, fits: fn(i128, i128) -> bool| {
        ticks(name).is_none_or(|ticks| fits(ticks, scale))
    };
    let mut findings = Vec::new();
    let mut refuse = |name: &str, reason: &str| {
        findings.push((format!("{at}/{name}"), reason.to_owned()));
    };
    if !within("liveBackoffDuration", |ticks, scale| {
        (0..=300 * scale).contains(&ticks)
    }) {
        refuse("liveBackoffDuration", "is not between 0 and 300 seconds");
    }
    if !within("presentationWindowDuration", |ticks, scale| {
        ticks >= 10 * scale
    }) {
        refuse("presentationWindowDuration", "is less than 10 seconds");
    }
    if findings.is_empty() {
        Ok(())
    } else {
        Err(ApiError::invalid("request body", findings))
    }
}
