//! What the catalog tells of operations and types.

use super::crates::CRATES;
use crate::dynamic::{Ty, at};

#[test]
fn a_path_leads_to_the_type_that_stands_there() {
    let at = |path: &str| {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        at(CRATES.types, Ty::Named("Crate"), &steps)
    };
    for (path, found) in [
        ("", Ty::Named("Crate")),
        ("label", Ty::Text),
        ("sizes", Ty::List(&Ty::Unsigned)),
        ("sizes/0", Ty::Unsigned),
        ("sizes/*", Ty::Unsigned),
        ("sizes/+", Ty::Unsigned),
        ("grid/0/*", Ty::Unsigned),
        // Places in lists may be left out.
        ("rows/radius", Ty::Number),
        ("rows/0/1/width", Ty::Integer),
        ("tags/any", Ty::Text),
        ("lids/a/kind", Ty::Text),
        ("lid/radius", Ty::Number),
        ("lid/width", Ty::Integer),
        ("inner/inner/count", Ty::Integer),
    ] {
        assert_eq!(at(path), Some(found), "{path}");
    }
    for path in [
        "odd",
        "label/x",
        "grade/x",
        "pin/x",
        "lid/kind/x",
        "lid/odd",
        "sizes/0/0",
    ] {
        assert_eq!(at(path), None, "{path}");
    }
}

#[test]
fn fields_of_any_name_have_the_type_that_is_said_for_them() {
    let at = |step: &str| at(CRATES.types, Ty::Named("Shown"), &[step]);
    assert_eq!(at("label"), Some(Ty::Text));
    assert_eq!(at("anything"), Some(Ty::Unsigned));
}

#[test]
fn a_type_tells_its_fields() {
    let round = CRATES.type_of("RoundLid").unwrap();
    let names: Vec<_> = round.fields().iter().map(|field| field.name).collect();
    assert_eq!(names, ["radius", "code"]);
    assert_eq!(round.field("code").unwrap().ty, Ty::Text);
    assert!(round.field("width").is_none());
    assert!(CRATES.type_of("Lid").unwrap().fields().is_empty());
    assert!(CRATES.type_of("Nothing").is_none());
}

#[test]
fn the_name_of_a_type_is_found_within_lists_and_maps() {
    let lid = Ty::Named("Lid");
    assert_eq!(lid.type_name(), Some("Lid"));
    assert_eq!(Ty::List(&Ty::Named("Lid")).type_name(), Some("Lid"));
    assert_eq!(
        Ty::Map(&Ty::List(&Ty::Named("Lid"))).type_name(),
        Some("Lid")
    );
    assert_eq!(Ty::List(&Ty::Text).type_name(), None);
}

#[test]
fn an_operation_tells_its_summary_and_parameters() {
    assert_eq!(
        CRATES.entry("get_crate").unwrap().summary(),
        "Reads a crate."
    );
    assert_eq!(CRATES.entry("put_crate").unwrap().summary(), "");
    let weigh = CRATES.entry("weigh_crate").unwrap();
    assert_eq!(weigh.parameter("least").unwrap().ty, Ty::Number);
    assert!(weigh.parameter("most").is_none());
    let path: Vec<_> = weigh.path_parameters().map(|of| of.name).collect();
    assert_eq!(path, ["crate_name", "project"]);
}
