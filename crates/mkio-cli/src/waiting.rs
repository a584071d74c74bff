//! Waits and their progress.

use std::{
    io::{self, IsTerminal, Write},
    pin::pin,
    time::Duration,
};

use clap::{ArgMatches, parser::ValueSource};
use futures_util::{StreamExt, stream::FuturesUnordered};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mkio::{
    Change, Client, Result as Outcome, Wait, WaitDescription,
    dynamic::nearest,
    wait::{Resource, State, StateName},
};
use serde_json::{Value, json};

use crate::{
    failure::{Exit, Failure, Result},
    kinds,
    options::{Switch, quoted},
    output::{self, Format},
    place,
    session::Session,
};

/// A wait for a state of a resource, or for its deletion.
enum Kind {
    There(Wait<Value, State>),
    Gone(Wait<(), State>),
}

/// A wait with the name of its resource.
pub struct Watched {
    name: String,
    kind: Kind,
    /// The words of `mkio wait` for this wait: `job --for running`.
    again: Option<String>,
}

/// When several waits end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// All of them have ended.
    Together,
    /// One of them has failed, or all have ended.
    WithTheFirstFailure,
    /// One of them has reached its goal.
    WithTheFirst,
    /// All of them have ended, in any state: they were only watched.
    Whatever,
}

impl Ends {
    /// The flag of `mkio wait` for it.
    fn flag(self) -> &'static str {
        match self {
            Self::WithTheFirst => " --any",
            Self::WithTheFirstFailure => " --fail-fast",
            Self::Together | Self::Whatever => "",
        }
    }
}

/// How a wait is continued by another run.
struct Place {
    /// Name of the kind of resource; empty if the wait has no word.
    resource: String,
    again: Option<String>,
    name: String,
    /// The wait as a word; none for a wait that cannot be described.
    token: Option<String>,
}

/// A resource at the end of its wait.
pub type Ended = (String, Value);

impl Watched {
    pub fn new(name: String, wait: Wait<Value, State>) -> Self {
        Self::of_kind(name, Kind::There(wait))
    }

    pub fn gone(name: String, wait: Wait<(), State>) -> Self {
        Self::of_kind(name, Kind::Gone(wait))
    }

    fn of_kind(name: String, kind: Kind) -> Self {
        let again = None;
        Self { name, kind, again }
    }

    /// With the resource, and with the goal if one was named, for the hint after Ctrl-C.
    pub fn known(self, resource: &Resource, goal: Option<&str>) -> Self {
        let goal = goal.map_or_else(String::new, |goal| format!(" --for {goal}"));
        let again = Some(kinds::word(resource) + &goal);
        Self { again, ..self }
    }

    fn timeout(self, limit: Option<Duration>) -> Self {
        let kind = match (self.kind, limit) {
            (Kind::There(wait), Some(limit)) => Kind::There(wait.timeout(limit)),
            (Kind::Gone(wait), Some(limit)) => Kind::Gone(wait.timeout(limit)),
            (kind, None) => kind,
        };
        Self { kind, ..self }
    }

    fn describe(&self) -> Outcome<WaitDescription> {
        match &self.kind {
            Kind::There(wait) => wait.describe(),
            Kind::Gone(wait) => wait.describe(),
        }
    }

    async fn next(&mut self) -> Option<Outcome<Change<State>>> {
        match &mut self.kind {
            Kind::There(wait) => wait.next().await,
            Kind::Gone(wait) => wait.next().await,
        }
    }

    async fn end(self) -> Outcome<Value> {
        match self.kind {
            Kind::There(wait) => wait.into_future().await,
            Kind::Gone(wait) => wait.into_future().await.map(|()| Value::Null),
        }
    }
}

/// The wait for a goal of the resource, or for one of its states.
pub fn with_goal(
    wait: Wait<Value, State>,
    resource: &'static Resource,
    goal: &str,
) -> Result<Wait<Value, State>> {
    let goals = resource.goals.iter().map(|known| known.name);
    if goals.clone().any(|known| known == goal) {
        return Ok(wait.goal(goal));
    }
    // States are written as the service writes them; capitals do not matter.
    let states = resource.states.iter().map(|(state, _)| *state);
    let known = states
        .clone()
        .find(|state| state.eq_ignore_ascii_case(goal));
    if let Some(known) = known {
        return Ok(wait.until(known));
    }
    let all: Vec<&str> = goals
        .chain(states)
        .filter(|name| !name.is_empty())
        .collect();
    let word = kinds::word(resource);
    let failure = Failure::usage(format!("--for: a {word} has no goal or state `{goal}`"));
    Err(match nearest(goal, all.iter().copied()) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint(format!("there are {}", all.join(", "))),
    })
}

