//! The report of the pipeline's steps: changes, warnings, problems and times.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use crate::document::{Problem, Problems};

/// Collects one line per step, and details for `--verbose`.
#[derive(Debug, Default)]
pub struct Report {
    steps: Vec<Step>,
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
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
            changes: changes.notes,
            took: started.elapsed(),
        });
        self.warnings.append(&mut changes.warnings);
        self.problems.append(&mut changes.problems);
        result
    }

    /// Places at which the generated code differs from the document.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Prints the warnings; gives their number.
    pub fn print_warnings(&self) -> usize {
        for warning in &self.warnings {
            eprintln!("warning: {warning}");
        }
        self.warnings.len()
    }

    /// Ends the run with all problems of the steps so far.
    pub fn check(&mut self) -> Result<(), Problems> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(Problems(std::mem::take(&mut self.problems)))
    }

    /// The report as text: a line per step, with each change below it when `verbose`.
    pub fn text(&self, verbose: bool) -> String {
        let mut text = String::new();
        for step in &self.steps {
            text.push_str(&format!(
                "  {:<20} {:>5} changed {:>10.1?}\n",
                step.name,
                step.changes.len(),
                step.took
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

/// The changes of one step. A step with a problem leaves out the faulty part and goes on, so that
/// one run shows all problems.
#[derive(Debug, Default)]
pub struct Changes {
    notes: Vec<String>,
    warnings: Vec<Problem>,
    problems: Vec<Problem>,
}

impl Changes {
    /// Notes one change.
    pub fn note(&mut self, change: impl Display) {
        self.notes.push(change.to_string());
    }

    /// Code is made, but differs from the document; or a person should look at it.
    pub fn warn(&mut self, warning: Problem) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// No code is made.
    pub fn refuse(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.notes.len()
    }

    #[cfg(test)]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    #[cfg(test)]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    #[cfg(test)]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_a_line_for_each_step_and_its_changes_on_demand() {
        let mut report = Report::default();
        report.step("first", |changes| changes.note("a.b"));
        report.step("second", |_| ());
        let short = report.text(false);
        let lines: Vec<&str> = short.lines().map(str::trim).collect();
        assert!(lines[0].starts_with("first") && lines[0].contains(" 1 changed"));
        assert!(lines[1].starts_with("second") && lines[1].contains(" 0 changed"));
        assert_eq!(lines.len(), 2, "{short}");
        let long = report.text(true);
        let lines: Vec<&str> = long.lines().map(str::trim).collect();
        assert_eq!((lines.len(), lines[1]), (3, "a.b"), "{long}");
    }
}
