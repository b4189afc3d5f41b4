//! "Did you mean …?": the known word that is nearest to the one that was written.

/// The nearest of `known`, where one is near enough to be meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // A third of the letters may be wrong. Short words need one slip at least, and long ones
    // are no longer the same word after three.
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `token`?", or the whole list when nothing is near.
pub(super) fn help<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    if let Some(meant) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    let list: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    (!list.is_empty()).then(|| format!("known here: {}", list.join(", ")))
}

/// The time zone that was probably meant by a name that is none.
pub(super) fn zone(word: &str) -> Option<&'static str> {
    // Abbreviations that people in the German-speaking countries write.
    if matches!(
        word.to_uppercase().as_str(),
        "MEZ" | "MESZ" | "CEST" | "DE" | "GERMANY"
    ) {
        return Some("Europe/Berlin");
    }
    let wanted = word.trim().replace(' ', "_").to_lowercase();
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    names()
        .find(|name| name.to_lowercase() == wanted)
        .or_else(|| {
            names().find(|name| {
                name.rsplit('/')
                    .next()
                    .is_some_and(|city| city.to_lowercase() == wanted)
            })
        })
        .or_else(|| nearest(&wanted, names()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let known = ["token", "api_url", "reports_url"];
        assert_eq!(nearest("tokne", known), Some("token"));
        assert_eq!(nearest("Token", known), Some("token"));
        assert_eq!(nearest("api-url", known), Some("api_url"));
        assert_eq!(nearest("password", known), None);
        assert_eq!(nearest("x", ["y", "zz"]), Some("y"));
        assert_eq!(nearest("x", ["yy"]), None);
    }

    #[test]
    fn zones_are_found_by_city_case_and_slip() {
        for written in [
            "europe/berlin",
            "Berlin",
            "MEZ",
            "Europe/Berln",
            "Europe\\Berlin",
        ] {
            assert_eq!(zone(written), Some("Europe/Berlin"), "{written}");
        }
        assert_eq!(zone("New York"), Some("America/New_York"));
        assert_eq!(zone("qqqqqqqqqqqqqqqqqqqqqqqq"), None);
    }
}