/// A step of a wait.
enum Step {
    Change(Box<(Watched, Change<State>)>),
    End(String, Outcome<Value>),
}

async fn step(mut watched: Watched) -> Step {
    match watched.next().await {
        Some(Ok(change)) => Step::Change(Box::new((watched, change))),
        Some(Err(error)) => Step::End(watched.name, Err(error)),
        None => {
            let name = watched.name.clone();
            Step::End(name, watched.end().await)
        }
    }
}

/// Refuses a form that changes do not have: they are lines, of JSON with `-o jsonl`.
pub fn refuse_form(matches: &ArgMatches) -> Result<()> {
    let is_given = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
    let format = matches.get_one::<String>("output").map(String::as_str);
    let has_format = matches!(format, None | Some("table" | "jsonl")) || !is_given("output");
    let ignored = [
        ("output", !has_format),
        ("columns", is_given("columns")),
        ("jq", is_given("jq")),
    ];
    let odd = ignored.into_iter().find(|(_, is_ignored)| *is_ignored);
    odd.map_or(Ok(()), |(name, _)| {
        let message = format!("a watch does not use --{name}; nothing was done");
        Err(Failure::usage(message).hint("-o jsonl writes a line of JSON for each change"))
    })
}

/// Shows changes of resources until all of them have ended.
pub async fn look_on(
    session: &Session,
    client: &Client,
    resource: &'static Resource,
    (project, names): (&str, Vec<String>),
) -> Result<()> {
    let mut watched = Vec::new();
    for name in names {
        let values = kinds::values(resource, project, &name)?;
        let wait: Wait<Value, State> = Wait::new(client.transport(), resource, values);
        // No state is the goal: only an end ends it.
        let one = Watched::new(name, wait.until_fn(|_| false));
        watched.push(one.known(resource, None));
    }
    all(session, watched, Ends::Whatever).await.map(drop)
}

/// Waits, and shows progress. Ctrl-C prints how to continue the waits.
pub async fn all(session: &Session, watched: Vec<Watched>, ends: Ends) -> Result<Vec<Ended>> {
    let (ended, outcome) = gathered(session, watched, ends).await?;
    outcome.map(|()| ended)
}

/// Waits, and writes the resources that have reached their goal, even if others have not.
pub async fn all_shown(
    session: &Session,
    watched: Vec<Watched>,
    ends: Ends,
    columns: &[&str],
    mask: impl Fn(&mut Value),
) -> Result<()> {
    let several = watched.len() > 1 && ends != Ends::WithTheFirst;
    let (ended, outcome) = gathered(session, watched, ends).await?;
    let shown = show(session, ended, columns, several, mask);
    Failure::both(outcome, shown)
}

/// The resources that have reached their goal, and the failures of the others.
async fn gathered(
    session: &Session,
    watched: Vec<Watched>,
    ends: Ends,
) -> Result<(Vec<Ended>, Result<()>)> {
    // A watch has no deadline unless the user sets one.
    let endless = (ends == Ends::Whatever).then_some(Duration::MAX);
    let limit = session.options.timeout.or(endless);
    // Before the first bar shows: from then on the user may press Ctrl-C.
    let mut interrupted = pin!(session.interrupted());
    let mut view = View::new(session, &watched);
    let places: Vec<_> = watched.iter().map(Watched::place).collect();
    let mut under_way: FuturesUnordered<_> = watched
        .into_iter()
        .map(|one| step(one.timeout(limit)))
        .collect();
    let (mut ended, mut failures) = (Vec::new(), Vec::new());
    loop {
        let next = tokio::select! {
            next = under_way.next() => next,
            () = &mut interrupted => {
                view.clear();
                return Ok((ended, Err(taken_up(session, ends, &places))));
            }
        };
        match next {
            None => break,
            Some(Step::Change(changed)) => {
                let (watched, change) = *changed;
                view.change(&watched.name, &change)?;
                under_way.push(step(watched));
            }
            Some(Step::End(name, Ok(value))) => {
                view.end(&name);
                ended.push((name, value));
                if ends == Ends::WithTheFirst {
                    break;
                }
            }
            Some(Step::End(name, Err(error))) => {
                view.end(&name);
                failures.push((name, Failure::from(error)));
                if ends == Ends::WithTheFirstFailure {
                    break;
                }
            }
        }
    }
    view.clear();
    let outcome = outcome(&ended, failures, ends);
    Ok((ended, outcome))
}

fn outcome(ended: &[Ended], mut failures: Vec<(String, Failure)>, ends: Ends) -> Result<()> {
    if ends == Ends::Whatever {
        failures.retain(|(_, failure)| failure.exit != Exit::No);
    }
    let reached = ends == Ends::WithTheFirst && !ended.is_empty();
    if failures.is_empty() || reached {
        return Ok(());
    }
    let (name, first) = failures.remove(0);
    if failures.is_empty() && ended.is_empty() {
        return Err(first);
    }
    let all = failures.len() + 1 + ended.len();
    Err(Failure::many(&name, first, failures, all))
}

