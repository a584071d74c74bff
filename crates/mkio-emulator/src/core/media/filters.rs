//! Account and asset filters.

use serde_json::Value;

use crate::core::error::ApiError;
use crate::core::family::{Family, Kind, Shape};
use crate::core::store::Address;
use crate::core::world::World;

/// Filters of a project.
pub static ACCOUNT: Family = Family {
    guard: |world, address| guard(world, address, None),
    ..Family::new(
        Kind::AccountFilter,
        "AccountFilter",
        Shape::Arm {
            collection: "accountFilters",
            envelope: true,
            times: false,
        },
    )
};

/// Filters of an asset.
pub static ASSET: Family = Family {
    guard: |world, address| guard(world, address, Some(&address.place.parent)),
    ..Family::new(
        Kind::AssetFilter,
        "AssetFilter",
        Shape::Arm {
            collection: "assets/assetFilters",
            envelope: true,
            times: false,
        },
    )
};

/// A filter that an active locator lists cannot go. The documents declare no 409 for it.
fn guard(world: &World, address: &Address, asset: Option<&str>) -> Result<(), ApiError> {
    let user = world
        .all(&address.place.project, Kind::StreamingLocator)
        .find(|(_, locator)| {
            let listed = locator
                .body
                .pointer("/properties/filters")
                .and_then(Value::as_array);
            !locator.is_deleting()
                && asset.is_none_or(|asset| locator.text("/properties/assetName") == Some(asset))
                && listed.is_some_and(|names| {
                    names
                        .iter()
                        .any(|name| name.as_str() == Some(&address.name))
                })
        });
    match user {
        Some((_, locator)) => Err(ApiError::bad_request(format!(
            "the filter '{}' is used by streaming locator '{}'",
            address.name, locator.name
        ))),
        None => Ok(()),
    }
}
