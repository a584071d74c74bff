//! The types of an API, as data.

/// The types of an API, sorted by name.
pub type Types = &'static [Type];

/// A named type of the bodies of requests and responses.
#[derive(Debug)]
pub struct Type {
    /// Its name in Rust, for example `AssetPut`.
    pub name: &'static str,
    /// Its description in the document; may be empty.
    pub docs: &'static str,
    /// Its shape.
    pub shape: Shape,
}

/// The shape of a type.
#[derive(Debug)]
pub enum Shape {
    /// An object with these fields, and with other members of the second type where that is given.
    Object(&'static [ObjectField], Option<Ty>),
    /// Text, one of these; a service may know more.
    Enum(&'static [&'static str]),
    /// One of several types: the member with this name decides which, as (value, type).
    Union(&'static str, &'static [(&'static str, &'static str)]),
    /// JSON that must not be shown.
    Secret,
}

/// A field of an object.
#[derive(Debug)]
pub struct ObjectField {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type.
    pub ty: Ty,
    /// Its description in the document, with limits; may be empty.
    pub docs: &'static str,
    /// Its other properties.
    pub marks: &'static [Mark],
}

/// A property of a field besides its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mark {
    /// A request requires it.
    Required,
    /// The service fills it.
    ReadOnly,
    /// It cannot change once the resource exists.
    Immutable,
    /// It must not be shown.
    Secret,
    /// It can be written and is never shown by a read.
    Masked,
    /// It may be null.
    Nullable,
}

/// The type of a field, a parameter or an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ty {
    /// Text.
    Text,
    /// A time in RFC 3339.
    Time,
    /// A whole number.
    Integer,
    /// A whole number that is not negative.
    Unsigned,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Any JSON.
    Json,
    /// A type of the API, by name.
    Named(&'static str),
    /// A list.
    List(&'static Ty),
    /// An object with any names.
    Map(&'static Ty),
}

impl ObjectField {
    /// A field. For generated code.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        ty: Ty,
        docs: &'static str,
        marks: &'static [Mark],
    ) -> Self {
        Self {
            name,
            ty,
            docs,
            marks,
        }
    }

    /// It has this mark.
    pub fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

impl Type {
    /// The type of this name.
    pub fn find(types: Types, name: &str) -> Option<&'static Self> {
        let at = types.binary_search_by(|of| of.name.cmp(name)).ok()?;
        types.get(at)
    }

    /// The fields of an object; none of everything else.
    pub fn fields(&self) -> &'static [ObjectField] {
        match self.shape {
            Shape::Object(fields, _) => fields,
            _ => &[],
        }
    }

    /// The field of this name in JSON.
    pub fn field(&self, name: &str) -> Option<&'static ObjectField> {
        self.fields().iter().find(|field| field.name == name)
    }
}

/// The type at a path below a value of this type; in a union, that of the first kind that has the
/// path. Places in lists and names in maps are steps like others.
pub fn at(types: Types, ty: Ty, steps: &[&str]) -> Option<Ty> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(ty);
    };
    match ty {
        // The place in a list may be left out.
        Ty::List(of) if step.parse::<usize>().is_err() && !["*", "+"].contains(step) => {
            at(types, *of, steps)
        }
        Ty::List(of) | Ty::Map(of) => at(types, *of, rest),
        Ty::Named(name) => match &Type::find(types, name)?.shape {
            Shape::Object(fields, more) => {
                let field = fields.iter().find(|field| field.name == *step);
                at(types, field.map(|field| field.ty).or(*more)?, rest)
            }
            Shape::Union(tag, _) if step == tag && rest.is_empty() => Some(Ty::Text),
            Shape::Union(_, variants) => variants
                .iter()
                .find_map(|(_, name)| at(types, Ty::Named(name), steps)),
            Shape::Enum(_) | Shape::Secret => None,
        },
        _ => None,
    }
}

impl Ty {
    /// Name of the type that it is, or that its items are.
    pub fn type_name(self) -> Option<&'static str> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(of) | Self::Map(of) => of.type_name(),
            _ => None,
        }
    }
}

/// In words: `text`, `list of JobOutput`.
impl std::fmt::Display for Ty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Time => "time",
            Self::Integer => "integer",
            Self::Unsigned => "integer from 0",
            Self::Number => "number",
            Self::Flag => "true or false",
            Self::Json => "any JSON",
            Self::Named(name) => name,
            Self::List(of) => return write!(f, "list of {of}"),
            Self::Map(of) => return write!(f, "map of {of}"),
        })
    }
}
