//! The workflows that the platform's documentation describes, as `recipes.txt` has them.

use std::collections::HashMap;

use http::Method;
use serde_json::Value;

use crate::common::{Caller, Response};

/// A recipe under way.
struct Kitchen {
    caller: Caller,
    names: HashMap<String, String>,
    last: Value,
}

impl Kitchen {
    /// A text with each name in it filled in.
    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): (&String, &String)| {
            text.replace(&format!("<{name}>"), value)
        };
        self.names.iter().fold(text.to_owned(), fill)
    }

    async fn ask(&mut self, method: &str, rest: &str) -> Response {
        let rest = self.filled(rest);
        let (status, rest) = rest.split_once(' ').expect("a path");
        let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let body = Some(body).filter(|body| !body.is_empty());
        let body = body.map(|body| serde_json::from_str(body).expect("a body of JSON"));
        let method: Method = method.parse().expect("a method");
        let response = self.caller.call(method, path, body).await;
        assert_eq!(response.status.to_string(), status, "{}", response.body);
        response
    }

    fn check(&self, rest: &str) {
        let (pointer, wanted) = rest.split_once(' ').expect("a value");
        let found = self.last.pointer(pointer).unwrap_or(&Value::Null);
        if wanted == "…" {
            assert!(!found.is_null(), "{pointer} of {}", self.last);
        } else {
            let wanted: Value = serde_json::from_str(&self.filled(wanted)).expect("JSON");
            assert_eq!(*found, wanted, "{pointer} of {}", self.last);
        }
    }

    fn keep(&mut self, rest: &str) {
        let (name, pointer) = rest.split_once(' ').unwrap_or((rest, ""));
        let found = self.last.pointer(pointer).unwrap_or(&Value::Null);
        assert!(!found.is_null(), "{pointer} of {}", self.last);
        let text = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        self.names.insert(name.to_owned(), text);
    }

    async fn follow(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').expect("more than a word");
        match word {
            "=" => self.check(rest),
            "let" => self.keep(rest),
            "wait" => self.caller.step(rest.parse().expect("seconds")),
            method => self.last = self.ask(method, rest).await.body,
        }
    }
}

#[tokio::test]
async fn the_recipes_run() {
    let mut kitchen: Option<Kitchen> = None;
    let mut recipes = 0;
    for (at, line) in include_str!("recipes.txt").lines().enumerate() {
        if line.starts_with("## ") {
            recipes += 1;
            kitchen = Some(Kitchen {
                caller: Caller::start().await,
                names: HashMap::new(),
                last: Value::Null,
            });
        } else if !line.is_empty() && !line.starts_with('#') {
            // The last line before a failure names the step.
            println!("recipes.txt:{}: {line}", at + 1);
            kitchen.as_mut().expect("a heading").follow(line).await;
        }
    }
    assert_eq!(recipes, 16);
}
