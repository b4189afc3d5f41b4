//! A fake service that people log in to: OAuth 2 with rotation, proof keys and device codes
//! (RFC 6749, 7636, 8628), and Nextcloud's login flow. Written from those descriptions.
//!
//! A refresh token that is used twice ends the whole login, as services do that take the second
//! use for a theft; a grace may be given, as others do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use stundenbuch_connectors::clock::{Clock as _, ManualClock};

pub const CLIENT: &str = "stundenbuch-client";
pub const CLIENT_SECRET: &str = "client-s3cret-71c0";
/// Every secret that it gives ends with this, so that a test can look for it.
pub const CANARY: &str = "c4n4ry";
/// Where it sends people, besides loopback addresses of any port.
pub const USER: &str = "mara";

/// How the service treats refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The same one for ever, and it is not sent again.
    Never,
    /// A new one each time; the old one is good for so many seconds more.
    Always { grace: i64 },
}

/// The service; clones share its world.
#[derive(Clone, Debug)]
pub struct Provider {
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
pub struct World {
    clock: ManualClock,
    pub rotation: Rotation,
    /// How long an access token lives.
    pub life: i64,
    /// Whether the client has to show its secret, and whether a proof key.
    pub secret: bool,
    pub proof: bool,
    /// Whether a new access token ends the one before it.
    pub one_access: bool,
    next: u32,
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, DateTime<Utc>>,
    refresh: BTreeMap<String, Refresh>,
    ended: BTreeSet<u32>,
    devices: BTreeMap<String, Device>,
    flows: BTreeMap<String, Flow>,
    /// The refresh tokens that were used after their end.
    pub reused: u32,
    /// What the token address was asked for: `refresh_token`, `authorization_code`.
    pub grants: Vec<String>,
}

#[derive(Debug)]
struct Code {
    challenge: Option<String>,
    redirect: Option<String>,
    until: DateTime<Utc>,
}

#[derive(Debug)]
struct Refresh {
    login: u32,
    used: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Device {
    user_code: String,
    agreed: Option<bool>,
    until: DateTime<Utc>,
    asked: Option<DateTime<Utc>>,
    interval: i64,
}

#[derive(Debug)]
struct Flow {
    agreed: bool,
    given: bool,
}

/// A refusal in the words of RFC 6749.
type Refusal = (StatusCode, &'static str, String);
type Fields = BTreeMap<String, String>;

impl Provider {
    pub fn new(clock: ManualClock) -> Self {
        Self {
            world: Arc::new(Mutex::new(World {
                clock,
                rotation: Rotation::Always { grace: 0 },
                life: 3600,
                secret: false,
                proof: true,
                one_access: false,
                next: 0,
                codes: BTreeMap::new(),
                access: BTreeMap::new(),
                refresh: BTreeMap::new(),
                ended: BTreeSet::new(),
                devices: BTreeMap::new(),
                flows: BTreeMap::new(),
                reused: 0,
                grants: Vec::new(),
            })),
        }
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.world.lock().unwrap())
    }

    pub fn router(&self) -> Router {
        Router::new()
            .route("/token", post(token))
            .route("/device", post(device))
            .route("/api/me", get(me))
            .route("/index.php/login/v2", post(flow))
            .route("/login/v2/poll", post(poll))
            .with_state(self.clone())
    }

    /// A person opens the page and agrees; where the browser is sent then, or the code that is
    /// shown.
    pub fn agree(&self, page: &str) -> String {
        let fields = query(page);
        let mut world = self.world.lock().unwrap();
        assert_eq!(fields["response_type"], "code");
        assert_eq!(fields["client_id"], CLIENT);
        let challenge = fields.get("code_challenge").cloned();
        assert_eq!(challenge.is_some(), world.proof, "{page}");
        if challenge.is_some() {
            assert_eq!(fields["code_challenge_method"], "S256");
        }
        let code = world.secret_of("code");
        let until = world.clock.now() + TimeDelta::seconds(60);
        let redirect = fields.get("redirect_uri").cloned();
        let known = Code {
            challenge,
            redirect: redirect.clone(),
            until,
        };
        world.codes.insert(code.clone(), known);
        match redirect {
            None => code,
            Some(address) => format!("{address}?code={code}&state={}", fields["state"]),
        }
    }

    /// A person opens the page and refuses.
    pub fn refuse(page: &str) -> String {
        let fields = query(page);
        format!(
            "{}?error=access_denied&error_description=Not+today&state={}",
            fields["redirect_uri"], fields["state"]
        )
    }

    /// A person types in the code of a device.
    pub fn answer_device(&self, user_code: &str, agreed: bool) {
        let mut world = self.world.lock().unwrap();
        let mut devices = world.devices.values_mut();
        let device = devices.find(|it| it.user_code == user_code).unwrap();
        device.agreed = Some(agreed);
    }

    /// A person grants access at Nextcloud's page.
    pub fn grant(&self, page: &str) {
        let token = page.rsplit('/').next().unwrap();
        let mut world = self.world.lock().unwrap();
        world.flows.get_mut(token).unwrap().agreed = true;
    }

    /// The person withdraws everything in the service's settings.
    pub fn withdraw(&self) {
        let mut world = self.world.lock().unwrap();
        world.access.clear();
        world.refresh.clear();
    }

    /// Every access token ends now; logins go on.
    pub fn end_access(&self) {
        self.world.lock().unwrap().access.clear();
    }

    /// Whether an `Authorization` header is good now.
    pub fn knows(&self, header: &str) -> bool {
        let token = header.strip_prefix("Bearer ").unwrap_or("");
        let world = self.world.lock().unwrap();
        let until = world.access.get(token);
        until.is_some_and(|until| *until > world.clock.now())
    }

    /// Whether a login of this refresh token can still be renewed.
    pub fn is_alive(&self, refresh: &str) -> bool {
        let world = self.world.lock().unwrap();
        let known = world.refresh.get(refresh);
        known.is_some_and(|it| it.used.is_none() && !world.ended.contains(&it.login))
    }
}

impl World {
    fn secret_of(&mut self, what: &str) -> String {
        self.next += 1;
        format!("{what}-{}-{CANARY}", self.next)
    }

