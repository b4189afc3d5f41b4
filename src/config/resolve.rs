//! From a checked connection to the settings that its connector is built with.

use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::secret::{Secret, SecretRef};
use stundenbuch_connectors::{Error, Result};

use super::model::{Connection, PlainValue, SettingValue};

impl Connection {
    /// The settings with their secrets looked up: `lookup` is `connectors::secret::resolve`
    /// with the places of this process.
    ///
    /// # Errors
    /// Every secret that was not found, so that all of them can be stored at once.
    pub fn settings(
        &self,
        lookup: &dyn Fn(&SecretRef) -> Result<Secret>,
    ) -> Result<Settings, Vec<Error>> {
        let mut settings = Settings::default();
        let mut errors = Vec::new();
        for setting in self.entry.kind.settings {
            let value = match self.settings.get(setting.key) {
                None => continue,
                Some(SettingValue::Plain(plain)) => value(plain),
                Some(SettingValue::Secret(reference)) => match lookup(reference) {
                    Ok(secret) => Value::Secret(secret),
                    Err(error) => {
                        errors.push(
                            error
                                .with("connection", &self.name)
                                .with("key", setting.key),
                        );
                        continue;
                    }
                },
            };
            settings.set(setting, value);
        }
        if errors.is_empty() {
            Ok(settings)
        } else {
            Err(errors)
        }
    }
}

fn value(plain: &PlainValue) -> Value {
    match plain {
        PlainValue::Text(text) => Value::Text(text.clone()),
        PlainValue::Url(url) => Value::Url(url.clone()),
        PlainValue::Path(path) => Value::Path(path.clone()),
        PlainValue::Date(day) => Value::Date(*day),
        PlainValue::Count(count) => Value::Count(*count),
        PlainValue::Flag(flag) => Value::Flag(*flag),
        PlainValue::Texts(texts) => Value::Texts(texts.clone()),
        PlainValue::Table(table) => Value::Table(table.clone()),
    }
}
