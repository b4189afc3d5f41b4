//! Nights in which a login has ended: its connection stops and tells so once, the others go on,
//! and after somebody has logged in nothing is missing.

use std::sync::Mutex;

use async_trait::async_trait;
use axum::extract::{Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use stundenbuch::config::{Connection, PlainValue, SettingValue};
use stundenbuch::finding::Kind as Told;
use stundenbuch::run::report::Exit;
use stundenbuch_connectors::contract::{Connector, Cursor, Identified, Identity, Page, Pull, Raw};
use stundenbuch_connectors::http::Request;
use stundenbuch_connectors::kind::{
    Changes, Deletions, Kind, Need, Setting, Settings, StreamKind, ValueKind,
};
use stundenbuch_connectors::login::Login;
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TimeEntry, Worked};
use stundenbuch_connectors::{Entry, Error, Reject};

use super::*;
use crate::night::house::{House, SMALL, of};

/// A service of time clocks, to which people log in by OAuth 2.
static KIND: Kind = Kind {
    name: "clocked",
    title: "Clocked",
    summary: "Time clocks of a fake service.",
    settings: &[Setting {
        key: "api_url",
        value: ValueKind::Url,
        need: Need::Required,
        help: "Where it is.",
    }],
    streams: &[StreamKind {
        stream: Stream::Time,
        changes: Changes::Since,
        deletions: Deletions::Never,
    }],
    delivers: &[],
    buckets: &API,
    quiet_night: "1 request",
    needs: "a login",
    experimental: true,
};

static ENTRY: Entry = Entry {
    kind: &KIND,
    build: |name, settings, platform| Ok(Box::new(Clocked::build(name, settings, platform))),
};

#[derive(Debug)]
struct Clocked {
    http: Http,
    service: OAuth,
}

#[derive(Default, Serialize, Deserialize)]
struct Seen {
    seen: usize,
}

impl Clocked {
    fn build(name: &str, settings: &Settings, platform: &Platform) -> Self {
        let base = settings.text("api_url").unwrap();
        let service = service(base);
        let mut options = Options::new(name, base, &API);
        options.access = Some(login::oauth(name, service.clone(), platform).unwrap());
        Self {
            http: Http::new(options, platform).unwrap(),
            service,
        }
    }
}

#[async_trait]
impl Connector for Clocked {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity, Error> {
        self.http.send(Request::get("api", "/api/me")).await?;
        Ok(Identity {
            account: "mara".to_owned(),
            details: Vec::new(),
        })
    }

    /// Two stamps a page, so that a login may end in the middle of a pull.
    async fn pull(&self, cursor: &Cursor, _: &Pull) -> Result<Page, Error> {
        let Seen { seen } = cursor.decode()?;
        let request = Request::get("api", "/stamps").query("after", seen);
        let stamps: Vec<usize> = self.http.send(request).await?.json()?;
        let raw = stamps.iter().map(|number| Raw {
            stream: Stream::Time,
            id: ExternalId::new(number.to_string()),
            body: number.to_string(),
            scope: "clocks".to_owned(),
        });
        Ok(Page {
            raw: raw.collect(),
            next: Cursor::encode(&Seen {
                seen: seen + stamps.len(),
            }),
            more: !stamps.is_empty(),
            ..Page::default()
        })
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let number: i64 = raw.body.parse().map_err(|_| Reject::new("no number"))?;
        let start: DateTime<Utc> = "2026-10-05T06:00:00Z".parse().unwrap();
        let start = start + chrono::TimeDelta::minutes(number * 20);
        let worked = Worked::Span {
            start,
            stop: start + chrono::TimeDelta::minutes(15),
        };
        let record = Record::TimeEntry(TimeEntry {
            worked,
            description: format!("Stempel {number}"),
            person: None,
            client: None,
            project: None,
            task: None,
            tags: Vec::new(),
            billable: None,
        });
        Ok(vec![Identified {
            id: raw.id.clone(),
            record,
        }])
    }

    fn login(&self) -> Option<Login> {
        Some(Login::OAuth(Box::new(self.service.clone())))
    }

    fn requests(&self) -> u64 {
        self.http.requests()
    }
}

/// The service's side: stamps, for those who are logged in.
#[derive(Clone, Debug)]
struct Clocks {
    provider: Provider,
    stamps: Arc<Mutex<usize>>,
    /// The stamp before which the person withdraws the login.
    withdrawn_at: Arc<Mutex<Option<usize>>>,
}

