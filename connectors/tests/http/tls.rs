//! Encryption: a service that cannot prove who it is gets no credential.

use stundenbuch_connectors::error::Kind;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(signed.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut plain = Vec::new();
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            stream.read_to_end(&mut plain).await.ok();
        }
        plain
    });
    let world = World::start().await;
    let http = world.http(|options| {
        options.base = format!("https://localhost:{port}");
        options.attempts_max = 1;
    });
    let error = get_ok(&http).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(error.advice().unwrap().contains("clock"), "{error}");
    assert_eq!(
        server.await.unwrap(),
        b"",
        "something was sent to a stranger"
    );
}

#[tokio::test]
async fn a_service_without_encryption_gets_nothing_to_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok();
        bytes
    });
    let world = World::start().await;
    let http = world.http(|options| {
        options.base = format!("https://127.0.0.1:{port}");
        options.attempts_max = 1;
        options.timeout = Duration::from_millis(300);
    });
    assert_eq!(get_ok(&http).await.unwrap_err().kind(), Kind::Unavailable);
    drop(http);
    let bytes = server.await.unwrap();
    assert!(!bytes.is_empty(), "nothing was tried");
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    assert!(!String::from_utf8_lossy(&bytes).contains("/ok"));
}
