//! Files described by a mapping: the shipped examples, and mappings that cannot work.

use super::*;
use chrono::NaiveDate;
use stundenbuch_connectors::import::mapping::Mapping;
use stundenbuch_connectors::record::Worked;

fn shipped(name: &str) -> Mapping {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../config/imports")
        .join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    Mapping::parse(name, &text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_shipped_mapping_is_valid() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../config/imports");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(!shipped(&name).subject().is_empty(), "{name}");
        count += 1;
    }
    assert!(count >= 3);
}

#[test]
fn the_mapping_in_the_documentation_is_valid() {
    let text = include_str!("../../../docs/imports.md");
    let (_, text) = text.split_once("```toml\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let mapping = Mapping::parse("imports.md", text).unwrap_or_else(|error| panic!("{error}"));
    let file = b"Tag;Std.;Vorgang\n02.03.2026;1,5;Web\n";
    let raws = accepted(&mapping, file, &berlin(DateOrder::Detect));
    assert_eq!(seconds(&entries(&mapping, &raws)), 5400);
}

#[test]
fn a_german_list_of_hours_from_excel() {
    let mapping = shipped("stundenliste.toml");
    let text = "Datum;Von;Bis;Pause;Kunde;Projekt;Tätigkeit\r\n\
                02.03.2026;09:00;12:45;;Müller;Web;Texte\r\n\
                02.03.2026;13:00;17:00;0:15;Müller;Web;Bilder\r\n\
                02.03.2026;17:15;18:00;15;Müller;Web;Abnahme\r\n\
                02.03.2026;22:30;00:15;;Müller;Web;Notfall\r\n\
                03.03.2026;23:00;24:00;;Müller;Web;Notfall\r\n;;;;;;\r\n";
    let bytes: Vec<u8> = text
        .chars()
        .map(|letter| u8::try_from(letter).unwrap())
        .collect();
    assert!(mapping.recognises("stunden.csv", &bytes));
    let elsewhere = Options {
        time_zone: Tz::UTC,
        dates: DateOrder::Detect,
    };
    let raws = accepted(&mapping, &bytes, &elsewhere);
    // The registry's format normalises it without the mapping file at hand.
    let found = entries(format("csv"), &raws);
    let seconds: Vec<i64> = found
        .iter()
        .filter_map(|entry| entry.worked.seconds())
        .collect();
    assert_eq!(seconds, [13_500, 13_500, 1_800, 6_300, 3_600]);
    let date = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
    let net = Worked::Day {
        date,
        seconds: 13_500,
    };
    assert_eq!(found[1].worked, net, "where the break lay is not known");
    let Worked::Span { start, .. } = found[0].worked else {
        panic!("{:?}", found[0])
    };
    assert_eq!(
        start.to_rfc3339(),
        "2026-03-02T08:00:00+00:00",
        "the mapping's zone counts"
    );
    assert_eq!(
        found[0].client.as_ref().unwrap().name.as_deref(),
        Some("Müller")
    );
    assert_eq!(
        found[0].person.as_ref().unwrap().name.as_deref(),
        Some("Erika Mustermann")
    );
    assert_eq!(found[0].billable, Some(true));
}

#[test]
fn watson_and_timewarrior() {
    let mapping = shipped("watson.toml");
    let file = "id,start,stop,project,tags\n\
                a96fcde,2026-03-02 09:15,2026-03-02 09:43,web,\"lens, camera\"\n\
                5e91316,2026-03-02T08:15:00Z,2026-03-02T10:00:00+01:00,web,\n\
                02cb269,2026-03-02 10:00:00,,web,\n";
    let raws = accepted(&mapping, file.as_bytes(), &berlin(DateOrder::Detect));
    let found = entries(&mapping, &raws);
    assert_eq!(found[0].worked.seconds(), Some(1680));
    assert_eq!(found[0].tags, ["camera", "lens"]);
    assert_eq!(found[1].worked.seconds(), Some(2700));
    assert_eq!(found[2].worked.seconds(), None);
}

#[test]
fn kimai() {
    let mapping = shipped("kimai.toml");
    let file = "\"Date\",\"From\",\"To\",\"Duration\",\"Rate\",\"User\",\"Customer\",\"Project\",\
                \"Activity\",\"Description\",\"Exported\",\"Tags\"\n\
                \"2026-03-02\",\"15:50\",\"17:51\",\"7260\",\"231.92\",\"erika\",\
                \"Muster\",\"Web\",\
                \"Testing\",\"some work\",\"0\",\"a,b\"\n\
                \"2026-03-03\",\"\",\"\",\"1:30\",\"0\",\"erika\",\"Muster\",\"Web\",\"Testing\",\
                \"\",\"0\",\"\"\n";
    let raws = accepted(&mapping, file.as_bytes(), &berlin(DateOrder::Detect));
    let found = entries(&mapping, &raws);
    assert_eq!(found[0].worked.seconds(), Some(7260));
    assert_eq!(
        found[0].task.as_ref().unwrap().name.as_deref(),
        Some("Testing")
    );
    assert_eq!(found[0].tags, ["a", "b"]);
    let date = NaiveDate::from_ymd_opt(2026, 3, 3).unwrap();
    assert_eq!(
        found[1].worked,
        Worked::Day {
            date,
            seconds: 5400
        }
    );
}

#[test]
fn a_changed_mapping_does_not_change_what_was_read() {
    let text = "dates = \"DD/MM/YYYY\"\n[columns]\ndate = \"Day\"\nduration = \"Time\"\n";
    let first = Mapping::parse("a.toml", text).unwrap();
    let second = Mapping::parse("a.toml", &text.replace("DD/MM", "MM/DD")).unwrap();
    let file = b"Day,Time\n03/04/2026,90\n";
    let raw = accepted(&first, file, &berlin(DateOrder::Detect)).remove(0);
    assert_eq!(entry(&first, &raw), entry(&second, &raw));
}

#[test]
fn a_mapping_that_cannot_work_says_where_and_what_to_write() {
    let told = |text: &str| Mapping::parse("x.toml", text).unwrap_err().to_string();
    let text = "delimter = \";\"\n\
                dates = \"DD.MM.YY\"\n\
                time_zone = \"Europe/Bielefeld\"\n\
                decimal = 1\n\
                delimiter = \"|\"\n\
                [columns]\n\
                date = \"Datum\"\n\
                strat = \"Von\"\n\
                end = \"\"\n\
                [constants]\n\
                start = \"09:00\"\n\
                [billable]\n\
                yes = [\"x\"]\n\
                no = [\"x\"]\n\
                maybe = \"y\"\n";
    let expected = [
        "x.toml:1: `delimter` is not known; known keys are title, delimiter, dates, decimal, ",
        "x.toml:2: `dates` `DD.MM.YY` is not known; write one of \"auto\", \"YYYY-MM-DD\", ",
        "x.toml:3: `time_zone` `Europe/Bielefeld` is not a time zone; write one such as \"Eur",
        "x.toml:4: `decimal` must be a text in quotation marks",
        "x.toml:5: `delimiter` must be \",\", \";\" or \"\\t\"; without it the header decides",
        "x.toml:6: `columns` needs `end` or `duration`, to tell how long the work took",
        "x.toml:8: `columns.strat` is not known here; known keys are person, first_name, ",
        "x.toml:9: `columns.end` must be a column name, or a list of names of which the file",
        "x.toml:11: `constants.start` is not known here; known keys are person, first_name, ",
        "x.toml:12: `billable` has `x` for yes and for no",
        "x.toml:15: `billable.maybe` is not known; known keys are yes and no",
    ];
    let told_all = told(text);
    let lines: Vec<&str> = told_all.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{told_all}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}\nis not\n{expected}");
    }
    assert!(
        told("[columns\n").starts_with("x.toml:1: is not TOML: "),
        "{}",
        told("[columns\n")
    );
    assert!(told("").contains("needs `date`, or a `start` that holds date and time"));
}

#[test]
fn a_plain_csv_file_without_a_mapping_is_refused_with_the_way_out() {
    let told = refused(format("csv"), b"a,b\n1,2\n", &berlin(DateOrder::Detect));
    assert!(told.contains("config/imports/"), "{told}");
}
