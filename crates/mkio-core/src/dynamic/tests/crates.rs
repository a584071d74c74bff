//! A catalog of crates, with a field of every kind.

use std::collections::BTreeMap;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Operation,
    dynamic::{
        Action, Body, Catalog, Effect, Entry, Mark, ObjectField, Parameter, Place, ResponseBody,
        Shape, Step, Ty, Type, Waiting, Write,
    },
    wait::{Goal, Resource, StateKind},
};

macro_rules! operation {
    ($name:ident, $id:literal, $method:ident, $path:literal, $body:expr) => {
        pub(super) static $name: Operation = Operation {
            id: $id,
            api: "media",
            method: Method::$method,
            path: $path,
            request_body: $body,
            streams: false,
        };
    };
}

const JSON: Option<&str> = Some("application/json");

operation!(
    GET,
    "get_crate",
    GET,
    "/api/v1/projects/{project_name}/media/crates/{crate_name}",
    None
);
operation!(
    PATCH,
    "patch_crate",
    PATCH,
    "/api/v1/projects/{project_name}/media/crates/{crate_name}",
    JSON
);
operation!(
    PUT,
    "put_crate",
    PUT,
    "/api/v1/projects/{project_name}/media/crates/{crate_name}",
    JSON
);
operation!(
    SEAL,
    "seal_crate",
    POST,
    "/api/v1/projects/{project_name}/media/crates/{crate_name}/seal",
    JSON
);
operation!(
    WEIGH,
    "weigh_crate",
    GET,
    "/api/v1/crates/{crate_name}/of/{project}/weight",
    None
);

