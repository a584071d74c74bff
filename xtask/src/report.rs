//! What the steps of the pipeline changed and how long they took.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

/// Collects one line per step, and details for `--verbose`.
#[derive(Debug, Default)]
pub struct Report {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    changes: Vec<String>,
    took: Duration,
}

impl Report {
    /// Runs a step; what it notes is listed under its name.
    pub fn step<T>(&mut self, name: &'static str, run: impl FnOnce(&mut Changes) -> T) -> T {
        let started = Instant::now();
        let mut changes = Changes::default();
        let result = run(&mut changes);
        self.steps.push(Step {
            name,
            changes: changes.0,
            took: started.elapsed(),
        });
        result
    }

    /// The report as text: a line per step, with each change below it when `verbose`.
    pub fn text(&self, verbose: bool) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let millis = step.took.as_secs_f64() * 1000.0;
            text.push_str(&format!(
                "  {:<20} {:>5} changed {:>8.1} ms\n",
                step.name,
                step.changes.len(),
                millis
            ));
            if verbose {
                for change in &step.changes {
                    text.push_str(&format!("      {change}\n"));
                }
            }
        }
        text
    }
}

/// The changes of one step.
#[derive(Debug, Default)]
pub struct Changes(Vec<String>);

impl Changes {
    /// Notes one change.
    pub fn note(&mut self, change: impl Display) {
        self.0.push(change.to_string());
    }

    /// How many changes were noted.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
