//! What commands do with a damaged ledger: they end with code 4 and a sentence that names the
//! place, and nothing that is wrong leaves the program as if it were right.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use stundenbuch::finding::Kind;
use stundenbuch::run::report::Exit;
use stundenbuch::statements::{self, SealError};
use stundenbuch::store::{Error, Store};

use super::made::{self, Dice, Effort, effort};
use super::process::stundenbuch;
use super::walk;
use crate::night::house::House;

/// Flips one bit of a value by SQL, with the triggers out of the way.
fn damage(house: &House, sql: &str) {
    let hand = Connection::open(house.store.path()).unwrap();
    hand.execute_batch(
        "DROP TRIGGER IF EXISTS journal_no_update; DROP TRIGGER IF EXISTS raw_no_update;",
    )
    .unwrap();
    assert_eq!(hand.execute(sql, []).unwrap(), 1, "{sql}");
}

/// A house after two nights, the entries not sealed yet.
async fn house() -> House {
    let mut house = House::new(made::LITTLE).await;
    house.night().await;
    house.night().await;
    house
}

/// The text that every command ends with that meets a damaged row.
fn text(house: &House, what: &str) -> String {
    format!(
        "the ledger is damaged: {what}\n  the ledger is {}\n\n\
         hint: run `stundenbuch ledger verify`, then `stundenbuch ledger restore` with a backup\n",
        house.config.ledger.display()
    )
}

async fn ends(house: &House, args: &[&str], before: &str, what: &str) {
    let output = stundenbuch(house, args).await;
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        format!("error: {before}{}", text(house, what)),
        "{args:?}"
    );
    assert_eq!(output.status.code(), Some(4), "{args:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_would_be_billed() {
    let house = house().await;
    let (_, entry) = preview(&house).unwrap().previews[0].works[0];
    let sql = format!(
        "UPDATE journal SET payload = replace(payload, 'Aufgabe', 'Aufgabf') WHERE seq = {entry}"
    );
    damage(&house, &sql);
    let what = format!("row {entry}: its payload does not have the recorded hash");
    let period = ["--period", made::DAY];
    let preview = [&["statement", "preview", "ahorn"][..], &period].concat();
    let seal = [&["statement", "seal", "ahorn"][..], &period].concat();
    ends(&house, &preview, "", &what).await;
    let sealing = format!("seal {} for ahorn\n  because ", made::DAY);
    ends(&house, &seal, &sealing, &what).await;
    ends(&house, &["export"], "", &what).await;
    ends(&house, &["explain", &format!("w{entry}")], "", &what).await;
    let verify = stundenbuch(&house, &["ledger", "verify"]).await;
    assert_eq!(verify.status.code(), Some(4));
    // A night is no bill: it goes on with what it needs, and touches nothing that is damaged.
    let before = fs::read_dir(house.drive()).unwrap().count();
    let night = stundenbuch(&house, &["nightly"]).await;
    assert!(matches!(night.status.code(), Some(0 | 1)), "{night:?}");
    assert_eq!(fs::read_dir(house.drive()).unwrap().count(), before);
}

/// A key that begins so; of those that there are, the first.
fn key(house: &House, prefix: &str) -> stundenbuch::work::RecordKey {
    let state = house.state();
    let mut keys = state.records.keys();
    let first = keys.find(|key| key.starts_with(prefix)).unwrap();
    house.store.parse_key(first).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_received_record_that_is_explained() {
    let house = house().await;
    let key = key(&house, "toggl/time/");
    let revision = house.store.revision_of(&key).unwrap().unwrap();
    let named = match house.store.row(revision).unwrap().unwrap().event().unwrap() {
        stundenbuch::ledger::Event::Revision(revision) => revision.raw.id,
        other => panic!("{other:?}"),
    };
    damage(
        &house,
        &format!("UPDATE raw SET body = replace(body, 'Aufgabe', 'Bufgabe') WHERE id = {named}"),
    );
    let what = format!("received record {named} was changed");
    ends(&house, &["explain", &key.to_string()], "", &what).await;
}

/// Nothing is appended behind a row that does not hold, whoever tries.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_row() {
    let house = house().await;
    let last = house.rows();
    damage(
        &house,
        &format!("UPDATE journal SET hash = zeroblob(32) WHERE seq = {last}"),
    );
    let what = format!("row {last}: its hash does not follow from the row before");
    ends(&house, &["nightly"], "", &what).await;
    ends(&house, &["status"], "", &what).await;
    ends(&house, &["ledger", "head"], "", &what).await;
    let hand = Connection::open(house.store.path()).unwrap();
    let rows = hand.query_row("SELECT max(seq) FROM journal", [], |row| {
        row.get::<_, u64>(0)
    });
    assert_eq!(rows.unwrap(), last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_statement() {
    let mut house = house().await;
    let number = made::seal(&mut house).unwrap();
    let sql = "UPDATE journal SET payload = replace(payload, '59.00', '69.00')
               WHERE kind = 'sealed'";
    let row = house.rows();
    damage(&house, sql);
    let what = format!("row {row}: its payload does not have the recorded hash");
    ends(&house, &["statement", "show", &number], "", &what).await;
    ends(&house, &["statement", "list"], "", &what).await;
    ends(&house, &["explain", &number], "", &what).await;
}

/// The current state is not read row by row from the journal, so what it lost is found by sealing,
/// which verifies the whole ledger, and the chain mends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_current_state_of_what_is_sealed() {
    let mut house = house().await;
    let expected = {
        let preview = preview(&house).unwrap();
        preview.previews[0].draft.statement.totals.clone()
    };
    damage(
        &house,
        "UPDATE record SET client = 'b' WHERE id = (SELECT min(id) FROM record
                    WHERE start_at IS NOT NULL)",
    );
    let rows = house.rows();
    let refused = made::seal(&mut house).unwrap_err();
    assert!(
        matches!(refused, SealError::Store(Error::Damaged(_))),
        "{refused:?}"
    );
    assert!(
        refused
            .to_string()
            .contains("`stundenbuch ledger rebuild` makes it anew")
    );
    assert_eq!(house.rows(), rows);
    let rebuilt = stundenbuch(&house, &["ledger", "rebuild"]).await;
    assert_eq!(rebuilt.status.code(), Some(1));
    let number = made::seal(&mut house).unwrap();
    let sealed = house.store.sealed(&number).unwrap().unwrap();
    assert_eq!(sealed.statement.totals, expected);
}

