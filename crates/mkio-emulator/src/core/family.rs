//! What the kinds of resources have in common, as data.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::call::Call;
use super::error::ApiError;
use super::store::{Address, Resource, Step};
use super::world::World;

macro_rules! kinds {
    ($($kind:ident $noun:literal $(under $parent:ident)?,)*) => {
        /// Kinds of things the platform keeps.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Kind {
            $($kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The kind in a sentence.
            pub fn noun(self) -> &'static str {
                match self {
                    $(Self::$kind => $noun,)*
                }
            }

            /// The kind it lives under, when it is not at the top of its project.
            pub fn parent(self) -> Option<Self> {
                match self {
                    $($(Self::$kind => Some(Self::$parent),)?)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    Asset "asset",
    AccountFilter "account filter",
    AssetFilter "asset filter" under Asset,
    Content "content",
    ContentKeyPolicy "content key policy",
    Destination "destination",
    Transform "transform",
    Job "job" under Transform,
    LiveEvent "live event",
    LiveOutput "live output" under LiveEvent,
    Source "source",
    Storage "storage account",
    Credential "credential" under Storage,
    StreamingEndpoint "streaming endpoint",
    StreamingLocator "streaming locator",
    StreamingPolicy "streaming policy",
    LiveChannel "live channel",
    FlowLiveEvent "live event",
    MultiviewChannel "static multiview channel",
    MultiviewEvent "static multiview event",
    LiveChannelOperation "scheduled operation" under LiveChannel,
    FlowLiveEventOperation "scheduled operation" under FlowLiveEvent,
    MultiviewChannelOperation "scheduled operation" under MultiviewChannel,
    MultiviewEventOperation "scheduled operation" under MultiviewEvent,
    Config "version of this configuration",
    Device "device",
    DeviceTask "running operation" under Device,
    SupportPackage "support package" under Device,
    Backup "backup",
    Network "network",
    Site "site",
    Rule "webhook rule",
    Project "project",
    Organization "organization",
    User "user",
    Team "team",
    Invite "invitation",
    Token "token",
    PaymentMethod "payment method",
    Location "location",
    Role "role",
    Scope "scope",
    BeamChannel "channel",
    InjectedId "injected id",
}

/// How answers of a kind look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `id`, `name`, `type`, `properties`, `systemData`.
    Arm {
        /// Collection in the `type` and the `id`.
        collection: &'static str,
        /// Whether `id`, `type` and `systemData` are answered.
        envelope: bool,
        /// Whether `properties.created` and `properties.lastModified` are.
        times: bool,
    },
    /// `kind`, `metadata`, `spec`, `status`.
    Spec {
        /// Whether `metadata.name` is answered.
        name: bool,
    },
    /// Nothing is added; the kind's `dress` does it all.
    Bare,
}

/// What PUT does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// 201 for a new one, 200 for one that is replaced.
    Upsert,
    /// This status for a new one, 409 when the name is taken.
    Create(u16),
}

/// Limits of a name.
#[derive(Debug, Clone, Copy)]
pub struct NameRule {
    /// Pattern, as the documents give it for the name in replies.
    pub pattern: &'static str,
    /// Fewest characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
}

/// Names of most media resources.
pub const ARM_NAME: NameRule = NameRule {
    pattern: r"^[^\^\'<>%&:\\?/*+]+$",
    min: 1,
    max: 260,
};
/// Names of Live, Fleets and Infrastructure resources.
pub const DNS_NAME: NameRule = NameRule {
    pattern: r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    min: 1,
    max: 63,
};

/// The pattern of live events, live outputs and streaming endpoints.
pub const WORD_NAME: &str = r"^[a-zA-Z0-9]+(-*[a-zA-Z0-9])*$";

/// A kind of resource: how it is named, changed, deleted, shown, and how its state moves.
pub struct Family {
    /// The kind.
    pub kind: Kind,
    /// `kind` in replies and lists.
    pub label: &'static str,
    /// How replies look.
    pub shape: Shape,
    /// Limits of its name.
    pub name: NameRule,
    /// What PUT does.
    pub put: Put,
    /// What PUT cannot change once it exists. Left out, such a field keeps its value.
    pub frozen: &'static [&'static str],
    /// What PATCH can change; everything when empty.
    pub patchable: &'static [&'static str],
    /// What null in a PATCH takes away.
    pub clearable: &'static [&'static str],
    /// The state it is made in.
    pub initial: &'static str,
    /// States that follow by themselves.
    pub creation: &'static [Step],
    /// Seconds of platform time that it is seen `Deleting`; 0 when it goes at once.
    pub deletion: u64,
    /// Where replies show the state.
    pub state_at: &'static [&'static str],
    /// Whether replies have `properties.provisioningState`.
    pub provisioning: bool,
    /// Checks a body against the rest of the platform before it is kept, and may complete it. The resource is the one to be
    /// changed, if there is one.
    pub check: fn(&World, &Call<'_>, &mut Value, Option<&Resource>) -> Result<(), ApiError>,
    /// What a new resource brings about.
    pub created: fn(&mut World, &Address),
    /// What a change by PUT or PATCH brings about.
    pub changed: fn(&mut World, &Address),
    /// Whether it may be deleted.
    pub guard: fn(&World, &Address) -> Result<(), ApiError>,
    /// What follows its removal.
    pub removed: fn(&mut World, &Address, &Resource),
    /// What follows when it enters a state by itself; the last argument is the state before.
    pub entered: fn(&mut World, &Address, &'static str),
    /// Finishes a reply.
    pub dress: fn(&World, &Address, &Resource, &mut Value),
    /// Adds what lists sort and filter by and replies do not show.
    pub index: fn(&Resource, &mut Map<String, Value>),
}

impl Family {
    /// What a kind has unless it says otherwise.
    pub const fn new(kind: Kind, label: &'static str, shape: Shape) -> Self {
        Self {
            kind,
            label,
            shape,
            name: ARM_NAME,
            put: Put::Upsert,
            frozen: &[],
            patchable: &[],
            clearable: &[],
            initial: "",
            creation: &[],
            deletion: 0,
            state_at: &[],
            provisioning: false,
            check: |_, _, _, _| Ok(()),
            created: |_, _| {},
            changed: |_, _| {},
            guard: |_, _| Ok(()),
            removed: |_, _, _| {},
            entered: |_, _, _| {},
            dress: |_, _, _, _| {},
            index: |_, _| {},
        }
    }

    /// The family of a kind.
    pub fn of(kind: Kind) -> &'static Self {
        let found = super::media::family(kind)
            .or_else(|| super::live::family(kind))
            .or_else(|| super::fleet::family(kind));
        match found.or_else(|| super::management::family(kind)) {
            Some(family) => family,
            None if kind == Kind::BeamChannel => &super::channels::CHANNELS,
            None => &PLAIN,
        }
    }
}

/// For kinds that have operations of their own.
static PLAIN: Family = Family::new(Kind::Project, "", Shape::Bare);

/// The user who owns what the emulator makes itself.
pub const PLATFORM_USER: Uuid = Uuid::from_u128(0x6d6b_696f_0000_4000_8000_0000_0000_0001);
