//! References to tasks in free text: links, short ids, and ids in tags.

/// What a reference names, in the form in which it is looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reference {
    /// A Trello card by its short link, which is case-sensitive.
    Card(String),
    /// An Asana task by its global id.
    Gid(String),
    /// Any other address: host and path.
    Address(String),
}

/// The length of a Trello short link (Trello, "Cards", read 2026-11).
const SHORT_ID: usize = 8;

/// The references in a text that are links, in the order of the text.
pub(super) fn links(text: &str) -> Vec<Reference> {
    words(text).filter_map(link).collect()
}

/// The words of a text that look like a short id, `#` before it or not. Only those that are
/// known mean anything.
pub(super) fn short_ids(text: &str) -> Vec<Reference> {
    words(text)
        .map(|word| word.strip_prefix('#').unwrap_or(word))
        .filter(|word| looks_short(word))
        .map(|word| Reference::Card(word.to_owned()))
        .collect()
}

/// What a tag names: a link, `trello:SHORT`, `asana:GID`, or `#SHORT`.
pub(super) fn tag(tag: &str) -> Option<Reference> {
    let tag = tag.trim();
    if let Some((service, id)) = tag.split_once(':') {
        let id = id.trim();
        let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric());
        match service.trim().to_ascii_lowercase().as_str() {
            "trello" if plain => return Some(Reference::Card(id.to_owned())),
            "asana" if is_gid(id) => return Some(Reference::Gid(id.to_owned())),
            _ => {}
        }
    }
    link(tag).or_else(|| short_ids(tag).into_iter().next())
}

/// What a single address names.
pub(super) fn link(address: &str) -> Option<Reference> {
    let lower = address.to_ascii_lowercase();
    let known_host = ["trello.com/", "www.trello.com/", "app.asana.com/"]
        .iter()
        .any(|host| lower.starts_with(host));
    let rest = if lower.starts_with("https://") {
        &address[8..]
    } else if lower.starts_with("http://") {
        &address[7..]
    } else if known_host {
        address
    } else {
        return None;
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_once('/')?;
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match host {
        "trello.com" => trello(&parts),
        "app.asana.com" => asana(&parts),
        _ if parts.is_empty() => None,
        _ => Some(Reference::Address(format!("{host}/{}", parts.join("/")))),
    }
}

/// `/c/SHORT`, with anything behind it; a board's address names no card.
fn trello(parts: &[&str]) -> Option<Reference> {
    match parts {
        ["c", short, ..] => {
            let end = short
                .find(|c: char| !c.is_ascii_alphanumeric())
                .unwrap_or(short.len());
            (end > 0).then(|| Reference::Card(short[..end].to_owned()))
        }
        _ => None,
    }
}

/// `/0/<project>/<task>[/f]`, and since 2024 `/1/<workspace>/…/task/<task>`.
fn asana(parts: &[&str]) -> Option<Reference> {
    let gid = match parts {
        ["0", _, task, ..] => task,
        ["1", rest @ ..] => {
            let at = rest.iter().position(|part| *part == "task")?;
            rest.get(at + 1)?
        }
        _ => return None,
    };
    is_gid(gid).then(|| Reference::Gid((*gid).to_owned()))
}

fn is_gid(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A word of the right length that is no ordinary word: with a digit, or with a capital behind
/// its first letter.
fn looks_short(word: &str) -> bool {
    word.len() == SHORT_ID
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (word.bytes().any(|byte| byte.is_ascii_digit())
            || (word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase())
                && word.bytes().any(|byte| byte.is_ascii_lowercase())))
}

/// Words without the punctuation that people put around links.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || "()[]<>{}\"'|,;".contains(c))
        .map(|word| word.trim_end_matches(['.', ':', '!', '?', '…']))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(id: &str) -> Reference {
        Reference::Card(id.to_owned())
    }

    fn gid(id: &str) -> Reference {
        Reference::Gid(id.to_owned())
    }

    #[test]
    fn trello_links_are_found_in_every_form_people_paste() {
        for text in [
            "https://trello.com/c/aB3dE6gH",
            "Fix (https://trello.com/c/aB3dE6gH/12-fix-it?filter=x#comment) now",
            "see <HTTPS://Trello.com/c/aB3dE6gH>.",
            "trello.com/c/aB3dE6gH, done",
        ] {
            assert_eq!(links(text), [card("aB3dE6gH")], "{text}");
        }
    }

    #[test]
    fn asana_links_are_found_in_both_forms() {
        assert_eq!(links("https://app.asana.com/0/111/222333"), [gid("222333")]);
        assert_eq!(
            links("https://app.asana.com/0/111/222333/f"),
            [gid("222333")]
        );
        assert_eq!(
            links("https://app.asana.com/1/9/project/111/task/222333?focus=true"),
            [gid("222333")]
        );
        assert_eq!(links("https://app.asana.com/0/111/list"), []);
    }

    #[test]
    fn what_is_no_card_is_no_reference() {
        assert_eq!(links("https://trello.com/b/aB3dE6gH/board"), []);
        assert_eq!(
            links("https://evil.example/?u=https://trello.com/c/aB3dE6gH"),
            [],
            "the address of another host names no card"
        );
        assert_eq!(short_ids("Relaunch overview MEETINGS"), []);
        assert_eq!(short_ids("aB3dE6gHi aB3dE6g"), []);
    }

    #[test]
    fn short_ids_are_whole_words() {
        assert_eq!(short_ids("Call aB3dE6gH."), [card("aB3dE6gH")]);
        assert_eq!(short_ids("#aB3dE6gH"), [card("aB3dE6gH")]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,30}", path in "\\PC{0,12}") {
            let _ = (links(&text), short_ids(&text), tag(&text));
            let card = format!("https://trello.com/c/{path}");
            for reference in links(&card).into_iter().chain(tag(&card)) {
                if let Reference::Card(id) = reference {
                    prop_assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                }
            }
        }
    }

    #[test]
    fn tags_name_tasks() {
        assert_eq!(tag("trello:aB3dE6gH"), Some(card("aB3dE6gH")));
        assert_eq!(tag(" Asana: 222333"), Some(gid("222333")));
        assert_eq!(tag("#aB3dE6gH"), Some(card("aB3dE6gH")));
        assert_eq!(tag("billable"), None);
        assert_eq!(tag("trello:"), None);
    }
}
