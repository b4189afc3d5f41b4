//! x
/// The form in which names compare.
pub fn normal(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfc()
        .collect::<String>()
        .to_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}
/// x
pub fn same_work(
    a: &stundenbuch_connectors::record::TimeEntry,
    b: &stundenbuch_connectors::record::TimeEntry,
) -> bool {
    a == b
}
