//! What nights cost: 2,000 files in 200 folders.

use stundenbuch_connectors::suite;

use super::*;

async fn big() -> Bench {
    let bench = Bench::start().await;
    for folder in 0..200 {
        let path = format!("Kunde {}/Vorgang {folder}", folder / 10);
        for file in 0..10 {
            bench
                .cloud
                .write(USER, &format!("{path}/Datei {file}.pdf"), "x");
        }
    }
    bench
}

/// One file in a hundred.
fn change(bench: &Bench) {
    for folder in (0..200).step_by(10) {
        let path = format!("Kunde {}/Vorgang {folder}/Datei 3.pdf", folder / 10);
        bench.cloud.write("bert", &path, "neu");
    }
    bench.tick();
}

#[tokio::test]
async fn requests_are_few() {
    let bench = big().await;
    // 200 folders, the 20 around them, the root, and the log once a page.
    for (name, expected) in [("nextcloud", [226, 1, 43]), ("webdav", [221, 221, 221])] {
        let connect = || match name {
            "webdav" => bench.plain(),
            _ => bench.connector(),
        };
        let mut ledger = Ledger::default();
        let mut counts = Vec::new();
        for what in ["first pull", "quiet night", "1 % changed"] {
            if what == "1 % changed" {
                change(&bench);
            }
            bench.server.forget_requests();
            ledger.pull(&*connect()).await.unwrap();
            counts.push((what, bench.sent()));
            assert!(ledger.doubted == 0 && ledger.files.len() == 2_000);
            let came = match what {
                "first pull" => 2_000,
                "quiet night" => 0,
                _ => 20,
            };
            assert_eq!(ledger.came, came, "{name}, {what}");
            bench.next_night();
        }
        suite::requests_table(name, "2,000 files in 200 folders", &counts);
        let counted: Vec<u64> = counts.iter().map(|(_, count)| *count).collect();
        assert_eq!(counted, expected, "{name}");
    }
}

/// A first pull goes on after each window, and every page is worth having.
#[tokio::test]
async fn a_first_pull_larger_than_a_window_ends() {
    let bench = Bench::start().await;
    for folder in 0..3_100 {
        bench.cloud.folder(&format!("{folder}"));
    }
    bench.cloud.write(USER, "3099/Datei.pdf", "x");
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    let mut nights = 0;
    while ledger.pull(&*connector).await.is_err() {
        nights += 1;
        bench.clock.advance(Duration::from_mins(15));
    }
    assert!(nights <= 1, "{nights}");
    assert_eq!(ledger.paths(), ["3099/Datei.pdf"]);
}
