//! Typed [`httpmock`] helpers for the MK.IO API crates.
