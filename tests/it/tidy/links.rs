//! Links between the documents: every relative one leads to a file, and to a heading in it.

use std::path::{Component, Path, PathBuf};

use super::Source;

/// The relative links of all Markdown files that lead nowhere.
pub(super) fn broken(sources: &[Source], exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let documents = sources.iter().filter(|source| source.has_extension("md"));
    let mut complaints = Vec::new();
    for source in documents {
        for target in links(&source.text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = resolve(&source.path, file);
            let complain = |why: &str| format!("{}: the link to `{target}` {why}", source.path);
            let Some(path) = path.filter(|path| exists(path)) else {
                complaints.push(complain("leads to no file"));
                continue;
            };
            let path = path.to_string_lossy();
            let aim = sources.iter().find(|source| source.path == path);
            let wanted = aim.filter(|_| !anchor.is_empty() && path.ends_with(".md"));
            if wanted.is_some_and(|aim| !anchors(&aim.text).iter().any(|name| name == anchor)) {
                complaints.push(complain("leads to no heading"));
            }
        }
    }
    complaints
}

/// The targets of `[text](target)` outside of code, those of the web left out.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for line in prose(text) {
        for (at, _) in line.match_indices("](") {
            let Some((target, _)) = line[at + 2..].split_once(')') else {
                continue;
            };
            if !target.contains("://") && !target.starts_with("mailto:") {
                links.push(target);
            }
        }
    }
    links
}

fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut code = false;
    text.lines().filter(move |line| {
        if line.trim_start().starts_with("```") {
            code = !code;
            return false;
        }
        !code
    })
}

/// A path from the root; `None` where it leaves the repository.
fn resolve(from: &str, target: &str) -> Option<PathBuf> {
    if target.is_empty() {
        return Some(from.into());
    }
    let mut path = Path::new(from).parent()?.to_owned();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::CurDir => {}
            Component::ParentDir => path.pop().then_some(())?,
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// The names that a forge gives to the headings.
fn anchors(text: &str) -> Vec<String> {
    let titles = prose(text).filter_map(|line| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' '))?
    });
    let slug = |title: &str| -> String {
        let title = title.trim().to_lowercase();
        let kept = title
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    };
    titles.map(slug).collect()
}

mod tests {
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_told() {
        let from = |text: &str| {
            let sources = [
                Source::new("docs/a.md", text),
                Source::new("b.md", "# B\n\n## Two `words` – here\n"),
            ];
            broken(&sources, &|path| {
                path == Path::new("b.md") || path == Path::new("docs/a.md")
            })
        };
        for good in [
            "[b](../b.md)",
            "[b](../b.md#two-words--here)",
            "## Self\n[s](#self)",
            "[web](https://a.example/x.md) and `[c](d.md` and\n```\n[c](d.md)\n```",
        ] {
            assert_eq!(from(good), Vec::<String>::new(), "{good}");
        }
        for (bad, why) in [
            ("[b](b.md)", "no file"),
            ("[b](../../b.md)", "no file"),
            ("[b](/b.md)", "no file"),
            ("[b](../b.md#three)", "no heading"),
            ("[s](#other)", "no heading"),
            ("fine [b](../b.md), not [c](c.md)", "no file"),
        ] {
            let complaints = from(bad);
            assert!(
                complaints.len() == 1 && complaints[0].contains(why),
                "{bad}: {complaints:?}"
            );
        }
    }
}
