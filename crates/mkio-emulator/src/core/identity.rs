//! Who the callers are.

use uuid::Uuid;

use super::family::PLATFORM_USER;
use super::world::World;

/// A user's mail address.
pub fn email_of(_world: &World, user: Uuid) -> String {
    if user == PLATFORM_USER {
        "emulator@example.com".to_owned()
    } else {
        format!("{user}@example.com")
    }
}
