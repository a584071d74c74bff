//! `mkio profile`: the profiles of the configuration file.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::{
    failure::{Exit, Failure, Result},
    profile::ProfileFile,
    session::Session,
};

/// Settings that can be changed.
const KEYS: [&str; 4] = ["base_url", "project", "protected", "token_file"];

pub fn command() -> Command {
    let name = || {
        Arg::new("name")
            .value_name("NAME")
            .required(true)
            .help("Name of the profile")
    };
    Command::new("profile")
        .about("Profiles: address, project and token under a name")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true)
        .subcommand(Command::new("list").about("Lists the profiles; no token is shown"))
        .subcommand(
            Command::new("use")
                .about("Makes a profile the default")
                .arg(name()),
        )
        .subcommand(
            Command::new("set")
                .about("Changes a setting of the profile in use, or of --profile")
                .arg(
                    Arg::new("key")
                        .value_name("KEY")
                        .required(true)
                        .value_parser(KEYS)
                        .help("The setting; `mkio login` sets tokens"),
                )
                .arg(
                    Arg::new("value")
                        .value_name("VALUE")
                        .help("The value; none removes the setting"),
                ),
        )
        .subcommand(
            Command::new("delete")
                .about("Removes a profile and its token")
                .arg(name()),
        )
        .subcommand(Command::new("path").about("Prints where the configuration file is"))
}

pub fn run(session: &Session, verb: &str, matches: &ArgMatches) -> Result<()> {
    let text = |name: &str| matches.try_get_one::<String>(name).ok().flatten().cloned();
    let mut file = ProfileFile::read(session.config_file()?)?;
    match verb {
        "list" => list(session, &file),
        "path" => session
            .output
            .one(&json!(file.path().display().to_string()), &[]),
        "use" => {
            let name = text("name").unwrap_or_default();
            known(&file, &name)?;
            file.set_default(&name);
            file.write()?;
            session.tell(format!("`{name}` is the default now"));
            Ok(())
        }
        "delete" => {
            let name = text("name").unwrap_or_default();
            known(&file, &name)?;
            session.confirm(&format!("remove the profile `{name}` and its token"))?;
            file.remove(&name);
            file.write()?;
            session.tell(format!("removed the profile `{name}`"));
            Ok(())
        }
        _ => {
            let name = in_use(session, &file);
            let key = text("key").unwrap_or_default();
            file.set(&name, &key, text("value").as_deref())?;
            file.write()?;
            let done = text("value").map_or("removed", |_| "set");
            session.tell(format!("{done} `{key}` of the profile `{name}`"));
            Ok(())
        }
    }
}

/// The profile that commands use; `default` where there is none.
pub fn in_use(session: &Session, file: &ProfileFile) -> String {
    let named = session.profile_in_use(file);
    named.unwrap_or_else(|| "default".to_owned())
}

fn known(file: &ProfileFile, name: &str) -> Result<()> {
    let names = file.names();
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let message = format!("there is no profile `{name}` in {}", file.path().display());
    Err(Failure::new(Exit::Access, message).hint(format!("it has: {}", names.join(", "))))
}

fn list(session: &Session, file: &ProfileFile) -> Result<()> {
    let default = file.default_name();
    let mut list = session.output.list(&[
        "name",
        "default",
        "project",
        "base_url",
        "token_from",
        "protected",
    ]);
    for name in file.names() {
        list.item(json!({
            "name": name,
            "default": default.as_deref() == Some(&name),
            "project": file.setting(&name, "project"),
            "base_url": file.setting(&name, "base_url"),
            "token_from": file.token_from(&name),
            "protected": file.is_protected(&name),
        }))?;
    }
    list.end()
}
