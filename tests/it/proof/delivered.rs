//! Documents that were delivered earlier, compared with what the ledger says of them.

use std::fs;

use super::home::Home;

fn delivered() -> Home {
    let home = Home::new();
    for month in 1..=3 {
        home.seal(month);
    }
    home.must(&["deliver"], 0);
    home
}

fn documents(home: &Home) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(home.path("drive"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 3);
    files
}

#[test]
fn untouched_documents_are_fine() {
    let home = delivered();
    let said = home.must(&["ledger", "verify"], 0);
    let last = said.err.lines().last().unwrap();
    assert_eq!(
        last,
        "3 of 3 delivered documents lie where they were put, as they were."
    );
}

#[test]
fn edited_and_moved_documents_are_listed_and_are_no_damage() {
    let home = delivered();
    let files = documents(&home);
    let name = |nth: usize| files[nth].file_name().unwrap().to_str().unwrap().to_owned();
    fs::write(&files[0], "edited").unwrap();
    fs::remove_file(&files[2]).unwrap();
    let said = home.must(&["ledger", "verify"], 1);
    for line in [
        format!("changed since it was delivered: drive:{}", name(0)),
        format!("not there any more: drive:{}", name(2)),
        "1 of 3 delivered documents lie where they were put, as they were.".to_owned(),
    ] {
        assert!(
            said.err.lines().any(|it| it == line),
            "{line}: {}",
            said.err
        );
    }
    assert!(said.err.starts_with("The ledger holds: "), "{}", said.err);
    let json = home.must(&["--json", "ledger", "verify"], 1).out;
    for fate in ["\"same\"", "\"changed\"", "\"gone\""] {
        assert_eq!(json.matches(fate).count(), 1, "{json}");
    }
    home.must(&["ledger", "verify", "--ledger-only"], 0);
}

#[test]
fn a_target_that_is_away_is_said() {
    let home = delivered();
    fs::rename(home.path("drive"), home.path("away")).unwrap();
    let said = home.must(&["ledger", "verify"], 3);
    assert_eq!(
        said.err.matches("could not be looked at: drive:").count(),
        3,
        "{}",
        said.err
    );
    fs::rename(home.path("away"), home.path("drive")).unwrap();
    home.must(&["ledger", "verify"], 0);
}

#[test]
fn only_the_newest_document_of_a_place_counts() {
    let home = delivered();
    // Sealed anew after a loss that was accepted, it replaces what lay there.
    home.must(&["ledger", "backup", "all.db"], 0);
    let files = documents(&home);
    fs::write(&files[1], fs::read(&files[0]).unwrap()).unwrap();
    home.must(&["ledger", "verify"], 1);
}

#[test]
fn damage_says_how_much_holds() {
    let home = delivered();
    let last = home.rows();
    home.sql(&format!(
        "UPDATE journal SET at = at + 1 WHERE seq = {last}"
    ));
    let said = home.must(&["ledger", "verify"], 4);
    let before = last - 1;
    assert_eq!(
        said.err,
        format!(
            "error: the ledger is damaged at row {last}: its hash does not follow from the row \
             before\n  \
             rows 1 to {before} hold, and with them the statements up to R 0003\n\n\
             hint: stop the daemon, and put a backup in its place: `stundenbuch ledger restore \
             FILE`; it keeps the damaged file\n"
        )
    );
    home.sql("UPDATE journal SET at = at + 1 WHERE seq = 2");
    let said = home.must(&["ledger", "verify"], 4);
    assert!(
        said.err
            .contains("\n  row 1 holds; no statement is among them\n"),
        "{}",
        said.err
    );
}
