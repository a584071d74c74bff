//! Failures of commands: an error with its exit code, or an outcome that is "no".

use std::{fmt, io};

use mkio::{Error, ErrorKind, WaitFailure, wait::Reason};
use serde_json::{Map, Value, json};

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Exit codes of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The outcome is "no": a diff differs, a waited-for state is a failure.
    No = 1,
    /// The command line or the request is wrong.
    Usage = 2,
    /// No configuration, no token, no right.
    Access = 3,
    /// There is no such resource.
    NotFound = 4,
    /// The service refuses the request.
    Refused = 5,
    /// Trying again later may help.
    Later = 6,
    /// A time limit has passed.
    Timeout = 7,
    /// The response is of no use.
    Unusable = 8,
    /// Ctrl-C.
    Interrupted = 130,
}

/// Why a command ends.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    message: String,
    error: Option<Box<Error>>,
    /// Hints, on lines of their own.
    hints: Vec<String>,
    /// Other failures, by name.
    others: Vec<(String, Failure)>,
    /// Standard output is closed: nothing more is printed.
    silent: bool,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            error: None,
            hints: Vec::new(),
            others: Vec::new(),
            silent: false,
        }
    }

    /// The command line is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The outcome is "no"; the output has the reason.
    pub fn no() -> Self {
        Self {
            silent: true,
            ..Self::new(Exit::No, "no")
        }
    }

    /// The error of the command line's parser: its first paragraph, the others as hints.
    pub fn of_command_line(text: &str) -> Self {
        let mut parts = text.trim().split("\n\n");
        let first = parts.next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        let lines = parts.flat_map(str::lines).map(str::trim);
        let lines = lines.filter(|line| !line.is_empty());
        lines.fold(Self::usage(message), Self::hint)
    }

    /// The first of several failures, with the names of all.
    pub fn many(name: &str, first: Self, others: Vec<(String, Self)>, of: usize) -> Self {
        let failed = others.len() + 1;
        Self {
            message: format!("{failed} of {of} waits failed; {name}: {}", first.message),
            others,
            ..first
        }
    }

    /// Ctrl-C.
    pub fn interrupted() -> Self {
        Self::new(Exit::Interrupted, "interrupted")
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The results of a command and of its clean-up: if both failed, the first failure has the other one as
    /// a hint.
    pub fn both(first: Result<()>, second: Result<()>) -> Result<()> {
        match (first, second) {
            (Err(first), Err(second)) => {
                let first = first.hint(second.message);
                Err(second.hints.into_iter().fold(first, Self::hint))
            }
            (first, second) => first.and(second),
        }
    }

    /// Nothing gives a token.
    pub fn lacks_token(&self) -> bool {
        self.message.starts_with(NO_TOKEN)
    }

    /// The message, without the hints.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// This hint alone, in the place of those that are for other commands.
    pub fn only_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.clear();
        self.hint(hint)
    }

    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// The reader of the output has closed it: the program ends well.
    pub fn is_closed(&self) -> bool {
        self.silent && self.exit != Exit::No
    }

    /// The error as an object, for scripts.
    pub fn json(&self) -> Value {
        json!({ "error": self.members() })
    }

    fn members(&self) -> Map<String, Value> {
        let mut told = Map::new();
        told.insert("exit".to_owned(), json!(self.exit as u8));
        told.insert("message".to_owned(), json!(self.message));
        if let Some(error) = &self.error {
            told.insert("kind".to_owned(), json!(format!("{:?}", error.kind())));
            told.insert(
                "status".to_owned(),
                json!(error.status().map(|s| s.as_u16())),
            );
            told.insert("code".to_owned(), json!(error.code()));
            told.insert("detail".to_owned(), json!(error.detail()));
            told.insert("ref".to_owned(), json!(error.reference()));
            told.insert("operation".to_owned(), json!(error.operation_id()));
            told.insert("attempts".to_owned(), json!(error.attempts()));
            told.insert("retryable".to_owned(), json!(error.is_retryable()));
            told.insert("outcome_unknown".to_owned(), json!(error.outcome_unknown()));
        }
        if !self.hints.is_empty() {
            told.insert("hints".to_owned(), json!(self.hints));
        }
        let others = self.others.iter().map(|(name, failure)| {
            let mut told = failure.members();
            told.insert("name".to_owned(), json!(name));
            Value::Object(told)
        });
        let others: Vec<Value> = others.collect();
        if !others.is_empty() {
            told.insert("others".to_owned(), json!(others));
        }
        told
    }
}

/// The message and the hints, each on a line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for hint in &self.hints {
            write!(f, "\n  {hint}")?;
        }
        for (name, failure) in &self.others {
            let told = failure.to_string().replace('\n', "\n  ");
            write!(f, "\n  {name}: {told}")?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            cause = error.source();
        }
        if error.kind() == ErrorKind::Config {
            message = for_people(&message);
        }
        let hints = hint_of(&error).into_iter().collect();
        Self {
            exit: exit_of(&error),
            message,
            error: Some(Box::new(error)),
            hints,
            others: Vec::new(),
            silent: false,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self {
            silent: error.kind() == io::ErrorKind::BrokenPipe,
            // Something may have been done: errors before that are usage errors where they are found.
            ..Self::new(Exit::Unusable, error.to_string())
        }
    }
}

