//! The Infrastructure and Fleets APIs.

pub(crate) mod backups;
pub(crate) mod devices;
pub(crate) mod infra;
pub(crate) mod packages;
pub(crate) mod presence;
pub(crate) mod software;

use super::family::{Family, Kind};

/// The families of the Infrastructure and Fleets APIs.
pub(super) fn family(kind: Kind) -> Option<&'static Family> {
    Some(match kind {
        Kind::Network => &infra::NETWORKS,
        Kind::Site => &infra::SITES,
        Kind::Device => &devices::DEVICES,
        Kind::DeviceTask => &devices::TASKS,
        _ => return None,
    })
}
