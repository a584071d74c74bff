//! Everything that was shown.

use std::any::type_name;
use std::error::Error as _;
use std::fmt::{Debug, Display};

use crate::CANARY;

/// Texts, and the types whose `Debug` made some of them.
#[derive(Default)]
pub struct Shown {
    texts: Vec<String>,
    types: Vec<&'static str>,
}

impl Shown {
    /// Both forms of `Debug`.
    pub fn debug<T: Debug>(&mut self, value: &T) {
        self.texts.push(format!("{value:?}"));
        self.texts.push(format!("{value:#?}"));
        self.types.push(type_name::<T>());
    }

    pub fn display(&mut self, value: &impl Display) {
        self.texts.push(value.to_string());
        self.texts.push(format!("{value:#}"));
    }

    /// The texts of an error and of its causes, without the raw response.
    pub fn error(&mut self, error: &mkio::Error) {
        self.debug(error);
        self.display(error);
        self.debug(&error.kind());
        self.debug(&(error.message(), error.code(), error.detail()));
        self.debug(&(error.reference(), error.json_path(), error.expectation()));
        self.debug(&error.operation());
        let mut cause = error.source();
        while let Some(next) = cause {
            self.texts.push(format!("{next} {next:?} {next:#?}"));
            cause = next.source();
        }
    }

    /// The error of a call that must fail.
    pub fn failure<T>(&mut self, result: mkio::Result<T>) {
        match result {
            Ok(_) => panic!("this call should fail"),
            Err(error) => self.error(&error),
        }
    }

    /// What `Debug` of a type made elsewhere.
    pub fn texts_of<T>(&mut self, texts: Vec<String>) {
        self.texts.extend(texts);
        self.types.push(type_name::<T>());
    }

    pub fn text(&mut self, text: String) {
        self.texts.push(text);
    }

    pub fn types(&self) -> &[&'static str] {
        &self.types
    }

    pub fn check(&self) {
        for text in &self.texts {
            if let Some(at) = text.find(CANARY) {
                let around = at.saturating_sub(400)..(at + 100).min(text.len());
                let around = String::from_utf8_lossy(&text.as_bytes()[around]);
                panic!("a secret is shown: …{around}…");
            }
        }
    }
}