    fn tokens(&mut self, login: Option<u32>) -> serde_json::Value {
        let now = self.clock.now();
        if self.one_access {
            self.access.clear();
        }
        let access = self.secret_of("access");
        self.access
            .insert(access.clone(), now + TimeDelta::seconds(self.life));
        let mut answer =
            json!({ "access_token": access, "token_type": "bearer", "expires_in": self.life });
        if let Some(login) = login {
            let refresh = self.secret_of("refresh");
            self.refresh
                .insert(refresh.clone(), Refresh { login, used: None });
            answer["refresh_token"] = refresh.into();
        }
        answer
    }

    fn grant(&mut self, headers: &HeaderMap, form: &Fields) -> Result<serde_json::Value, Refusal> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        let kind = field("grant_type").to_owned();
        self.grants.push(kind.clone());
        if self.secret {
            let header = headers.get("authorization").map(|it| it.to_str().unwrap());
            let shown = header.is_some() || field("client_secret") == CLIENT_SECRET;
            if !shown {
                return Err(refusal("invalid_client", "Unknown client"));
            }
        }
        match kind.as_str() {
            "authorization_code" => self.code(form),
            "refresh_token" => self.renew(field("refresh_token")),
            "client_credentials" => Ok(self.tokens(None)),
            "urn:ietf:params:oauth:grant-type:jwt-bearer" if field("assertion") == "signed" => {
                Ok(self.tokens(None))
            }
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                Err(refusal("invalid_grant", "Invalid JWT Signature"))
            }
            "urn:ietf:params:oauth:grant-type:device_code" => self.device(field("device_code")),
            _ => Err(refusal("unsupported_grant_type", "")),
        }
    }

    fn code(&mut self, form: &Fields) -> Result<serde_json::Value, Refusal> {
        let known = self.codes.remove(&form["code"]);
        let known = known.ok_or_else(|| refusal("invalid_grant", "Unknown or used code"))?;
        if known.until < self.clock.now() || known.redirect.as_ref() != form.get("redirect_uri") {
            return Err(refusal("invalid_grant", "Too late, or sent elsewhere"));
        }
        if let Some(challenge) = known.challenge {
            let verifier = form.get("code_verifier").map_or("", String::as_str);
            if base64url(&Sha256::digest(verifier)) != challenge {
                return Err(refusal("invalid_grant", "Wrong proof key"));
            }
        }
        let login = self.next;
        Ok(self.tokens(Some(login)))
    }

    fn renew(&mut self, token: &str) -> Result<serde_json::Value, Refusal> {
        let now = self.clock.now();
        let gone = refusal("invalid_grant", &format!("Token {token} is not active"));
        let Some(known) = self.refresh.get(token) else {
            return Err(gone);
        };
        let (login, used) = (known.login, known.used);
        if self.ended.contains(&login) {
            return Err(gone);
        }
        let Rotation::Always { grace } = self.rotation else {
            let mut answer = self.tokens(None);
            answer["scope"] = "read".into();
            return Ok(answer);
        };
        if let Some(used) = used
            && now - used >= TimeDelta::seconds(grace)
        {
            self.reused += 1;
            self.ended.insert(login);
            return Err(gone);
        }
        let known = self.refresh.get_mut(token).unwrap();
        known.used.get_or_insert(now);
        Ok(self.tokens(Some(login)))
    }

