//! The world as a template sees it: its own text, `/data.json`, the fonts, and one day.
//!
//! There is no file system, no package and no network behind it, so a template that somebody
//! found on the internet can do nothing but lay out the data it is given.

use std::sync::LazyLock;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use super::fonts::FONTS;

/// The name under which messages speak of the template.
pub(super) const TEMPLATE_NAME: &str = "report.typ";
const DATA_NAME: &str = "data.json";

static LIBRARY: LazyLock<LazyHash<Library>> = LazyLock::new(|| LazyHash::new(Library::default()));
static TEMPLATE: LazyLock<FileId> = LazyLock::new(|| id(TEMPLATE_NAME));
static DATA: LazyLock<FileId> = LazyLock::new(|| id(DATA_NAME));

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(name).expect("the names of both files are valid paths");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

pub(super) struct ReportWorld {
    template: Source,
    data: Bytes,
    today: Datetime,
}

impl ReportWorld {
    pub(super) fn new(template: &str, data: Vec<u8>, today: Datetime) -> Self {
        Self {
            template: Source::new(*TEMPLATE, template.to_owned()),
            data: Bytes::new(data),
            today,
        }
    }
}

impl World for ReportWorld {
    fn library(&self) -> &LazyHash<Library> {
        &LIBRARY
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FONTS.book
    }

    fn main(&self) -> FileId {
        *TEMPLATE
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == *TEMPLATE {
            Ok(self.template.clone())
        } else {
            Err(closed())
        }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == *DATA {
            Ok(self.data.clone())
        } else {
            Err(closed())
        }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FONTS.list.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        Datetime::from_ymd(self.today.year()?, self.today.month()?, self.today.day()?)
    }
}

fn closed() -> FileError {
    FileError::Other(Some(
        "a report template can read `data.json` and no other file or package".into(),
    ))
}
