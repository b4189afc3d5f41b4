//! Configurations that are right, and what they mean.

use rust_decimal::Decimal;
use stundenbuch_connectors::secret::{Secret, SecretRef};
use stundenbuch_connectors::{Error, error};

use super::super::{Grouping, Model, PlainValue, RateRule, Rounding, SettingValue};
use super::{Place, load};

fn rules(contract: &str) -> Vec<RateRule> {
    let text = format!("[clients.a]\nname = \"A\"\n[[clients.a.contracts]]\n{contract}");
    let mut config = load(&text).unwrap();
    let Model::Hourly { rates } = config.clients.remove(0).contracts.remove(0).model;
    rates
}

fn rate(text: &str) -> Decimal {
    let rules = rules(&format!("from = 2026-01-01\nrate = {text}\n"));
    assert_eq!(rules.len(), 1);
    rules[0].rate.get()
}

#[test]
fn money_is_taken_as_it_is_written() {
    let exact = |text: &str| text.parse::<Decimal>().unwrap();
    for (written, meant) in [
        ("59", "59"),
        ("\"59.00\"", "59.00"),
        ("59.5", "59.5"),
        // As a float this is 0.1000000000000000055.
        ("0.1", "0.1"),
        // As a float this is 1234567.8900999999.
        ("1_234_567.8901", "1234567.8901"),
        ("0", "0"),
    ] {
        assert_eq!(rate(written), exact(meant), "{written}");
    }
}

#[test]
fn the_least_configuration_has_its_defaults() {
    let config = load("").unwrap();
    assert_eq!(config.time_zone, chrono_tz::Europe::Berlin);
    assert_eq!(config.nightly_at.to_string(), "03:15:00");
    assert_eq!(config.statements.number_pattern, "{YYYY}-{0000}");
    assert_eq!((config.listen, config.clients.len()), (None, 0));
    assert!(config.ledger.ends_with("l.db") && config.ledger.is_absolute());
    let text = "[clients.a]\nname = \"A\"\nlanguage = \"en\"\n[[clients.a.contracts]]\n\
                from = 2026-01-01\nrate = 1\n";
    let contract = load(text).unwrap().clients.remove(0).contracts.remove(0);
    assert_eq!(contract.key, "2026-01-01");
    assert_eq!(contract.title, "Services by the hour");
    assert_eq!((contract.currency.as_str(), contract.vat), ("EUR", None));
    assert_eq!((contract.rounding, contract.group_by), Default::default());
    assert_eq!(contract.group_by, Grouping::Project);
    assert_eq!(contract.rounding, Rounding::default());
}

#[test]
fn the_rate_of_the_contract_holds_where_no_general_rule_does() {
    let rules = rules(
        "from = 2026-01-01\nrate = 50\n\
         [[clients.a.contracts.rates]]\nrate = 70\nproject = \"Web\"\n\
         [[clients.a.contracts.rates]]\nrate = 60\nfrom = 2026-03-01\nuntil = 2026-03-31\n",
    );
    let told: Vec<String> = rules
        .iter()
        .map(|rule| {
            let day =
                |day: Option<chrono::NaiveDate>| day.map_or("-".into(), |day| day.to_string());
            let (from, until) = (day(rule.from), day(rule.until));
            let project = rule.project.as_deref().unwrap_or("-");
            let line = &rule.origin;
            format!("{} {project} {from} {until} {line}", rule.rate)
        })
        .collect();
    assert_eq!(
        told,
        [
            "70.00 Web - - stundenbuch.toml:6",
            "60.00 - 2026-03-01 2026-03-31 stundenbuch.toml:9",
            "50.00 - - 2026-02-28 stundenbuch.toml:5",
            "50.00 - 2026-04-01 - stundenbuch.toml:5",
        ]
    );
}

#[test]
fn contracts_that_follow_each_other_or_share_by_project_agree() {
    load(
        "[clients.a]\nname = \"A\"\n\
         [[clients.a.contracts]]\nfrom = 2026-01-01\nuntil = 2026-06-30\nrate = 1\n\
         [[clients.a.contracts]]\nfrom = 2026-08-01\nrate = 1\n\
         [[clients.a.contracts]]\nfrom = 2026-08-01\nrate = 1\nprojects = [\"Web\"]\n\
         key = \"web\"\n\
         [[clients.a.contracts]]\nfrom = 2026-09-01\nprojects = [\"App\"]\n\
         rates = [{ rate = 5, person = \"Anna\" }, { rate = 6, person = \"Tom\" },\n\
         { rate = 7, project = \"app\", person = \"Tom\" }]\n\
         [clients.b]\nname = \"B\"\n\
         [[clients.b.contracts]]\nfrom = 2026-01-01\nrate = 1\n",
    )
    .unwrap();
}

#[test]
fn secrets_are_looked_up_when_the_connection_is_used() {
    let text = "[connections.t]\nconnector = \"trello\"\nkey = { credential = \"k\" }\n\
                token = { file = \"credentials/t\" }\n";
    let config = load(text).unwrap();
    let connection = config.connection("t").unwrap();
    let SettingValue::Secret(SecretRef::File(path)) = &connection.settings["token"] else {
        panic!("a reference to a file");
    };
    assert!(path.is_absolute() && path.ends_with("credentials/t"));
    let days = &connection.settings["full_every_days"];
    assert_eq!(*days, SettingValue::Plain(PlainValue::Count(7)));

    let settings = connection.settings(&|_| Ok(Secret::new("CANARY"))).unwrap();
    assert_eq!(settings.secret("token").unwrap().expose(), "CANARY");
    assert_eq!(settings.texts("done_lists"), ["Done", "Fertig"]);
    assert_eq!(settings.text("api_url"), Some("https://trello.example/1"));
    let missing = |_: &_| Err(Error::new(error::Kind::Auth, "not there"));
    let errors = connection.settings(&missing).unwrap_err();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].to_string(), "not there (connection=t, key=key)");
}

#[test]
fn addresses_are_encrypted_or_stay_on_this_machine() {
    let url = |url: &str| {
        load(&format!(
            "[connections.t]\nconnector = \"toggl\"\ntoken.env = \"T\"\napi_url = \"{url}\"\n"
        ))
    };
    let good = [
        "https://a.example/api/",
        "http://localhost",
        "http://127.9.9.9:80/x",
        "http://[::1]:80",
        "http://[::1]",
    ];
    for good in good {
        let config = url(good).unwrap();
        let text = good.trim_end_matches('/').to_owned();
        let value = SettingValue::Plain(PlainValue::Url(text));
        assert_eq!(config.connections[0].settings["api_url"], value);
    }
    let wrong = [
        "https://",
        "https:///x",
        "ftp://a",
        "a.example",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://a/?k=v",
        "https://a b",
        "http://0.0.0.0",
        "HTTP://a.example",
    ];
    for wrong in wrong {
        assert!(url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn relative_paths_begin_at_the_main_file() {
    let place = Place::new(&[
        ("stundenbuch.toml", "[issuer]\nname = \"J\"\n"),
        ("conf.d/ledger.toml", "ledger.path = \"data/l.db\"\n"),
    ]);
    let config = place.load(&[]).unwrap();
    assert_eq!(
        config.ledger,
        place.main().with_file_name("data").join("l.db")
    );
}
