//! The history of the configuration in the journal.

use std::fs;

use stundenbuch::config::{Config, Templates};
use stundenbuch::ledger::{Configured, Event};
use stundenbuch::run::history;
use stundenbuch::store::Error;

use crate::fakes::{toggl, trello};
use crate::night::house::{House, SMALL, stundenbuch};

/// Every row about the configuration: its number, the part, what it says.
fn rows(house: &House) -> Vec<(u64, String, Configured)> {
    let mut found = Vec::new();
    let each = |row: stundenbuch::store::Row| -> Result<(), Error> {
        if let Event::Configured(configured) = row.event()? {
            found.push((row.seq, row.subject, configured));
        }
        Ok(())
    };
    house.store.rows_after(0, each).unwrap();
    found
}

/// Changes the configuration's text and reads it again.
pub(super) fn edit(house: &mut House, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(house.file()).unwrap();
    fs::write(house.file(), change(text)).unwrap();
    house.config = Config::load(Some(&house.file()), &house.environment.variables).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_change_of_a_part_is_a_row_and_a_quiet_night_is_none() {
    let mut house = House::new(SMALL).await;
    house.night().await;
    let first: Vec<String> = rows(&house).into_iter().map(|row| row.1).collect();
    assert_eq!(
        first,
        [
            "client/ahorn",
            "connection/drive",
            "connection/toggl",
            "connection/trello",
            "general"
        ]
    );
    house.night().await;
    assert_eq!(rows(&house).len(), 5, "a quiet night writes nothing");

    edit(&mut house, |text| {
        text.replace("rate = \"59.00\"", "rate = \"62.50\"")
    });
    house.night().await;
    let all = rows(&house);
    let [.., (_, part, new)] = all.as_slice() else {
        panic!("no row");
    };
    assert_eq!((all.len(), part.as_str()), (6, "client/ahorn"));
    let settings = new.settings.as_ref().unwrap();
    assert_eq!(settings["contracts"][0]["rate"], "62.50");
    assert!(new.program.starts_with("stundenbuch "));

    // A line more above moves the rules that documents name; nothing else changes.
    edit(&mut house, |text| format!("# A word.\n{text}"));
    house.night().await;
    let all = rows(&house);
    assert_eq!(all.len(), 7);
    assert_eq!(all[6].2.settings, all[5].2.settings);
    assert_ne!(all[6].2.places, all[5].2.places);

    edit(&mut house, |text| {
        let (before, rest) = text.split_once("[connections.trello]").unwrap();
        let (_, behind) = rest.split_once("[connections.drive]").unwrap();
        format!("{before}[connections.drive]{behind}")
    });
    house.night().await;
    let all = rows(&house);
    let gone: Vec<&str> = all[7..].iter().map(|row| row.1.as_str()).collect();
    // The rule's line moved once more, and the connection is gone.
    assert_eq!(gone, ["client/ahorn", "connection/trello"]);
    assert_eq!(all[8].2.settings, None);
    let recorded = history::recorded(&house.store, &house.config).unwrap();
    let recorded = recorded.unwrap();
    assert_eq!(format!("{recorded:#?}"), format!("{:#?}", house.config));
    assert_eq!(house.store.verify().unwrap().damage, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_in_the_history() {
    let mut house = House::new(SMALL).await;
    house.night().await;
    for (_, part, row) in rows(&house) {
        let text = serde_json::to_string(&row).unwrap();
        for secret in [toggl::TOKEN, trello::KEY, trello::TOKEN] {
            assert!(!text.contains(secret), "{part}: {text}");
        }
    }
    let toggl = rows(&house)
        .into_iter()
        .find(|row| row.1 == "connection/toggl");
    let settings = toggl.unwrap().2.settings.unwrap();
    // Nor in what is made from it.
    let audit = house.dir.path().join("audit");
    let description = house.dir.path().join("description.md");
    for args in [
        ["export", "--audit", audit.to_str().unwrap()],
        ["procedure", "--output", description.to_str().unwrap()],
    ] {
        assert_eq!(stundenbuch(&house, &args).await.status.code(), Some(0));
    }
    let written = fs::read_dir(&audit)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for path in written.chain([description, house.dir.path().join("ledger.db")]) {
        let bytes = fs::read(&path).unwrap();
        for secret in [toggl::TOKEN, trello::KEY, trello::TOKEN] {
            let secret = secret.as_bytes();
            let found = bytes.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "a secret is in {}", path.display());
        }
    }
    assert_eq!(
        settings["token"],
        serde_json::json!({ "env": "TOGGL_TOKEN" })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_layout_is_recorded_with_its_text() {
    let mut house = House::new(SMALL).await;
    let layouts = house.dir.path().join("layouts");
    fs::create_dir(&layouts).unwrap();
    fs::write(layouts.join("report.typ"), "first").unwrap();
    edit(&mut house, |text| {
        format!("{text}\n[statements]\ntemplates = \"layouts\"\n")
    });
    house.night().await;
    let of = |house: &House| {
        let recorded = history::recorded(&house.store, &house.config).unwrap();
        recorded.unwrap().templates
    };
    assert_eq!(of(&house), Some(Templates::Recorded("first".into())));
    fs::write(layouts.join("report.typ"), "second").unwrap();
    house.night().await;
    assert_eq!(of(&house), Some(Templates::Recorded("second".into())));
    // A layout that cannot be read for a night is not gone.
    let rows_before = house.rows();
    fs::remove_file(layouts.join("report.typ")).unwrap();
    house.night().await;
    assert_eq!(house.rows(), rows_before);
    edit(&mut house, |text| {
        text.replace("templates = \"layouts\"", "")
    });
    house.night().await;
    assert_eq!(of(&house), None);
}