/// The exit code of an error.
fn exit_of(error: &Error) -> Exit {
    if let Some(failure) = WaitFailure::of(error) {
        return match failure.reason {
            Reason::State | Reason::FellBack => Exit::No,
            Reason::Gone | Reason::NotFound => Exit::NotFound,
            Reason::Timeout => Exit::Timeout,
            Reason::Decode => Exit::Unusable,
            _ => exit_of_call(error),
        };
    }
    exit_of_call(error)
}

fn exit_of_call(error: &Error) -> Exit {
    if error.is_denied() {
        return Exit::Access;
    }
    if error.is_not_found() {
        return Exit::NotFound;
    }
    if error.is_timeout() {
        return Exit::Timeout;
    }
    let status = error.status();
    if error.is_retryable() || status.is_some_and(|status| status.is_server_error()) {
        return Exit::Later;
    }
    if status.is_some_and(|status| status.is_client_error()) {
        return Exit::Refused;
    }
    match error.kind() {
        ErrorKind::InvalidRequest => Exit::Usage,
        ErrorKind::Config | ErrorKind::Token => Exit::Access,
        ErrorKind::Connection => Exit::Later,
        ErrorKind::Timeout => Exit::Timeout,
        ErrorKind::Decode | ErrorKind::Paging | ErrorKind::Origin => Exit::Unusable,
        ErrorKind::Wait => Exit::No,
        _ => Exit::Refused,
    }
}

/// The beginning of the library's message without a token.
const NO_TOKEN: &str = "there is no token";

/// The message of a wrong setting, without advice for callers in code.
fn for_people(message: &str) -> String {
    let in_code = [
        (
            ", or give the builder a `token` or `token_provider` (`anonymous` sends none)",
            "",
        ),
        (
            ", name a profile that has one",
            " or name a profile that has one",
        ),
        (
            ", or set one of them in code with `token`, `token_provider` or `base_url`",
            "",
        ),
        (
            "; use https, or allow it with `allow_plain_http`",
            "; use https",
        ),
        (
            "; set `api_base_url` too",
            "; name it with --api-url, or in the profile",
        ),
    ];
    in_code
        .into_iter()
        .fold(message.to_owned(), |text, (code, people)| {
            text.replace(code, people)
        })
}

fn hint_of(error: &Error) -> Option<String> {
    let hint = match error.kind() {
        ErrorKind::Config if error.message().starts_with(NO_TOKEN) => {
            "`mkio login` stores a token; MKIO_TOKEN gives one for a single call"
        }
        ErrorKind::Token => "`mkio doctor` shows where the token comes from",
        _ if error.status().is_some_and(|status| status.as_u16() == 401) => {
            "`mkio doctor` shows where the token comes from, `mkio login` stores another one"
        }
        _ if error.is_denied() => "`mkio whoami` shows whose token it is, and what it may do",
        _ if error.outcome_unknown() => {
            "the service may have carried it out: check before you try again"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use mkio::http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn errors_have_their_exit_codes() {
        let failed = |status: u16| {
            let status = StatusCode::from_u16(status).expect("a status");
            Failure::from(Error::from_response(status, HeaderMap::new(), "{}".into())).exit
        };
        let statuses = [400, 401, 403, 404, 409, 422, 429, 500, 503, 504];
        let exits: Vec<u8> = statuses.map(|status| failed(status) as u8).to_vec();
        assert_eq!(exits, [5, 3, 3, 4, 5, 5, 6, 6, 6, 7]);
        let kind = |kind| Failure::from(Error::new(kind, "x")).exit;
        assert_eq!(kind(ErrorKind::InvalidRequest), Exit::Usage);
        assert_eq!(kind(ErrorKind::Config), Exit::Access);
        assert_eq!(kind(ErrorKind::Connection), Exit::Later);
        assert_eq!(kind(ErrorKind::Timeout), Exit::Timeout);
        assert_eq!(kind(ErrorKind::Decode), Exit::Unusable);
    }

    /// A service that answers everything with this body and a success.
    struct Cheerful(String);

    impl mkio::Dispatch for Cheerful {
        fn dispatch(&self, _: mkio::reqwest::Request) -> mkio::DispatchFuture<'_> {
            let response = mkio::http::Response::new(self.0.clone());
            Box::pin(async move { Ok(response.into()) })
        }
    }

    /// An error body that comes with a success status is an error.
    #[tokio::test(start_paused = true)]
    async fn a_told_status_counts() {
        let mut exits = Vec::new();
        for status in [404, 403, 429, 504, 503, 409] {
            let body = json!({"error": {"code": "E"}, "status": status, "ref": "r"}).to_string();
            let client = mkio::Client::builder().anonymous().dispatch(Cheerful(body));
            let client: mkio::Client = client.build().expect("a client");
            let request = client.request(mkio::http::Method::GET, "/api/v1/x");
            let error = request.send().await.map(drop).expect_err("an error");
            exits.push(Failure::from(error).exit as u8);
        }
        assert_eq!(exits, [4, 3, 6, 7, 6, 5]);
    }

    #[test]
    fn of_two_failures_both_are_told() {
        let failed = |what: &str| Err(Failure::usage(what).hint(format!("{what} hint")));
        let told = |first, second| Failure::both(first, second).unwrap_err().to_string();
        let both = "work\n  work hint\n  left\n  left hint";
        assert_eq!(told(failed("work"), failed("left")), both);
        assert_eq!(told(Ok(()), failed("left")), "left\n  left hint");
        assert_eq!(told(failed("work"), Ok(())), "work\n  work hint");
        assert!(Failure::both(Ok(()), Ok(())).is_ok());
    }

    #[test]
    fn a_closed_pipe_is_silent() {
        let error = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(Failure::from(error).is_silent());
    }
}
