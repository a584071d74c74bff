//! Named profiles in `mkio/config.toml`.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use etcetera::BaseStrategy;
use secrecy::SecretString;
use serde::Deserialize;

use crate::{
    Error, ErrorKind, Result,
    error::without_values,
    token::{Token, TokenCommand, TokenFile, TokenProvider, refuse_readable_by},
};

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The profile that is used when the caller names none.
    default: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    base_url: Option<String>,
    project: Option<String>,
    /// The command line asks before it changes something; this crate does not read it.
    #[serde(default, rename = "protected")]
    _protected: bool,
    token: Option<SecretString>,
    token_file: Option<String>,
    token_command: Option<Vec<String>>,
    /// APIs with a service of their own, such as `channels` on a device.
    #[serde(default)]
    api: BTreeMap<String, ApiEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApiEntry {
    base_url: String,
    token: Option<SecretString>,
    token_file: Option<String>,
    token_command: Option<Vec<String>>,
}

/// Where a token comes from.
#[derive(Clone)]
pub(crate) enum TokenSetting {
    /// Given once and for all.
    Fixed(Token),
    /// Asked for.
    Provider(Arc<dyn TokenProvider>),
}

/// One profile of the file.
#[derive(Default)]
pub(crate) struct Profile {
    /// Its name and file, for messages.
    pub(crate) place: String,
    pub(crate) base_url: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) token: Option<TokenSetting>,
    pub(crate) api: BTreeMap<String, (String, Option<TokenSetting>)>,
}

fn config_error(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}

/// Path of the profile file that is read unless another one is named, for programs that show or
/// write it: `$XDG_CONFIG_HOME/mkio/config.toml`, by default under `~/.config`; on Windows under
/// `%APPDATA%`.
///
/// # Errors
///
/// Kind [`Config`](ErrorKind::Config) when there is no home directory.
pub fn config_file() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().map_err(|error| {
        config_error(
            "there is no home directory for mkio/config.toml; name the file with `config_file`"
                .to_owned(),
        )
        .with_source(error)
    })?;
    Ok(base.config_dir().join("mkio").join("config.toml"))
}

impl Profile {
    /// Reads a profile: the one that is named, else the file's default, else the one called
    /// `default`. `None` when no profile is named and there is no file, or it has no default.
    pub(crate) fn load(path: Option<&Path>, name: Option<&str>) -> Result<Option<Self>> {
        let looked_up;
        let file_path = match path {
            Some(path) => path,
            None => match (config_file(), name) {
                (Ok(path), _) => {
                    looked_up = path;
                    &looked_up
                }
                (Err(error), Some(_)) => return Err(error),
                (Err(_), None) => return Ok(None),
            },
        };
        let shown = file_path.display();
        let text = match std::fs::read_to_string(file_path) {
            Ok(text) => text,
            Err(error) if path.is_none() && name.is_none() && is_out_of_reach(&error) => {
                return Ok(None);
            }
            Err(error) => {
                return Err(
                    config_error(format!("cannot read the profile file {shown}"))
                        .with_source(error),
                );
            }
        };
        refuse_readable_by(file_path, 0o077, "other users").map_err(config_error)?;
        let file: File =
            toml::from_str(&text).map_err(|error| unreadable(file_path, &text, &error))?;
        let chosen = match name.or(file.default.as_deref()) {
            Some(name) => name.to_owned(),
            None if file.profiles.contains_key("default") => "default".to_owned(),
            None => return Ok(None),
        };
        let known: Vec<_> = file.profiles.keys().cloned().collect();
        let mut profiles = file.profiles;
        let entry = profiles.remove(&chosen).ok_or_else(|| {
            config_error(format!(
                "there is no profile `{chosen}` in {shown}; it has: {}",
                known.join(", ")
            ))
        })?;
        let place = format!("profile `{chosen}` in {shown}");
        let directory = file_path.parent().unwrap_or(Path::new(""));
        entry.resolve(&place, directory).map(Some)
    }
}

/// There is no such file, or no home directory that this program may look into.
fn is_out_of_reach(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    )
}

/// A TOML error without the line it quotes: that may be the one with the token.
fn unreadable(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    // A key is named as it was written, a value is not: it may be the token.
    let why = match error.message() {
        message if message.starts_with("unknown field ") => message.to_owned(),
        message => without_values(message),
    };
    config_error(format!("{}, line {line}: {why}", path.display()))
}

impl Entry {
    fn resolve(self, place: &str, directory: &Path) -> Result<Profile> {
        let token = token_setting(
            self.token,
            self.token_file,
            self.token_command,
            place,
            directory,
        )?;
        let mut api = BTreeMap::new();
        for (name, entry) in self.api {
            let place = format!("API `{name}` of {place}");
            let token = token_setting(
                entry.token,
                entry.token_file,
                entry.token_command,
                &place,
                directory,
            )?;
            api.insert(name, (entry.base_url, token));
        }
        Ok(Profile {
            place: place.to_owned(),
            base_url: self.base_url,
            project: self.project,
            token,
            api,
        })
    }
}

fn token_setting(
    token: Option<SecretString>,
    file: Option<String>,
    command: Option<Vec<String>>,
    place: &str,
    directory: &Path,
) -> Result<Option<TokenSetting>> {
    let given: Vec<_> = [
        ("token", token.is_some()),
        ("token_file", file.is_some()),
        ("token_command", command.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    if let [first, second, ..] = given[..] {
        return Err(config_error(format!(
            "{place} has both `{first}` and `{second}`; keep one"
        )));
    }
    if let Some(token) = token {
        return Ok(Some(TokenSetting::Fixed(Token::from(token))));
    }
    if let Some(file) = file {
        let path = absolute(&file, directory);
        return Ok(Some(TokenSetting::Provider(Arc::new(TokenFile::new(path)))));
    }
    let Some(command) = command else {
        return Ok(None);
    };
    let Some((program, arguments)) = command.split_first() else {
        return Err(config_error(format!(
            "`token_command` of {place} is empty; give the program and its arguments"
        )));
    };
    let command = TokenCommand::new(program, arguments.iter().cloned());
    Ok(Some(TokenSetting::Provider(Arc::new(command))))
}

/// `~/` is the home directory; a relative path starts at the profile file.
fn absolute(path: &str, directory: &Path) -> PathBuf {
    match (path.strip_prefix("~/"), etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest),
        _ => directory.join(path),
    }
}
