//! `mkio edit`: reads a resource, changes it, writes it back.

use clap::{Arg, ArgAction, ArgMatches, Command};
use mkio::dynamic::Ty;
use serde_json::Value;

use crate::{
    body,
    editor::{Draft, Editor},
    failure::{Failure, Result},
    kinds,
    options::{self, Switch},
    output::path,
    run,
    session::Session,
    tree,
};

/// The text in the place of a secret.
const HIDDEN: &str = "***";

pub fn command() -> Command {
    Command::new("edit")
        .about("Changes fields of a resource and leaves the rest as it is")
        .after_help("Examples:\n  mkio edit transform h264 --set properties.description='house encode'\n  mkio edit policy drm --editor")
        .arg(Arg::new("kind").value_name("KIND").required(true).help("Kind of the resource: asset, transform, webhook-rule, …"))
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
    let mut draft = Draft::default();
    let outcome = edit(session, matches, &mut draft).await;
    draft.kept(outcome)
}

async fn edit(session: &Session, matches: &ArgMatches, draft: &mut Draft) -> Result<()> {
    let text = |name: &str| options::text(matches, name).unwrap_or_default();
    let kind = kinds::find(&text("kind"))?;
    let write = kind
        .write()
        .ok_or_else(|| Failure::usage(format!("a {} cannot be changed", kind.name)))?;
    let client = session.client()?;
    let project = match kind.get.parameter(tree::PROJECT) {
        Some(_) if kind.name != "project" => session.project(&client)?,
        _ => String::new(),
    };
    let names = kind.arguments(&project, &text("name"))?;
    let sets = body::pairs(matches, "set")?;
    let by_hand = matches.get_flag("editor");
    if sets.is_empty() && !by_hand {
        return Err(Failure::usage("nothing to change").hint("--set PATH=VALUE, or --editor"));
    }
    run::refuse_form(session, write)?;
    let editor = by_hand.then(Editor::named).transpose()?;
    let read = kind.get.call(client.transport(), &names).await?;
    let ty = write
        .body
        .as_ref()
        .and_then(|body| body.ty)
        .unwrap_or(Ty::Json);
    // The change runs in between, and its own failures come out as they are.
    let mut failed = None;
    let request = write.edited(client.transport(), &names, &read, |value| {
        let outcome = match &editor {
            Some(editor) => in_editor(session, write, value, (editor, draft)),
            None => set_all(write, ty, value, &sets),
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
    let response = write.send_edited(client.transport(), request).await?;
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
        if new.is_null() && !body::may_be_null(write, ty, place) {
            path::remove(value, place);
            continue;
        }
        body::put(write, ty, value, (place, new))?;
    }
    Ok(())
}

/// The value as YAML in the editor; secrets stay what they are unless they are changed. The edited
/// text is the draft.
fn in_editor(
    session: &Session,
    write: &'static mkio::dynamic::Entry,
    value: &mut Value,
    (editor, draft): (&Editor, &mut Draft),
) -> Result<()> {
    let shown = session.shown(value.clone(), |value| write.mask_body(value));
    let mut new = editor.edited(&shown, draft)?;
    keep_hidden(&mut new, value, &shown);
    if !session.is(Switch::ShowSecrets) {
        refuse_hidden(write, &new)?;
    }
    *value = new;
    Ok(())
}

/// Secrets that are still hidden keep their values.
fn keep_hidden(new: &mut Value, was: &Value, shown: &Value) {
    match (new, was, shown) {
        (Value::Object(new), Value::Object(was), Value::Object(shown)) => {
            for (name, new) in new {
                if let (Some(shown), Some(was)) = (shown.get(name), was.get(name)) {
                    keep_hidden(new, was, shown);
                }
            }
        }
        (Value::Array(new), Value::Array(was), Value::Array(shown)) => {
            let origins = origins(new, was, shown);
            for (new, origin) in new.iter_mut().zip(origins) {
                if let Some((was, shown)) = origin.and_then(|n| was.get(n).zip(shown.get(n))) {
                    keep_hidden(new, was, shown);
                }
            }
        }
        (new, was, shown) if new == shown => *new = was.clone(),
        _ => {}
    }
}

/// The old item of each new one; none where that is not clear.
///
/// An item that looks like an old one is that one, at any place. Any other item is the old one of its
/// place, if the list has as many items as before.
fn origins(new: &[Value], was: &[Value], shown: &[Value]) -> Vec<Option<usize>> {
    let same_length = new.len() == shown.len();
    let stays = |n: usize| same_length && shown.get(n) == new.get(n);
    let mut found: Vec<Option<usize>> = (0..new.len()).map(|n| stays(n).then_some(n)).collect();
    for n in 0..new.len() {
        if found[n].is_some() {
            continue;
        }
        let alike: Vec<usize> = (0..shown.len())
            .filter(|at| shown[*at] == new[n] && !found.contains(&Some(*at)))
            .collect();
        let left = (n..new.len()).filter(|at| new[*at] == new[n] && found[*at].is_none());
        let one_secret = alike.windows(2).all(|two| was[two[0]] == was[two[1]]);
        // Of several that look alike each is taken once, or it does not matter which one.
        found[n] = alike
            .first()
            .copied()
            .filter(|_| one_secret || alike.len() == left.count());
    }
    for n in 0..new.len() {
        let changed = found[n].is_none() && same_length && !shown.contains(&new[n]);
        if changed && !found.contains(&Some(n)) {
            found[n] = Some(n);
        }
    }
    found
}

/// Refuses to send `***` in the place of a secret.
fn refuse_hidden(write: &mkio::dynamic::Entry, body: &Value) -> Result<()> {
    for place in write.body_secrets() {
        let place = place.trim_start_matches('/');
        if path::find(body, place)
            .into_iter()
            .any(|value| value == HIDDEN)
        {
            let message = format!(
                "`{place}` is still hidden, and it matches several secrets; nothing was sent"
            );
            return Err(Failure::usage(message).hint("write its value, or use --show-secrets"));
        }
    }
    Ok(())
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

    fn items(all: &[(&str, &str)]) -> Value {
        let item = |(name, key): &(&str, &str)| json!({"name": name, "key": key});
        json!({"list": all.iter().map(item).collect::<Vec<_>>()})
    }

    fn kept(new: Value, was: &Value) -> Value {
        let mut shown = was.clone();
        let list = shown["list"].as_array_mut().expect("a list");
        list.iter_mut().for_each(|item| item["key"] = json!("***"));
        let mut new = new;
        keep_hidden(&mut new, was, &shown);
        new
    }

    #[test]
    fn secrets_go_with_their_items() {
        let was = items(&[("a", "ka"), ("b", "kb"), ("c", "kc")]);
        let swapped = items(&[("b", "***"), ("a", "***"), ("c", "***")]);
        let right = items(&[("b", "kb"), ("a", "ka"), ("c", "kc")]);
        assert_eq!(kept(swapped, &was), right);
        let first_removed = items(&[("b", "***"), ("c", "***")]);
        let right = items(&[("b", "kb"), ("c", "kc")]);
        assert_eq!(kept(first_removed, &was), right);
        let renamed = items(&[("a", "***"), ("x", "***"), ("c", "***")]);
        let right = items(&[("a", "ka"), ("x", "kb"), ("c", "kc")]);
        assert_eq!(kept(renamed, &was), right);
    }

    #[test]
    fn a_secret_that_is_not_clear_stays_hidden() {
        let was = items(&[("a", "k1"), ("a", "k2")]);
        let removed = items(&[("a", "***")]);
        assert_eq!(kept(removed.clone(), &was), removed, "one of two");
        let both = items(&[("a", "***"), ("a", "***"), ("b", "new")]);
        let right = items(&[("a", "k1"), ("a", "k2"), ("b", "new")]);
        assert_eq!(kept(both, &was), right);
        let was = items(&[("a", "ka"), ("b", "kb")]);
        let moved_and_changed = items(&[("b", "***"), ("x", "***")]);
        let right = items(&[("b", "kb"), ("x", "***")]);
        assert_eq!(kept(moved_and_changed, &was), right, "`x` was not `b`");
        let twice = items(&[("a", "***"), ("a", "***")]);
        let right = items(&[("a", "ka"), ("a", "***")]);
        assert_eq!(kept(twice, &was), right, "nobody copies a secret unseen");
    }

    #[test]
    fn what_is_still_hidden_is_not_sent() {
        let write = kinds::find("webhook-rule").unwrap().write().unwrap();
        let place = write.body_secrets().remove(0);
        let mut body = json!({});
        let put =
            |body: &mut Value, text: &str| path::put(body, &place.replace('*', "x"), json!(text));
        put(&mut body, "geheim").unwrap();
        assert!(refuse_hidden(write, &body).is_ok());
        put(&mut body, "***").unwrap();
        let error = refuse_hidden(write, &body).unwrap_err().to_string();
        assert!(error.contains("nothing was sent"), "{error}");
    }
}
