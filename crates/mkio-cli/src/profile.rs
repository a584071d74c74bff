//! The profile file: read as text, changed in place, comments kept.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::failure::{Exit, Failure, Result};

/// Settings of the token's source; a profile has one of them.
const TOKENS: [&str; 3] = ["token", "token_file", "token_command"];

/// Links that lead from one to the next; systems follow about as many.
const MOST_LINKS: usize = 32;

/// The profile file, to be changed and written.
pub struct ProfileFile {
    path: PathBuf,
    document: DocumentMut,
    /// The file exists and cannot be read: it is not overwritten either.
    out_of_reach: bool,
}

/// Where a profile's token comes from.
pub enum TokenFrom {
    /// The profile file has it.
    Text(String),
    /// A program prints it.
    Command(Vec<String>),
}

impl ProfileFile {
    /// Reads the file; one that is not there, or out of reach, is empty.
    pub fn read(path: PathBuf) -> Result<Self> {
        let mut out_of_reach = false;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if is_nowhere(&error) => {
                out_of_reach = error.kind() == io::ErrorKind::PermissionDenied;
                String::new()
            }
            Err(error) => {
                let message = format!("{}: {error}", path.display());
                return Err(Failure::new(Exit::Access, message));
            }
        };
        let document = text.parse().map_err(|error: toml_edit::TomlError| {
            // The error's own text quotes the line, which may be the one with the token.
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
            let message = format!(
                "{}, line {line}: this cannot be read as TOML",
                path.display()
            );
            Failure::new(Exit::Access, message)
        })?;
        Ok(Self {
            path,
            document,
            out_of_reach,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The first problem of the file's structure, if there is one.
    pub fn wrong(&self) -> Option<String> {
        let profiles = self.document.get("profiles")?;
        let Some(all) = profiles.as_table_like() else {
            return Some("`profiles` has to be a table: [profiles.NAME]".to_owned());
        };
        if let Some((name, _)) = all.iter().find(|(_, of)| !of.is_table_like()) {
            return Some(format!("`profiles.{name}` has to be a table"));
        }
        let default = self.document.get("default")?;
        match default.as_str() {
            None => Some("`default` has to be the name of a profile".to_owned()),
            Some(name) if !all.contains_key(name) => Some(format!(
                "`default` names `{name}`; the profiles are {}",
                self.names().join(", ")
            )),
            Some(_) => None,
        }
    }

    /// Names of the profiles.
    pub fn names(&self) -> Vec<String> {
        let profiles = self.document.get("profiles").and_then(Item::as_table_like);
        let names = profiles.into_iter().flat_map(|all| all.iter());
        names.map(|(name, _)| name.to_owned()).collect()
    }

    /// The profile that is used when none is named.
    pub fn default_name(&self) -> Option<String> {
        let named = self.document.get("default").and_then(Item::as_str);
        let usual = || self.names().into_iter().find(|name| name == "default");
        named.map(str::to_owned).or_else(usual)
    }

    fn profile(&self, name: &str) -> Option<&Item> {
        self.document.get("profiles")?.get(name)
    }

    /// A setting of a profile, if it is text.
    pub fn setting(&self, name: &str, key: &str) -> Option<String> {
        self.profile(name)?.get(key)?.as_str().map(str::to_owned)
    }

    /// Changes with this profile need a confirmation.
    pub fn is_protected(&self, name: &str) -> bool {
        let setting = self.profile(name).and_then(|of| of.get("protected"));
        setting.and_then(Item::as_bool).unwrap_or(false)
    }

    /// The source of the profile's token, in a word.
    pub fn token_from(&self, name: &str) -> &'static str {
        let has = |key: &str| self.profile(name).is_some_and(|of| of.get(key).is_some());
        match TOKENS.map(has) {
            [true, _, _] => "this file",
            [_, true, _] => "a file",
            [_, _, true] => "a command",
            _ => "nowhere",
        }
    }

    fn entry(&mut self, name: &str) -> Result<&mut dyn toml_edit::TableLike> {
        let wrong = format!(
            "{}: `profiles.{name}` has to be a table",
            self.path.display()
        );
        let profiles = self.document.entry("profiles").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let profiles = profiles.as_table_like_mut();
        let entry = profiles.map(|all| all.entry(name).or_insert_with(toml_edit::table));
        entry
            .and_then(Item::as_table_like_mut)
            .ok_or_else(|| Failure::new(Exit::Access, wrong))
    }

    /// Sets the token of a profile; replaces the old one.
    pub fn set_token(&mut self, name: &str, token: TokenFrom) -> Result<()> {
        let entry = self.entry(name)?;
        for key in TOKENS {
            entry.remove(key);
        }
        match token {
            TokenFrom::Text(text) => entry.insert("token", value(text)),
            TokenFrom::Command(words) => {
                entry.insert("token_command", value(Array::from_iter(words)))
            }
        };
        Ok(())
    }

    /// Removes the token of a profile; gives whether there was one.
    pub fn remove_token(&mut self, name: &str) -> Result<bool> {
        let entry = self.entry(name)?;
        Ok(TOKENS
            .map(|key| entry.remove(key).is_some())
            .contains(&true))
    }

    /// Changes a setting; no text removes it.
    pub fn set(&mut self, name: &str, key: &str, text: Option<&str>) -> Result<()> {
        let entry = self.entry(name)?;
        match (key, text) {
            (_, None) => drop(entry.remove(key)),
            ("protected", Some(text)) => {
                let on = text.parse::<bool>();
                let on = on.map_err(|_| Failure::usage("protected is true or false"))?;
                entry.insert(key, value(on));
            }
            (_, Some(text)) => {
                // A profile has one token.
                for other in TOKENS.iter().filter(|_| TOKENS.contains(&key)) {
                    entry.remove(other);
                }
                entry.insert(key, value(text));
            }
        }
        Ok(())
    }

    pub fn set_default(&mut self, name: &str) {
        self.document["default"] = value(name);
    }

    /// Removes a profile; gives whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let profiles = self.document.get_mut("profiles");
        let profiles = profiles.and_then(Item::as_table_like_mut);
        let removed = profiles.is_some_and(|all| all.remove(name).is_some());
        if removed && self.document.get("default").and_then(Item::as_str) == Some(name) {
            self.document.remove("default");
        }
        removed
    }

