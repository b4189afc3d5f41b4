//! Nextcloud's login flow, version 2: the server shows a page to a person, and hands a password
//! made for this program to whoever holds the token of the flow, once.
//!
//! (Nextcloud, "Login flow v2", read 2026-11.)

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::endpoint::{self, Endpoint, Purpose};
use super::{Basic, Stored};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result, Retry};
use crate::http::{FormValue, Method, Reply, Request};
use crate::secret::Secret;

/// The flow's token is valid for 20 minutes.
const VALID: Duration = Duration::from_mins(20);
/// How often it is asked whether the person has agreed.
const INTERVAL: Duration = Duration::from_secs(3);

#[derive(Deserialize)]
struct Begun {
    poll: Poll,
    login: String,
}

#[derive(Deserialize)]
struct Poll {
    token: String,
    endpoint: String,
}

#[derive(Deserialize)]
struct Agreed {
    server: String,
    #[serde(rename = "loginName")]
    login_name: String,
    #[serde(rename = "appPassword")]
    app_password: String,
}

/// Logs in; `show` gets the address of the page. What comes back is to be stored before anything
/// else is done: the server does not give it a second time.
pub async fn nextcloud(
    connection: &str,
    server: &str,
    platform: &Platform,
    show: &mut (dyn FnMut(&str) + Send),
) -> Result<Stored> {
    let server = server.trim_end_matches('/');
    let (base, path) = endpoint::split(&format!("{server}/index.php/login/v2"), connection)?;
    let begin = Endpoint::new(connection, platform, Purpose::Token);
    // The name under which the password stands in the person's settings.
    let request = Request::new(Method::Post, begin.bucket(), path)
        .header("user-agent", format!("Stundenbuch ({connection})"));
    let begun: Begun = read(&begin.ask(base, request).await?)?;
    let token = Secret::new(&begun.poll.token);
    show(&begun.login);
    let poll = Endpoint::new(connection, platform, Purpose::Poll);
    let (base, path) = endpoint::split(&begun.poll.endpoint, connection)?;
    let ends = platform.clock.now() + VALID;
    loop {
        let request = Request::new(Method::Post, poll.bucket(), path.as_str())
            .form(vec![("token", FormValue::from(token.clone()))]);
        match poll.ask(base.clone(), request).await {
            Ok(reply) if reply.status == 404 => {}
            Ok(reply) => return agreed(&reply),
            // Asked again: a server that is busy has not given anything away.
            Err(error) if matches!(error.retry_advice(), Retry::Later { .. }) => {}
            Err(error) => return Err(error),
        }
        if platform.clock.now() >= ends {
            return Err(Error::new(Kind::Auth, "nobody agreed in time")
                .with("connection", connection)
                .hint("begin again"));
        }
        platform.clock.sleep(INTERVAL).await;
    }
}

fn agreed(reply: &Reply) -> Result<Stored> {
    let agreed: Agreed = read(reply)?;
    Ok(Stored::Basic(Basic {
        user: agreed.login_name,
        password: Secret::new(&agreed.app_password),
        facts: BTreeMap::from([("server".to_owned(), agreed.server)]),
    }))
}

/// Reads an answer without quoting it.
fn read<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T> {
    serde_json::from_slice(&reply.body).map_err(|_| {
        Error::new(Kind::Protocol, "the server knows no login flow")
            .with("status", reply.status)
            .hint("check the server's address: it is the one of Nextcloud itself, not of a folder")
    })
}
