//! How each fault looks in bytes.

use std::io::Write as _;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::wire::pause;
use super::{Answer, Fault};

/// Commits a fault; `None` when the connection must not be used again.
pub(super) async fn spoil(
    client: &mut TcpStream,
    fault: Fault,
    answer: &Answer,
    before: Option<Answer>,
) -> Option<()> {
    let honest = answer.honest();
    let head_end = honest.len() - answer.body.len();
    let (in_head, in_body) = (head_end / 2, head_end + answer.body.len() / 2);
    match fault {
        Fault::Silence => stall(client, b"").await,
        Fault::StallsInHead => stall(client, &honest[..in_head]).await,
        Fault::StallsInBody => stall(client, &honest[..in_body]).await,
        Fault::LongLength => stall(client, &answer.claiming(answer.body.len() * 2 + 1)).await,
        Fault::NotHttp => stall(client, b"SSH-2.0-OpenSSH_9.6\r\n").await,
        Fault::Drips => drip(client, &honest).await,
        Fault::InterimForever => chatter(client).await,
        Fault::EndsInHead => end(client, &honest[..in_head]).await,
        Fault::EndsInBody => end(client, &honest[..in_body]).await,
        Fault::ResetsInHead => reset(client, &honest[..in_head]).await,
        Fault::ResetsInBody => reset(client, &honest[..in_body]).await,
        Fault::EndsUnannounced
        | Fault::ChunkNoise
        | Fault::ChunkHuge
        | Fault::ChunksEnd
        | Fault::GzipCut
        | Fault::ClosesIdle => end(client, &framed(&fault, answer)).await,
        Fault::ShortLength
        | Fault::TwoLengths
        | Fault::GzipLie
        | Fault::ManyHeaders
        | Fault::LongHeader
        | Fault::Interim
        | Fault::Stray => write(client, &framed(&fault, answer)).await,
        Fault::Redirects(to) => {
            let text = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            write(client, text.as_bytes()).await
        }
        Fault::Rewrites(rewrite) => {
            let mut document = serde_json::from_slice(&answer.body).expect("a fake speaks JSON");
            rewrite(&mut document);
            let rewritten = Answer {
                body: document.to_string().into_bytes(),
                ..answer.clone()
            };
            write(client, &rewritten.honest()).await
        }
        // Nobody asked before: what comes is nothing that anybody could have asked for.
        Fault::Previous => match before {
            Some(before) => write(client, &before.honest()).await,
            None => end(client, b"").await,
        },
    }
}

/// The bytes of an answer whose head and body do not agree.
fn framed(fault: &Fault, answer: &Answer) -> Vec<u8> {
    let half = answer.body.len() / 2;
    let with = |more: &[&str], body: &[u8]| [answer.head(more), body.to_vec()].concat();
    let chunked = |body: &[u8]| with(&["transfer-encoding: chunked"], body);
    let first = |size: &str| [size.as_bytes(), b"\r\n", &answer.body[..half], b"\r\n"].concat();
    let length = format!("content-length: {}", answer.body.len());
    match fault {
        Fault::EndsUnannounced => with(&["connection: close"], &answer.body[..half]),
        Fault::ShortLength => answer.claiming(half),
        Fault::TwoLengths => with(&[&length, "content-length: 2"], &answer.body),
        Fault::ChunkNoise => chunked(&[first(&format!("{half:x}")), first("zz")].concat()),
        Fault::ChunkHuge => chunked(&first("fffffffffffffff0")),
        Fault::ChunksEnd => chunked(&first(&format!("{half:x}"))),
        Fault::GzipCut => {
            let packed = packed(&answer.body);
            let part = &packed[..packed.len() / 2];
            let length = format!("content-length: {}", part.len());
            with(&["content-encoding: gzip", &length], part)
        }
        Fault::GzipLie => with(&["content-encoding: gzip", &length], &answer.body),
        Fault::ManyHeaders => {
            let fields: Vec<String> = (0..2000).map(|at| format!("x-flood-{at}: 1")).collect();
            let fields: Vec<&str> = fields.iter().chain([&length]).map(|it| &**it).collect();
            with(&fields, &answer.body)
        }
        Fault::LongHeader => {
            let long = format!("x-flood: {}", "a".repeat(2_000_000));
            with(&[&long, &length], &answer.body)
        }
        Fault::Interim => {
            let interim =
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
            [interim.repeat(3).into_bytes(), answer.honest()].concat()
        }
        Fault::Stray => [answer.honest(), answer.honest()].concat(),
        _ => answer.honest(),
    }
}

/// Writes, and waits until the other side has had enough.
async fn stall(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    write(client, bytes).await?;
    let mut sink = [0; 64];
    while client.read(&mut sink).await.ok()? > 0 {}
    None
}

async fn end(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    write(client, bytes).await?;
    client.shutdown().await.ok()?;
    None
}

async fn reset(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    write(client, bytes).await?;
    // Zero linger makes the close a reset instead of an orderly end.
    client.set_zero_linger().ok()?;
    None
}

async fn drip(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    for byte in bytes {
        write(client, &[*byte]).await?;
        pause(Duration::from_secs(1)).await;
    }
    Some(())
}

async fn chatter(client: &mut TcpStream) -> Option<()> {
    loop {
        write(client, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        pause(Duration::from_millis(5)).await;
    }
}

async fn write(client: &mut TcpStream, bytes: &[u8]) -> Option<()> {
    client.write_all(bytes).await.ok()?;
    client.flush().await.ok()
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(body).expect("memory takes it");
    packer.finish().expect("memory takes it")
}