/// Most waits that are printed by their tokens; more do not fit a line.
const MOST_TOKENS: usize = 10;
/// Most resources that are printed by their names.
const MOST_NAMES: usize = 100;

/// The failure of Ctrl-C, with the command that continues the waits: with the same timeout, at the same service. One run
/// waits for one kind.
fn taken_up(session: &Session, ends: Ends, places: &[Place]) -> Failure {
    let options = session.options.again();
    let mut kinds: Vec<&str> = places.iter().map(|of| &*of.resource).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
        .into_iter()
        .fold(Failure::interrupted(), |failure, kind| {
            let own: Vec<&Place> = places.iter().filter(|of| of.resource == kind).collect();
            failure.hint(going_on(&options, ends, &own))
        })
}

fn going_on(options: &str, ends: Ends, places: &[&Place]) -> String {
    let flag = ends.flag();
    let tokens: Vec<&str> = places.iter().filter_map(|of| of.token.as_deref()).collect();
    let has_all = tokens.len() == places.len();
    if ends != Ends::Whatever && has_all && tokens.len() <= MOST_TOKENS {
        let tokens = tokens.join(" ");
        return format!("continue with: mkio wait{options}{flag} --resume {tokens}");
    }
    let again = places.iter().find_map(|of| of.again.as_deref());
    let again = again.unwrap_or("KIND");
    let names: Vec<String> = places.iter().map(|of| quoted(&of.name)).collect();
    let names = if names.len() <= MOST_NAMES {
        names.join(" ")
    } else {
        "NAME…".to_owned()
    };
    match ends {
        Ends::Whatever => format!("continue with: mkio watch{options} {again} {names}"),
        _ => format!("continue with: mkio wait{options}{flag} {again} {names}"),
    }
}

/// Writes the resources that waits have ended with.
fn show(
    session: &Session,
    ended: Vec<Ended>,
    columns: &[&str],
    several: bool,
    mask: impl Fn(&mut Value),
) -> Result<()> {
    let mut values: Vec<Value> = ended
        .into_iter()
        .map(|(_, value)| value)
        .filter(|value| !value.is_null())
        .map(|value| session.shown(value, &mask))
        .collect();
    match values.len() {
        0 => Ok(()),
        1 if !several => session.output.one(&values.remove(0), columns),
        _ => {
            let mut list = session.output.list(columns);
            values.into_iter().try_for_each(|value| list.item(value))?;
            list.end()
        }
    }
}

/// Bars on a terminal, a line for each change elsewhere.
struct View<'a> {
    session: &'a Session,
    bars: Option<(MultiProgress, Vec<(String, ProgressBar)>)>,
}

/// More bars do not fit a screen.
const MOST_BARS: usize = 20;

impl<'a> View<'a> {
    fn new(session: &'a Session, watched: &[Watched]) -> Self {
        let shown = io::stderr().is_terminal() && !session.is(Switch::Quiet);
        let bars = (shown && watched.len() <= MOST_BARS).then(|| {
            let all = MultiProgress::new();
            let style = ProgressStyle::with_template("{prefix} {bar:30} {pos:>3} % {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bars = watched.iter().map(|one| {
                let bar = all.add(ProgressBar::new(100).with_style(style.clone()));
                bar.set_prefix(one.name.clone());
                bar.set_message("waiting");
                (one.name.clone(), bar)
            });
            let bars: Vec<_> = bars.collect();
            (all, bars)
        });
        Self { session, bars }
    }

    fn change(&self, name: &str, change: &Change<State>) -> Result<()> {
        if self.session.output.format() == Some(Format::Jsonl) {
            let line = json!({
                "name": name, "state": change.state.as_name(), "progress": change.progress,
                "seconds": change.elapsed.as_secs(),
            });
            return writeln!(io::stdout().lock(), "{line}").map_err(Failure::from);
        }
        if let Some((_, bars)) = &self.bars {
            for (_, bar) in bars.iter().filter(|(of, _)| of == name) {
                bar.set_position(change.progress.unwrap_or_default().into());
                bar.set_message(output::plain(change.state.as_name()));
            }
            return Ok(());
        }
        let progress = change
            .progress
            .map_or_else(String::new, |n| format!(" {n} %"));
        let seconds = change.elapsed.as_secs();
        let state = change.state.as_name();
        self.session
            .tell(format!("{name}: {state}{progress} ({seconds} s)"));
        Ok(())
    }

    fn end(&mut self, name: &str) {
        if let Some((_, bars)) = &self.bars {
            for (_, bar) in bars.iter().filter(|(of, _)| of == name) {
                bar.finish();
            }
        }
    }

    fn clear(&mut self) {
        if let Some((all, _)) = self.bars.take() {
            // Standard error is closed: there is nothing to clear.
            let _ = all.clear();
        }
    }
}

