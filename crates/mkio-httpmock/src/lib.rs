#![doc = include_str!("../README.md")]

#[rustfmt::skip]
mod generated {
    #![allow(clippy::all, reason = "generated code is checked where it is made")]

    #[cfg(feature = "channels")]
    pub mod channels;
    #[cfg(feature = "fleets")]
    pub mod fleets;
    #[cfg(feature = "infrastructure")]
    pub mod infrastructure;
    #[cfg(feature = "live")]
    pub mod live;
    #[cfg(feature = "management")]
    pub mod management;
    #[cfg(feature = "media")]
    pub mod media;
    #[cfg(feature = "templates")]
    pub mod templates;
}

#[allow(unused_imports, reason = "without a feature there is nothing to show")]
pub use generated::*;
pub use httpmock;
