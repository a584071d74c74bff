//! The start of a platform, as data: `data/world.json`, or a file of the operator's.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The start of a platform, and its offers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Start {
    /// Location of the first project.
    pub location: String,
    /// Payment method of the first project.
    pub payment_method: Uuid,
    /// Resources of the organization. `{home}` stands for its id.
    pub organization: Vec<Record>,
    /// Regions of storage accounts, by what the accounts are at.
    pub storage_regions: StorageRegions,
    /// Roles that a team can be given.
    pub roles: Vec<RoleStart>,
    /// Resources of every project. `{location}` stands for that of the project.
    pub project: Vec<Record>,
    /// Further resources of the first project.
    pub first_project: Vec<Record>,
    /// The meters.
    pub meters: Vec<Meter>,
    /// The encoder.
    pub encoder: Encoder,
    /// AI pipelines for recorded and live video.
    pub pipelines: Vec<Pipeline>,
    /// Facts that all devices of a fleet share.
    pub devices: Devices,
    /// The device that the channels run on.
    pub channel_device: ChannelDevice,
    /// Types and presets of configurations.
    pub templates: Templates,
}

/// A resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Record {
    /// Name of its kind.
    pub kind: String,
    /// Its name; of a kind whose name is its id, the id. `{new}` stands for a new id.
    pub name: String,
    /// The body that a caller would have sent. `{id}` stands for its id.
    #[serde(default)]
    pub body: Value,
    /// The emulator's private notes of it.
    #[serde(default)]
    pub private: Value,
}

/// Regions of storage accounts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageRegions {
    /// Of accounts at Azure.
    pub azure: String,
    /// Of accounts at AWS.
    pub aws: String,
    /// Of accounts at Google.
    pub google: String,
}

/// A role: which of the capabilities that the documents name it has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RoleStart {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Verbs that it has in everything.
    pub everywhere: Vec<String>,
    /// Capabilities of which it has only the verbs of `everywhere`. Null stands for all capabilities.
    pub except: Option<Vec<String>>,
}

/// Something that is metered.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meter {
    /// Its name.
    pub name: String,
    /// The activity whose minutes it counts.
    pub counts: Activity,
    /// Its unit.
    pub unit: String,
    /// Its solution.
    pub solution: String,
    /// Its product family.
    pub family: String,
    /// Price of a unit.
    pub price: f64,
}

/// An activity that is metered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Activity {
    /// Jobs.
    Encoding,
    /// Live events and flows that run.
    Live,
    /// Streaming endpoints that run.
    Streaming,
}

/// The encoder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoder {
    /// Its presets. The first counts for jobs whose preset has no name.
    pub presets: Vec<EncoderPreset>,
    /// Which of them live events are encoded with.
    pub live: LiveEncoding,
}

/// A preset of the encoder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderPreset {
    /// Its name, one that the document lists.
    pub name: String,
    /// The pictures that it makes, the best first; none where it is for sound.
    pub renditions: Vec<Rendition>,
}

/// Pictures of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rendition {
    /// Pixels of a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Kilobits a second.
    pub kilobits: u32,
}

/// Presets of live events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveEncoding {
    /// That of events with encoding type `Standard`, and of flows.
    pub standard: String,
    /// That of events with encoding type `Premium1080p`.
    pub premium: String,
}

/// An AI pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// The ending of the files that it makes: `<input>_<language>.<ending>`, without target languages `<input>.<ending>`.
    pub ending: String,
    /// How many languages it translates into; none where it does not translate.
    pub target_languages: Option<TargetLanguages>,
}

/// How many languages a pipeline translates into at once.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetLanguages {
    /// At least.
    pub least: usize,
    /// At most.
    pub most: usize,
}

