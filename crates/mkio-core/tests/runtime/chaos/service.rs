//! A small HTTP service that misbehaves at random, and counts what it applied.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How a request can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Throttled,
    /// Applied, then 500.
    ServerError,
    /// Applied, then an HTML page from a gateway.
    BadGateway,
    Unavailable,
    /// Reset before anything was done.
    ResetBefore,
    /// Applied, then reset.
    ResetAfter,
    /// Applied, then half of the response.
    HalfBody,
}

pub const FAULTS: [Fault; 7] = [
    Fault::Throttled,
    Fault::ServerError,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::ResetBefore,
    Fault::ResetAfter,
    Fault::HalfBody,
];

pub struct Service {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    random: fastrand::Rng,
    requests: usize,
    faults: [usize; FAULTS.len()],
    applied: HashMap<usize, usize>,
}

impl Service {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            random: fastrand::Rng::with_seed(42),
            requests: 0,
            faults: [0; FAULTS.len()],
            applied: HashMap::new(),
        }));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&shared);
                tokio::spawn(async move {
                    // A connection that the client drops is none of our business.
                    let _ = serve(socket, &state).await;
                });
            }
        });
        Self { address, state }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }

    pub fn faults(&self) -> [usize; FAULTS.len()] {
        self.state.lock().unwrap().faults
    }

    /// How often a call took effect.
    pub fn applied(&self, id: usize) -> usize {
        let state = self.state.lock().unwrap();
        state.applied.get(&id).copied().unwrap_or_default()
    }
}

impl State {
    /// One request in five goes wrong.
    fn fault(&mut self) -> Option<Fault> {
        self.requests += 1;
        if self.random.f64() >= 0.2 {
            return None;
        }
        let which = self.random.usize(..FAULTS.len());
        self.faults[which] += 1;
        Some(FAULTS[which])
    }
}

async fn serve(socket: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap().to_owned();
        let reads = line.starts_with("GET ");
        let id: usize = path.rsplit('/').next().unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            socket.read_line(&mut line).await?;
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        socket.read_exact(&mut vec![0; length]).await?;

        let fault = {
            let mut state = state.lock().unwrap();
            let fault = state.fault();
            let refused = [Fault::Throttled, Fault::Unavailable, Fault::ResetBefore];
            if !reads && !fault.is_some_and(|fault| refused.contains(&fault)) {
                *state.applied.entry(id).or_default() += 1;
            }
            fault
        };
        let body = format!(r#"{{"id":{id},"padding":"{}"}}"#, "x".repeat(200));
        let error = |status: u16| {
            format!(r#"{{"error":{{"code":"E","detail":"d"}},"status":{status},"ref":"r"}}"#)
        };
        let (status, extra, body) = match fault {
            None => ("200 OK", "", body),
            Some(Fault::Throttled) => ("429 Too Many Requests", "", error(429)),
            Some(Fault::ServerError) => ("500 Internal Server Error", "", error(500)),
            Some(Fault::BadGateway) => ("502 Bad Gateway", "", "<html>502</html>".to_owned()),
            Some(Fault::Unavailable) => {
                ("503 Service Unavailable", "retry-after: 1\r\n", error(503))
            }
            Some(Fault::ResetBefore | Fault::ResetAfter) => return reset(socket.into_inner()),
            Some(Fault::HalfBody) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                let half = &body[..body.len() / 2];
                return socket.write_all(format!("{head}{half}").as_bytes()).await;
            }
        };
        let length = body.len();
        let response =
            format!("HTTP/1.1 {status}\r\n{extra}content-length: {length}\r\n\r\n{body}");
        socket.write_all(response.as_bytes()).await?;
    }
}

/// Closes without ceremony, so that the other side sees a reset.
fn reset(socket: TcpStream) -> std::io::Result<()> {
    socket.set_zero_linger()
}