    /// The file behind links: a link stays a link, also one to a missing file.
    fn target(&self) -> PathBuf {
        let mut path = self.path.clone();
        // A link to itself has no end.
        for _ in 0..MOST_LINKS {
            let Ok(next) = fs::read_link(&path) else {
                break;
            };
            path = path.parent().unwrap_or(Path::new("")).join(next);
        }
        fs::canonicalize(&path).unwrap_or(path)
    }

    /// Writes the file, whole or not at all; only its owner may read it.
    pub fn write(&self) -> Result<()> {
        let failed = |error: io::Error| {
            let message = format!("{}: {error}", self.path.display());
            Failure::new(Exit::Access, message)
        };
        if self.out_of_reach {
            return Err(failed(io::ErrorKind::PermissionDenied.into()));
        }
        let path = self.target();
        let folder = path.parent().filter(|above| !above.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // Made readable for its owner only, and put in the place of the old one at once.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(self.document.to_string().as_bytes())
            .map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// The file does not exist, or cannot be read.
fn is_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::PermissionDenied
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_and_only_the_owner_reads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mkio/config.toml");
        let mut file = ProfileFile::read(path.clone()).unwrap();
        file.set_token("prod", TokenFrom::Text("geheim".into()))
            .unwrap();
        file.set("prod", "project", Some("acme")).unwrap();
        file.set("prod", "protected", Some("true")).unwrap();
        file.set_default("prod");
        file.write().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("# ours\n{text}")).unwrap();
        let mut file = ProfileFile::read(path.clone()).unwrap();
        assert!(file.is_protected("prod"));
        assert_eq!(file.default_name().as_deref(), Some("prod"));
        assert_eq!(file.token_from("prod"), "this file");
        let words = vec!["op".to_owned(), "read".to_owned()];
        file.set_token("prod", TokenFrom::Command(words)).unwrap();
        file.write().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("# ours\n") && !text.contains("geheim"),
            "{text}"
        );
        assert!(
            text.contains("token_command = [\"op\", \"read\"]"),
            "{text}"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert!(file.remove("prod") && file.default_name().is_none());
    }

    #[test]
    fn a_profile_has_one_token() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = ProfileFile::read(folder.path().join("config.toml")).unwrap();
        let mut tokens = |change: &dyn Fn(&mut ProfileFile)| {
            change(&mut file);
            let entry = file.profile("a").unwrap();
            TOKENS.map(|key| entry.get(key).is_some())
        };
        let text = |file: &mut ProfileFile| {
            let token = TokenFrom::Text("geheim".into());
            file.set_token("a", token).unwrap();
        };
        let file_of = |file: &mut ProfileFile| file.set("a", "token_file", Some("t")).unwrap();
        let command = |file: &mut ProfileFile| {
            let token = TokenFrom::Command(vec!["op".into()]);
            file.set_token("a", token).unwrap();
        };
        assert_eq!(tokens(&text), [true, false, false]);
        assert_eq!(tokens(&file_of), [false, true, false]);
        assert_eq!(tokens(&command), [false, false, true]);
        assert_eq!(tokens(&file_of), [false, true, false]);
        assert_eq!(tokens(&text), [true, false, false]);
    }

    #[test]
    fn what_is_no_file_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let below = ProfileFile::read(file.join("mkio/config.toml")).unwrap();
        assert!(below.names().is_empty());
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "[profiles.a]\ntoken = geheim\n").unwrap();
        let error = ProfileFile::read(path).map(drop).unwrap_err().to_string();
        assert!(
            error.contains("line 2") && !error.contains("geheim"),
            "{error}"
        );
    }
}
