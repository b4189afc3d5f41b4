//! From a story to an activity: who did what to a task, and when. Pure.

use super::normalise::person_ref;
use crate::error::Reject;
use crate::import::Fields;
use crate::record::{Activity, ExternalId};

/// The subtype of a comment.
pub(super) const COMMENT: &str = "comment_added";

/// Maps a story of a task.
pub(super) fn read(story: Fields<'_>, task: &str) -> Result<Activity, Reject> {
    let subtype = story.needed("resource_subtype")?;
    let text = if subtype == COMMENT {
        story.text("text")?.unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    Ok(Activity {
        task: ExternalId::new(task),
        at: story
            .instant("created_at")?
            .ok_or_else(|| Reject::field("created_at", "is missing"))?,
        what: phrase(story, subtype)?,
        person: story.object("created_by")?.map(person_ref).transpose()?,
        text,
    })
}

/// A short verb phrase for what was done. The story's own `text` says it, too, and is not used:
/// Asana may word it differently tomorrow ("Stories", `text`, read 2026-11).
fn phrase(story: Fields<'_>, subtype: &str) -> Result<String, Reject> {
    let called = |key: &'static str| -> Result<String, Reject> {
        let thing = story.object(key)?;
        let name = thing.map(|thing| thing.text("name")).transpose()?.flatten();
        Ok(name.unwrap_or("?").to_owned())
    };
    Ok(match subtype {
        COMMENT => "commented".to_owned(),
        "marked_complete" => "completed".to_owned(),
        "marked_incomplete" => "opened again".to_owned(),
        "assigned" => format!("assigned to {}", called("assignee")?),
        "unassigned" => "unassigned".to_owned(),
        "section_changed" => format!("moved to {}", called("new_section")?),
        "added_to_project" => format!("added to the project {}", called("project")?),
        "removed_from_project" => format!("removed from the project {}", called("project")?),
        "added_to_tag" => format!("tagged {}", called("tag")?),
        "removed_from_tag" => format!("no longer tagged {}", called("tag")?),
        "name_changed" => format!("renamed from {}", story.text("old_name")?.unwrap_or("?")),
        "notes_changed" => "changed the description".to_owned(),
        "due_date_changed" | "due_today" => "changed the due date".to_owned(),
        "attachment_added" => "attached a file".to_owned(),
        _ if subtype.ends_with("_custom_field_changed") => {
            format!("changed {}", called("custom_field")?)
        }
        // Asana's own word for what it will think of next.
        other => other.replace('_', " "),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn what(subtype: &str, more: &Value) -> String {
        let mut story = json!({"gid": "1", "created_at": "2026-11-02T09:00:00.000Z",
            "resource_subtype": subtype, "text": "words of Asana",
            "created_by": {"gid": "5", "name": "Ada Beispiel"}});
        for (key, value) in more.as_object().unwrap() {
            story[key] = value.clone();
        }
        let activity = read(Fields::of(&story).unwrap(), "7").unwrap();
        assert_eq!(activity.task.as_str(), "7");
        assert_eq!(activity.text.is_empty(), subtype != COMMENT);
        activity.what
    }

    #[test]
    fn phrases_say_what_was_done_in_words_that_stay() {
        let named = |key: &str| json!({key: {"gid": "3", "name": "Abnahme"}});
        for (subtype, more, phrase) in [
            ("comment_added", json!({}), "commented"),
            ("marked_complete", json!({}), "completed"),
            ("section_changed", named("new_section"), "moved to Abnahme"),
            ("section_changed", json!({}), "moved to ?"),
            ("assigned", named("assignee"), "assigned to Abnahme"),
            (
                "name_changed",
                json!({"old_name": "Alt"}),
                "renamed from Alt",
            ),
            (
                "number_custom_field_changed",
                named("custom_field"),
                "changed Abnahme",
            ),
            ("dependency_added", json!({}), "dependency added"),
        ] {
            assert_eq!(what(subtype, &more), phrase);
        }
    }

    #[test]
    fn a_story_without_an_instant_or_a_kind_is_refused() {
        let whole = json!({"created_at": "2026-11-02T09:00:00.000Z",
            "resource_subtype": "comment_added", "text": "Bitte prüfen"});
        for missing in ["created_at", "resource_subtype"] {
            let mut broken = whole.clone();
            broken.as_object_mut().unwrap().remove(missing);
            let reject = read(Fields::of(&broken).unwrap(), "7").unwrap_err();
            assert_eq!(reject.field, Some(missing));
        }
    }
}
