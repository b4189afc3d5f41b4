//! The files that changed while somebody worked.

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::record::{TimeEntry, Worked};

use crate::config::{Client, Folder};
use crate::time::Period;
use crate::work::FileItem;

/// Drives stamp with their own clocks.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// Uploads come after the work, and people stop the timer before they save.
const AFTER: TimeDelta = TimeDelta::minutes(15);

/// The files in the client's folders whose newest version is from the time of the entry, in
/// order of change. An entry that has only a day has all of that day; a running timer has none.
pub fn files_touched<'a>(
    entry: &TimeEntry,
    files: &'a [FileItem],
    client: &Client,
) -> Vec<&'a FileItem> {
    let (from, until): (DateTime<Utc>, DateTime<Utc>) = match entry.worked {
        Worked::Running { .. } => return Vec::new(),
        Worked::Span { start, stop } => {
            let from = start.checked_sub_signed(BEFORE).unwrap_or(start);
            (from, stop.checked_add_signed(AFTER).unwrap_or(stop))
        }
        Worked::Day { date, .. } => {
            let day = Period {
                first: date,
                last: date,
            };
            let Some(instants) = date.succ_opt().map(|_| day.instants(client.time_zone)) else {
                return Vec::new();
            };
            (instants.0, instants.1 - TimeDelta::seconds(1))
        }
    };
    let mut touched: Vec<_> = files
        .iter()
        .filter(|item| !item.deleted)
        .filter(|item| {
            let (connection, path) = (&item.key.connection, &item.file.path);
            let mut folders = client.sources.folders.iter();
            folders.any(|folder| within(folder, connection, path))
        })
        .filter_map(|item| Some((item.file.modified?, item)))
        .filter(|(modified, _)| from <= *modified && *modified <= until)
        .collect();
    touched.sort_by(|a, b| (a.0, &a.1.key).cmp(&(b.0, &b.1.key)));
    touched.into_iter().map(|(_, item)| item).collect()
}

/// Whether a file lies in a folder, compared by whole names: `Acme` holds `Acme/a.txt` and not
/// `Acme 2/a.txt`.
pub(crate) fn within(folder: &Folder, connection: &str, path: &str) -> bool {
    if folder.connection != connection {
        return false;
    }
    let mut path = names(path);
    names(&folder.path).all(|name| path.next() == Some(name))
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter(|name| !name.is_empty() && *name != ".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::testing::{EntryBuilder, client, file};

    fn touched(entry: &TimeEntry, files: &[FileItem]) -> Vec<String> {
        let mut client = client("acme");
        client.sources.folders = vec![Folder {
            connection: "drive".to_owned(),
            path: "/Acme/".to_owned(),
        }];
        let found = files_touched(entry, files, &client);
        found.iter().map(|item| item.file.path.clone()).collect()
    }

    #[test]
    fn the_tolerance_is_two_minutes_before_and_fifteen_after() {
        let entry = EntryBuilder::span("2026-10-14T07:00:00Z", 3600).build();
        let files = [
            file("drive", "Acme/late.txt", "2026-10-14T08:15:01Z"),
            file("drive", "Acme/last.txt", "2026-10-14T08:15:00Z"),
            file("drive", "Acme/first.txt", "2026-10-14T06:58:00Z"),
            file("drive", "Acme/early.txt", "2026-10-14T06:57:59Z"),
        ];
        assert_eq!(touched(&entry, &files), ["Acme/first.txt", "Acme/last.txt"]);
    }

    #[test]
    fn only_the_clients_folder_counts_and_only_what_is_there() {
        let entry = EntryBuilder::span("2026-10-14T07:00:00Z", 3600).build();
        let mut gone = file("drive", "Acme/gone.txt", "2026-10-14T07:10:00Z");
        gone.deleted = true;
        let files = [
            gone,
            file("drive", "Acme 2/a.txt", "2026-10-14T07:10:00Z"),
            file("other", "Acme/a.txt", "2026-10-14T07:10:00Z"),
        ];
        assert_eq!(touched(&entry, &files), Vec::<String>::new());
    }

    #[test]
    fn a_day_is_the_clients_local_day_even_with_25_hours() {
        let entry = EntryBuilder::day("2026-10-25", 3600).build();
        let files = [
            file("drive", "Acme/before", "2026-10-24T21:59:59Z"),
            file("drive", "Acme/first", "2026-10-24T22:00:00Z"),
            file("drive", "Acme/last", "2026-10-25T22:59:59Z"),
            file("drive", "Acme/after", "2026-10-25T23:00:00Z"),
        ];
        assert_eq!(touched(&entry, &files), ["Acme/first", "Acme/last"]);
    }
}
