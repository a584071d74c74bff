//! The project-scoped client: every operation of a project with `project_name` filled in.

use syn::{Item, parse_quote};

use crate::{
    apis::Api,
    model::{Model, SCOPE},
    refine::{Signatures, requests},
};

/// The items of the module; none when the API knows no projects.
pub fn run(api: &Api, model: &Model, signatures: &Signatures) -> Vec<Item> {
    let owner = requests::Owner { api, scoped: true };
    let scoped: Vec<_> = model
        .operations
        .iter()
        .filter(|operation| operation.parameters.iter().any(|p| p.ident == SCOPE))
        .collect();
    if scoped.is_empty() {
        return Vec::new();
    }
    let methods = scoped
        .iter()
        .map(|operation| requests::method(operation, signatures, owner));
    vec![
        parse_quote! {
            /// A [`Client`] for one project: all its requests belong to this project.
            ///
            /// Cheap to clone.
            #[derive(Clone, Debug)]
            pub struct ProjectClient {
                client: Client,
                project: Arc<str>,
            }
        },
        parse_quote! {
            impl Client {
                /// The same client, for one project.
                pub fn project(&self, name: impl Into<Arc<str>>) -> ProjectClient {
                    ProjectClient { client: self.clone(), project: name.into() }
                }
            }
        },
        parse_quote! {
            impl ProjectClient {
                /// The client for all projects.
                pub fn client(&self) -> &Client {
                    &self.client
                }

                /// The transport that requests go through.
                pub fn transport(&self) -> &Transport {
                    self.client.transport()
                }

                /// Returns a client whose calls have other retries, timeouts or priority.
                #[must_use]
                pub fn with(&self, options: CallOptions) -> Self {
                    Self {
                        client: self.client.with(options),
                        project: self.project.clone(),
                    }
                }

                /// Name of the project.
                pub fn project_name(&self) -> &str {
                    &self.project
                }
            }
        },
        parse_quote!(impl ProjectClient { #(#methods)* }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Operation, Parameter, ResponseShape};

    #[test]
    fn only_operations_of_projects_are_scoped() {
        let operation = |id: &str, scoped: bool| Operation {
            id: id.to_owned(),
            method: "GET".to_owned(),
            path: "/a".to_owned(),
            docs: String::new(),
            parameters: scoped
                .then(|| Parameter {
                    name: SCOPE.to_owned(),
                    ident: SCOPE.to_owned(),
                    location: crate::model::Location::Path,
                    ty: parse_quote!(String),
                    schema: serde_json::Value::Null,
                    required: true,
                    many: false,
                    description: String::new(),
                })
                .into_iter()
                .collect(),
            body: None,
            body_schema: None,
            body_required: false,
            response: ResponseShape::Empty,
            client_error: None,
            server_error: None,
            statuses: Vec::new(),
            sort: Vec::new(),
            filter: Vec::new(),
            capability: Vec::new(),
            columns: Vec::new(),
        };
        let model = Model {
            operations: vec![operation("get_a", true), operation("get_b", false)],
            ..Model::default()
        };
        let file = crate::code::file(run(
            &crate::passes::testing::api(),
            &model,
            &Signatures::default(),
        ));
        let code = prettyplease::unparse(&file);
        assert!(code.contains("fn get_a(&self)"));
        assert!(!code.contains("get_b"));
        assert!(
            run(
                &crate::passes::testing::api(),
                &Model::default(),
                &Signatures::default()
            )
            .is_empty()
        );
    }
}
