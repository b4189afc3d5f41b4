//! The unit file, judged by systemd itself.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A copy of the unit that starts the program as it was built.
fn unit() -> (TempDir, String) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/stundenbuch.service");
    let text = fs::read_to_string(source).unwrap();
    let program = env!("CARGO_BIN_EXE_stundenbuch");
    let built = text.replace("/usr/bin/stundenbuch", program);
    assert_ne!(built, text, "the unit starts the program");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("stundenbuch.service");
    fs::write(&path, built).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (dir, path)
}

fn analyze(args: &[&str]) -> Option<Output> {
    let output = Command::new("systemd-analyze").args(args).output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("SKIPPED: no systemd-analyze on this machine: {error}");
            None
        }
    }
}

#[test]
fn the_unit_has_no_mistake() {
    let (_dir, path) = unit();
    let Some(output) = analyze(&["verify", "--man=no", &path]) else {
        return;
    };
    let said = [output.stdout, output.stderr].concat();
    assert_eq!(String::from_utf8(said).unwrap(), "");
    assert!(output.status.success());
}

#[test]
fn the_unit_is_shut_in() {
    let (_dir, path) = unit();
    let Some(output) = analyze(&["security", "--offline=true", "--no-pager", &path]) else {
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let verdict = text
        .lines()
        .rev()
        .find(|line| line.contains("exposure level"));
    let Some(verdict) = verdict else {
        let said = String::from_utf8_lossy(&output.stderr);
        eprintln!("SKIPPED: this systemd-analyze cannot judge a file: {said}");
        return;
    };
    let mut words = verdict.split_whitespace();
    let level: Option<f64> = words.find_map(|word| word.parse().ok());
    let level = level.unwrap_or_else(|| panic!("no number in {verdict}"));
    assert!(level <= 1.1, "{verdict}\n{text}");
}
