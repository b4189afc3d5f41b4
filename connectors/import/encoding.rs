//! Which encoding a file is in, decided as its rows go by.
//!
//! Vendors write UTF-8. German Excel writes Windows-1252 and says so nowhere. Up to the first
//! byte that is not ASCII both read alike, and that byte decides: if its row is not UTF-8, the
//! file is Windows-1252. A file that has shown itself to be UTF-8 and then is not is damaged,
//! and guessing further would change what a person wrote.

/// What is known of a file so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Only ASCII yet.
    #[default]
    Open,
    Utf8,
    Windows1252,
}

impl Encoding {
    /// Makes text of a row. On failure: the position of the field, and why.
    pub(super) fn decode(
        &mut self,
        bytes: Vec<u8>,
        ends: &mut [usize],
    ) -> Result<String, (usize, String)> {
        if *self != Self::Windows1252 {
            if bytes.is_ascii() {
                return Ok(String::from_utf8(bytes).expect("ASCII is UTF-8"));
            }
            match first_invalid(&bytes, ends) {
                None => {
                    *self = Self::Utf8;
                    return Ok(String::from_utf8(bytes).expect("every field of it was checked"));
                }
                Some(field) if *self == Self::Utf8 || has_utf8_field(&bytes, ends) => {
                    return Err((
                        field,
                        "is not valid UTF-8, though the rest of the file is; the file is damaged"
                            .to_owned(),
                    ));
                }
                Some(_) => *self = Self::Windows1252,
            }
        }
        windows_1252(&bytes, ends)
    }
}

fn fields<'a>(bytes: &'a [u8], ends: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    ends.iter().scan(0, |start, &end| {
        let field = &bytes[*start..end];
        *start = end;
        Some(field)
    })
}

fn first_invalid(bytes: &[u8], ends: &[usize]) -> Option<usize> {
    fields(bytes, ends).position(|field| std::str::from_utf8(field).is_err())
}

fn has_utf8_field(bytes: &[u8], ends: &[usize]) -> bool {
    fields(bytes, ends).any(|field| !field.is_ascii() && std::str::from_utf8(field).is_ok())
}

fn windows_1252(bytes: &[u8], ends: &mut [usize]) -> Result<String, (usize, String)> {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut start = 0;
    for (field, end) in ends.iter_mut().enumerate() {
        for &byte in &bytes[start..*end] {
            let Some(letter) = letter(byte) else {
                return Err((
                    field,
                    format!("holds the byte {byte:#04x}, which is neither UTF-8 nor Windows-1252"),
                ));
            };
            text.push(letter);
        }
        start = *end;
        *end = text.len();
    }
    Ok(text)
}

/// The letters that Windows-1252 has where ISO 8859-1 has control characters (WHATWG Encoding,
/// index windows-1252); `\0` marks the five bytes that stand for nothing.
const HIGH: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', //
    '\0', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

fn letter(byte: u8) -> Option<char> {
    match byte {
        0x80..=0x9F => Some(HIGH[usize::from(byte - 0x80)]).filter(|&letter| letter != '\0'),
        _ => Some(char::from(byte)),
    }
}
