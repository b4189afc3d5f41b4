//! The files of the demo, as they lie in `config/demo/`, and when they came.

/// A file that the demo writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    /// Before which of the nights it came, the first being 0.
    pub(super) night: usize,
    /// Below the demo's directory.
    pub(super) path: &'static str,
    pub(super) text: &'static str,
    /// When it was last changed, RFC 3339. The times of the files in `Kunden` lie within entries
    /// of the time sheets, because that is what the program compares.
    pub(super) changed: &'static str,
}

macro_rules! made {
    ($night:literal, $path:literal, $changed:literal) => {
        Made {
            night: $night,
            path: $path,
            text: include_str!(concat!("../../../config/demo/", $path)),
            changed: $changed,
        }
    };
}

/// The configuration.
pub(super) const CONFIG: &str = "stundenbuch.toml";
/// The ledger that it names.
pub(super) const LEDGER: &str = "stundenbuch.db";
/// The directory of its connection.
pub(super) const DRIVE: &str = "Drive";

/// All of them. Exports are made on the evening before a night; each of the same month holds
/// what the one before held, and one row was corrected meanwhile.
pub(super) const FILES: [Made; 17] = [
    made!(0, "stundenbuch.toml", "2026-10-11T17:00:00Z"),
    made!(0, "imports/stundenliste.toml", "2026-10-11T17:00:00Z"),
    made!(
        0,
        "Drive/Zeiten/toggl-2026-10-01_2026-10-11.csv",
        "2026-10-11T17:05:00Z"
    ),
    made!(
        0,
        "Drive/Boards/kruemel-2026-10-11.json",
        "2026-10-11T17:10:00Z"
    ),
    made!(
        0,
        "Drive/Boards/quertraeger-2026-10-11.json",
        "2026-10-11T17:11:00Z"
    ),
    made!(
        0,
        "Drive/Kunden/Kruemel/allergene.csv",
        "2026-10-07T13:02:00Z"
    ),
    made!(
        0,
        "Drive/Kunden/Kruemel/newsletter-oktober.md",
        "2026-10-09T09:05:00Z"
    ),
    made!(
        0,
        "Drive/Kunden/Moorlicht/newsletter-herbst.md",
        "2026-10-08T14:20:00Z"
    ),
    made!(
        1,
        "Drive/Zeiten/toggl-2026-10-01_2026-10-25.csv",
        "2026-10-25T18:05:00Z"
    ),
    made!(
        1,
        "Drive/Boards/kruemel-2026-10-25.json",
        "2026-10-25T18:10:00Z"
    ),
    made!(
        1,
        "Drive/Kunden/Kruemel/inventurliste.txt",
        "2026-10-20T12:40:00Z"
    ),
    made!(
        2,
        "Drive/Zeiten/toggl-2026-10-01_2026-10-31.csv",
        "2026-10-31T16:05:00Z"
    ),
    made!(
        2,
        "Drive/Zeiten/vor-ort-2026-10.csv",
        "2026-10-31T16:00:00Z"
    ),
    made!(
        2,
        "Drive/Boards/kruemel-2026-10-31.json",
        "2026-10-31T16:10:00Z"
    ),
    made!(
        2,
        "Drive/Boards/quertraeger-2026-10-31.json",
        "2026-10-31T16:11:00Z"
    ),
    made!(
        2,
        "Drive/Kunden/Quertraeger/projects-en.md",
        "2026-10-30T08:31:00Z"
    ),
    made!(
        2,
        "Drive/Kunden/Quertraeger/call-notes.txt",
        "2026-10-26T14:20:00Z"
    ),
];
