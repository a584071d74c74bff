use serde_json::json;

use super::*;
use crate::{
    document::Document,
    model::{Location, Model},
    passes::testing::{api, with_schemas},
    report::Changes,
};

const JOB: &str = "
media.job:
  model: Job
  item: get_job
  params: [job_name]
  type: JobState
  states: {Queued: transient, Finished: success}
  goals: {finished: {states: [Finished]}}
  timeout: 60
  poll: [1, 2]
";

fn entry_problems(document: &Document, text: &str) -> Vec<String> {
    let states = parse(&api(), text).unwrap();
    let mut changes = Changes::default();
    connect(document, &mut Model::new(document), &states, &mut changes);
    changes.problems().iter().map(ToString::to_string).collect()
}

/// A state or a property that the service has renamed would make waits run into their deadline.
#[test]
fn states_and_places_are_those_of_the_document() {
    let reference = |name: &str| json!({"allOf": [crate::document::reference(name)]});
    let document = |property: &str, values: &[&str]| {
        with_schemas(json!({
            "Job": {"properties": {"properties": reference("JobProperties")}},
            "JobProperties": {"properties": {
                property: reference("JobState"), "outputs": {"type": "array", "items": {}},
                "note": {"type": "string"}, "map": {"type": "object"}, "any": {},
            }},
            "JobState": {"type": "string", "enum": values},
        }))
    };
    let job = JOB.replace("  item: get_job\n", "") + "  pointer: /properties/state\n";
    let told = |document: &Document, more: &str| {
        let states = parse(&api(), &format!("{job}{more}")).unwrap();
        let mut changes = Changes::default();
        connect(document, &mut Model::new(document), &states, &mut changes);
        let texts = |of: &[crate::document::Problem]| {
            of.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        (texts(changes.problems()), texts(changes.warnings()))
    };
    let fine = document("state", &["Queued", "Finished"]);
    assert_eq!(told(&fine, ""), (vec![], vec![]));
    assert_eq!(
        told(&fine, "  progress: /properties/outputs/*/progress\n"),
        (vec![], vec![])
    );
    let (problems, warnings) = told(&document("state", &["Queued", "Completed"]), "");
    assert!(
        problems[0].contains("\"Finished\"")
            && problems[0].contains("/components/schemas/JobState"),
        "{problems:?}"
    );
    assert!(warnings[0].contains("\"Completed\""), "{warnings:?}");
    let (problems, warnings) = told(
        &document("state", &["Queued"]),
        "  undeclared: [Finished]\n",
    );
    assert_eq!((problems, warnings), (vec![], vec![]));
    let (problems, _) = told(&document("phase", &["Queued", "Finished"]), "");
    assert!(
        problems[0].contains("/properties/state") && problems[0].contains("JobProperties"),
        "{problems:?}"
    );
    for place in ["/properties/outputs/error", "/properties/note/error"] {
        let (problems, _) = told(&fine, &format!("  errors: [{place}]\n"));
        assert!(problems[0].contains(place), "{problems:?}");
    }
    let open = "  errors: [/properties/map/error, /properties/any/error]\n";
    assert_eq!(told(&fine, open), (vec![], vec![]));
    // The document names the enum at the place, whether the entry does or not.
    let text = job.replace("  type: JobState\n", "");
    let found = entry_problems(&document("state", &["Queued", "Completed"]), &text);
    assert!(found[0].contains("\"Finished\""), "{found:?}");
}

#[test]
fn only_operations_that_send_a_body_are_given_one() {
    let content = json!({"content": {"application/json": {"schema": {"type": "object"}}}});
    let mut document = crate::passes::testing::with_paths(json!({
        "/start": {"post": {"operationId": "start_job", "responses": {}}},
        "/stop": {"post": {"operationId": "stop_job", "requestBody": content, "responses": {}}},
    }));
    document.root["components"]["schemas"] = json!({"Job": {"properties": {}}});
    for (operation, body, refused) in [
        ("start_job", "", false),
        ("start_job", "body: {force: true}, ", true),
        ("stop_job", "body: {force: true}, ", false),
    ] {
        let job = JOB.replace("  item: get_job\n", "");
        let action =
            format!("  actions: {{act: {{operation: {operation}, {body}goal: finished}}}}\n");
        let found = entry_problems(&document, &format!("{job}{action}")).join(" ");
        assert_eq!(found.contains("which sends none"), refused, "{found}");
    }
}

#[test]
fn calls_exist_and_have_names_of_their_own() {
    let job = JOB.replace("  item: get_job\n", "");
    let mut document = crate::passes::testing::with_paths(json!({
        "/jobs": {"get": {"operationId": "wait_for_job", "responses": {}}},
    }));
    document.root["components"]["schemas"] = json!({"Job": {"properties": {}}});
    let found = entry_problems(&document, &job);
    assert!(
        found[0].contains("\"wait_for_job\", which /paths/~1jobs/get"),
        "{found:?}"
    );
    let document = with_schemas(json!({"Job": {"properties": {}}}));
    let action = "  actions: {start: {operation: start_job, goal: finished}}\n";
    let found = entry_problems(&document, &format!("{job}{action}"));
    assert!(
        found[0].contains("\"start_job\", which does not exist"),
        "{found:?}"
    );
    for (name, text) in [
        ("jobName", job.replace("job_name", "jobName")),
        ("job_state", job.replace("JobState", "job_state")),
        ("Job", job.replace("media.job", "media.Job")),
    ] {
        let found = entry_problems(&document, &text).join(" ");
        assert!(
            found.contains(&format!("{name:?}, which is not a name in Rust")),
            "{found}"
        );
    }
}

#[test]
fn entries_of_one_api_are_read() {
    assert_eq!(parse(&api(), JOB).unwrap()["job"].params, ["job_name"]);
    let other = Api::unlisted("live", "Live").unwrap();
    assert!(parse(&other, JOB).unwrap().is_empty());
    assert!(parse(&api(), "media.job: {typo: 1}").is_err());
    let workspace = Workspace::open(None).unwrap();
    assert!(check_owners(&workspace, JOB).is_ok());
    let error = check_owners(&workspace, "medai.job: {}").unwrap_err();
    assert!(format!("{error:#}").contains("medai.job"), "{error:#}");
}

#[test]
fn what_does_not_exist_is_named() {
    let document = with_schemas(json!({"Job": {"properties": {}}}));
    let found = entry_problems(&document, JOB);
    assert!(found[0].contains("get_job"), "{found:?}");
}

#[test]
fn goals_and_states_of_actions_are_checked() {
    let job = JOB.replace("  item: get_job\n", "");
    let document = with_schemas(json!({"Job": {"properties": {}}}));
    let found = |more: &str| entry_problems(&document, &format!("{job}{more}")).join(" ");
    assert!(found("  busy: [Flying]\n").contains("Flying"));
    assert!(found("  name_param: whose\n").contains("whose"));
}

#[test]
fn an_entry_without_a_goal_or_a_goal_without_states_is_refused() {
    let job = JOB.replace("  item: get_job\n", "");
    let document = with_schemas(json!({"Job": {"properties": {}}}));
    for goals in ["goals: {}", "goals: {finished: {states: []}}"] {
        let text = job.replace("goals: {finished: {states: [Finished]}}", goals);
        let found = entry_problems(&document, &text);
        assert!(found[0].contains("nothing to wait for"), "{found:?}");
    }
}

#[test]
fn parameters_that_an_operation_needs_are_named() {
    let document = with_schemas(json!({"Job": {"properties": {}}}));
    let mut model = Model::new(&document);
    let parameter = |ident: &str, location| crate::model::Parameter {
        name: ident.to_owned(),
        ident: ident.to_owned(),
        location,
        ty: syn::parse_quote!(String),
        schema: serde_json::Value::Null,
        required: true,
        many: false,
        description: String::new(),
    };
    model.operations.push(crate::model::Operation {
        id: "get_job".to_owned(),
        method: "GET".to_owned(),
        path: "/jobs/{transform_name}/{job_name}".to_owned(),
        parameters: vec![
            parameter("expand", Location::Query),
            parameter("transform_name", Location::Path),
        ],
        body: None,
        body_schema: None,
        body_required: false,
        docs: String::new(),
        response: crate::model::ResponseShape::Empty,
        client_error: None,
        server_error: None,
        statuses: Vec::new(),
        sort: Vec::new(),
        filter: Vec::new(),
        capability: Vec::new(),
        columns: Vec::new(),
    });
    let states = parse(&api(), JOB).unwrap();
    let mut changes = Changes::default();
    connect(&document, &mut model, &states, &mut changes);
    let problem = &changes.problems()[0];
    assert!(problem.found.contains("transform_name"), "{problem}");
}

#[test]
fn names_get_their_article() {
    assert_eq!(with_article("asset"), "an asset");
    assert_eq!(with_article("live_event"), "a live event");
}

#[test]
fn the_steps_of_an_action_come_in_their_order() {
    let restart: Action = serde_norway::from_str(
        "{first: {operation: stop, goal: stopped}, operation: start, goal: running}",
    )
    .unwrap();
    let steps: Vec<_> = restart
        .steps()
        .iter()
        .map(|step| &*step.operation)
        .collect();
    assert_eq!(steps, ["stop", "start"]);
}

#[test]
fn every_entry_of_the_file_is_understood() {
    let workspace = Workspace::open(None).unwrap();
    let text = read(&workspace).unwrap();
    check_owners(&workspace, &text).unwrap();
    let of = |api: &std::sync::Arc<Api>| {
        let states = parse(api, &text).unwrap();
        let names = states
            .into_keys()
            .map(|name| format!("{}.{name}", api.name));
        names.collect::<Vec<_>>()
    };
    let entries: Vec<String> = workspace.apis().iter().flat_map(of).collect();
    let lines = text
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let keys = lines.filter_map(|line| line.split_once(':'));
    let others: Vec<&str> = keys
        .map(|(key, _)| key)
        .filter(|key| !entries.iter().any(|entry| entry == key))
        .collect();
    assert_eq!(others, ["media.storage_link"], "for the emulator alone");
}
