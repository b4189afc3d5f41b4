//! Decimal numbers by their digits: hours must not pass through floating point.

/// The shortest way to write a decimal number; `None` for what is none, or is written with an
/// exponent.
pub(super) fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return None;
    }
    let whole = Some(whole.trim_start_matches('0')).filter(|it| !it.is_empty());
    let whole = whole.unwrap_or("0");
    Some(match fraction.trim_end_matches('0') {
        "" if whole == "0" => "0".to_owned(),
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    })
}

/// The decimal places of a number in its shortest form.
pub(super) fn places(canonical: &str) -> usize {
    canonical
        .split_once('.')
        .map_or(0, |(_, fraction)| fraction.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_shortest_form() {
        for (text, wanted) in [
            ("12.50", Some("12.5")),
            ("12.5", Some("12.5")),
            ("012", Some("12")),
            ("0.10", Some("0.1")),
            ("-0.0", Some("0")),
            ("-1.25", Some("-1.25")),
            ("0.1000000000000000055", Some("0.1000000000000000055")),
            ("1e3", None),
            ("1,5", None),
            (".5", None),
            ("5.", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(canonical(text).as_deref(), wanted, "{text}");
        }
        assert_eq!(places("12"), 0);
        assert_eq!(places("12.25"), 2);
    }
}
