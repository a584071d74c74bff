//! The results of the calls, as a table.

use std::fmt::Write;

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::calls::{Call, Plan};

/// The calling program's report on one call, in the order of the calls.
#[derive(Debug, Deserialize)]
pub struct CallResult {
    /// Name of the operation in Rust.
    pub operation: String,
    /// Status of the response, none when there was no response.
    pub status: Option<u16>,
    /// The error, as the caller saw it.
    pub error: Option<String>,
}

/// The result of one API.
#[derive(Debug)]
pub struct Outcome {
    pub api: String,
    pub operations: usize,
    pub operations_accepted: usize,
    pub calls: usize,
    pub calls_accepted: usize,
    /// Operation and reason, one for each operation that was refused.
    pub refused: Vec<(String, String)>,
}

impl Outcome {
    /// Every operation was accepted.
    pub fn is_clean(&self) -> bool {
        self.operations == self.operations_accepted
    }
}

/// Joins plans and results.
pub fn judge(api: &str, plans: &[Plan<'_>], results: &[CallResult]) -> Result<Outcome> {
    let calls: Vec<(&Plan<'_>, &Call)> = plans
        .iter()
        .flat_map(|plan| plan.calls.iter().map(move |call| (plan, call)))
        .collect();
    ensure!(
        calls.len() == results.len()
            && calls
                .iter()
                .zip(results)
                .all(|((_, call), result)| call.operation == result.operation),
        "{api}: the report does not have one entry for each call, in the order of the calls"
    );
    let mut outcome = Outcome {
        api: api.to_owned(),
        operations: plans.len(),
        operations_accepted: 0,
        calls: calls.len(),
        calls_accepted: 0,
        refused: Vec::new(),
    };
    let mut results = results.iter();
    for plan in plans {
        let mut reason = plan.problem.clone();
        for result in results.by_ref().take(plan.calls.len()) {
            match refusal(result) {
                None => outcome.calls_accepted += 1,
                Some(text) => {
                    reason.get_or_insert(text);
                }
            }
        }
        match reason {
            None => outcome.operations_accepted += 1,
            Some(reason) => {
                let target = plan.target;
                let name = plan.operation.clone().unwrap_or_default();
                let place = format!("{} {}", target.method.to_uppercase(), target.path);
                outcome.refused.push((format!("{name} ({place})"), reason));
            }
        }
    }
    Ok(outcome)
}

/// Why a call counts as refused. Prism's copy of a document has responses of success only, so any
/// other status comes from Prism itself.
fn refusal(result: &CallResult) -> Option<String> {
    let error = short(result.error.as_deref().unwrap_or_default());
    match result.status {
        Some(status) if (200..300).contains(&status) => None,
        Some(status) => Some(format!("{status}: {error}")),
        None => Some(format!("no response: {error}")),
    }
}

fn short(text: &str) -> String {
    const MOST: usize = 400;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The table for people.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:<16}{:>12}{:>10}{:>8}{:>10}\n",
        "API", "operations", "accepted", "calls", "accepted"
    );
    let mut row = |name: &str, numbers: [usize; 4]| {
        let [operations, accepted, calls, calls_accepted] = numbers;
        // A String takes any text.
        let _ = writeln!(
            text,
            "{name:<16}{operations:>12}{accepted:>10}{calls:>8}{calls_accepted:>10}"
        );
    };
    let mut total = [0; 4];
    for outcome in outcomes {
        let numbers = [
            outcome.operations,
            outcome.operations_accepted,
            outcome.calls,
            outcome.calls_accepted,
        ];
        row(&outcome.api, numbers);
        for (sum, number) in total.iter_mut().zip(numbers) {
            *sum += number;
        }
    }
    row("all", total);
    for outcome in outcomes {
        for (operation, reason) in &outcome.refused {
            let _ = writeln!(text, "refused: {} {operation}: {reason}", outcome.api);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::calls::Target;

    fn plan(name: &str, calls: usize) -> Plan<'static> {
        let call = Call {
            operation: name.to_owned(),
            arguments: serde_json::Map::new(),
        };
        Plan {
            target: Target {
                method: "get",
                path: "/a",
                media_type: None,
            },
            operation: Some(name.to_owned()),
            calls: vec![call; calls],
            problem: None,
        }
    }

    fn result(name: &str, status: Option<u16>, error: &str) -> CallResult {
        CallResult {
            operation: name.to_owned(),
            status,
            error: (!error.is_empty()).then(|| error.to_owned()),
        }
    }

    #[test]
    fn accepted_and_refused_are_counted() {
        let plans = [plan("a", 2), plan("b", 1), plan("c", 1), plan("d", 1)];
        let results = [
            result("a", Some(200), ""),
            result("a", Some(422), "body/x\n is wrong"),
            result("b", Some(201), "unread"),
            result(
                "c",
                Some(422),
                "https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY",
            ),
            result("d", None, "connection refused"),
        ];
        let outcome = judge("media", &plans, &results).expect("counts");
        assert_eq!((outcome.operations, outcome.operations_accepted), (4, 1));
        assert_eq!((outcome.calls, outcome.calls_accepted), (5, 2));
        assert!(!outcome.is_clean());
        let clean = judge("media", &plans[1..2], &results[2..3]).expect("counts");
        assert!(clean.is_clean());
        let table = table(&[outcome]);
        assert!(
            table.contains("refused: media a (GET /a): 422: body/x is wrong\n"),
            "{table}"
        );
        assert!(table.contains("refused: media d (GET /a): no response: connection refused"));
        assert!(
            table.contains("all                        4         1       5         2\n"),
            "{table}"
        );
    }

    #[test]
    fn a_report_that_does_not_fit_is_an_error() {
        let plans = [plan("a", 1)];
        assert!(judge("media", &plans, &[]).is_err());
        assert!(judge("media", &plans, &[result("b", Some(200), "")]).is_err());
    }
}
