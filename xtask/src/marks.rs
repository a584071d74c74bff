//! The extensions that this tool reads and writes. Documents and overlays use those of the first
//! part; steps of the pipeline hand each other those of the second, which no file has.

/// Overlay, operation, parameter or property: its name in Rust.
pub const NAME: &str = "x-mkio-name";
/// Overlay, schema: name of the type.
pub const TYPE_NAME: &str = "x-mkio-type-name";
/// Overlay, enum or union: value to name of its variant.
pub const VARIANT_NAMES: &str = "x-mkio-variant-names";
/// Overlay, property or schema: `true` is a secret, `false` sounds like one and is none.
pub const SECRET: &str = "x-mkio-secret";
/// Overlay, schema: its required properties in the order in which constructors take them.
pub const ORDER: &str = "x-mkio-order";
/// Overlay, required list, map or flag: it starts empty or false, a setter changes it.
pub const EMPTY: &str = "x-mkio-empty";
/// Overlay, member with several tags in a union: the tag that it has by itself.
pub const TAG: &str = "x-mkio-tag";
/// Overlay, document: nouns of collections and commands of operations.
pub const COMMANDS: &str = "x-mkio-commands";
/// Overlay, operation: the columns of its response or of its items.
pub const COLUMNS: &str = "x-mkio-columns";
/// Overlay, property: it can be written and is never shown.
pub const MASKED: &str = "x-mkio-masked";
/// Overlay, property of a response: the link to the next page.
pub const NEXT_LINK: &str = "x-mkio-next-link";
/// Document, property: cannot change once the resource exists.
pub const IMMUTABLE: &str = "x-mkio-immutable";
/// Document, operation: capabilities that the caller needs.
pub const CAPABILITY: &str = "x-mkio-capability";
/// Document, operation: fields that a list can be sorted by.
pub const SORT: &str = "x-mkio-sort";
/// Document, operation: fields that a list can be filtered by.
pub const FILTER: &str = "x-mkio-filter";

/// Schema: its JSON pointer in the document as it was imported, for messages.
pub const ORIGIN: &str = "x-mkio-origin";
/// Schema: it occurs in responses.
pub const READ: &str = "x-mkio-read";
/// Schema: it occurs in requests.
pub const WRITTEN: &str = "x-mkio-written";
/// Schema: it is the body of a PATCH.
pub const PATCH: &str = "x-mkio-patch";
/// Schema: it keeps its type although it has no content of its own.
pub const KEEP: &str = "x-mkio-keep";
/// Schema: tag and variants of a union.
pub const UNION: &str = "x-mkio-union";
/// Schema: properties that the document requires, read-only ones apart.
pub const REQUIRED: &str = "x-mkio-required";
/// Property: the document lets it be null.
pub const NULLABLE: &str = "x-mkio-nullable";
/// Operation: media type of the body to send.
pub const CONTENT_TYPE: &str = "x-mkio-content-type";
/// Operation: statuses that the document declares, before they are merged.
pub const STATUSES: &str = "x-mkio-statuses";
