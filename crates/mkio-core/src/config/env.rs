//! Settings from environment variables.

use std::{ffi::OsString, sync::Arc};

use crate::{Error, ErrorKind, Result};

/// Reads an environment variable.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// The settings that the environment has; an empty variable counts as unset.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) token: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) project: Option<String>,
}

impl Environment {
    pub(crate) fn read(lookup: &Lookup) -> Result<Self> {
        let get = |name: &str| {
            let Some(value) = lookup(name) else {
                return Ok(None);
            };
            let text = value.into_string().map_err(|_| {
                let message = format!("the environment variable {name} is not valid Unicode");
                Error::new(ErrorKind::Config, message)
            })?;
            let text = text.trim();
            Ok((!text.is_empty()).then(|| text.to_owned()))
        };
        Ok(Self {
            token: get("MKIO_TOKEN")?,
            base_url: get("MKIO_BASE_URL")?,
            profile: get("MKIO_PROFILE")?,
            project: get("MKIO_PROJECT")?,
        })
    }
}
