//! The program against the emulator, as a person or a script calls it.
#![allow(clippy::too_many_lines, reason = "a test tells one story")]

mod access;
mod bodies;
mod codes;
mod dry_run;
mod every;
mod files;
mod forms;
mod manifests;
mod many;
mod mistakes;
mod output;
mod roundtrip;
mod secrets;
mod tasks;
#[cfg(unix)]
mod terminal;
mod waits;
mod webhooks;

use std::{
    io::{BufReader, Write},
    process::{Child, ChildStderr, Command, Output, Stdio},
    sync::OnceLock,
};

use mkio_emulator::Emulator;

/// Token of the emulator: it must not come out anywhere.
const TOKEN: &str = "canary-token-7f3a";

/// Body of a live event.
const LIVE_EVENT: &str = "{properties: {useStaticHostname: false, encoding: {encodingType: PassthroughBasic}, input: {streamingProtocol: RTMP}, streamOptions: []}}";

/// An emulator with a runtime of its own, and the folder of the program's configuration.
struct Service {
    emulator: Emulator,
    folder: tempfile::TempDir,
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.enable_all().build().expect("a runtime")
    })
}

impl Service {
    fn new() -> Self {
        Self::with(5)
    }

    fn with(assets: usize) -> Self {
        Self::at(assets, 600.0)
    }

    /// With so many seconds of the platform's time in a second.
    fn at(assets: usize, time_scale: f64) -> Self {
        let emulator = runtime().block_on(async {
            Emulator::builder()
                .token(TOKEN)
                .seed(assets)
                .rate_limit(false)
                .time_scale(time_scale)
                .start()
                .await
                .expect("an emulator")
        });
        let folder = tempfile::tempdir().expect("a folder");
        Self { emulator, folder }
    }

    fn fault(&self, rules: &str) {
        let control = self.emulator.control();
        control.clear_faults();
        control.faults(rules).expect("faults");
    }

    /// The program without an environment but the folder of its files.
    fn bare(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mkio"));
        command
            .args(args)
            .env_clear()
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("HOME", self.folder.path())
            // Where the program keeps an edit that was refused; the name depends on the system.
            .envs(["TMPDIR", "TMP", "TEMP"].map(|name| (name, self.folder.path())))
            .stdin(Stdio::null());
        command
    }

    /// The program with the emulator in its environment.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.bare(args);
        command
            .env("MKIO_BASE_URL", self.emulator.base_url())
            .env("MKIO_TOKEN", self.emulator.token())
            .env("MKIO_PROJECT", self.emulator.project());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        ran(&mut self.command(args))
    }

    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// A run that goes on, and what it tells.
    fn begun(&self, args: &[&str]) -> (Child, BufReader<ChildStderr>) {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let told = child.stderr.take().expect("standard error");
        (child, BufReader::new(told))
    }

    /// With this text on standard input.
    fn fed(&self, args: &[&str], input: &str) -> Ran {
        fed(&mut self.command(args), input)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }
}

/// How the program has ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn ended(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    };
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
    ran
}

fn ran(command: &mut Command) -> Ran {
    ended(command.output().expect("the program runs"))
}

fn fed(command: &mut Command, input: &str) -> Ran {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    let mut stdin = child.stdin.take().expect("standard input");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    ended(child.wait_with_output().expect("it ends"))
}
