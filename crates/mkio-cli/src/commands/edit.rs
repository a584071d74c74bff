//! `mkio edit`: reads a resource, changes it, writes it back.

use std::{env, fs, process};

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::dynamic::Ty;
use serde_json::Value;

use crate::{
    body,
    failure::{Exit, Failure, Result},
    kinds,
    options::Switch,
    output::path,
    run,
    session::Session,
    tree,
};

pub fn command() -> Command {
    Command::new("edit")
        .about("Changes fields of a resource and leaves the rest as it is")
        .after_help("Examples:\n  mkio edit transform h264 --set properties.description='house encode'\n  mkio edit policy drm --editor")
        .arg(Arg::new("kind").value_name("KIND").required(true).help("What it is"))
        .arg(Arg::new("name").value_name("NAME").required(true).help("Its name, parents before it: h264/job-1"))
        .arg(tree::set_argument())
        .arg(
            Arg::new("editor")
                .long("editor")
                .action(ArgAction::SetTrue)
                .conflicts_with("set")
                .help("Opens it in the editor of VISUAL or EDITOR"),
        )
}

pub async fn run(session: &Session, matches: &ArgMatches) -> Result<()> {
    let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let kind = kinds::find(&text("kind"))?;
    let write = kind
        .write()
        .ok_or_else(|| Failure::usage(format!("a {} cannot be changed", kind.name)))?;
    let client = session.client()?;
    let project = session.project(&client).unwrap_or_default();
    let names = kind.arguments(&project, &text("name"))?;
    let read = kind.get.call(client.transport(), &names).await?;
    let sets: Vec<(String, String)> = body::sets(matches)
        .map(|(place, value)| (place.to_owned(), value.to_owned()))
        .collect();
    let by_hand = matches.get_flag("editor");
    if sets.is_empty() && !by_hand {
        return Err(Failure::usage("nothing to change").hint("--set PATH=VALUE, or --editor"));
    }
    let ty = write
        .body
        .as_ref()
        .and_then(|body| body.ty)
        .unwrap_or(Ty::Json);
    // The change runs in between, and its own failures come out as they are.
    let mut failed = None;
    let request = write.edited(client.transport(), &names, &read, |value| {
        let outcome = if by_hand {
            in_editor(session, write, value)
        } else {
            set_all(write, ty, value, &sets)
        };
        outcome.map_err(|failure| {
            let message = failure.to_string();
            failed = Some(failure);
            mkio::Error::new(mkio::ErrorKind::InvalidRequest, message)
        })
    });
    if let Some(failure) = failed {
        return Err(failure);
    }
    let Some(request) = request? else {
        session.tell("nothing changed, nothing was sent");
        return Ok(());
    };
    if session.is(Switch::DryRun) {
        return run::show_request(session, write, &request);
    }
    session.guard(&format!("edit {} {}", kind.name, text("name")))?;
    let response = write.send(client.transport(), request).await?;
    let value = session.shown(response.json(), |value| write.mask(value));
    session.output.one(&value, write.columns)
}

fn set_all(
    write: &'static mkio::dynamic::Entry,
    ty: Ty,
    value: &mut Value,
    sets: &[(String, String)],
) -> Result<()> {
    for (place, new) in sets {
        let new = body::typed(write, ty, place, new)?;
        path::put(value, place, new).map_err(|why| Failure::usage(format!("--set {why}")))?;
    }
    Ok(())
}

/// The value as YAML in the editor; secrets stay what they are unless they are changed.
fn in_editor(
    session: &Session,
    write: &'static mkio::dynamic::Entry,
    value: &mut Value,
) -> Result<()> {
    let editor = env::var("VISUAL").or_else(|_| env::var("EDITOR"));
    let editor = editor.map_err(|_| Failure::usage("neither VISUAL nor EDITOR names an editor"))?;
    let shown = session.shown(value.clone(), |value| write.mask_body(value));
    let text = serde_norway::to_string(&shown)
        .map_err(|error| Failure::new(Exit::Answer, error.to_string()))?;
    let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
    fs::write(file.path(), text)?;
    let mut words = editor.split_whitespace();
    let status = process::Command::new(words.next().unwrap_or_default())
        .args(words)
        .arg(file.path())
        .status()
        .map_err(|error| Failure::usage(format!("{editor}: {error}")))?;
    if !status.success() {
        return Err(Failure::usage(format!(
            "{editor} ended with {status}; nothing was sent"
        )));
    }
    let mut new = body::parse(&fs::read_to_string(file.path())?, "the edited file")?;
    keep_hidden(&mut new, value, &shown);
    *value = new;
    Ok(())
}

/// What was hidden and is still hidden is what it was.
fn keep_hidden(new: &mut Value, was: &Value, shown: &Value) {
    match (new, shown) {
        (Value::Object(new), Value::Object(shown)) => {
            for (name, new) in new {
                if let (Some(shown), Some(was)) = (shown.get(name), was.get(name)) {
                    keep_hidden(new, was, shown);
                }
            }
        }
        (Value::Array(new), Value::Array(shown)) if new.len() == shown.len() => {
            for (n, (new, shown)) in new.iter_mut().zip(shown).enumerate() {
                if let Some(was) = was.get(n) {
                    keep_hidden(new, was, shown);
                }
            }
        }
        (new, shown) if new == shown && was != shown => *new = was.clone(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hidden_values_stay_and_others_change() {
        let was = json!({"key": "geheim", "list": [{"key": "k1"}], "name": "n"});
        let shown = json!({"key": "***", "list": [{"key": "***"}], "name": "n"});
        let mut new = json!({"key": "***", "list": [{"key": "new"}], "name": "m"});
        keep_hidden(&mut new, &was, &shown);
        assert_eq!(
            new,
            json!({"key": "geheim", "list": [{"key": "new"}], "name": "m"})
        );
    }
}