/// Facts that all devices of a fleet share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Devices {
    /// Their model, which lists sort and filter by.
    pub model: String,
    /// Name of their software.
    pub software_name: String,
    /// Its versions, oldest first.
    pub software: Vec<Software>,
    /// The version that a device runs when it is registered.
    pub first_version: String,
    /// Its interfaces.
    pub interfaces: Vec<Interface>,
    /// How long operations run on a device.
    pub operation_seconds: OperationSeconds,
}

/// A version of the software of devices.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Software {
    /// The version.
    pub version: String,
    /// The day it came out.
    pub released: String,
    /// The oldest version that it can be installed over.
    pub minimum_version: String,
    /// The same for devices of a high-availability group.
    #[serde(rename = "minimumVersionHA")]
    pub minimum_version_ha: String,
}

/// An interface of a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: InterfaceKind,
    /// Its addresses.
    pub ip_addresses: Vec<String>,
}

/// What an interface carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum InterfaceKind {
    /// Packets.
    #[serde(rename = "IP")]
    Ip,
    /// Video signals.
    #[serde(rename = "SDIASI")]
    SdiAsi,
}

/// Seconds of platform time that operations run on a device.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct OperationSeconds {
    /// A backup.
    pub backup: u64,
    /// A restoration.
    pub restore: u64,
    /// The removal of services.
    pub remove_services: u64,
    /// A support package.
    pub support_package: u64,
}

/// The device that the channels run on, as it reports itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChannelDevice {
    /// What `channel-system/` has in `data`.
    pub system: ChannelSystem,
    /// `interfaces/`. Channels can name these alone.
    pub interfaces: Value,
    /// `channel-capability/`.
    pub capability: Value,
    /// The code of `channel-biss/import-code/`.
    pub import_code: String,
}

/// Software and hardware of the device that the channels run on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChannelSystem {
    /// Version of the software.
    pub software_version: String,
    /// Name of the software.
    pub software_name: String,
    /// The device's serial number.
    pub serial_number: String,
    /// The device's model.
    pub hardware_model: String,
}

/// Types and presets of configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Templates {
    /// When and by whom presets were made.
    pub presets_made: PresetsMade,
    /// Types.
    pub types: Vec<ConfigType>,
    /// Presets.
    pub presets: Vec<Preset>,
}

/// When and by whom presets were made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetsMade {
    /// The time.
    pub time: DateTime<Utc>,
    /// Their maker's address.
    pub email: String,
    /// Their maker's name.
    pub name: String,
}

/// A type of configurations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigType {
    /// Its name.
    pub name: String,
    /// What it configures.
    pub description: String,
}

/// A preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Type of the configurations that are made from it.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What it makes.
    pub description: String,
    /// Names of its input pins.
    pub inputs: Vec<String>,
    /// Settings, which parameters of the same names change.
    pub settings: Value,
}

impl Encoder {
    /// What a preset makes; none when there is no such preset.
    pub fn renditions(&self, preset: &str) -> Option<&[Rendition]> {
        let found = self.presets.iter().find(|known| known.name == preset);
        found.map(|preset| preset.renditions.as_slice())
    }

    /// What is made when no preset is named.
    pub fn usual(&self) -> &[Rendition] {
        self.presets
            .first()
            .map_or(&[], |preset| &preset.renditions)
    }
}

/// The numbers of a version, which versions are compared by.
pub fn rank(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|part| part.parse().unwrap_or(0))
        .collect()
}

impl Devices {
    /// A version of the software.
    pub fn version(&self, wanted: &str) -> Option<&Software> {
        self.software.iter().find(|known| known.version == wanted)
    }

    /// An interface by its name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|known| known.name == name)
    }
}

impl Start {
    /// Reads a world.
    ///
    /// # Errors
    /// Where the text is not one.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The world of this crate.
    ///
    /// # Panics
    /// When the file that ships with the crate is not a world; every test that starts an emulator reads it.
    pub fn builtin() -> Self {
        Self::parse(include_str!("../../data/world.json"))
            .unwrap_or_else(|problem| panic!("data/world.json cannot be read: {problem}"))
    }
}
