//! Query strings: parameters, `$filter`, `$orderby`, labels, paging.

mod eval;
mod expression;
mod fields;
mod filter;
mod labels;
mod lexer;
mod order;
mod page;
mod parameters;

pub use expression::{Dialect, Filter, FilterError};
pub use labels::Labels;
pub use order::{OrderBy, SortKey};
pub use page::{Cursor, PageRequest};
pub use parameters::Query;

pub(crate) use fields::{Fields, Indexed, indexed, shown};