async fn stamps(
    Shared(clocks): Shared<Clocks>,
    Query(query): Query<BTreeMap<String, usize>>,
    headers: HeaderMap,
) -> Response {
    let mut withdrawn_at = clocks.withdrawn_at.lock().unwrap();
    if *withdrawn_at == Some(query["after"]) {
        *withdrawn_at = None;
        clocks.provider.withdraw();
    }
    let token = headers.get("authorization").map(|it| it.to_str().unwrap());
    if !token.is_some_and(|it| clocks.provider.knows(it)) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let all = *clocks.stamps.lock().unwrap();
    let page: Vec<usize> = (query["after"]..all).take(2).collect();
    serde_json::to_string(&page).unwrap().into_response()
}

struct Nights {
    house: House,
    clocks: Clocks,
    server: Server,
}

impl Nights {
    async fn new() -> Self {
        let mut house = House::new(SMALL).await;
        let provider = Provider::new(house.clock.clone());
        let clocks = Clocks {
            provider: provider.clone(),
            stamps: Arc::new(Mutex::new(5)),
            withdrawn_at: Arc::default(),
        };
        let routes = axum::Router::new()
            .route("/stamps", get(stamps))
            .with_state(clocks.clone());
        let server = Server::start(provider.router().merge(routes)).await;
        let url = SettingValue::Plain(PlainValue::Url(server.base().to_owned()));
        house.config.connections.push(Connection {
            name: NAME.to_owned(),
            entry: &ENTRY,
            settings: BTreeMap::from([("api_url", url)]),
        });
        Self {
            house,
            clocks,
            server,
        }
    }

    /// What `auth` does.
    async fn log_in(&self) {
        let (config, environment) = (&self.house.config, &self.house.environment);
        Vault::with_key(config, environment).unwrap();
        let platform = stundenbuch::run::sources::platform(
            config,
            environment,
            Arc::new(self.house.clock.clone()),
            Arc::new(MemoryBudgets::default()),
        );
        let tokens = log_in(&self.clocks.provider, self.server.base(), &platform).await;
        platform.logins.save(NAME, &Stored::Tokens(tokens)).unwrap();
    }

    fn stamp(&self, more: usize) {
        *self.clocks.stamps.lock().unwrap() += more;
    }

    /// The numbers of the stamps that the ledger has.
    fn have(&self) -> Vec<usize> {
        let records = self.house.state().records;
        let ours = records.keys().filter(|key| key.starts_with(NAME));
        let mut numbers: Vec<usize> = ours
            .map(|key| key.rsplit('/').next().unwrap().parse().unwrap())
            .collect();
        numbers.sort_unstable();
        numbers
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_ended_is_told_once_and_leaves_no_gap() {
    let mut nights = Nights::new().await;
    let before = nights.house.night().await;
    assert_eq!(before.exit(), Exit::NeedsPerson, "nobody has logged in yet");
    nights.log_in().await;
    let good = nights.house.night().await;
    assert!(of(&good, NAME).failure.is_none(), "{good:?}");
    assert_eq!(nights.have(), [0, 1, 2, 3, 4]);

    nights.clocks.provider.withdraw();
    for _ in 0..3 {
        nights.stamp(3);
        let night = nights.house.night().await;
        assert_eq!(night.exit(), Exit::NeedsPerson);
        let failure = of(&night, NAME).failure.clone().unwrap();
        assert_eq!(
            failure.hint.as_deref(),
            Some("run `stundenbuch auth clocked`")
        );
        for other in ["toggl", "trello"] {
            assert!(of(&night, other).failure.is_none(), "{night:?}");
        }
        assert_eq!(nights.have().len(), 5);
        let findings = nights.house.findings(Told::SourceFailed);
        let told = findings.iter().map(|it| (&*it.subject, &*it.action));
        let expected = [(NAME, "run `stundenbuch auth clocked`")];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
    assert_eq!(
        nights.house.ever(Told::SourceFailed),
        1,
        "one cause, one finding"
    );

    nights.log_in().await;
    nights.stamp(1);
    let night = nights.house.night().await;
    assert!(of(&night, NAME).failure.is_none(), "{night:?}");
    assert_eq!(nights.have(), (0..15).collect::<Vec<_>>());
    assert!(nights.house.findings(Told::SourceFailed).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_ends_within_a_pull_goes_on_at_its_cursor() {
    let mut nights = Nights::new().await;
    nights.log_in().await;
    *nights.clocks.withdrawn_at.lock().unwrap() = Some(2);
    let night = nights.house.night().await;
    assert_eq!(night.exit(), Exit::NeedsPerson);
    assert_eq!(nights.have(), [0, 1]);
    nights.log_in().await;
    nights.house.night().await;
    assert_eq!(nights.have(), [0, 1, 2, 3, 4]);
}
