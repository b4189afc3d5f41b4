//! Credentials that change while we work: access tokens that are renewed.

use std::fmt;

use async_trait::async_trait;

use crate::error::Result;
use crate::secret::Secret;

/// Where the `Authorization` header of each request comes from.
#[async_trait]
pub trait Access: Send + Sync + fmt::Debug {
    /// The header's value, as good as is known here.
    ///
    /// `refused` is a value that the service has just answered with 401. Then another one is
    /// made, unless that has happened in the meantime; where it cannot be made, the error's kind
    /// is [`crate::error::Kind::Auth`] exactly when a person must act.
    async fn header(&self, refused: Option<&Secret>) -> Result<Secret>;
}
