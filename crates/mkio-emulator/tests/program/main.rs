//! The program itself: what it prints, what its options do, how it ends.
#![cfg(unix)]

mod options;
mod refusals;
mod run;
mod signals;
