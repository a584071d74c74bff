//! Faults on demand: their rules, conditions and effects.

mod armed;
mod check;
mod fault;
mod mutate;
mod parse;

pub use armed::Faults;
pub use fault::{Fault, Link, Reset};
pub use mutate::apply;
pub use parse::{FaultError, parse};
