//! The procedure description (Verfahrensdokumentation): what a tax office wants to read about a
//! program that makes figures (GoBD, Rz. 151 ff.), written from the configuration that is in
//! force and from its history in the ledger.
//!
//! `facts` reads both, the chapters put them into words, `document` is what comes out. What only
//! a person can know stands there as a marked gap.

mod changes;
mod document;
mod facts;
mod general;
mod operation;
mod technical;
mod terms;
mod user;
mod writer;

pub use self::document::Document;

use self::facts::Facts;
use self::writer::Writer;
use crate::billing::Language;
use crate::config::Config;
use crate::store::{Result, Store};

/// Writes the description of what is configured and of what the ledger says. It speaks of the
/// moment of the ledger's last row, so the same ledger and configuration give the same document.
pub fn describe(store: &Store, config: &Config, language: Language) -> Result<Document> {
    let facts = Facts::of(store, config)?;
    let mut writer = Writer::new(language);
    general::write(&mut writer, &facts);
    user::write(&mut writer, &facts);
    terms::write(&mut writer, &facts);
    technical::write(&mut writer, &facts);
    operation::write(&mut writer, &facts);
    changes::write(&mut writer, &facts);
    Ok(writer.finish(&facts))
}
