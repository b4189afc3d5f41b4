//! The numbers of statements.

/// Writes a number from a pattern: `{YYYY}`, `{MM}`, and `{0000}` for the running number with
/// so many digits, or more once they do not suffice.
pub fn number(pattern: &str, year: i32, month: u32, running: u64) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            text.push('{');
            rest = behind;
            continue;
        };
        match name {
            "YYYY" => padded(&mut text, u64::from(year.unsigned_abs()), 4),
            "MM" => padded(&mut text, u64::from(month), 2),
            zeros if is_running(zeros) => {
                padded(&mut text, running, zeros.len());
            }
            other => text.extend(["{", other, "}"]),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Whether every statement gets a number of its own that can stand in a file name; what is
/// wrong, otherwise.
pub fn check_number_pattern(pattern: &str) -> Result<(), String> {
    let mut running = 0;
    let mut plain = String::new();
    let mut rest = pattern;
    while let Some((before, behind)) = rest.split_once('{') {
        plain.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            return Err(format!("the brace before `{behind}` is not closed"));
        };
        match name {
            "YYYY" | "MM" => {}
            zeros if is_running(zeros) => running += 1,
            other => {
                return Err(format!(
                    "`{{{other}}}` is unknown; there are {{YYYY}}, {{MM}} and {{0000}}"
                ));
            }
        }
        rest = after;
    }
    plain.push_str(rest);
    let safe = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    if let Some(wrong) = plain.chars().find(|c| !safe(c)) {
        return Err(format!(
            "`{wrong}` cannot stand in a number; letters, digits, `-`, `_` and `.` can"
        ));
    }
    match running {
        1 => Ok(()),
        0 => Err("the running number is missing; write it as {0000}".to_owned()),
        _ => Err("the running number stands there more than once".to_owned()),
    }
}

fn padded(text: &mut String, number: u64, width: usize) {
    let digits = number.to_string();
    text.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    text.push_str(&digits);
}

fn is_running(name: &str) -> bool {
    !name.is_empty() && name.len() <= 12 && name.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_pattern() {
        assert_eq!(number("{YYYY}-{0000}", 2026, 11, 7), "2026-0007");
        assert_eq!(number("RE-{YYYY}{MM}-{00}", 2026, 3, 123), "RE-202603-123");
    }

    #[test]
    fn patterns_that_repeat_a_number_or_break_a_file_name_are_refused() {
        assert_eq!(check_number_pattern("RE_{YYYY}.{MM}-{0000}"), Ok(()));
        for (pattern, complaint) in [
            ("{YYYY}", "missing"),
            ("{00}-{00}", "more than once"),
            ("{YY}-{00}", "`{YY}` is unknown"),
            ("2026/{0000}", "`/` cannot"),
            ("{0000", "not closed"),
            ("{0000}}", "`}` cannot"),
            ("{}", "unknown"),
        ] {
            let error = check_number_pattern(pattern).unwrap_err();
            assert!(error.contains(complaint), "{pattern}: {error}");
        }
    }
}