fn preview(house: &House) -> stundenbuch::store::Result<statements::Previews> {
    let client = house.config.client("ahorn").unwrap();
    statements::preview(
        &house.store,
        &house.config,
        client,
        made::DAY.parse().unwrap(),
    )
}

/// A document that waits is not proved by the journal, but it does not leave with other bytes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_waits() {
    let mut house = house().await;
    let number = made::seal(&mut house).unwrap();
    damage(
        &house,
        "UPDATE outbox SET body = CAST(replace(CAST(body AS TEXT), 'e', 'f') AS BLOB)
         WHERE path LIKE '%.csv'",
    );
    let report = house.night().await;
    assert_eq!(report.exit(), Exit::NeedsPerson, "{report:#?}");
    assert_eq!(
        report.deliveries.delivered,
        Vec::<String>::new(),
        "its target waits with it"
    );
    let findings = house.findings(Kind::DeliveryFailed);
    assert_eq!(findings.len(), 1);
    assert!(
        findings[0]
            .sentence
            .contains("was changed on the disk while it waited, and was not sent"),
        "{findings:?}"
    );
    assert!(
        findings[0]
            .action
            .contains(&format!("stundenbuch statement show {number}"))
    );
    assert!(!house.drive().join("Berichte").exists());
}

/// Any bit of any row that is proved: what is sealed then is what would have been sealed, or
/// nothing is; what is shown of a row is what was written, or it is not shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_bit_of_any_row() {
    let house = house().await;
    let path = house.store.path().to_owned();
    let (config, now) = (house.config.clone(), made::at(&house));
    drop(house.store);
    let whole = fs::read(&path).unwrap();
    let rows = walk::rows(&whole);
    let room = made::room();
    let mut config = config;
    config.ledger = room.path().join("ledger.db");
    let ask = |bytes: &[u8]| -> (Result<String, Error>, Result<String, Error>) {
        Store::remove(&config.ledger);
        fs::write(&config.ledger, bytes).unwrap();
        (exported(&config.ledger), sealed(&config, now))
    };
    let (export, seal) = ask(&whole);
    let (export, seal) = (export.unwrap(), seal.unwrap());
    let tables = ["journal", "raw", "record", "source", "settled", "statement"];
    let bytes: Vec<(usize, bool)> = rows
        .iter()
        .filter(|row| tables.contains(&row.table.as_str()))
        .flat_map(|row| row.bytes().map(|at| (at, row.table == "journal")))
        .collect();
    let mut dice = Dice(5);
    let trials = match effort(200) {
        Effort::All => bytes.len(),
        Effort::Some(trials) => trials,
    };
    let (mut refused, mut same) = (0, 0);
    for _ in 0..trials {
        let (at, of_journal) = bytes[dice.roll(bytes.len())];
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << dice.roll(8);
        let (exported, sealed) = ask(&damaged);
        match sealed {
            Ok(sealed) => {
                assert!(!of_journal, "byte {at} of the journal was not seen");
                assert_eq!(sealed, seal, "byte {at}");
                same += 1;
            }
            Err(Error::Damaged(_)) => refused += 1,
            Err(error) => panic!("byte {at}: {error:?}"),
        }
        match exported {
            // Row by row, so what stands in no payload is for `ledger verify` to find.
            Ok(exported) => assert!(payloads(&exported) == payloads(&export), "byte {at}"),
            Err(Error::Damaged(_)) => {}
            Err(error) => panic!("byte {at}: {error:?}"),
        }
    }
    println!("{trials} flips in rows: {refused} sealed nothing, {same} sealed the same");
    assert!(same > 0 && refused > same);
}

/// What sealing gives, without what differs each time.
fn sealed(
    config: &stundenbuch::config::Config,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<String, Error> {
    let mut store = Store::open(&config.ledger, now)?;
    let client = config.client("ahorn").unwrap();
    let period = made::DAY.parse().unwrap();
    match statements::seal(&mut store, config, client, period, now) {
        Ok(statement) => Ok(serde_json::to_string(&statement).unwrap()),
        Err(SealError::Store(error)) => Err(error),
        Err(other) => panic!("{other:?}"),
    }
}

/// Every row as `export` walks over them.
fn exported(path: &Path) -> Result<String, Error> {
    let store = Store::open_read_only(path)?;
    let mut lines = String::new();
    store.rows_after(0, |row| -> Result<(), Error> {
        lines += &format!("{}\n", row.payload);
        Ok(())
    })?;
    Ok(lines)
}

fn payloads(lines: &str) -> Vec<&str> {
    lines.lines().collect()
}
