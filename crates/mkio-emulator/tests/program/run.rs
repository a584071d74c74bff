//! A running program, its output and its responses.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// Longer than anything here takes; a program that hangs fails the test.
pub const LONG: Duration = Duration::from_secs(60);

/// A client for these tests. No emulator in this process has set a crypto provider yet.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Awaits something that has to happen.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, what)
        .await
        .expect("it happens in time")
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mkio-emulator"));
    command
        .args(arguments)
        .env_remove("MKIO_EMULATOR_TOKEN")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// A program that ended by itself: its status, standard output and standard error.
pub async fn ended(arguments: &[&str]) -> (ExitStatus, String, String) {
    let output = soon(command(arguments).output()).await.expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status, text(output.stdout), text(output.stderr))
}

/// A program that listens.
pub struct Program {
    pub base: String,
    pub token: String,
    pub http: reqwest::Client,
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    err: Lines<BufReader<ChildStderr>>,
}

impl Program {
    /// Starts it at a free port with the token `T`.
    pub async fn start(arguments: &[&str]) -> Self {
        let mut all = vec!["--listen", "127.0.0.1:0", "--token", "T"];
        all.extend(arguments);
        let mut program = Self::start_bare(&all).await;
        program.token = "T".to_owned();
        program
    }

    /// Starts it with nothing but these arguments.
    pub async fn start_bare(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().expect("it starts");
        let out = child.stdout.take().expect("standard output");
        let err = child.stderr.take().expect("standard error");
        let mut program = Self {
            base: String::new(),
            token: String::new(),
            http: client(),
            child,
            out: BufReader::new(out).lines(),
            err: BufReader::new(err).lines(),
        };
        let first = program.line().await;
        let base = first.strip_prefix("listening on ");
        program.base = base
            .unwrap_or_else(|| panic!("the first line is '{first}'"))
            .to_owned();
        program
    }

    /// The next line of standard output.
    pub async fn line(&mut self) -> String {
        soon(self.out.next_line())
            .await
            .expect("it can be read")
            .expect("a line")
    }

    /// The next line of standard error that holds a text.
    pub async fn logged(&mut self, wanted: &str) -> String {
        loop {
            let line = soon(self.err.next_line())
                .await
                .expect("it can be read")
                .unwrap_or_else(|| panic!("'{wanted}' is never logged"));
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// A request below the project `demo`, or at an absolute path.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/v1/projects/demo/{path}", self.base)
        };
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        soon(request.send()).await.expect("a response")
    }

    /// Status and body of a GET.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.call(Method::GET, path, None).await;
        let status = response.status().as_u16();
        (status, soon(response.json()).await.expect("JSON"))
    }

    /// Status of a PUT.
    pub async fn put(&self, path: &str, body: Value) -> u16 {
        self.call(Method::PUT, path, Some(body))
            .await
            .status()
            .as_u16()
    }

    /// Sends a signal: `TERM` or `INT`.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .await;
        assert!(sent.expect("kill runs").success());
    }

    /// Its exit status, and the rest of its output.
    pub async fn end(mut self) -> (ExitStatus, String, String) {
        let status = soon(self.child.wait()).await.expect("it ends");
        let (mut out, mut err) = (String::new(), String::new());
        soon(self.out.get_mut().read_to_string(&mut out))
            .await
            .expect("it can be read");
        soon(self.err.get_mut().read_to_string(&mut err))
            .await
            .expect("it can be read");
        (status, out, err)
    }
}
