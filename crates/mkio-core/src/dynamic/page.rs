//! A page of any list.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::Page;

/// Names that the link to the next page may have.
const LINKS: [&str; 4] = ["@odata.nextLink", "odata.nextLink", "@nextLink", "nextLink"];

/// A page of a list whose items are JSON as the service sent it.
#[derive(Default)]
pub struct AnyPage {
    items: Vec<Value>,
    next_link: Option<String>,
    total: Option<u64>,
}

impl AnyPage {
    /// The items of a list's response: its member `value`, else its only list, else the response
    /// itself.
    fn take_items(response: &mut Value) -> Vec<Value> {
        let list = match response {
            Value::Array(all) => return std::mem::take(all),
            Value::Object(members) => {
                let is_list = |name: &&String| members[name.as_str()].is_array();
                let mut lists: Vec<String> = members.keys().filter(is_list).cloned().collect();
                if members.get("value").is_some_and(Value::is_array) {
                    lists = vec!["value".to_owned()];
                }
                match &mut lists[..] {
                    [only] => members.get_mut(only.as_str()),
                    _ => None,
                }
            }
            _ => None,
        };
        match list {
            Some(Value::Array(all)) => std::mem::take(all),
            _ => Vec::new(),
        }
    }
}

impl<'de> Deserialize<'de> for AnyPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut response = Value::deserialize(deserializer)?;
        let link = LINKS.iter().find_map(|name| response.get(name)?.as_str());
        let next_link = link.map(str::to_owned);
        let total = response.pointer("/supplemental/pagination/total");
        let total = total.and_then(Value::as_u64);
        Ok(Self {
            items: Self::take_items(&mut response),
            next_link,
            total,
        })
    }
}

impl Page for AnyPage {
    type Item = Value;

    fn items(&self) -> &[Value] {
        &self.items
    }

    fn items_mut(&mut self) -> Option<&mut Vec<Value>> {
        Some(&mut self.items)
    }

    fn next_link(&self) -> Option<&str> {
        self.next_link.as_deref()
    }

    fn total(&self) -> Option<u64> {
        self.total
    }
}

/// Shows no items: they may hold secrets.
impl std::fmt::Debug for AnyPage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnyPage")
            .field("items", &self.items.len())
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
