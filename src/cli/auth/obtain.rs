//! Logins that the service gives: by a browser, by a code, by Nextcloud's flow.

use std::sync::Arc;
use std::time::Duration;

use stundenbuch_connectors::login::{
    self, Consent, DeviceCode, Grant, Login, NoCode, OAuth, Stored,
};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Error, Platform};

use super::ask::{self, Person};
use super::browser::{self, Listener};
use super::{Answer, args, begun, print, proved, token, words};
use crate::cli::App;
use crate::config::{Config, Connection};
use crate::error_text::Advised;
use crate::logins::Vault;
use crate::run::report::Exit;
use crate::run::sources;

/// How long a person may take in the browser.
const PATIENCE: Duration = Duration::from_mins(15);

pub(super) async fn run(
    app: &App,
    config: &Config,
    connection: &Connection,
    login: &Login,
    args: &args::Auth,
) -> anyhow::Result<Exit> {
    let mut answer = begun(connection);
    if args.dry_run {
        let vault = Vault::of(config, &app.environment);
        app.out.say(&format!(
            "Would log in to `{}`: {}. Nothing was asked or stored.",
            connection.name,
            words(login)
        ));
        answer.stored = vec![vault.path(&connection.name).display().to_string()];
        if app.out.json {
            app.out.value(&answer)?;
        }
        return Ok(Exit::Fine);
    }
    let (vault, made) = Vault::with_key(config, &app.environment)?;
    if let Some(path) = made {
        app.out.say(&format!(
            "Made the key that the stored logins are sealed with: {}. Without it everybody has to \
             log in again; keep it as carefully as a password, and not beside a backup of the \
             logins.",
            path.display()
        ));
    }
    let vault = Arc::new(vault);
    let mut platform = app.platform(config)?;
    platform.logins = vault.clone();
    // A secret of the program itself comes first, for without it nobody can log in.
    let mut person = Person::new(app.out);
    let given = token::missing(app, config, connection, &mut person).await?;
    let with_given = if given.is_empty() {
        None
    } else {
        token::build(config, connection, app, &platform, &given)?.login()
    };
    let login = with_given.as_ref().unwrap_or(login);
    let obtained = obtain(app, connection, login, &platform, args, &mut person).await;
    let stored = match obtained {
        Ok(stored) => stored,
        Err(error) => return refused(app, answer, error),
    };
    // Before anything else is done with it: some services give it only once.
    {
        let _turn = login::turn(&connection.name, &platform).await?;
        platform.logins.save(&connection.name, &stored)?;
    }
    answer
        .stored
        .push(vault.path(&connection.name).display().to_string());
    answer.stored.extend(token::store(config, app, &given)?);
    let connector = sources::build(config, connection, &app.environment, &platform)?;
    let checked = connector.check().await;
    let exit = proved(checked, &mut answer);
    print(app, &answer)?;
    Ok(exit)
}

/// A login that did not come about: told, with nothing stored.
fn refused(app: &App, mut answer: Answer, error: anyhow::Error) -> anyhow::Result<Exit> {
    let Some(refusal) = error.downcast_ref::<Error>() else {
        return Err(error);
    };
    answer.error = Some(refusal.to_string());
    answer.hint = refusal.advice().map(str::to_owned);
    print(app, &answer)?;
    Ok(Exit::of(refusal))
}

async fn obtain(
    app: &App,
    connection: &Connection,
    login: &Login,
    platform: &Platform,
    args: &args::Auth,
    person: &mut Person,
) -> anyhow::Result<Stored> {
    let name = connection.name.as_str();
    match login {
        Login::Nextcloud { server } => {
            let mut show = |page: &str| {
                app.out.say(&format!(
                    "Open this address in a browser, log in to Nextcloud and grant access:\n\n  \
                     {page}\n\nWaiting; it is valid for 20 minutes."
                ));
            };
            Ok(login::nextcloud(name, server, platform, &mut show).await?)
        }
        Login::OAuth(service) if args.device || service.authorize_url.is_empty() => {
            let mut show = |code: &DeviceCode| app.out.say(&device_words(code));
            let tokens = login::device(name, service, platform, &mut show).await?;
            Ok(Stored::Tokens(tokens))
        }
        Login::OAuth(service) if args.paste => pasted(app, name, service, platform, person).await,
        Login::OAuth(service) => in_browser(app, name, service, platform, person).await,
    }
}

