//! The Live API.

pub(crate) mod flows;
pub(crate) mod operations;
pub(crate) mod starts;
mod status;

use super::family::{Family, Kind};

/// The families of the Live API.
pub(super) fn family(kind: Kind) -> Option<&'static Family> {
    Some(match kind {
        Kind::LiveChannel => &flows::LIVE_CHANNELS,
        Kind::FlowLiveEvent => &flows::LIVE_EVENTS,
        Kind::MultiviewChannel => &flows::MULTIVIEW_CHANNELS,
        Kind::MultiviewEvent => &flows::MULTIVIEW_EVENTS,
        Kind::LiveChannelOperation => &operations::LIVE_CHANNEL,
        Kind::FlowLiveEventOperation => &operations::LIVE_EVENT,
        Kind::MultiviewChannelOperation => &operations::MULTIVIEW_CHANNEL,
        Kind::MultiviewEventOperation => &operations::MULTIVIEW_EVENT,
        _ => return None,
    })
}
