//! Foreign text made fit to be printed. It stays text: nothing here or later reads it as markup.
//!
//! A title can hold anything: control characters, invisible marks that turn the direction of
//! the numbers beside them, scripts without a glyph, a URL longer than the column. PDF/A forbids
//! a missing glyph, so what cannot be shown is replaced visibly and never fails a document.

use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use super::fonts::FONTS;

/// Shown in place of what no font can show.
const REPLACEMENT: &str = "\u{fffd}";
/// A place where a line may end, invisible otherwise.
const BREAK: char = '\u{200b}';
/// The same, with a hyphen where the line does end.
const SOFT_HYPHEN: char = '\u{ad}';
/// Words up to here are left to hyphenation; German has longer ones, but not on bills.
const LONGEST_WORD: usize = 32;
/// The longest piece without an opportunity to break in anything longer.
const LONGEST_PIECE: usize = 16;
/// A separator sooner than this gives no opportunity: `https://` stays with the host.
const SHORTEST_PIECE: usize = 8;

/// A text of one line: breaks become spaces.
pub(super) fn line(text: &str) -> String {
    let shown = printable(text);
    wrappable(&shown.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text that may have several lines; empty ones are dropped.
pub(super) fn block(text: &str) -> String {
    let shown = printable(text);
    let lines = shown.lines().map(str::trim).filter(|line| !line.is_empty());
    wrappable(&lines.collect::<Vec<_>>().join("\n"))
}

/// Characters that can be shown, line breaks as `\n`.
fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut shown = String::with_capacity(text.len());
    for cluster in text.nfc().collect::<String>().graphemes(true) {
        match cluster.chars().next() {
            Some('\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}') => {
                shown.push('\n');
            }
            Some('\t') => shown.push(' '),
            _ if cluster.is_ascii() => {
                shown.extend(cluster.chars().filter(|c| !c.is_ascii_control()));
            }
            _ => show_cluster(cluster, &mut shown),
        }
    }
    shown
}

fn show_cluster(cluster: &str, shown: &mut String) {
    let kept: String = cluster.chars().filter(|&c| !is_dropped(c)).collect();
    let visible: Vec<char> = kept.chars().filter(|&c| !is_joiner(c)).collect();
    let whole = visible.len() == 1 || !visible.first().is_some_and(|&c| is_spacing_accent(c));
    match visible.first() {
        None => {}
        Some(_) if whole && FONTS.can_show(&visible) => shown.push_str(&kept),
        Some('✓') => shown.push('✔'),
        Some('✗' | '✘') => shown.push('×'),
        // A hand without its skin tone, a letter without a rare accent: still readable.
        Some(&base) if FONTS.can_show(&[base]) => shown.push(base),
        Some(_) => shown.push_str(REPLACEMENT),
    }
}

/// Marks without a shape that could change what stands beside them or confuse a reader of the
/// PDF: controls, directions, tags, noncharacters, private use.
fn is_dropped(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Marks that join or vary their neighbours and need no glyph.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Accents that stand alone. The template takes them from a font that cannot pile marks on them.
fn is_spacing_accent(c: char) -> bool {
    matches!(c, '`' | '´' | '¨' | '¸' | '\u{2b0}'..='\u{2ff}' | '\u{374}'..='\u{385}')
}

/// Puts places to break into words that no column can hold.
fn wrappable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive([' ', '\n']) {
        if piece.chars().count() <= LONGEST_WORD {
            out.push_str(piece);
        } else {
            break_up(piece, &mut out);
        }
    }
    out
}

/// Typst knows where an address may end a line, but not within its last part.
fn break_up(word: &str, out: &mut String) {
    let address = if word.contains("://") {
        word.trim_end().trim_end_matches(char::is_alphanumeric)
    } else {
        ""
    };
    let word = &word[address.len()..];
    out.push_str(address);
    let letters = word.trim_end().chars().all(char::is_alphabetic);
    let mark = if letters && address.is_empty() {
        SOFT_HYPHEN
    } else {
        BREAK
    };
    let mut run = 0;
    let mut clusters = word.graphemes(true).peekable();
    while let Some(cluster) = clusters.next() {
        out.push_str(cluster);
        run += 1;
        let after_separator = cluster.ends_with(['/', '?', '&', '=', '.', '_', '-', ',', ';']);
        let more = clusters
            .peek()
            .is_some_and(|next| !next.starts_with([' ', '\n']));
        if more && (run >= LONGEST_PIECE || after_separator && run > SHORTEST_PIECE) {
            out.push(mark);
            run = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn european_text_is_left_alone() {
        for text in [
            "Grüße aus Łódź – „fertig“ … 3 × 59,00 €",
            "Čeština, română, türkçe: ığşİ, íslenska ðþ, Ελληνικά, Українська ї, Русский ё",
            "→ ✔ ☐ ★ 👍 ☕",
            "*fett* $x$ #read(\"/etc/passwd\") @ref <label> _k_ `c` // \\",
            "ქართული Հայերեն",
        ] {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn what_cannot_be_shown_is_replaced_once() {
        assert_eq!(line("日本"), "\u{fffd}\u{fffd}");
        assert_eq!(line("שלום"), "\u{fffd}".repeat(4));
        assert_eq!(line("👍🏽"), "👍");
        assert_eq!(line("a\u{301}"), "á");
    }

    #[test]
    fn invisible_characters_cannot_rearrange_a_line() {
        assert_eq!(
            line("\u{202e}00,1\u{202c} \u{2066}x\u{2069}\u{feff}\u{0}\u{1b}[31m"),
            "00,1 x[31m"
        );
        assert_eq!(line("a\r\nb\tc\u{2028}d"), "a b c d");
        assert_eq!(block("a\r\n\r\n\u{b} b\n"), "a\nb");
    }

    #[test]
    fn long_words_may_break() {
        let url = "https://example.com/board/cards?filter=verylongvalue&x=1";
        assert_eq!(
            line(url),
            url,
            "copied from the page, the address still works"
        );
        let hash = line(&format!("https://example.com/{}", "a1".repeat(20)));
        assert_eq!(hash.matches(BREAK).count(), 2, "{hash}");
        let path = line("/srv/kunden/mueller/2026-10/belege/kontoauszug_2026-10.pdf");
        assert!(path.contains("/srv/kunden/\u{200b}"), "{path}");
        assert!(line(&"a".repeat(100)).contains(SOFT_HYPHEN));
        assert_eq!(
            line("Umsatzsteueridentifikationsnummer").replace(SOFT_HYPHEN, ""),
            "Umsatzsteueridentifikationsnummer"
        );
    }

    proptest! {
        #[test]
        fn every_piece_is_short_and_visible(text in any::<String>()) {
            let shown = block(&text);
            for word in shown.split([' ', '\n', BREAK, SOFT_HYPHEN]) {
                prop_assert!(word.graphemes(true).count() <= LONGEST_WORD);
            }
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
