//! The program at a terminal: questions, bars, and a token that nobody sees.

use std::{
    fs::{File, OpenOptions},
    io::{Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{Service, TOKEN};

/// A program at a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    /// What stands on the screen.
    screen: String,
    /// What comes to it; closed at the end of the program.
    more: mpsc::Receiver<String>,
}

impl Terminal {
    fn run(mut command: Command) -> Self {
        let host = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&host).expect("a terminal");
        unlockpt(&host).expect("a terminal");
        let name = ptsname(&host, Vec::new()).expect("its name");
        let name = name.into_string().expect("its name");
        let guest = OpenOptions::new()
            .read(true)
            .write(true)
            .open(name)
            .expect("its other end");
        let stdio = || Stdio::from(guest.try_clone().expect("its other end"));
        command
            .stdin(stdio())
            .stdout(stdio())
            .stderr(stdio())
            .env("TERM", "xterm");
        let child = command.spawn().expect("it runs");
        drop(command);
        drop(guest);
        let keyboard = File::from(host);
        let mut output = keyboard.try_clone().expect("the screen");
        let (shown, more) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of the program ends the terminal, which is an error on Linux.
            while let Ok(n) = output.read(&mut bytes) {
                if n == 0 {
                    break;
                }
                let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
                if shown.send(text).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            keyboard,
            screen: String::new(),
            more,
        }
    }

    /// Waits until this stands on the screen.
    fn expect(&mut self, text: &str) {
        let end = Instant::now() + Duration::from_secs(60);
        while !self.screen.contains(text) {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(more) = self.more.recv_timeout(left) else {
                panic!("no {text:?} in {}", self.screen);
            };
            self.screen.push_str(&more);
        }
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("it reads");
    }

    fn interrupt(&self) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).expect("it runs");
    }

    fn end(mut self) -> (i32, String) {
        let status = self.child.wait().expect("it ends");
        self.screen.extend(self.more.iter());
        let screen = self.screen;
        assert!(!screen.contains("panicked"), "{screen}");
        (status.code().unwrap_or(-1), screen)
    }
}

#[test]
fn a_question_is_asked_and_no_is_the_answer_unless_it_is_yes() {
    let service = Service::with(2);
    let names = service.ok(&["asset", "list", "-o", "name"]);
    let names: Vec<&str> = names.lines().collect();
    let delete = || service.command(&["asset", "delete", names[0], names[1]]);
    let mut terminal = Terminal::run(delete());
    terminal.expect("[y/N]");
    terminal.types("\n");
    assert_eq!(terminal.end().0, 2);
    assert_eq!(
        service.ok(&["asset", "list", "-o", "name"]).lines().count(),
        2
    );
    let mut terminal = Terminal::run(delete());
    terminal.expect("[y/N]");
    terminal.types("y\n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
}

#[test]
fn a_token_is_typed_unseen() {
    let service = Service::new();
    let url = service.emulator.base_url().to_owned();
    let mut terminal = Terminal::run(service.bare(&["login", "--base-url", &url, "-p", "demo"]));
    terminal.expect("nothing is shown");
    terminal.types(&format!("{TOKEN}\n"));
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(TOKEN), "{screen}");
    assert_eq!(crate::ran(&mut service.bare(&["asset", "list"])).code, 0);
}

/// Ctrl-C at the question leaves a terminal that shows what is typed.
#[test]
fn a_terminal_shows_again_what_is_typed_after_ctrl_c() {
    use rustix::termios::{LocalModes, tcgetattr};

    let service = Service::new();
    let mut terminal = Terminal::run(service.bare(&["login"]));
    let keyboard = terminal.keyboard.try_clone().expect("the keyboard");
    let shows = || {
        let modes = tcgetattr(&keyboard).expect("a terminal").local_modes;
        modes.contains(LocalModes::ECHO)
    };
    terminal.expect("nothing is shown");
    assert!(!shows());
    terminal.interrupt();
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(shows());
}

#[test]
fn waits_have_bars_and_tell_how_they_go_on() {
    let service = Service::new();
    service.emulator.control().pause();
    service.ok(&[
        "asset",
        "put",
        "a",
        "--set",
        "properties.storageAccountName=storage1",
    ]);
    let wait = ["wait", "asset", "a", "--for", "gone", "--timeout", "1h 30m"];
    let mut terminal = Terminal::run(service.command(&wait));
    terminal.expect(" % ");
    terminal.interrupt();
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(
        screen.contains("wait --timeout 1h30m --resume "),
        "{screen}"
    );
    let word = screen.split("--resume ").nth(1).expect(&screen);
    let word = word.split_whitespace().next().expect("a token").to_owned();
    service.emulator.control().resume();
    let resumed = service.command(&["wait", "--resume", &word]);
    let terminal = Terminal::run(resumed);
    service.ok(&["asset", "delete", "a"]);
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
}

/// Each file has a bar, on the way there and back.
#[test]
fn files_have_bars() {
    let service = Service::with(0);
    let file = service.file("one.txt", &"x".repeat(70_000));
    let mut up = service.command(&["upload", &file, "film", "--storage", "storage1"]);
    up.env("MKIO_STORAGE_SAS", mkio_emulator::STORAGE_SAS);
    let (code, screen) = Terminal::run(up).end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("█") && screen.contains("uploaded"),
        "{screen}"
    );
    let folder = service.folder.path().join("out").display().to_string();
    let down = service.command(&["download", "film", &folder]);
    let (code, screen) = Terminal::run(down).end();
    assert_eq!(code, 0, "{screen}");
    assert!(
        screen.contains("one.txt █") && screen.contains("downloaded"),
        "{screen}"
    );
}

/// Who only watches is told how to go on watching.
#[test]
fn a_watch_that_is_broken_off_tells_how_it_goes_on() {
    let service = Service::with(1);
    let mut terminal = Terminal::run(service.command(&["watch", "asset", "asset-1"]));
    terminal.expect("Ready");
    terminal.interrupt();
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert!(screen.contains("mkio watch asset asset-1"), "{screen}");
}

/// The format does not depend on who looks; only the width of tables does.
#[test]
fn a_terminal_changes_no_format() {
    let service = Service::with(2);
    let piped = service.ok(&["asset", "list", "-o", "json"]);
    let (code, screen) = Terminal::run(service.command(&["asset", "list", "-o", "json"])).end();
    assert_eq!(code, 0);
    assert_eq!(screen.replace("\r\n", "\n"), piped);
}

/// The script of `completion` works in a shell.
#[test]
fn commands_are_completed() {
    let service = Service::new();
    let script = service.ok(&["completion", "bash"]);
    let file = service.file("complete.bash", &script);
    let line = format!(
        "source {file}; COMP_WORDS=(mkio asset li); COMP_CWORD=2; _mkio mkio li asset; echo \"${{COMPREPLY[@]}}\""
    );
    let Ok(output) = Command::new("bash").args(["-c", &line]).output() else {
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        text.trim(),
        "list",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
