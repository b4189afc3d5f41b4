//! The secrets that are handed to the program, and the one place that writes them out.
//!
//! They go into its configuration file or its environment, which only this user and the program
//! can read; never into its arguments, which everybody sees. What it prints is searched for them.

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The secrets of a connection by the placeholders that stand for them.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<(&'static str, Secret)>);

/// The settings and their placeholders.
pub(super) const PLACEHOLDERS: [(&str, &str); 3] = [
    ("credential", "{credential}"),
    ("credential_2", "{credential_2}"),
    ("credential_3", "{credential_3}"),
];

/// A shorter text is no credential, and hiding it would tear words apart.
const SHORTEST: usize = 6;

impl Secrets {
    /// Takes what `find` has for each setting.
    pub(super) fn of<'s>(find: impl Fn(&'static str) -> Option<&'s Secret>) -> Self {
        let found = PLACEHOLDERS.iter().filter_map(|&(setting, placeholder)| {
            find(setting).map(|secret| (placeholder, secret.clone()))
        });
        Self(found.collect())
    }

    /// The placeholders in a text that no secret is given for.
    pub(super) fn unfilled(&self, text: &str) -> Vec<&'static str> {
        let given = |placeholder| self.0.iter().any(|(known, _)| *known == placeholder);
        let all = PLACEHOLDERS.iter();
        all.filter(|(_, placeholder)| text.contains(placeholder) && !given(*placeholder))
            .map(|(setting, _)| *setting)
            .collect()
    }

    /// A text with the secrets in it.
    pub(super) fn fill(&self, text: &str) -> Zeroizing<String> {
        self.replace(text, |secret| Zeroizing::new(secret.to_owned()))
    }

    /// A JSON text with the secrets in its strings.
    pub(super) fn fill_json(&self, json: &str) -> Zeroizing<String> {
        self.replace(json, escaped)
    }

    fn replace(&self, text: &str, write: impl Fn(&str) -> Zeroizing<String>) -> Zeroizing<String> {
        let mut filled = Zeroizing::new(text.to_owned());
        for (placeholder, secret) in &self.0 {
            filled = Zeroizing::new(filled.replace(placeholder, &write(secret.expose())));
        }
        filled
    }

    /// A text of the program without the secrets.
    pub(super) fn hide(&self, mut text: String) -> String {
        for (_, secret) in &self.0 {
            let plain = secret.expose();
            for form in [
                Zeroizing::new(plain.to_owned()),
                escaped(plain),
                Zeroizing::new(crate::http::segment(plain)),
            ] {
                if form.len() >= SHORTEST && text.contains(form.as_str()) {
                    text = text.replace(form.as_str(), "…");
                }
            }
        }
        text
    }
}

/// As it stands between the quotation marks of a JSON text.
fn escaped(text: &str) -> Zeroizing<String> {
    let quoted = Zeroizing::new(serde_json::to_string(text).expect("a text is plain data"));
    Zeroizing::new(quoted[1..quoted.len() - 1].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_filled_in_and_hidden_in_every_form() {
        let secret = Secret::new("pa\"ss/wörd");
        let secrets = Secrets::of(|setting| (setting == "credential").then_some(&secret));
        let json = secrets.fill_json(r#"{"key":"Bearer {credential}"}"#);
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["key"], "Bearer pa\"ss/wörd");
        assert_eq!(secrets.fill("x={credential}").as_str(), "x=pa\"ss/wörd");
        for said in ["pa\"ss/wörd", "pa\\\"ss/wörd", "pa%22ss%2Fw%C3%B6rd"] {
            let hidden = secrets.hide(format!("url ?key={said} failed"));
            assert_eq!(hidden, "url ?key=… failed", "{said}");
        }
        assert_eq!(
            secrets.unfilled("{credential} {credential_2}"),
            ["credential_2"]
        );
        assert!(!format!("{secrets:?}").contains("wörd"));
    }
}
