//! Prism, an implementation of OpenAPI documents that is not ours: installed once, started for
//! one document at a time.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The version that results are compared with.
const VERSION: &str = "5.16.0";
const PACKAGE: &str = "@stoplight/prism-cli";
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(90);

/// An installed Prism.
pub struct Prism {
    program: PathBuf,
}

/// A Prism that serves one document; it ends with this value.
pub struct Running {
    child: Child,
    address: SocketAddr,
}

impl Prism {
    /// Installs Prism into a folder unless this version is there already.
    pub fn install(folder: &Path) -> Result<Self> {
        let package = folder.join("node_modules").join(PACKAGE);
        let program = package.join("dist/index.js");
        if installed(&package).as_deref() != Some(VERSION) || !program.exists() {
            println!("installing {PACKAGE} {VERSION}");
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            // Without a project here, npm searches the folders above.
            fs::write(folder.join("package.json"), "{\"private\": true}\n")
                .context("cannot write package.json")?;
            let status = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .args(["--no-progress", "--loglevel=error", "--save-exact"])
                .arg(format!("{PACKAGE}@{VERSION}"))
                .current_dir(folder)
                .stdin(Stdio::null())
                .status()
                .context("cannot run npm: install Node.js 20 or newer")?;
            if !status.success() {
                bail!("npm could not install {PACKAGE} ({status}): is a registry reachable?");
            }
        }
        Ok(Self { program })
    }

    /// Serves a document on a free port of this machine, with validation of every request.
    pub fn start(&self, document: &Path, log: &Path) -> Result<Running> {
        let address = free_address()?;
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone().context("cannot share the log")?;
        let child = Command::new("node")
            .arg(&self.program)
            .args(["mock", "--errors", "--host", "127.0.0.1", "--port"])
            .arg(address.port().to_string())
            .arg(document)
            // In production Prism starts processes of its own, which would outlive it.
            .env("NODE_ENV", "development")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .context("cannot run node: install Node.js 20 or newer")?;
        let mut running = Running { child, address };
        running.wait_until_it_listens(log)?;
        Ok(running)
    }
}

impl Running {
    /// The address at which it listens.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn wait_until_it_listens(&mut self, log: &Path) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_err() {
            if let Some(status) = self
                .child
                .try_wait()
                .context("cannot ask for Prism's state")?
            {
                bail!("Prism ended ({status}): {}", last_lines(log));
            }
            if start.elapsed() > PATIENCE {
                bail!("Prism does not listen: {}", last_lines(log));
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about a failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn installed(package: &Path) -> Option<String> {
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    let package: Value = serde_json::from_str(&text).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}

fn free_address() -> Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .context("no free port on 127.0.0.1")
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let first = lines.len().saturating_sub(5);
    lines.get(first..).unwrap_or_default().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_tells_its_version() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(installed(folder.path()), None);
        for (text, version) in [
            (r#"{"version": "5.16.0"}"#, Some("5.16.0")),
            (r#"{"version": 5}"#, None),
            ("{}", None),
            ("", None),
        ] {
            fs::write(folder.path().join("package.json"), text).unwrap();
            assert_eq!(installed(folder.path()).as_deref(), version, "{text}");
        }
    }

    #[test]
    fn the_last_lines_of_a_log_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        assert_eq!(last_lines(&log), "");
        fs::write(&log, "a\nb\n").unwrap();
        assert_eq!(last_lines(&log), "a | b");
        fs::write(&log, "1\n2\n3\n4\n5\n6\n7\n").unwrap();
        assert_eq!(last_lines(&log), "3 | 4 | 5 | 6 | 7");
    }

    #[test]
    fn a_port_of_this_machine_is_free() {
        let address = free_address().unwrap();
        assert!(address.ip().is_loopback() && address.port() != 0);
        TcpListener::bind(address).unwrap();
    }
}
