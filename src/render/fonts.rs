//! The fonts of every document. They are part of the program and the only ones there are, so a
//! page looks the same on every machine, and a sealed one the same in ten years.

use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::layout::Abs;
use typst::text::{Font, FontBook, FontInstance, FontVariant, FontVariations};
use typst::utils::LazyHash;

/// The fonts, and the index by which Typst chooses among them.
pub(super) struct Fonts {
    pub(super) book: LazyHash<FontBook>,
    pub(super) list: Vec<Font>,
    /// The same, ready to be asked for a glyph.
    faces: Vec<FontInstance>,
}

/// Loaded with the first document: Noto Sans for the text (Latin, Greek, Cyrillic), behind it
/// Hack (arrows, Armenian, Georgian) and emoji in one colour. Other scripts are not covered;
/// fonts for Chinese, Japanese and Korean would take more space than the rest of the program.
pub(super) static FONTS: LazyLock<Fonts> = LazyLock::new(|| {
    let fonts: Vec<Font> = [
        notosans::REGULAR_TTF,
        notosans::BOLD_TTF,
        notosans::ITALIC_TTF,
        notosans::BOLD_ITALIC_TTF,
        epaint_default_fonts::HACK_REGULAR,
        epaint_default_fonts::NOTO_EMOJI_REGULAR,
        epaint_default_fonts::EMOJI_ICON,
    ]
    .into_iter()
    .flat_map(|data| Font::iter(Bytes::new(data)))
    .collect();
    Fonts {
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        faces: fonts.iter().cloned().map(face).collect(),
        list: fonts,
    }
});

/// The size matters only to variable fonts, and none of ours is one.
fn face(font: Font) -> FontInstance {
    font.instantiate(
        FontVariant::default(),
        Abs::pt(9.0),
        &FontVariations::default(),
    )
}

impl Fonts {
    /// Whether one and the same font has a glyph for each of these characters; a cluster that is
    /// spread over two fonts cannot be shaped.
    pub(super) fn can_show(&self, characters: &[char]) -> bool {
        self.faces
            .iter()
            .any(|font| characters.iter().all(|&c| has_glyph(font, c)))
    }
}

/// A font may list a character and map it to glyph 0, the box for those that it does not have.
fn has_glyph(font: &FontInstance, c: char) -> bool {
    let glyph = font.ttf().glyph_index(c);
    glyph.is_some_and(|glyph| glyph.0 != 0)
}
