//! What a connection of this kind can be told.

use super::{plan, words};
use crate::kind::{Check, Need, Setting, ValueKind};

pub(super) const ALL: &[Setting] = &[
    Setting {
        key: "command",
        value: ValueKind::Texts,
        need: Need::Required,
        help: "the program's whole path and its arguments; no shell reads them",
    },
    Setting {
        key: "config",
        value: ValueKind::Table(Check(plan::check_config)),
        need: Need::Optional,
        help: "the program's own configuration, handed over as a file by `--config`",
    },
    Setting {
        key: "environment",
        value: ValueKind::Table(Check(plan::check_environment)),
        need: Need::Optional,
        help: "the program's environment; nothing of ours is handed on, not even PATH",
    },
    Setting {
        key: "credential",
        value: ValueKind::Secret,
        need: Need::Optional,
        help: "stands for `{credential}` in `config` and `environment`",
    },
    Setting {
        key: "credential_2",
        value: ValueKind::Secret,
        need: Need::Optional,
        help: "stands for `{credential_2}`",
    },
    Setting {
        key: "credential_3",
        value: ValueKind::Secret,
        need: Need::Optional,
        help: "stands for `{credential_3}`",
    },
    Setting {
        key: "streams",
        value: ValueKind::Table(Check(words::check_streams)),
        need: Need::Required,
        help: "a table for each stream that is read: what its records are, and in which columns \
               the facts stand",
    },
    Setting {
        key: "time_zone",
        value: ValueKind::Text,
        need: Need::Default("Europe/Berlin"),
        help: "the zone of times that do not say theirs",
    },
    Setting {
        key: "select",
        value: ValueKind::Text,
        need: Need::Default("catalog"),
        help: "how the program is told what to read: `catalog`, `properties` (older programs) or \
               `none`",
    },
    Setting {
        key: "catalog",
        value: ValueKind::Path,
        need: Need::Optional,
        help: "a catalog of your own, taken as it is instead of what the program discovers",
    },
    Setting {
        key: "directory",
        value: ValueKind::Path,
        need: Need::Default("/tmp"),
        help: "where the private directory of each run is made",
    },
    Setting {
        key: "seconds_max",
        value: ValueKind::Count {
            min: 1,
            max: 86_400,
        },
        need: Need::Default("1800"),
        help: "a run that takes longer is ended",
    },
    Setting {
        key: "silent_seconds_max",
        value: ValueKind::Count {
            min: 1,
            max: 86_400,
        },
        need: Need::Default("300"),
        help: "a program that says nothing for longer is ended",
    },
    Setting {
        key: "output_mib_max",
        value: ValueKind::Count {
            min: 1,
            max: 1_048_576,
        },
        need: Need::Default("1024"),
        help: "a program that prints more is ended",
    },
    Setting {
        key: "records_max",
        value: ValueKind::Count {
            min: 1,
            max: 1_000_000_000,
        },
        need: Need::Default("1000000"),
        help: "a program that hands over more records in one run is ended",
    },
];
