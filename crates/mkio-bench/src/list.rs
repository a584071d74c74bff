//! A list of assets as the Media API answers it.

use serde_json::Value;

use crate::asset::asset;

/// Path of the list.
pub const LIST: &str = "/api/v1/projects/acme/media/assets";

/// A list of `pages` pages of `size` assets. All pages have the same items, so that a list of any
/// length takes the same memory here.
pub struct List {
    items: String,
    pages: usize,
}

impl List {
    /// A list of `pages` pages of `size` assets.
    pub fn new(pages: usize, size: usize) -> Self {
        let items: Vec<_> = (0..size).map(asset).collect();
        Self {
            items: Value::from(items).to_string(),
            pages,
        }
    }

    /// The response to a request with this query.
    pub fn respond(&self, query: &str) -> String {
        let at = query
            .split('&')
            .find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                matches!(name, "$skiptoken" | "%24skiptoken")
                    .then(|| value.parse::<usize>())?
                    .ok()
            })
            .unwrap_or(0);
        let link = if at + 1 < self.pages {
            format!(r#""@odata.nextLink":"{LIST}?$skiptoken={}","#, at + 1)
        } else {
            String::new()
        };
        let items = &self.items;
        format!(r#"{{{link}"value":{items}}}"#)
    }
}
