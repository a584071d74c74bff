//! Examples of the SDK: a file each in `src/examples`, made to be copied.
//!
//! `cargo run -p mkio-examples -- NAME` runs one, `cargo run -p mkio-examples` lists them. Each runs on
//! an emulator inside this process; with `MKIO_TOKEN` (and the settings of [`place::Place`]) on the service.
//! They are modules of one program, so that they are linked once.

mod example;
pub mod examples;
pub mod place;

pub use example::{Example, run};

/// The emulator's README has a test that needs the client; here are both.
#[cfg(doctest)]
#[doc = include_str!("../../mkio-emulator/README.md")]
struct EmulatorReadme;
