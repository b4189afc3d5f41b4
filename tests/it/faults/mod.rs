//! The file system against the ledger: damaged bytes, files that were swapped or cut, a full or
//! failing disk, missing rights, and others who hold the file.
//!
//! The rule is the same for all of them: the program does its work, or says what stops it and
//! ends with a code that is not 0. It never shows something else than was written as if it were
//! right, and once the fault has passed it goes on by itself.

mod commands;
mod disk;
mod failing_disk;
mod files;
mod flips;
mod locked;
mod log;
mod made;
mod mount;
mod process;
mod rights;
mod signals;
mod waiting;
mod walk;
