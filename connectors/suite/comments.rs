//! Comments: one for each marker, edited in place, and never over a person's words.

use super::Trouble;
use super::deliver::hash;
use crate::contract::{Connector, Item, Outcome, Outgoing, OutgoingComment, Receipt};
use crate::record::ExternalId;

/// A board that a test can look at, and connectors that write on it.
pub trait CommentSubject: Sync {
    /// A fresh connector over the same world, as after a restart.
    fn connector(&self) -> Box<dyn Connector>;

    /// A new card or task.
    fn task(&self) -> ExternalId;

    /// The comments under it, the oldest first.
    fn comments(&self, task: &ExternalId) -> Vec<String>;

    /// A person writes a comment of this text.
    fn say(&self, task: &ExternalId, text: &str);

    /// A person changes the comment that reads `from`.
    fn edit(&self, task: &ExternalId, from: &str, to: &str);

    /// Lets all requests fail after the next `skip`, until [`CommentSubject::heal`].
    fn break_with(&self, trouble: Trouble, skip: u32);

    /// Ends every trouble.
    fn heal(&self);
}

const MARKER: &str = "[#2026-10-7f3a9c]";

/// Holds a connector that delivers comments to what a comment of ours is.
pub async fn comments_once<S: CommentSubject>(subject: &S) {
    let task = subject.task();
    // Somebody quotes the marker: that is no comment of ours.
    subject.say(&task, &format!("What is {MARKER}?"));
    let stranger = subject.comments(&task);
    let with = |text: &str| {
        let mut all = stranger.clone();
        all.push(text.to_owned());
        all
    };
    let first = text("October 2026: 2:30 h, \"Übung\" <b>&amp;");
    expect(subject, &task, &first, None, Outcome::Created).await;
    assert_eq!(subject.comments(&task), with(&first), "the first comment");
    expect(subject, &task, &first, None, Outcome::AlreadyThere).await;
    assert_eq!(subject.comments(&task), with(&first), "the same again");

    let second = text("October 2026: 3:00 h");
    expect(subject, &task, &second, Some(&first), Outcome::Replaced).await;
    expect(subject, &task, &second, Some(&first), Outcome::AlreadyThere).await;
    assert_eq!(subject.comments(&task), with(&second), "edited in place");

    let theirs = format!("{second}\n(paid, Anna)");
    subject.edit(&task, &second, &theirs);
    let third = text("October 2026: 3:30 h");
    expect(subject, &task, &third, Some(&second), Outcome::Kept).await;
    assert_eq!(subject.comments(&task), with(&theirs), "a person's edit");

    for trouble in [Trouble::Lost, Trouble::Away, Trouble::Cut] {
        for skip in 0..6 {
            cut_off(subject, trouble, skip).await;
        }
    }
}

/// A comment cut off at any request is there once after it was made again.
async fn cut_off<S: CommentSubject>(subject: &S, trouble: Trouble, skip: u32) {
    let task = subject.task();
    let (first, second) = (text("one"), text("two"));
    for (wanted, replaces) in [(&first, None), (&second, Some(first.as_str()))] {
        subject.break_with(trouble, skip);
        let lost = subject
            .connector()
            .deliver(&comment(&task, wanted, replaces))
            .await;
        subject.heal();
        let receipt = deliver(subject, &task, wanted, replaces).await;
        let what = format!("{trouble:?} after {skip} requests, {lost:?}, then {receipt:?}");
        assert_eq!(subject.comments(&task), [wanted.as_str()], "{what}");
    }
}

async fn expect<S: CommentSubject>(
    subject: &S,
    task: &ExternalId,
    text: &str,
    replaces: Option<&str>,
    wanted: Outcome,
) {
    let receipt = deliver(subject, task, text, replaces).await;
    assert_eq!(receipt.outcome, wanted, "{text}");
}

async fn deliver<S: CommentSubject>(
    subject: &S,
    task: &ExternalId,
    text: &str,
    replaces: Option<&str>,
) -> Receipt {
    let item = comment(task, text, replaces);
    let receipt = subject.connector().deliver(&item).await;
    receipt.unwrap_or_else(|error| panic!("a comment fails: {error}"))
}

fn text(words: &str) -> String {
    format!("{words}\n{MARKER}")
}

fn comment(task: &ExternalId, text: &str, replaces: Option<&str>) -> Outgoing {
    Outgoing {
        key: format!("{task} {MARKER}"),
        item: Item::Comment(OutgoingComment {
            task: task.clone(),
            marker: MARKER.to_owned(),
            text: text.to_owned(),
            replaces: replaces.map(|text| hash(text.as_bytes())),
        }),
    }
}
