//! Misbehaviour on demand: rules, when they apply, what they do.

mod armed;
mod check;
mod fault;
mod mutate;
mod parse;

pub use armed::Faults;
pub use fault::{Fault, Link, Reset};
pub use mutate::apply;
pub use parse::{FaultError, parse};
