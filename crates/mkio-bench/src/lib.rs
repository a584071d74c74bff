//! Shared by the benchmarks: a server on loopback, the clients to compare, and CPU time.

mod asset;
mod by_hand;
mod clock;
mod compared;
mod list;
mod measuring;
mod runtime;
mod sdk;
pub mod server;

pub use asset::asset;
pub use by_hand::by_hand;
pub use clock::CpuTime;
pub use compared::Compared;
pub use list::{LIST, List};
pub use measuring::measuring;
pub use runtime::runtime;
pub use sdk::{TOKEN, client, sdk};