impl Watched {
    fn place(&self) -> Place {
        let told = self.describe().ok();
        let resource = told.as_ref().map(|told| told.resource().to_owned());
        Place {
            resource: resource.unwrap_or_default(),
            again: self.again.clone(),
            name: self.name.clone(),
            token: told.map(|told| place::write(&told)),
        }
    }
}

#[cfg(test)]
mod tests {
    use mkio::DispatchFuture;
    use tokio::time::Instant;

    use super::*;
    use crate::{options::Options, root};

    const HOUR: Duration = Duration::from_secs(3600);

    /// A service with a job that takes a day.
    struct Slow(Instant);

    impl mkio::Dispatch for Slow {
        fn dispatch(&self, _: mkio::reqwest::Request) -> DispatchFuture<'_> {
            let state = if self.0.elapsed() > 24 * HOUR {
                "Finished"
            } else {
                "Processing"
            };
            let job = json!({"name": "j", "properties": {"state": state}});
            let response = mkio::http::Response::new(job.to_string());
            Box::pin(async move { Ok(response.into()) })
        }
    }

    fn session(args: &[&str]) -> Session {
        let words = ["mkio", "watch", "job", "t/j", "-q"];
        let matches = root::build().get_matches_from([&words[..], args].concat());
        let (_, own) = matches.subcommand().unwrap();
        Session::new(Options::new(own).unwrap()).unwrap()
    }

    async fn watched(args: &[&str], ends: Ends) -> Result<Vec<Ended>> {
        let client: Client = Client::builder()
            .anonymous()
            .dispatch(Slow(Instant::now()))
            .build()
            .unwrap();
        let resource = kinds::find_waitable("job").unwrap();
        let values = kinds::values(resource, "p", "t/j").unwrap();
        let wait: Wait<Value, State> = Wait::new(client.transport(), resource, values);
        let wait = match ends {
            Ends::Whatever => wait.until_fn(|_| false),
            _ => wait,
        };
        let all = vec![Watched::new("t/j".to_owned(), wait)];
        super::all(&session(args), all, ends).await
    }

    /// A watch ends with the resources, unless the user sets a time limit.
    #[tokio::test(start_paused = true)]
    async fn a_watch_has_no_deadline_of_its_own() {
        let begun = Instant::now();
        assert!(watched(&[], Ends::Whatever).await.is_ok());
        assert!(begun.elapsed() > 24 * HOUR);
        let late = watched(&["--timeout", "1h"], Ends::Whatever).await;
        assert_eq!(late.unwrap_err().exit, Exit::Timeout);
        let late = watched(&[], Ends::Together).await.unwrap_err();
        assert_eq!(late.exit, Exit::Timeout, "a wait has: {late}");
    }

    #[test]
    fn words_that_wait_on_have_the_options() {
        let args = ["--timeout", "1h 30m", "--profile", "a b"];
        let session = session(&args);
        let place = |name: &str, token: Option<&str>| Place {
            resource: "media.job".to_owned(),
            again: Some("job".to_owned()),
            name: name.to_owned(),
            token: token.map(str::to_owned),
        };
        let options = "--profile 'a b' --timeout 1h30m";
        let told = |ends, places: &[Place], wanted: &str| {
            let told = taken_up(&session, ends, places).to_string();
            let wanted = wanted.replace("OPTIONS", options);
            assert!(told.contains(&wanted), "{told}");
        };
        let both = [place("t/j", Some("one")), place("t/my job", Some("two"))];
        told(Ends::Together, &both, "mkio wait OPTIONS --resume one two");
        let any = "mkio wait OPTIONS --any --resume one two";
        told(Ends::WithTheFirst, &both, any);
        told(
            Ends::Whatever,
            &both,
            "mkio watch OPTIONS job t/j 't/my job'",
        );
        let partly = [place("t/j", Some("one")), place("t/k", None)];
        let fast = "mkio wait OPTIONS --fail-fast job t/j t/k";
        told(Ends::WithTheFirstFailure, &partly, fast);
        let mut other = place("e", Some("three"));
        other.resource = "media.streaming_endpoint".to_owned();
        let two = [place("t/j", Some("one")), other];
        told(Ends::Together, &two, "mkio wait OPTIONS --resume one\n");
        told(Ends::Together, &two, "mkio wait OPTIONS --resume three");
        let many: Vec<Place> = (0..101).map(|n| place(&format!("t/{n}"), None)).collect();
        told(Ends::Together, &many, "mkio wait OPTIONS job NAME…");
    }
}
