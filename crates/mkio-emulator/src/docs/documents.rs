//! The operations of the documents, and the one that a request names.

use std::sync::OnceLock;

use http::Method;

use crate::docs::{
    operation::{self, Operation},
    routes::{Parameters, RouteError, Routes},
    schemas::Schemas,
};

/// The documents' operations, read once per process.
pub struct Documents {
    operations: Vec<Operation>,
    routes: Routes,
}

impl Documents {
    /// The operations of the documents that this crate was built with.
    ///
    /// # Panics
    /// When a document that ships with the crate is not the OpenAPI document it has to be; a test of this crate reads them all.
    pub fn get() -> &'static Self {
        static DOCUMENTS: OnceLock<Documents> = OnceLock::new();
        DOCUMENTS.get_or_init(|| {
            Self::load().unwrap_or_else(|problem| {
                panic!("a document that ships with the crate cannot be read: {problem}")
            })
        })
    }

    fn load() -> Result<Self, String> {
        let mut operations = Vec::new();
        for (api, document) in Schemas::get().documents() {
            operation::collect(*api, document, &mut operations)?;
        }
        let routes = Routes::new(&operations);
        Ok(Self { operations, routes })
    }

    /// Every operation of the documents, in document order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation that a method and a raw (still escaped) path name, with its decoded path parameters.
    ///
    /// # Errors
    /// When no document has that path, or has it under other methods only, or an escape does not decode to UTF-8.
    pub fn route(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<(&Operation, Parameters<'_>), RouteError> {
        let (index, parameters) = self.routes.find(method, path)?;
        match self.operations.get(index) {
            Some(operation) => Ok((operation, parameters)),
            None => Err(RouteError::NotFound { hint: None }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_and_every_schema_compiles() {
        let documents = Documents::get();
        for operation in documents.operations() {
            assert!(!operation.name.is_empty(), "{} has no name", operation.id);
            for body in &operation.bodies {
                body.validator(operation.api)
                    .unwrap_or_else(|problem| panic!("{}: {problem}", operation.id));
            }
            for response in &operation.responses {
                response.validator(operation.api).unwrap_or_else(|problem| {
                    panic!("{} {}: {problem}", operation.id, response.status)
                });
            }
        }
    }
}