fn device_words(code: &DeviceCode) -> String {
    let whole = code.whole.as_ref();
    let whole = whole.map_or(String::new(), |whole| format!("\n(or open {whole})"));
    format!(
        "On any device, open\n\n  {}\n\nand type in the code\n\n  {}\n{whole}\nWaiting; the code \
         is valid for {} minutes.",
        code.page,
        code.code,
        code.valid.as_secs() / 60
    )
}

/// The code, or the address at which the browser ended, is typed in.
async fn pasted(
    app: &App,
    name: &str,
    service: &OAuth,
    platform: &Platform,
    person: &mut Person,
) -> anyhow::Result<Stored> {
    let shown = matches!(service.grant, Grant::Login { shown_code: true });
    let redirect = (!shown).then(|| browser::elsewhere(&service.redirect));
    let consent = Consent::begin(name, service, redirect.as_deref())?;
    let then = if shown {
        "The service then shows a code. Paste it here:"
    } else {
        "At the end the browser tries to open an address of its own machine, and may say that it \
         cannot.\nThat is as it should be: copy the whole address from its address bar and paste \
         it here:"
    };
    app.out.say(&format!(
        "Open this address in any browser, log in and agree:\n\n  {}\n\n{then}",
        consent.page
    ));
    let code = typed(app, &consent, service, person).await?;
    let tokens = consent.finish(name, service, platform, &code).await?;
    Ok(Stored::Tokens(tokens))
}

/// Reads lines until one holds the code.
async fn typed(
    app: &App,
    consent: &Consent,
    service: &OAuth,
    person: &mut Person,
) -> anyhow::Result<Secret> {
    while let Some(line) = person.line().await {
        match consent.code(line.expose(), service) {
            Ok(code) => return Ok(code),
            Err(NoCode::Refused(error)) => return Err((*error).into()),
            Err(other) => {
                let error = Error::from(other);
                let hint = error.advice().unwrap_or_default();
                app.out.say(&format!("{error}: {hint}. Once more:"));
            }
        }
    }
    Err(ask::nothing().into())
}

/// The browser brings the answer; a person with a browser elsewhere may paste it as well.
async fn in_browser(
    app: &App,
    name: &str,
    service: &OAuth,
    platform: &Platform,
    person: &mut Person,
) -> anyhow::Result<Stored> {
    let listener = Listener::begin(&service.redirect).await?;
    let consent = Arc::new(Consent::begin(name, service, Some(&listener.address))?);
    app.out.say(&format!(
        "Open this address in a browser on this machine, log in and agree:\n\n  {}\n",
        consent.page
    ));
    let came = listener.wait(Arc::clone(&consent), service.clone());
    let typed = async {
        if ask::is_terminal() {
            app.out.say(
                "With a browser on another machine: paste here the whole address at which it ends.",
            );
            typed(app, &consent, service, person).await
        } else {
            std::future::pending().await
        }
    };
    let code = tokio::select! {
        came = came => came.map_err(|_| stopped())??,
        typed = typed => typed?,
        () = platform.clock.sleep(PATIENCE) => return Err(stopped().into()),
    };
    let tokens = consent.finish(name, service, platform, &code).await?;
    Ok(Stored::Tokens(tokens))
}

fn stopped() -> Advised {
    Advised::new(
        "log in: nobody agreed within 15 minutes",
        "begin again; where no browser can reach this machine, use `--paste`",
    )
}
