//! One run of the program: options, client, output, questions.

use std::{
    ffi::OsString,
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use futures_util::FutureExt;
use mkio::{CallOptions, Client, TransportBuilder, dynamic::Catalog};
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::{
    failure::{Exit, Failure, Result},
    options::{Options, Switch, quoted, variable},
    output::{self, Output},
    profile::ProfileFile,
};

/// One run of the program.
pub struct Session {
    pub options: Options,
    pub output: Output,
    interrupts: watch::Sender<bool>,
}

impl Session {
    pub fn new(options: Options) -> Result<Self> {
        let output = Output::new(&options.wanted)?;
        let interrupts = watch::Sender::new(false);
        Ok(Self {
            options,
            output,
            interrupts,
        })
    }

    /// Takes Ctrl-C from here on. A command that waits for it ends in its own way; otherwise, or the
    /// second time, Ctrl-C ends the program.
    pub fn take_interrupts(&self) {
        let heard = self.interrupts.clone();
        let mut next = Box::pin(tokio::signal::ctrl_c());
        // Polled once, so that none is missed until the task runs.
        let mut outcome = (&mut next).now_or_never();
        tokio::spawn(async move {
            loop {
                let taken = match outcome.take() {
                    Some(outcome) => outcome,
                    None => (&mut next).await,
                };
                if taken.is_err() {
                    return;
                }
                next = Box::pin(tokio::signal::ctrl_c());
                outcome = (&mut next).now_or_never();
                // Counted before it is sent: a receiver may be dropped at once.
                let is_heard = heard.receiver_count() > 0;
                let again = heard.send_replace(true);
                if again || !is_heard {
                    std::process::exit(Exit::Interrupted as i32);
                }
            }
        });
    }

    /// Ctrl-C after this call. Make it once for a loop: a new one for each round would miss Ctrl-C in
    /// between.
    pub fn interrupted(&self) -> impl Future<Output = ()> + use<> {
        let mut heard = self.interrupts.subscribe();
        async move {
            if heard.wait_for(|is_on| *is_on).await.is_err() {
                std::future::pending().await
            }
        }
    }

    /// The client of the options, the environment and the profile, in this order.
    ///
    /// A profile that is named in the options shuts the environment out, so that no token of one
    /// place goes to the address of another.
    pub fn client(&self) -> Result<Client> {
        self.refuse_another_address()?;
        let client = self.builder().build()?;
        Ok(match self.options.timeout {
            Some(limit) => client.with(CallOptions::new().total_timeout(limit)),
            None => client,
        })
    }

    /// A client that shows requests: it needs no token, and sends nothing.
    pub fn offline_client(&self) -> Result<Client> {
        let client = self.builder().anonymous().build();
        client.map_err(Failure::from)
    }

    fn builder(&self) -> TransportBuilder<Client> {
        let options = &self.options;
        let mut builder =
            Client::builder().user_agent_suffix(concat!("mkio-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(path) = &options.config_file {
            builder = builder.config_file(path);
        }
        // As a variable, not as a setting: the token of a profile does not go to this address.
        let base_url = options.base_url.clone().map(OsString::from);
        let shut = options.profile.is_some();
        builder = builder.with_env_from(move |name| match (&base_url, name) {
            (Some(url), "MKIO_BASE_URL") => Some(url.clone()),
            _ if shut => None,
            _ => std::env::var_os(name),
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
        builder
    }

    /// The address of the options, else that of the environment, unless a profile shuts it out.
    pub fn base_url(&self) -> Option<String> {
        let options = &self.options;
        let outside = || variable("MKIO_BASE_URL").filter(|_| options.profile.is_none());
        options.base_url.clone().or_else(outside)
    }

    /// The token of the environment is for the address of the environment.
    fn refuse_another_address(&self) -> Result<()> {
        let Some(wanted) = &self.options.base_url else {
            return Ok(());
        };
        let alike = |url: &str| url.trim().trim_end_matches('/').to_owned();
        let own = variable("MKIO_BASE_URL").is_some_and(|own| alike(&own) == alike(wanted));
        let given = self.options.profile.is_none() && variable("MKIO_TOKEN").is_some();
        if own || !given {
            return Ok(());
        }
        let message = "MKIO_TOKEN was not given for --base-url; nothing was sent";
        Err(Failure::new(Exit::Access, message).hint(
            "set MKIO_BASE_URL beside MKIO_TOKEN, or name a profile of the address with --profile",
        ))
    }

    /// A command at the same service as this one, to be typed as it is.
    pub fn command(&self, words: &[&str]) -> String {
        let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
        format!("mkio {}{}", words.join(" "), self.options.again())
    }

    pub fn is(&self, switch: Switch) -> bool {
        self.options.switches.has(switch)
    }

    /// The project of the options, the environment or the profile.
    pub fn project(&self, client: &Client) -> Result<String> {
        let name = client.transport().project().map(str::trim);
        let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
        name.ok_or_else(|| {
            Failure::new(Exit::Access, "no project is named")
                .hint("name one with -p, MKIO_PROJECT, or `mkio profile set project NAME`")
        })
    }

    /// Writes a line for people to standard error.
    pub fn tell(&self, line: impl std::fmt::Display) {
        if !self.is(Switch::Quiet) {
            // Standard error may be closed.
            let _ = writeln!(io::stderr(), "{}", told(&line.to_string()));
        }
    }

    /// Asks before something that cannot be undone. Without a terminal it is refused.
    pub fn confirm(&self, what: &str) -> Result<()> {
        if self.is(Switch::Yes) {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(Failure::usage(format!(
                "{what}: needs a confirmation, and there is no terminal to ask"
            ))
            .hint("--yes confirms it"));
        }
        write!(io::stderr(), "{}? [y/N] ", told(what))?;
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
        // Without a place for the file there is no profile, so none is protected.
        let Ok(path) = self.config_file() else {
            return Ok(None);
        };
        let file = ProfileFile::read(path)?;
        let name = self.profile_in_use(&file);
        Ok(name.filter(|name| file.is_protected(name)))
    }

    /// The profile of the options, of the environment, or the file's default.
    pub fn profile_in_use(&self, file: &ProfileFile) -> Option<String> {
        let named = self.options.profile.clone();
        let named = named.or_else(|| variable("MKIO_PROFILE"));
        named.or_else(|| file.default_name())
    }

    /// The source of the token, in words.
    pub fn token_from(&self, file: &ProfileFile) -> String {
        let named = self.options.profile.is_some();
        if !named && variable("MKIO_TOKEN").is_some() {
            return "MKIO_TOKEN".to_owned();
        }
        match self.profile_in_use(file) {
            Some(name) => format!("profile {name}: {}", file.token_from(&name)),
            None => "nowhere".to_owned(),
        }
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

/// A text for people, hints on lines of their own, without characters that move the cursor: names and
/// messages come from others.
pub fn told(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(output::plain).collect();
    lines.join("\n")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_name_moves_no_cursor() {
        let text = "a\u{1b}]0;x\u{7}b\r\u{9b}2Jc\n  a hint";
        assert_eq!(told(text), "a ]0;x b  2Jc\n  a hint");
    }
}
