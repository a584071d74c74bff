//! Guides for common tasks. Every block is compiled.
//!
//! | guide | subject |
//! |---|---|
//! | [`getting_started`] | dependencies, a client, a first call, a first video |
//! | [`authentication`] | tokens, profiles, projects, more than one organization |
//! | [`lists`] | items, pages, filters, orders, labels, going on after a restart |
//! | [`waiting`] | states, deadlines, progress, many waits, waits that outlive the process |
//! | [`webhooks`] | rules, receivers, secrets, events that end waits |
//! | [`errors`] | what an error contains, retries and their policy |
//! | [`rate_limits`] | the budget, priorities, what a 429 does |
//! | [`editing`] | PUT, PATCH and edits; absent, null and empty |
//! | [`files`] | files of assets in and out, playback addresses |
//! | [`encoding`] | renditions, captions, thumbnails |
//! | [`live`] | live events with an archive, channels from a template, schedules |
//! | [`content_protection`] | keys, licences, restrictions by token |
//! | [`organization`] | projects, teams, tokens with few rights, usage |
//! | [`devices`] | Beam devices, their software and their channels |
//! | [`testing`] | mock or emulator, faults, time |
//! | [`documents`] | a newer document of the service |
//! | [`from_csharp`] | call by call from the C# SDK |
//! | [`from_az_ams`] | call by call from `az ams` |
//! | [`tuning`] | HTTP client, timeouts, concurrency, metrics |
//! | [`cookbook`] | short answers |

macro_rules! guides {
    ($($name:ident),* $(,)?) => {
        $(#[doc = include_str!(concat!(stringify!($name), ".md"))]
        pub mod $name {})*
    };
}

guides! {
    getting_started, authentication, lists, waiting, webhooks, errors, rate_limits, editing, files,
    encoding, live, content_protection, organization, devices, testing, documents, from_csharp, from_az_ams, tuning, cookbook,
}
