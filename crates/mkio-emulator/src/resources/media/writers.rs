//! The resources that write live media into an asset.

use crate::{
    base::{
        kind::Kind,
        states::media::live_output,
        store::{Address, Resource},
    },
    platform::rules::Platform,
    resources::live::wiring::{FLOWS, WRITES_TO},
};

/// The name of a live manifest, beside that of the presentation.
pub const LIVE_MANIFEST: &str = "index.qfm";

/// The files that a writer of live media makes beside the media.
pub fn manifests(name: &str) -> [(String, u64); 2] {
    [
        (format!("{name}.ism"), 1_024),
        (LIVE_MANIFEST.to_owned(), 512),
    ]
}

/// A resource that writes into an asset while it runs.
pub enum Writer<'a> {
    /// A live output of this live event.
    Event(&'a Resource),
    /// A flow.
    Flow,
}

/// The resource that writes into an asset now.
pub fn running<'a>(world: &'a Platform, asset: &Address) -> Option<Writer<'a>> {
    let runs = |resource: &Resource| resource.state == live_output::RUNNING;
    let event = outputs(world, asset)
        .filter(|(_, output)| runs(output))
        .find_map(|(event, _)| world.get(&event).filter(|event| runs(event)));
    let flow = || flows(world, asset).any(runs).then_some(Writer::Flow);
    event.map(Writer::Event).or_else(flow)
}

/// The name of the presentation that a writer of the asset has set, whether it runs or not.
pub fn presentation(world: &Platform, asset: &Address) -> Option<String> {
    let named = outputs(world, asset)
        .find_map(|(_, output)| output.text("/properties/manifestName").map(str::to_owned));
    let flow = || {
        let mut flows = flows(world, asset);
        flows.next().map(|flow| flow.name.to_string())
    };
    named.or_else(flow)
}

/// The live outputs of an asset, with the addresses of their live events.
fn outputs<'a>(
    world: &'a Platform,
    asset: &Address,
) -> impl Iterator<Item = (Address, &'a Resource)> {
    let (project, name) = (asset.place.project.clone(), asset.name.clone());
    let all = world.all(&project, Kind::LIVE_OUTPUT);
    all.filter(move |(_, output)| output.text("/properties/assetName") == Some(&name))
        .map(move |(place, output)| {
            let event = Address::new(&project, Kind::LIVE_EVENT, &place.parent);
            (event, output)
        })
}

fn flows<'a>(world: &'a Platform, asset: &Address) -> impl Iterator<Item = &'a Resource> {
    let (project, name) = (asset.place.project.clone(), asset.name.clone());
    FLOWS
        .into_iter()
        .flat_map(move |kind| world.all(&project, kind))
        .map(|(_, flow)| flow)
        .filter(move |flow| flow.text(WRITES_TO) == Some(&name))
}