    fn device(&mut self, code: &str) -> Result<serde_json::Value, Refusal> {
        let now = self.clock.now();
        let Some(device) = self.devices.get_mut(code) else {
            return Err(refusal("invalid_grant", ""));
        };
        let before = device.asked.replace(now);
        if device.until < now {
            return Err(refusal("expired_token", ""));
        }
        if before.is_some_and(|before| now - before < TimeDelta::seconds(device.interval)) {
            device.interval += 5;
            return Err(refusal("slow_down", ""));
        }
        match device.agreed {
            None => Err(refusal("authorization_pending", "")),
            Some(false) => Err(refusal("access_denied", "")),
            Some(true) => {
                self.devices.remove(code);
                let login = self.next;
                Ok(self.tokens(Some(login)))
            }
        }
    }
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    match provider.with(|world| world.grant(&headers, &form)) {
        Ok(answer) => answer_json(StatusCode::OK, &answer),
        Err((status, error, said)) => {
            let answer = json!({ "error": error, "error_description": said });
            answer_json(status, &answer)
        }
    }
}

async fn device(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let host = headers["host"].to_str().unwrap().to_owned();
    provider.with(|world| {
        let code = world.secret_of("device");
        let user_code = format!("WDJB-{:04}", world.next);
        let known = Device {
            user_code: user_code.clone(),
            agreed: None,
            until: world.clock.now() + TimeDelta::minutes(15),
            asked: None,
            interval: 5,
        };
        world.devices.insert(code.clone(), known);
        let answer = json!({
            "device_code": code, "user_code": user_code, "expires_in": 900, "interval": 5,
            "verification_uri": format!("http://{host}/activate"),
        });
        answer_json(StatusCode::OK, &answer)
    })
}

async fn me(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let token = headers.get("authorization").map(|it| it.to_str().unwrap());
    let token = token
        .and_then(|it| it.strip_prefix("Bearer "))
        .unwrap_or("");
    let good = provider.with(|world| {
        let now = world.clock.now();
        world.access.get(token).is_some_and(|until| *until > now)
    });
    if good {
        answer_json(StatusCode::OK, &json!({ "user": USER }))
    } else {
        let answer = json!({ "error": "invalid_token", "token": token });
        answer_json(StatusCode::UNAUTHORIZED, &answer)
    }
}

async fn flow(State(provider): State<Provider>, headers: HeaderMap) -> Response {
    let host = headers["host"].to_str().unwrap().to_owned();
    provider.with(|world| {
        let token = world.secret_of("flow");
        let known = Flow {
            agreed: false,
            given: false,
        };
        world.flows.insert(token.clone(), known);
        let poll = json!({ "token": token, "endpoint": format!("http://{host}/login/v2/poll") });
        let page = format!("http://{host}/login/v2/flow/{token}");
        answer_json(StatusCode::OK, &json!({ "poll": poll, "login": page }))
    })
}

async fn poll(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Form(form): Form<Fields>,
) -> Response {
    let host = headers["host"].to_str().unwrap().to_owned();
    provider.with(|world| {
        let flow = world.flows.get_mut(&form["token"]);
        match flow {
            Some(flow) if flow.agreed && !flow.given => {
                flow.given = true;
                let password = world.secret_of("app-password");
                let answer = json!({
                    "server": format!("http://{host}"), "loginName": USER, "appPassword": password,
                });
                answer_json(StatusCode::OK, &answer)
            }
            _ => (StatusCode::NOT_FOUND, "[]").into_response(),
        }
    })
}

fn refusal(error: &'static str, said: &str) -> Refusal {
    (StatusCode::BAD_REQUEST, error, said.to_owned())
}

fn answer_json(status: StatusCode, answer: &serde_json::Value) -> Response {
    let kind = [("content-type", "application/json")];
    (status, kind, answer.to_string()).into_response()
}

/// The fields of an address.
fn query(address: &str) -> Fields {
    let uri: axum::http::Uri = address.parse().unwrap();
    axum::extract::Query::try_from_uri(&uri).unwrap().0
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            let index = word >> (18 - 6 * at) & 63;
            write!(text, "{}", char::from(SIGNS[index as usize])).unwrap();
        }
    }
    text
}
