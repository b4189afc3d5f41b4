//! The fake's own HTTP/1.1: reads a request, asks the router, writes the answer or spoils it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::{Request, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::{FaultKind, Logged, State};

/// An answer, whole, before it is written or spoiled.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

struct Incoming {
    target: String,
    logged: Logged,
}

/// Answers the requests of one connection, until it ends or a fault ends it.
pub(super) async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let open = match state.note(&request.logged) {
            None => honest(&mut stream, &state, request).await,
            Some(fault) => spoiled(&mut stream, &state, request, fault).await,
        };
        if open.is_none() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Incoming> {
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        read_more(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .map_or(0, |(_, value)| {
            value.parse().expect("our own client counts right")
        });
    let end = head_end + 4 + length;
    while buffer.len() < end {
        read_more(stream, buffer).await?;
    }
    let body = buffer[head_end + 4..end].to_vec();
    buffer.drain(..end);
    let uri: Uri = target.parse().ok()?;
    let query = Query::<Vec<(String, String)>>::try_from_uri(&uri).map_or(Vec::new(), |it| it.0);
    let logged = Logged {
        method,
        path: uri.path().to_owned(),
        query,
        headers,
        body,
        at: None,
        fault: None,
    };
    Some(Incoming { target, logged })
}

async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(buffer).await.ok()? > 0).then_some(())
}

async fn honest(stream: &mut TcpStream, state: &State, request: Incoming) -> Option<()> {
    let head_only = request.logged.method == "HEAD";
    let mut answer = ask(state, request).await;
    let length = answer.body.len();
    if head_only {
        answer.body.clear();
    }
    write(stream, &answer, length).await
}

/// Commits a fault; `None` when the connection must not be used again.
async fn spoiled(
    stream: &mut TcpStream,
    state: &State,
    request: Incoming,
    fault: FaultKind,
) -> Option<()> {
    match fault {
        FaultKind::Status {
            code,
            headers,
            body,
        } => {
            let mut answer = plain("application/json", body.as_bytes());
            answer.status = code;
            answer
                .headers
                .extend(headers.into_iter().map(|(key, it)| (key.to_owned(), it)));
            return write(stream, &answer, answer.body.len()).await;
        }
        FaultKind::EmptyOk => return write(stream, &plain("application/json", b""), 0).await,
        FaultKind::Html => {
            let page = b"<!DOCTYPE html><html><body><form>Sign in to Wi-Fi</form></body></html>";
            return write(stream, &plain("text/html", page), page.len()).await;
        }
        FaultKind::Garbage => {
            let noise = b"\x00\xff\xfe{\"half\": [1, \xc3\x28";
            return write(stream, &plain("application/json", noise), noise.len()).await;
        }
        FaultKind::GzipBomb => {
            let mut bomb = plain("application/json", &gzip_bomb());
            bomb.headers
                .push(("content-encoding".to_owned(), "gzip".to_owned()));
            return write(stream, &bomb, bomb.body.len()).await;
        }
        FaultKind::CutBody { keep } => {
            let mut answer = ask(state, request).await;
            let whole = answer.body.len().max(1);
            answer.body.truncate(keep.min(whole - 1));
            write(stream, &answer, whole).await?;
        }
        FaultKind::Reset => {
            let mut answer = ask(state, request).await;
            let whole = answer.body.len().max(1);
            answer.body.truncate(whole / 2);
            write(stream, &answer, whole).await?;
            // Zero linger makes the close a reset instead of an orderly end.
            stream.set_zero_linger().ok()?;
        }
        FaultKind::Stall => std::future::pending::<()>().await,
        FaultKind::Drip => drip(stream, &ask(state, request).await).await?,
        FaultKind::Huge => huge(stream).await?,
        FaultKind::LostAnswer => drop(ask(state, request).await),
    }
    None
}

async fn ask(state: &State, request: Incoming) -> Answer {
    let mut builder = Request::builder()
        .method(request.logged.method.as_str())
        .uri(&request.target);
    for (name, value) in &request.logged.headers {
        builder = builder.header(name, value);
    }
    let request = builder
        .body(Body::from(request.logged.body))
        .expect("it was read as one");
    let response = match state.router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (parts, body) = response.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    Answer {
        status: parts.status.as_u16(),
        headers: headers
            .filter(|(name, _)| name != "content-length")
            .collect(),
        body: to_bytes(body, usize::MAX)
            .await
            .expect("a fake's body is in memory")
            .to_vec(),
    }
}

fn plain(content_type: &str, body: &[u8]) -> Answer {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    Answer {
        status: 200,
        headers,
        body: body.to_vec(),
    }
}

fn head(answer: &Answer, framing: &str) -> String {
    let mut head = format!("HTTP/1.1 {} Fake\r\n{framing}\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").expect("a string takes it");
    }
    head.push_str("\r\n");
    head
}

/// Writes head and body, with the length that is claimed rather than the true one.
async fn write(stream: &mut TcpStream, answer: &Answer, claimed: usize) -> Option<()> {
    let framing = match answer.status {
        // An answer of these kinds has no body, and must not announce one.
        204 | 304 => "x-fake: no-body".to_owned(),
        _ => format!("content-length: {claimed}"),
    };
    let mut bytes = head(answer, &framing).into_bytes();
    if !matches!(answer.status, 204 | 304) {
        bytes.extend_from_slice(&answer.body);
    }
    stream.write_all(&bytes).await.ok()?;
    stream.flush().await.ok()
}

async fn drip(stream: &mut TcpStream, answer: &Answer) -> Option<()> {
    let head = head(answer, &format!("content-length: {}", answer.body.len()));
    stream.write_all(head.as_bytes()).await.ok()?;
    for byte in &answer.body {
        stream.write_all(&[*byte]).await.ok()?;
        pause(Duration::from_secs(1)).await;
    }
    Some(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a fake drips in real time, on a real socket"
)]
pub(super) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

async fn huge(stream: &mut TcpStream) -> Option<()> {
    let head = head(
        &plain("application/json", b""),
        "transfer-encoding: chunked",
    );
    stream.write_all(head.as_bytes()).await.ok()?;
    let mut chunk = b"10000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x1_0000, b' ');
    chunk.extend_from_slice(b"\r\n");
    loop {
        stream.write_all(&chunk).await.ok()?;
    }
}

fn gzip_bomb() -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..128 {
        packer.write_all(&blanks).expect("memory takes it");
    }
    packer.finish().expect("memory takes it")
}
