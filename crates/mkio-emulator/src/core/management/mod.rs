//! The Management API.

pub(crate) mod account;
pub(crate) mod billing;
pub(crate) mod metrics;
pub(crate) mod organization;
pub(crate) mod people;
pub(crate) mod projects;
pub(crate) mod rules;
pub(crate) mod teams;
pub(crate) mod tokens;

use super::family::{Family, Kind, Shape};

/// The families of the Management API that generic operations work on.
pub(super) fn family(kind: Kind) -> Option<&'static Family> {
    static PLAIN: Family = Family::new(Kind::User, "", Shape::Bare);
    Some(match kind {
        Kind::Project => &projects::PROJECTS,
        Kind::Team => &teams::TEAMS,
        Kind::Rule => &rules::RULES,
        Kind::Token
        | Kind::User
        | Kind::Organization
        | Kind::Invite
        | Kind::PaymentMethod
        | Kind::Location
        | Kind::Role
        | Kind::Scope => &PLAIN,
        _ => return None,
    })
}
