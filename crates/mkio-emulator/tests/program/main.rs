//! The program: its output, its options, its end.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]
#![cfg(unix)]

mod options;
mod refusals;
mod run;
mod signals;
mod steering;