/// What is sent and read. Everything may be left out.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct Crate {
    #[serde(flatten)]
    known: BTreeMap<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lid: Option<Lid>,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Lid {
    Round {
        #[serde(skip_serializing_if = "Option::is_none")]
        radius: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    Square {
        #[serde(skip_serializing_if = "Option::is_none")]
        width: Option<i64>,
    },
}

const fn field(name: &'static str, ty: Ty, marks: &'static [Mark]) -> ObjectField {
    ObjectField::new(name, ty, "", marks)
}

static TYPES: &[Type] = &[
    Type {
        name: "Crate",
        docs: "",
        shape: Shape::Object(
            &[
                field("label", Ty::Text, &[Mark::Required]),
                field("count", Ty::Integer, &[Mark::Required]),
                field("weight", Ty::Number, &[]),
                field("open", Ty::Flag, &[Mark::Required]),
                field("made", Ty::Time, &[Mark::Required]),
                field("any", Ty::Json, &[Mark::Required]),
                field("note", Ty::Text, &[Mark::Nullable]),
                field("grade", Ty::Named("Grade"), &[Mark::Required]),
                field("sizes", Ty::List(&Ty::Unsigned), &[Mark::Required]),
                field("grid", Ty::List(&Ty::List(&Ty::Unsigned)), &[]),
                field("tags", Ty::Map(&Ty::Text), &[Mark::Required]),
                field("lid", Ty::Named("Lid"), &[Mark::Required]),
                field("lids", Ty::Map(&Ty::Named("Lid")), &[]),
                field("rows", Ty::List(&Ty::List(&Ty::Named("Lid"))), &[]),
                field("inner", Ty::Named("Crate"), &[Mark::Required]),
                field("pin", Ty::Named("Pin"), &[Mark::Required]),
                field("keys", Ty::Json, &[Mark::Secret]),
            ],
            None,
        ),
    },
    Type {
        name: "Grade",
        docs: "",
        shape: Shape::Enum(&["A", "B"]),
    },
    Type {
        name: "Lid",
        docs: "",
        shape: Shape::Union("kind", &[("round", "RoundLid"), ("square", "SquareLid")]),
    },
    Type {
        name: "Pin",
        docs: "",
        shape: Shape::Secret,
    },
    Type {
        name: "RoundLid",
        docs: "",
        shape: Shape::Object(
            &[
                field("radius", Ty::Number, &[Mark::Required]),
                field("code", Ty::Text, &[Mark::Secret]),
            ],
            None,
        ),
    },
    Type {
        name: "Shown",
        docs: "",
        shape: Shape::Object(
            &[
                field("label", Ty::Text, &[]),
                field("lid", Ty::Named("Lid"), &[]),
            ],
            Some(Ty::Unsigned),
        ),
    },
    Type {
        name: "SquareLid",
        docs: "",
        shape: Shape::Object(
            &[
                field("width", Ty::Integer, &[Mark::Required]),
                field("code", Ty::Text, &[]),
            ],
            None,
        ),
    },
];

pub(super) static CRATE: Resource = Resource {
    name: "media.crate",
    params: &["project_name", "crate_name"],
    item: Some(&GET),
    state_pointer: "/state",
    states: &[
        ("Open", StateKind::Steady),
        ("Sealing", StateKind::Transient),
        ("Sealed", StateKind::Steady),
    ],
    goals: &[
        Goal {
            name: "there",
            states: &["Open", "Sealed"],
            ..Goal::DEFAULT
        },
        Goal {
            name: "sealed",
            states: &["Sealed"],
            ..Goal::DEFAULT
        },
    ],
    ..Resource::DEFAULT
};

const PATH: [Parameter; 2] = [
    Parameter::path("project_name", "project_name", ""),
    Parameter::path("crate_name", "crate_name", ""),
];

static ENTRIES: &[Entry] = &[
    Entry {
        parameters: &PATH,
        response: ResponseBody::json::<Value>(Ty::Named("Shown")),
        ..Entry::new(
            &GET,
            &["crate", "get"],
            "Reads a crate.\n\nAll of it.",
            TYPES,
        )
    },
    Entry {
        parameters: &PATH,
        body: Some(Body::of::<Crate>(Ty::Named("Crate"), true)),
        response: ResponseBody::json::<Value>(Ty::Named("Crate")),
        write: Some(Write::Patch),
        ..Entry::new(&PATCH, &["crate", "patch"], "", TYPES)
    },
    Entry {
        parameters: &PATH,
        body: Some(Body::of::<Crate>(Ty::Named("Crate"), true)),
        response: ResponseBody::json::<Value>(Ty::Named("Crate")),
        write: Some(Write::Upsert),
        waiting: Some(Waiting {
            resource: &CRATE,
            effect: Effect::Creates,
            goal: "",
        }),
        ..Entry::new(&PUT, &["crate", "put"], "", TYPES)
    },
    Entry {
        parameters: &PATH,
        body: Some(Body::of::<Value>(Ty::Json, false)),
        waiting: Some(Waiting {
            resource: &CRATE,
            effect: Effect::Reaches,
            goal: "sealed",
        }),
        ..Entry::new(&SEAL, &["crate", "seal"], "", TYPES)
    },
    Entry {
        parameters: &[
            Parameter::path("crate_name", "crate_name", ""),
            Parameter::path("project", "project_name", ""),
            Parameter::new(Place::Query, "whole", "whole", Ty::Integer, "", false),
            Parameter::new(Place::Query, "from", "from", Ty::Unsigned, "", false),
            Parameter::new(Place::Query, "least", "least", Ty::Number, "", false),
            Parameter::new(Place::Query, "wet", "wet", Ty::Flag, "", false),
            Parameter::new(Place::Query, "since", "since", Ty::Time, "", false),
            Parameter::new(Place::Query, "unit", "unit", Ty::Text, "", false),
            Parameter::new(
                Place::Query,
                "grade",
                "grade",
                Ty::Named("Grade"),
                "",
                false,
            ),
            Parameter::new(Place::Query, "odd", "odd", Ty::Json, "", false),
            Parameter::new(Place::Header, "x-scale", "x_scale", Ty::Text, "", false),
        ],
        response: ResponseBody::json::<Value>(Ty::List(&Ty::Named("RoundLid"))),
        item: Some(Ty::Named("RoundLid")),
        waiting: Some(Waiting {
            resource: &CRATE,
            effect: Effect::Reaches,
            goal: "sealed",
        }),
        ..Entry::new(&WEIGH, &["crate", "weigh"], "", TYPES)
    },
];

pub(super) static CRATES: Catalog = Catalog {
    api: "media",
    entries: ENTRIES,
    types: TYPES,
    resources: &[&CRATE],
    actions: &[Action {
        command: &["crate", "close"],
        resource: &CRATE,
        steps: &[
            Step {
                operation: "seal_crate",
                goal: "there",
                body: "",
            },
            Step {
                operation: "seal_crate",
                goal: "sealed",
                body: r#"{"twice": true}"#,
            },
        ],
    }],
};
