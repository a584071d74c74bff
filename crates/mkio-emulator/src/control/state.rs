//! The whole platform as JSON.

use serde::{Deserialize, Serialize};

use crate::{
    base::{clock::ClockFace, world::Snapshot},
    engine::Engine,
};

/// Version of the format. A newer emulator reads this version, or refuses it with an error.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// [`VERSION`].
    version: u32,
    /// Version of the emulator that wrote it.
    emulator: String,
    clock: ClockFace,
    world: Snapshot,
}

/// Only the version, whatever the format of the rest.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// Saves a platform.
pub(super) fn save(engine: &Engine) -> String {
    let world = engine.world();
    let state = State {
        version: VERSION,
        emulator: env!("CARGO_PKG_VERSION").to_owned(),
        clock: ClockFace {
            // Steps that are due after this have not happened in the saved world.
            now: world.now,
            ..engine.clock.face()
        },
        world: world.save(),
    };
    drop(world);
    serde_json::to_string(&state).unwrap_or_default()
}

/// Loads a platform.
///
/// # Errors
/// The text is not a state of this version.
pub(super) fn load(engine: &Engine, text: &str) -> Result<Engine, String> {
    let wrong = |error: serde_json::Error| format!("this is not a state of an emulator: {error}");
    let Versioned { version } = serde_json::from_str(text).map_err(wrong)?;
    if version != VERSION {
        return Err(format!(
            "this is a state of version {version}; this emulator reads version {VERSION}"
        ));
    }
    let state: State = serde_json::from_str(text).map_err(wrong)?;
    engine.restored(state.world, state.clock)
}
