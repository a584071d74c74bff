//! The program itself: what it prints, what its options do, how it ends.

#![allow(clippy::too_many_lines, reason = "a test tells one story")]
#![cfg(unix)]

mod options;
mod refusals;
mod run;
mod signals;
mod steering;
