//! Runs the effect of an operation.

use crate::{
    base::error::ApiError,
    platform::{
        call::{Call, Response},
        generic, list,
        rules::{Action, Platform},
    },
};

impl Action {
    /// Runs the operation.
    ///
    /// # Errors
    /// The refusal.
    pub fn run(self, world: &mut Platform, call: &Call<'_>) -> Result<Response, ApiError> {
        match self {
            Self::List(rules) => list::list(world, call, rules),
            Self::Get(rules) => generic::get(world, call, rules),
            Self::Put(rules) => generic::put(world, call, rules),
            Self::Patch(rules) => generic::patch(world, call, rules),
            Self::Delete(rules) => generic::delete(world, call, rules),
            Self::State(rules) => generic::state(world, call, rules),
            Self::Own(handler) => handler(world, call),
        }
    }
}
