//! A proxy on 127.0.0.1 between the program and a fake, for what goes wrong on the way.
//!
//! The faults of a fake (see `mod.rs`) are those of a service. These are those of what lies
//! between: a gateway that hangs, a connection that ends in the middle of a line, lengths and
//! packings that are not what the head says, an answer that belongs to another question. The
//! proxy takes the true answer from the fake and hands it on, or spoils it.

mod spoil;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// One way of failing, of one answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request is taken, and not a byte comes back.
    Silence,
    /// Silence after half of the head.
    StallsInHead,
    /// Silence after half of the body.
    StallsInBody,
    /// One byte a second, from the first one on.
    Drips,
    /// The connection ends, in order, after half of the head.
    EndsInHead,
    /// The connection is reset after half of the head.
    ResetsInHead,
    /// The connection ends, in order, after half of the announced body.
    EndsInBody,
    /// The same, of a body whose length was not announced: its end is the connection's.
    EndsUnannounced,
    /// The connection is reset after half of the body.
    ResetsInBody,
    /// The announced length is half of the true one.
    ShortLength,
    /// The announced length is twice the true one, and the connection stays open.
    LongLength,
    /// Two lengths are announced.
    TwoLengths,
    /// The body comes in pieces whose sizes are no numbers.
    ChunkNoise,
    /// A piece has a size beyond all memory.
    ChunkHuge,
    /// The body comes in pieces, and the connection ends before the last one.
    ChunksEnd,
    /// The body is packed, and half of it comes, under that half's length.
    GzipCut,
    /// The body is called packed, and is not.
    GzipLie,
    /// The answer points elsewhere.
    Redirects(String),
    /// The head has two thousand fields.
    ManyHeaders,
    /// The head has a field of two million bytes.
    LongHeader,
    /// Interim answers come in front of the true one, which is allowed.
    Interim,
    /// Interim answers come without an end.
    InterimForever,
    /// What listens speaks another language.
    NotHttp,
    /// Behind the true answer comes another one, which nobody asked for.
    Stray,
    /// The true answer, and the connection ends though the head did not say so.
    ClosesIdle,
    /// The answer of the request before this one.
    Previous,
    /// The true answer, and another document in it.
    Rewrites(fn(&mut Value)),
}

/// A running proxy; it stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    base: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct State {
    behind: SocketAddr,
    armed: Mutex<Option<Armed>>,
    /// Requests since the proxy was last armed or healed, and those that met the fault.
    counts: Mutex<(usize, usize)>,
    /// The true answer of the last request.
    last: Mutex<Option<Answer>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    skip: usize,
}

/// An answer as it came from the fake.
#[derive(Clone, Debug)]
struct Answer {
    /// The status line and the fields, without the blank line and without the body's length.
    head: Vec<String>,
    body: Vec<u8>,
}

impl Proxy {
    /// Starts a proxy before the server at `base` (`http://127.0.0.1:…`).
    pub async fn before(base: &str) -> Self {
        let behind = base.strip_prefix("http://").expect("a fake's address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has one");
        let state = Arc::new(State {
            behind: behind.parse().expect("a fake's address"),
            armed: Mutex::default(),
            counts: Mutex::default(),
            last: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            base: format!("http://{address}"),
            state,
            task,
        }
    }

    /// Scheme, host and port, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Spoils every answer but the first `skip`, until the proxy is healed.
    pub fn fail_after(&self, skip: usize, fault: Fault) {
        self.arm(Some(Armed { fault, skip }));
    }

    /// Hands everything on as it is.
    pub fn heal(&self) {
        self.arm(None);
    }

    /// How many answers were spoiled since the proxy was last armed.
    pub fn spoiled(&self) -> usize {
        self.state.counts.lock().unwrap().1
    }

    fn arm(&self, armed: Option<Armed>) {
        *self.state.armed.lock().unwrap() = armed;
        *self.state.counts.lock().unwrap() = (0, 0);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Counts a request; the fault that it meets.
    fn count(&self) -> Option<Fault> {
        let armed = self.armed.lock().unwrap();
        let mut counts = self.counts.lock().unwrap();
        counts.0 += 1;
        let fault = armed.as_ref().filter(|armed| counts.0 > armed.skip)?;
        counts.1 += 1;
        Some(fault.fault.clone())
    }

    /// Asks the fake; the true answer, and the one before it.
    async fn ask(&self, request: &[u8]) -> Option<(Answer, Option<Answer>)> {
        let mut stream = TcpStream::connect(self.behind).await.ok()?;
        stream.write_all(request).await.ok()?;
        let bytes = read_message(&mut stream, &mut Vec::new()).await?;
        let answer = Answer::of(&bytes);
        let before = self.last.lock().unwrap().replace(answer.clone());
        Some((answer, before))
    }
}

impl Answer {
    fn of(bytes: &[u8]) -> Self {
        let at = head_end(bytes).expect("a whole message has a head");
        let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
        let is_length = |line: &&str| line.to_ascii_lowercase().starts_with("content-length");
        Self {
            head: head
                .lines()
                .filter(|line| !is_length(line))
                .map(str::to_owned)
                .collect(),
            body: bytes[at + 4..].to_vec(),
        }
    }

    /// The head with more fields at its end, and the blank line.
    fn head(&self, more: &[&str]) -> Vec<u8> {
        let lines = self.head.iter().map(String::as_str);
        let lines: Vec<&str> = lines.chain(more.iter().copied()).collect();
        format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
    }

    /// The whole answer, with the length that is claimed.
    fn claiming(&self, length: usize) -> Vec<u8> {
        let mut bytes = self.head(&[&format!("content-length: {length}")]);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    fn honest(&self) -> Vec<u8> {
        self.claiming(self.body.len())
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // The set ends its connections with this task, so nothing outlives the test.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&state)));
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection until it ends, or until a fault ends it.
async fn serve(mut client: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_message(&mut client, &mut buffer).await {
        let fault = state.count();
        let Some((answer, before)) = state.ask(&request).await else {
            return;
        };
        let open = match fault {
            None => client.write_all(&answer.honest()).await.ok(),
            Some(fault) => spoil::spoil(&mut client, fault, &answer, before).await,
        };
        if open.is_none() {
            return;
        }
    }
}

/// Reads a head and the body that it announces; `None` when the connection ends before that.
async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    let at = loop {
        if let Some(at) = head_end(buffer) {
            break at;
        }
        read_more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..at]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |text| text.trim().parse().expect("both ends are ours"));
    while buffer.len() < at + 4 + length {
        read_more(stream, buffer).await?;
    }
    let rest = buffer.split_off(at + 4 + length);
    Some(std::mem::replace(buffer, rest))
}

fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(buffer).await.ok()? > 0).then_some(())
}

/// An address at which nobody listens, for as long as this is kept.
#[derive(Debug)]
pub struct ClosedPort {
    base: String,
    _bound: TcpSocket,
}

impl ClosedPort {
    /// Takes a port and does not listen on it.
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        let any = "127.0.0.1:0".parse().expect("an address");
        socket.bind(any).expect("a free port");
        let address = socket.local_addr().expect("a bound socket has one");
        Self {
            base: format!("http://{address}"),
            _bound: socket,
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }
}
