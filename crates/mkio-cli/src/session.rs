//! One run of the program: options, client, output, and what it may ask.

use std::{
    collections::HashMap,
    ffi::OsString,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use mkio::{CallOptions, Client, dynamic::Catalog};
use serde_json::{Map, Value};

use crate::{
    failure::{Exit, Failure, Result},
    options::{Options, Switch},
    output::Output,
    profile::ProfileFile,
};

/// One run of the program.
pub struct Session {
    pub options: Options,
    pub output: Output,
}

impl Session {
    pub fn new(options: Options) -> Result<Self> {
        let output = Output::new(&options.wanted)?;
        Ok(Self { options, output })
    }

    /// The client of the options, the environment and the profile, in this order.
    ///
    /// A profile that is named in the options shuts the environment out, so that no token of one
    /// place goes to the address of another.
    pub fn client(&self) -> Result<Client> {
        let options = &self.options;
        let mut builder =
            Client::builder().user_agent_suffix(concat!("mkio-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &options.config_file {
            builder = builder.config_file(path);
        }
        let mut given: HashMap<&str, OsString> = HashMap::new();
        if let Some(url) = &options.base_url {
            given.insert("MKIO_BASE_URL", url.into());
        }
        let shut = options.profile.is_some();
        builder = builder.with_env_from(move |name| match given.get(name) {
            Some(value) => Some(value.clone()),
            None if shut => None,
            None => std::env::var_os(name),
        });
        if let Some(profile) = &options.profile {
            builder = builder.profile(profile);
        }
        if let Some(project) = &options.project {
            builder = builder.project(project);
        }
        for (api, url) in &options.api_urls {
            builder = builder.api_base_url(api, url);
        }
        let client = builder.build()?;
        Ok(match options.timeout {
            Some(limit) => client.with(CallOptions::new().total_timeout(limit)),
            None => client,
        })
    }

    /// A client for looks at requests: it needs no token, and nothing is sent with it.
    pub fn offline_client(&self) -> Result<Client> {
        match self.client() {
            Ok(client) => Ok(client),
            Err(_) => {
                let mut builder = Client::builder().anonymous();
                if let Some(url) = &self.options.base_url {
                    builder = builder.base_url(url);
                }
                if let Some(project) = &self.options.project {
                    builder = builder.project(project);
                }
                builder.build().map_err(Failure::from)
            }
        }
    }

    pub fn is(&self, switch: Switch) -> bool {
        self.options.switches.has(switch)
    }

    /// The project of the options, the environment or the profile.
    pub fn project(&self, client: &Client) -> Result<String> {
        let name = client.transport().project().map(str::to_owned);
        name.ok_or_else(|| {
            Failure::new(Exit::Access, "no project is named")
                .hint("name one with -p, MKIO_PROJECT, or `mkio profile set project NAME`")
        })
    }

    /// Writes a line for people to standard error.
    pub fn tell(&self, line: impl std::fmt::Display) {
        if !self.is(Switch::Quiet) {
            // Whoever has closed standard error does not want to hear it.
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// Asks before something that cannot be undone. Without a terminal it is refused.
    pub fn confirm(&self, what: &str) -> Result<()> {
        if self.is(Switch::Yes) || self.is(Switch::DryRun) {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage(format!("{what}: nobody is there to ask"))
                .hint("--yes says that it is meant"));
        }
        write!(io::stderr(), "{what}? [y/N] ")?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        match line.trim() {
            "y" | "Y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Usage, "nothing was done")),
        }
    }

    /// Asks before any change with a profile that is marked as protected.
    pub fn guard(&self, what: &str) -> Result<()> {
        match self.protected_profile()? {
            Some(profile) => self.confirm(&format!("{what} (profile `{profile}` is protected)")),
            None => Ok(()),
        }
    }

    fn protected_profile(&self) -> Result<Option<String>> {
        let file = ProfileFile::read(self.config_file()?)?;
        let named = self.options.profile.clone();
        let named = named.or_else(|| std::env::var("MKIO_PROFILE").ok());
        let name = named.or_else(|| file.default_name());
        Ok(name.filter(|name| file.is_protected(name)))
    }

    /// The configuration file.
    pub fn config_file(&self) -> Result<PathBuf> {
        match &self.options.config_file {
            Some(path) => Ok(path.clone()),
            None => mkio::config_file().map_err(Failure::from),
        }
    }

    /// Hides secrets unless they are asked for.
    pub fn shown(&self, mut value: Value, mask: impl FnOnce(&mut Value)) -> Value {
        if !self.is(Switch::ShowSecrets) {
            mask(&mut value);
        }
        value
    }
}

/// Arguments of a call.
pub type Arguments = Map<String, Value>;

/// The catalog of an API.
pub fn catalog(api: &str) -> Option<&'static Catalog> {
    mkio::CATALOGS
        .iter()
        .copied()
        .find(|catalog| catalog.api == api)
}
