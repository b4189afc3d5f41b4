//! One client's month out of the whole ledger, beside the bare aggregate of the same rows.

use std::hint::black_box;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use stundenbuch::matching::normal;
use stundenbuch::statements::preview;
use stundenbuch::store::Store;
use stundenbuch::time::Period;

use crate::Options;
use crate::house::client_key;
use crate::sheet::client_name;
use crate::table::{Table, median, milliseconds, ratio, repeated, timed};

/// The sum of a client's month by project, of what is neither deleted nor settled: the least
/// that a report has to ask.
const AGGREGATE: &str = "SELECT r.project, count(*), sum(r.seconds)
  FROM record r LEFT JOIN settled t ON t.work = r.work
 WHERE r.start_at >= ?1 AND r.start_at < ?2 AND r.client = ?3
   AND r.speaks = 1 AND r.deleted IS NULL AND t.statement IS NULL
 GROUP BY r.project";

const CLIENT: u32 = 7;
const TIMES: usize = 25;

pub(crate) fn measure(options: &Options, table: &mut Table) {
    let house = options.house();
    let ledger = house.reviewed();
    let client = house.config.client(&client_key(CLIENT)).unwrap();
    let period: Period = "2026-10".parse().unwrap();
    let (from, until) = period.instants(client.time_zone);
    let name = normal(&client_name(CLIENT));

    let bare = Connection::open_with_flags(&ledger, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    bare.pragma_update(None, "cache_size", -8192).unwrap();
    let aggregate = || -> i64 {
        let mut statement = bare.prepare_cached(AGGREGATE).unwrap();
        let values = params![from.timestamp(), until.timestamp(), name];
        let sums = statement.query_map(values, |row| row.get::<_, i64>(1));
        sums.unwrap().map(Result::unwrap).sum()
    };
    let store = Store::open_read_only(&ledger).unwrap();
    let report = || preview(&store, &house.config, client, period).unwrap();

    let listed = report()
        .previews
        .iter()
        .map(|it| it.works.len())
        .sum::<usize>();
    assert_eq!(i64::try_from(listed).unwrap(), aggregate(), "the same rows");
    // Alternately, so that whatever else the machine does meets both.
    let pairs: Vec<(Duration, Duration)> = (0..TIMES)
        .map(|_| {
            (
                timed(|| black_box(report())).0,
                timed(|| black_box(aggregate())).0,
            )
        })
        .collect();
    let ratios: Vec<f64> = pairs
        .iter()
        .map(|(one, other)| ratio(*one, *other))
        .collect();
    let whole = median(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let sum = median(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    let times = median(&ratios);
    table.judge(
        "month report: times the bare aggregate",
        format!("{times:.1}"),
        "≤ 10",
        times <= 10.0,
    );
    table.judge(
        "month report: time",
        milliseconds(whole),
        "< 100 ms",
        whole < Duration::from_millis(100),
    );
    table.tell("month report: entries in it", listed.to_string());
    table.tell("month report: the bare aggregate", milliseconds(sum));
    let opened = repeated(TIMES, || {
        let store = Store::open_read_only(&ledger).unwrap();
        black_box(preview(&store, &house.config, client, period).unwrap());
    });
    table.tell(
        "month report: with opening the ledger",
        milliseconds(opened),
    );
}
