//! A certified login service, written by others: its reading of the standards, not ours.
//!
//! `tests/run` installs it (`tests/idp/`); elsewhere these tests say that they are skipped.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use stundenbuch_connectors::clock::SystemClock;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::http::{Reply, Request};

use super::*;

/// The service; it ends when this is dropped.
struct Service {
    process: Child,
    base: String,
    /// Kept open, for a service that cannot speak ends.
    _out: BufReader<ChildStdout>,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It also ends by itself when its standard input does.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start() -> Option<Self> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/idp");
        if !directory.join("node_modules/oidc-provider").exists() {
            println!("SKIPPED: there is no login service here; `tests/run` installs it");
            return None;
        }
        let process = Command::new("node")
            .arg("server.mjs")
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let mut process = match process {
            Ok(process) => process,
            Err(error) => {
                println!("SKIPPED: node does not run here: {error}");
                return None;
            }
        };
        let mut base = String::new();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        out.read_line(&mut base).unwrap();
        assert!(base.starts_with("http"), "the login service did not start");
        Some(Self {
            process,
            base: base.trim().to_owned(),
            _out: out,
        })
    }

    fn describe(&self) -> OAuth {
        OAuth {
            authorize_url: format!("{}/auth", self.base),
            token_url: format!("{}/token", self.base),
            device_url: Some(format!("{}/device/auth", self.base)),
            scopes: vec!["openid".to_owned(), "offline_access".to_owned()],
            authorize_extra: &[("prompt", "consent")],
            ..service(&self.base)
        }
    }

    /// What the service's own test browser answers.
    async fn person(&self, platform: &Platform, path: &'static str, word: &str) -> Reply {
        let key = if path == "/browser" { "to" } else { "code" };
        let http = Http::new(Options::new("person", &self.base, &API), platform).unwrap();
        let asked = http.send(Request::get("api", path).query(key, word));
        asked.await.unwrap()
    }

    async fn log_in(&self, platform: &Platform) -> Tokens {
        let service = self.describe();
        let redirect = "http://127.0.0.1:61234/";
        let consent = Consent::begin(NAME, &service, Some(redirect)).unwrap();
        let answer = self.person(platform, "/browser", &consent.page).await;
        let answer = String::from_utf8(answer.body).unwrap();
        assert!(answer.starts_with(redirect), "{answer}");
        let code = consent.code(&answer, &service).unwrap();
        let tokens = consent
            .finish(NAME, &service, platform, &code)
            .await
            .unwrap();
        // The code is good once.
        let again = consent.finish(NAME, &service, platform, &code).await;
        assert_eq!(again.unwrap_err().kind(), Kind::Auth);
        tokens
    }

    fn http(&self, platform: &Platform) -> Http {
        let mut options = Options::new(NAME, &self.base, &API);
        options.access = Some(login::oauth(NAME, self.describe(), platform).unwrap());
        Http::new(options, platform).unwrap()
    }
}

/// Stores tokens whose access has ended.
fn end(platform: &Platform, tokens: Tokens) {
    let ended = Tokens {
        expires_at: Some(DateTime::UNIX_EPOCH),
        ..tokens
    };
    let stored = Stored::Tokens(ended);
    platform.logins.save(NAME, &stored).unwrap();
}

async fn me(http: &Http) -> Result<(), stundenbuch_connectors::Error> {
    let reply = http.send(Request::get("api", "/me")).await?;
    assert_eq!(reply.body, br#"{"sub":"mara"}"#);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_at_a_certified_service_is_renewed_and_rotated() {
    let Some(service) = Service::start() else {
        return;
    };
    let home = Home::new();
    let platform = platform(home.path(), Arc::new(SystemClock));
    // A used code ends what it gave, so this login is over before it began.
    let over = service.log_in(&platform).await;
    end(&platform, over);
    let error = me(&service.http(&platform)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth, "{error}");

    let redirect = Some("http://127.0.0.1:61234/");
    let describe = service.describe();
    let consent = Consent::begin(NAME, &describe, redirect).unwrap();
    let answer = service.person(&platform, "/browser", &consent.page).await;
    let answer = String::from_utf8(answer.body).unwrap();
    let code = consent.code(&answer, &describe).unwrap();
    let tokens = consent
        .finish(NAME, &describe, &platform, &code)
        .await
        .unwrap();
    let first = tokens.refresh.clone().unwrap();
    end(&platform, tokens);
    let mut seen = vec![first.expose().to_owned()];
    for _ in 0..3 {
        me(&service.http(&platform)).await.unwrap();
        let tokens = home.tokens();
        let refresh = tokens.refresh.clone().unwrap().expose().to_owned();
        assert!(!seen.contains(&refresh), "each comes once");
        assert_eq!(
            tokens.previous.clone().unwrap().expose(),
            seen.last().unwrap()
        );
        seen.push(refresh);
        end(&platform, tokens);
    }
    // Somebody else used an old one: the service ends the login, and that is told as such.
    let mut stolen = home.tokens();
    stolen.refresh = Some(first);
    stolen.previous = None;
    end(&platform, stolen);
    let http = service.http(&platform);
    for _ in 0..2 {
        let error = me(&http).await.unwrap_err();
        assert!(error.needs_person(), "{error}");
        let text = format!("{error} {error:?}");
        assert!(seen.iter().all(|token| !text.contains(token)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_for_a_device_is_typed_in_at_a_certified_service() {
    let Some(service) = Service::start() else {
        return;
    };
    let home = Home::new();
    let platform = platform(home.path(), Arc::new(SystemClock));
    let (sender, mut shown) = tokio::sync::mpsc::unbounded_channel();
    let mut show = move |code: &login::DeviceCode| sender.send(code.code.clone()).unwrap();
    let describe = service.describe();
    let person = async {
        let code = shown.recv().await.unwrap();
        let said = service.person(&platform, "/type", &code).await;
        assert_eq!(String::from_utf8_lossy(&said.body), "Sign-in Success");
        std::future::pending::<()>().await;
    };
    let tokens = tokio::select! {
        tokens = login::device(NAME, &describe, &platform, &mut show) => tokens.unwrap(),
        () = person => unreachable!(),
    };
    end(&platform, tokens);
    me(&service.http(&platform)).await.unwrap();
}
