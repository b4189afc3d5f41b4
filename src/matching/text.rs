//! One key for texts that people mean to be the same.

use unicode_normalization::UnicodeNormalization;

/// The key under which names, titles and descriptions are compared: composed (NFC), without
/// case, and with single blanks. `Straße`, `STRASSE` and ` strasse ` are one.
///
/// Upper before lower case is what makes `ß` and `SS` equal; the standard library has no full
/// case folding.
pub fn normal(text: &str) -> String {
    // Most names are ASCII, which composition leaves as it is.
    let folded = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        let composed: String = text.nfc().collect();
        let folded = composed.to_uppercase().to_lowercase();
        folded.nfc().collect()
    };
    let mut key = String::with_capacity(folded.len());
    for word in folded.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    key
}

/// Whether a list of configured names has this one.
pub(crate) fn names(list: &[String], name: &str) -> bool {
    let key = normal(name);
    !key.is_empty() && list.iter().any(|listed| has_key(listed, &key))
}

/// Whether `normal(text) == key`. Every entry is asked of every configured name, so the key of
/// an ASCII text is compared as it is made and not kept.
fn has_key(text: &str, key: &str) -> bool {
    if !text.is_ascii() {
        return normal(text) == key;
    }
    let letters = text.split_whitespace().enumerate().flat_map(|(at, word)| {
        let blank = (at > 0).then_some(b' ');
        blank.into_iter().chain(word.bytes())
    });
    letters
        .map(|letter| letter.to_ascii_lowercase())
        .eq(key.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_blanks_and_composition_do_not_matter() {
        assert_eq!(normal("  Straße\u{a0}12 "), normal("STRASSE 12"));
        assert_eq!(normal("Mu\u{308}ller"), normal("MÜLLER"));
        assert_ne!(normal("Müller"), normal("Muller"));
        assert!(!names(&[" ".to_owned()], " "), "a blank name names nothing");
    }

    proptest! {
        #[test]
        fn the_key_of_a_key_is_the_key(text in "\\PC{0,40}") {
            prop_assert_eq!(normal(&normal(&text)), normal(&text));
        }

        #[test]
        fn a_text_has_its_key_and_no_other(
            text in "[ a-zA-ZäßÄ\t\u{a0}]{0,6}",
            other in "[ a-zA-ZäßÄ\t\u{a0}]{0,6}",
        ) {
            prop_assert!(has_key(&text, &normal(&text)));
            prop_assert_eq!(has_key(&text, &normal(&other)), normal(&text) == normal(&other));
        }

        #[test]
        fn the_short_way_for_ascii_gives_the_same_key(text in "[\x00-\x7f]{0,12}") {
            let composed: String = text.nfc().collect();
            let folded: String = composed.to_uppercase().to_lowercase().nfc().collect();
            let words: Vec<&str> = folded.split_whitespace().collect();
            prop_assert_eq!(normal(&text), words.join(" "));
        }
    }
}
