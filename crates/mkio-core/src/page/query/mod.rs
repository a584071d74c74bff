//! Typed filters and orders of lists.
//!
//! The documents name the fields by which each list can be ordered (`x-mkio-sort`) and filtered
//! (`x-mkio-filter`). The generated crates have one constant per field, typed with its list, so
//! that a field of another list does not compile, and neither does ordering by a field that can
//! only be filtered.
//!
//! ```
//! use mkio_core::page::query::{Field, Filter, FilterOnly, OrderBy, Text, Time};
//! # enum Assets {}
//! // As in a generated crate:
//! const NAME: Field<Assets, Text> = Field::new("name");
//! const CREATED: Field<Assets, Time> = Field::new("properties/created");
//!
//! let filter: Filter<Assets> = NAME.eq("Bob's intro").or(CREATED.ge("2026-03-01T00:00:00Z"));
//! assert_eq!(filter.as_str(), "name eq 'Bob''s intro' or properties/created ge 2026-03-01T00:00:00Z");
//!
//! let order = OrderBy::from([CREATED.desc(), NAME.asc()]);
//! assert_eq!(order.as_str(), "properties/created desc,name asc");
//! ```
//!
//! A field of another list does not compile:
//!
//! ```compile_fail,E0308
//! use mkio_core::page::query::{Field, Filter, Text};
//! # enum Assets {} enum Jobs {}
//! const ASSET_NAME: Field<Assets, Text> = Field::new("name");
//! const JOB_NAME: Field<Jobs, Text> = Field::new("name");
//! let filter: Filter<Assets> = ASSET_NAME.eq("a").or(JOB_NAME.eq("b"));
//! ```
//!
//! Neither does an order by a field that can only be filtered:
//!
//! ```compile_fail,E0277
//! use mkio_core::page::query::{Field, FilterOnly, Text};
//! # enum Assets {}
//! const CREATED_BY_EMAIL: Field<Assets, Text, FilterOnly> = Field::new("createdByEmail");
//! CREATED_BY_EMAIL.desc();
//! ```
//!
//! Nor a value of the wrong kind:
//!
//! ```compile_fail,E0277
//! use mkio_core::page::query::{Field, Text};
//! # enum Assets {}
//! const NAME: Field<Assets, Text> = Field::new("name");
//! NAME.eq(7);
//! ```

mod field;
mod filter;
mod order;
mod value;

pub use field::{Both, Field, FilterOnly, Filterable, SortOnly, Sortable};
pub use filter::Filter;
pub use order::{OrderBy, Sort};
pub(crate) use value::quoted;
pub use value::{Flag, Kind, Literal, Number, Text, Time};
