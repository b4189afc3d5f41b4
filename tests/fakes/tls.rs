//! Services on 127.0.0.1 that are asked for encryption, and most of which cannot prove who they
//! are. They keep whatever they get to read.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
    generate_simple_self_signed,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Somebody who vouches for servers.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a server shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// A certificate for `localhost` that is in order.
    Good,
    /// One that was good until 2021.
    Expired,
    /// One that will be good in 2099.
    NotYet,
    /// One for another host.
    OtherHost,
    /// One that the server made for itself.
    SelfSigned,
    /// Encryption as it was until 2008 (TLS 1.1) and nothing newer.
    OldVersion,
    /// The end of the connection, after the client's first words.
    HangsUp,
    /// HTTP without encryption.
    Plain,
}

/// A running server; it stops when it is dropped.
#[derive(Debug)]
pub struct Impostor {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

/// How one connection is served.
#[derive(Clone)]
struct Service {
    face: Face,
    acceptor: TlsAcceptor,
    behind: Option<SocketAddr>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Authority {
    /// Somebody new, whom nobody trusts yet.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// The certificate as a file of trusted ones has it.
    pub fn pem(&self) -> String {
        let text = base64(self.0.der());
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        for line in text.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line).expect("letters and digits"));
            pem.push('\n');
        }
        pem + "-----END CERTIFICATE-----\n"
    }

    fn vouches(&self, face: Face) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let host = match face {
            Face::OtherHost => "elsewhere.example",
            _ => "localhost",
        };
        if face == Face::SelfSigned {
            let own = generate_simple_self_signed([host.to_owned()]).expect("a certificate");
            return (own.cert.der().clone(), secret(&own.signing_key));
        }
        let mut params = CertificateParams::new([host.to_owned()]).expect("a name");
        (params.not_before, params.not_after) = match face {
            Face::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Face::NotYet => (date_time_ymd(2099, 1, 1), date_time_ymd(2100, 1, 1)),
            _ => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
        };
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.der().clone(), secret(&key))
    }
}

fn secret(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

impl Impostor {
    /// Starts a server whom `authority` vouches for, as far as its face allows. What it reads
    /// goes to the fake at `behind` (`http://127.0.0.1:…`), where there is one.
    pub async fn start(face: Face, authority: &Authority, behind: Option<&str>) -> Self {
        let (certificate, key) = authority.vouches(face);
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate with its key");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has one");
        let service = Service {
            face,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            behind: behind
                .and_then(|base| base.strip_prefix("http://"))
                .map(|address| address.parse().expect("a fake's address")),
            heard: Arc::default(),
        };
        Self {
            port: address.port(),
            heard: Arc::clone(&service.heard),
            task: tokio::spawn(accept(listener, service)),
        }
    }

    /// The address with the name that good certificates have.
    pub fn base(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Whatever could be read here, in bytes: of an encrypted connection what came out of it, of
    /// any other all of it.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, service: Service) {
    // The set ends its connections with this task, so nothing outlives the test.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, service.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(mut stream: TcpStream, service: Service) -> Option<()> {
    let first_words: &[u8] = match service.face {
        Face::OldVersion => &OLD_HELLO,
        Face::HangsUp => b"",
        Face::Plain => b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        _ => return encrypted(stream, service).await,
    };
    let mut said = vec![0; 4096];
    let length = stream.read(&mut said).await.ok()?;
    service.heard.lock().unwrap().extend(&said[..length]);
    stream.write_all(first_words).await.ok()?;
    if service.face == Face::HangsUp {
        return None;
    }
    listen(&mut stream, &service).await
}

async fn encrypted(stream: TcpStream, service: Service) -> Option<()> {
    let mut stream = service.acceptor.accept(stream).await.ok()?;
    let Some(behind) = service.behind else {
        return listen(&mut stream, &service).await;
    };
    let mut fake = TcpStream::connect(behind).await.ok()?;
    let (mut asked, mut answer) = (vec![0; 4096], vec![0; 4096]);
    loop {
        tokio::select! {
            length = stream.read(&mut asked) => {
                let bytes = &asked[..length.ok().filter(|length| *length > 0)?];
                service.heard.lock().unwrap().extend(bytes);
                pass(&mut fake, bytes).await?;
            }
            length = fake.read(&mut answer) => {
                let bytes = &answer[..length.ok().filter(|length| *length > 0)?];
                pass(&mut stream, bytes).await?;
            }
        }
    }
}

async fn pass(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Option<()> {
    to.write_all(bytes).await.ok()?;
    to.flush().await.ok()
}

async fn listen(stream: &mut (impl AsyncRead + Unpin), service: &Service) -> Option<()> {
    let mut said = vec![0; 4096];
    loop {
        let length = stream.read(&mut said).await.ok()?;
        if length == 0 {
            return None;
        }
        service.heard.lock().unwrap().extend(&said[..length]);
    }
}

/// A `ServerHello` of TLS 1.1 (RFC 4346, sections 6.2.1 and 7.4.1.3): record header, message
/// header, version, 32 random bytes, no session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression.
const OLD_HELLO: [u8; 47] = {
    let mut bytes = [7; 47];
    let head = [22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let mut at = 0;
    while at < head.len() {
        bytes[at] = head[at];
        at += 1;
    }
    let tail = [0, 0, 0x2f, 0];
    let mut at = 0;
    while at < tail.len() {
        bytes[43 + at] = tail[at];
        at += 1;
    }
    bytes
};

/// As in RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |group, byte| group << 8 | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            text.push(if place <= chunk.len() {
                char::from(ALPHABET[index as usize])
            } else {
                '='
            });
        }
    }
    text
}
