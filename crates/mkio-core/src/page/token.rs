//! A place in a list that outlives the process.

use serde::{Deserialize, Serialize};

/// A place in a list: after the last item that was handed out.
///
/// Write it anywhere with `serde`, and give it to [`Items::resume`](super::Items::resume) or
/// [`Pages::resume`](super::Pages::resume) of the same list, in this process or another one: the
/// list goes on with the next item. It holds the parameters of the page it stands on (filter,
/// order, page size), so those of the new request do not count. It holds no credential and no
/// host: only the list that it came from accepts it, at the address of the new client, so a forged
/// token sends no request to another place. A page size that the service has changed in the
/// meantime does no harm.
///
/// ```no_run
/// # async fn example<P: mkio_core::Page>(items: mkio_core::Items<P>) -> Result<(), Box<dyn std::error::Error>> {
/// use mkio_core::ResumeToken;
///
/// // `items` is `media.list_assets().items()`, for example.
/// let place: ResumeToken = serde_json::from_str(&std::fs::read_to_string("place.json")?)?;
/// let mut items = items.resume(&place);
/// while let Some(item) = items.try_next().await? {
///     # drop(item);
///     std::fs::write("place.json", serde_json::to_string(&items.resume_token())?)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResumeToken {
    /// Path of the list, as a guard against resuming another one.
    pub(crate) list: String,
    /// Query of the page, as it was sent.
    // Written even when there is none: formats without names count members.
    #[serde(default)]
    pub(crate) query: Option<String>,
    /// Items of that page that have been handed out.
    #[serde(default)]
    pub(crate) offset: usize,
}

impl ResumeToken {
    /// Items of the page that have been handed out already.
    pub fn offset(&self) -> usize {
        self.offset
    }
}
