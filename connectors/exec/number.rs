//! Numbers by their digits: 0.1 hours are 360 seconds, and 0.016666666666666666 are 60.

/// A decimal number: `digits` × 10^-`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    scale: u32,
}

/// Reads `-1.50`, `1e-3`, `5400`; `None` for what is none, or has more digits than anything that
/// is measured.
fn decimal(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let plain = whole.strip_prefix('-').unwrap_or(whole);
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if plain.is_empty() || !all_digits(plain) || !all_digits(fraction) {
        return None;
    }
    if whole.len() + fraction.len() > 30 {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    if scale < 0 {
        let factor = 10_i128.checked_pow(scale.unsigned_abs())?;
        return Some(Decimal {
            digits: digits.checked_mul(factor)?,
            scale: 0,
        });
    }
    let scale = scale.unsigned_abs();
    (scale <= 36).then_some(Decimal { digits, scale })
}

/// So many times `unit`, as a whole number, halves away from zero.
pub(super) fn whole(text: &str, unit: i64) -> Option<i64> {
    let Decimal { digits, scale } = decimal(text)?;
    let power = 10_i128.pow(scale);
    let product = digits.checked_mul(i128::from(unit))?;
    let rounded = (product.abs().checked_mul(2)?.checked_add(power)?) / power.checked_mul(2)?;
    i64::try_from(rounded * product.signum()).ok()
}

/// The whole number at or below.
pub(super) fn floor(text: &str) -> Option<i64> {
    let Decimal { digits, scale } = decimal(text)?;
    i64::try_from(digits.div_euclid(10_i128.pow(scale))).ok()
}

/// So many times `unit`, where that is a whole number.
pub(super) fn exact(text: &str, unit: i64) -> Option<i64> {
    let Decimal { digits, scale } = decimal(text)?;
    let power = 10_i128.pow(scale);
    let product = digits.checked_mul(i128::from(unit))?;
    (product % power == 0)
        .then(|| i64::try_from(product / power).ok())
        .flatten()
}

/// Whether the digits are those of a machine rather than of a person: an exponent, or more
/// decimals than anybody writes.
pub(super) fn is_computed(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
    text.contains(['e', 'E']) || fraction.len() > 9
}

/// The number without zeros that say nothing: `7.0` and `7` name the same thing.
pub(super) fn plain(text: &str) -> String {
    if !text.contains('.') || text.contains(['e', 'E']) {
        return text.to_owned();
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_become_whole_seconds_by_their_digits() {
        for (text, unit, seconds) in [
            ("0.1", 3600, 360),
            ("0.016666666666666666", 3600, 60),
            ("1.0833333333333333", 3600, 3900),
            ("1e-3", 3600, 4),
            ("1.5E1", 60, 900),
            ("5400.0", 1, 5400),
            ("-0.5", 1, -1),
            ("0.5", 1, 1),
            ("0.49999999999999999999", 1, 0),
            ("-1.25", 3600, -4500),
            ("0", 3600, 0),
        ] {
            assert_eq!(whole(text, unit), Some(seconds), "{text}");
        }
        for text in [
            "", "-", ".5", "1.2.3", "1e99", "NaN", "0x10", "1e", "+1", " 1",
        ] {
            assert_eq!(whole(text, 3600), None, "{text}");
        }
        assert_eq!(whole("9999999999999999999", 1), None);
        assert_eq!(
            (floor("1.9"), floor("-1.1"), floor("7")),
            (Some(1), Some(-2), Some(7))
        );
        assert_eq!(exact("19.99", 100), Some(1999));
        assert_eq!(exact("19.999", 100), None);
        assert_eq!(exact("-0.10", 100), Some(-10));
    }

    #[test]
    fn zeros_behind_the_point_say_nothing() {
        for (text, same) in [
            ("7.0", "7"),
            ("7", "7"),
            ("70", "70"),
            ("1.50", "1.5"),
            ("7.00", "7"),
        ] {
            assert_eq!(plain(text), same);
        }
    }

    proptest! {
        #[test]
        fn hundredths_of_an_hour_are_exact(hundredths in -1_000_000_i64..1_000_000) {
            let sign = if hundredths < 0 { "-" } else { "" };
            let abs = hundredths.unsigned_abs();
            let text = format!("{sign}{}.{:02}", abs / 100, abs % 100);
            prop_assert_eq!(whole(&text, 3600), Some(hundredths * 36));
            prop_assert_eq!(exact(&text, 100), Some(hundredths));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9eE.]{0,40}") {
            let _ = (whole(&text, 3600), exact(&text, 100), plain(&text), is_computed(&text));
        }
    }
}
