//! Standard output: the response, in the wanted format.

mod jq;
pub mod path;
mod table;

use std::{
    collections::HashSet,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::ValueEnum;
use serde_json::Value;

use self::jq::Filter;
pub use self::table::plain;
use crate::failure::{Exit, Failure, Result};

/// The format of responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    Table,
    /// One JSON document.
    Json,
    /// A line of JSON for each item.
    Jsonl,
    /// YAML.
    Yaml,
    /// Comma-separated values, with a line of names.
    Csv,
    /// Names, one a line.
    Name,
}

/// The wanted form of the output.
pub struct Wanted {
    pub format: Option<Format>,
    pub columns: Option<Vec<String>>,
    pub jq: Option<String>,
}

/// Writes responses to standard output.
pub struct Output {
    format: Format,
    /// The user has chosen no form.
    is_plain: bool,
    /// The line of names is written, of rows that come one by one.
    has_head: AtomicBool,
    columns: Option<Vec<String>>,
    filter: Option<Filter>,
}

impl Output {
    pub fn new(wanted: &Wanted) -> Result<Self> {
        Ok(Self {
            format: wanted.format.unwrap_or(Format::Table),
            is_plain: wanted.format.is_none() && wanted.columns.is_none() && wanted.jq.is_none(),
            has_head: AtomicBool::new(false),
            columns: wanted.columns.clone(),
            filter: wanted.jq.as_deref().map(Filter::new).transpose()?,
        })
    }

    /// The format that is written; none where a filter makes the lines.
    pub fn format(&self) -> Option<Format> {
        self.filter.is_none().then_some(self.format)
    }

    /// Output for people is wanted: no columns, no filter, and no format but the table.
    pub fn is_for_people(&self) -> bool {
        self.format() == Some(Format::Table) && self.columns.is_none()
    }

    /// The columns that were asked for.
    pub fn wanted_columns(&self) -> &[String] {
        self.columns.as_deref().unwrap_or_default()
    }

    /// Writes a document that another command reads: YAML unless a form was asked for.
    pub fn document(&self, value: &Value) -> Result<()> {
        if !self.is_plain {
            return self.one(value, &[]);
        }
        let mut out = io::stdout().lock();
        write!(out, "{}", yaml(value)?)?;
        out.flush().map_err(Failure::from)
    }

    /// Writes one of many values that come over time; each is whole by itself.
    pub fn each(&self, value: &Value, columns: &[&str]) -> Result<()> {
        let mut out = io::stdout().lock();
        if let Some(filter) = &self.filter {
            return lines(&mut out, &filter.run(value)?);
        }
        match self.format {
            Format::Json | Format::Jsonl => writeln!(out, "{value}")?,
            Format::Yaml => write!(out, "---\n{}", yaml(value)?)?,
            Format::Name => lines(&mut out, &[named(value)?])?,
            Format::Csv | Format::Table => {
                let items = std::slice::from_ref(value);
                let columns = self.columns(columns, items);
                let head = !self.has_head.swap(true, Ordering::Relaxed);
                self.write_rows(&mut out, items, &columns, head)?;
            }
        }
        out.flush().map_err(Failure::from)
    }

    fn write_rows(
        &self,
        out: &mut impl Write,
        items: &[Value],
        columns: &[String],
        head: bool,
    ) -> Result<()> {
        if self.format == Format::Csv {
            return csv_rows(out, items, columns, head);
        }
        let row = |item| columns.iter().map(|column| cell(item, column)).collect();
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        let heads: Vec<String> = headings(columns);
        table::write(out, head.then_some(&heads), &rows, width())?;
        Ok(())
    }

    /// Writes one response.
    pub fn one(&self, value: &Value, columns: &[&str]) -> Result<()> {
        let mut out = io::stdout().lock();
        if let Some(filter) = &self.filter {
            return lines(&mut out, &filter.run(value)?);
        }
        match self.format {
            Format::Json => json(&mut out, value)?,
            Format::Jsonl => writeln!(out, "{value}")?,
            Format::Yaml => write!(out, "{}", yaml(value)?)?,
            Format::Name => lines(&mut out, &[named(value)?])?,
            Format::Csv => {
                let columns = self.columns(columns, std::slice::from_ref(value));
                csv_rows(&mut out, std::slice::from_ref(value), &columns, true)?;
            }
            Format::Table => self.card(&mut out, value)?,
        }
        out.flush().map_err(Failure::from)
    }

    /// Begins a list, whose items may arrive over time.
    pub fn list<'a>(&'a self, columns: &'a [&'a str]) -> List<'a> {
        List {
            output: self,
            columns,
            chosen: None,
            waiting: Vec::new(),
            written: 0,
        }
    }

    /// The columns are known before there are items.
    fn knows_columns(&self, known: &[&str]) -> bool {
        self.columns.is_some() || !known.is_empty()
    }

    /// The columns that were asked for, else those that are known, else those that the items have.
    fn columns(&self, known: &[&str], items: &[Value]) -> Vec<String> {
        if let Some(columns) = &self.columns {
            return columns.clone();
        }
        if !known.is_empty() {
            return known.iter().map(|&name| name.to_owned()).collect();
        }
        let mut found: Vec<String> = Vec::new();
        let mut seen = HashSet::new();
        for item in items {
            for (place, _) in path::leaves(item) {
                if seen.insert(place.clone()) {
                    found.push(place);
                }
            }
        }
        // A table for people shows few columns; CSV has all.
        if self.format == Format::Table {
            found.truncate(MOST_COLUMNS);
        }
        found
    }

    /// One resource as a table: a line for each field.
    fn card(&self, out: &mut impl Write, value: &Value) -> Result<()> {
        let rows: Vec<Vec<String>> = match (&self.columns, value) {
            (_, Value::Null) => return Ok(()),
            (Some(columns), _) => columns
                .iter()
                .map(|column| vec![column.clone(), path::text(value, column)])
                .collect(),
            (None, Value::Object(_) | Value::Array(_)) => path::leaves(value)
                .into_iter()
                .map(|(place, text)| vec![place, text])
                .collect(),
            (None, plain) => return lines(out, &[path::plain(plain)]),
        };
        table::write(out, None, &rows, width())?;
        Ok(())
    }
}

/// Most columns of a table by default.
const MOST_COLUMNS: usize = 8;
/// Rows whose widths are laid out together.
const ROWS: usize = 1000;

/// A list under way.
pub struct List<'a> {
    output: &'a Output,
    columns: &'a [&'a str],
    /// The columns, once the first rows are written: they stay.
    chosen: Option<Vec<String>>,
    waiting: Vec<Value>,
    written: usize,
}

impl List<'_> {
    /// Takes an item; formats by line write it at once.
    pub fn item(&mut self, value: Value) -> Result<()> {
        if self.output.filter.is_some() {
            self.waiting.push(value);
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match self.output.format {
            Format::Json => {
                let lead = if self.written == 0 { "[\n" } else { ",\n" };
                let text = serde_json::to_string_pretty(&value).unwrap_or_default();
                write!(out, "{lead}{}", indented(&text))?;
            }
            Format::Jsonl => writeln!(out, "{value}")?,
            Format::Yaml => write!(out, "{}", yaml(&Value::Array(vec![value]))?)?,
            Format::Name => writeln!(out, "{}", named(&value)?)?,
            Format::Csv | Format::Table => {
                self.waiting.push(value);
                // The head has the columns of all items: unless they are known, all items have to arrive first.
                let may_begin =
                    self.output.format == Format::Table || self.output.knows_columns(self.columns);
                if may_begin && self.waiting.len() >= ROWS {
                    self.rows(&mut out)?;
                }
                return Ok(());
            }
        }
        self.written += 1;
        Ok(())
    }

    /// Ends a complete list. JSON of a list that stops early is left open, so that nobody takes it for complete.
    pub fn end(mut self) -> Result<()> {
        let mut out = io::stdout().lock();
        if let Some(filter) = &self.output.filter {
            let all = Value::Array(std::mem::take(&mut self.waiting));
            return lines(&mut out, &filter.run(&all)?);
        }
        match self.output.format {
            Format::Json if self.written == 0 => writeln!(out, "[]")?,
            Format::Json => writeln!(out, "\n]")?,
            Format::Yaml if self.written == 0 => writeln!(out, "[]")?,
            Format::Csv if self.written == 0 && self.waiting.is_empty() => {
                // Programs read the head of an empty list, too.
                let columns = self.output.columns(self.columns, &[]);
                if !columns.is_empty() {
                    csv_rows(&mut out, &[], &columns, true)?;
                }
            }
            _ => {}
        }
        self.rows(&mut out)?;
        out.flush().map_err(Failure::from)
    }

    /// Writes the items that have arrived before an interruption; gives their number.
    pub fn so_far(mut self) -> Result<usize> {
        let mut out = io::stdout().lock();
        if self.output.filter.is_none() {
            self.rows(&mut out)?;
        }
        out.flush()?;
        Ok(self.written)
    }

    fn rows(&mut self, out: &mut impl Write) -> Result<()> {
        let items = std::mem::take(&mut self.waiting);
        let head = self.written == 0;
        if items.is_empty() {
            return Ok(());
        }
        self.written += items.len();
        let chosen = self.chosen.take();
        let columns = chosen.unwrap_or_else(|| self.output.columns(self.columns, &items));
        self.output.write_rows(out, &items, &columns, head)?;
        self.chosen = Some(columns);
        Ok(())
    }
}

fn csv_rows(out: &mut impl Write, items: &[Value], columns: &[String], head: bool) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    if head {
        writer.write_record(columns).map_err(csv_failure)?;
    }
    for item in items {
        let cells = columns.iter().map(|column| cell(item, column));
        writer.write_record(cells).map_err(csv_failure)?;
    }
    writer.flush().map_err(Failure::from)
}

/// The error of the pipe itself: a closed one ends the program well.
fn csv_failure(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Failure::from(error),
        other => Failure::new(
            Exit::Unusable,
            format!("the response cannot be written as CSV: {other:?}"),
        ),
    }
}

/// A cell of a table; an item that is a plain value is its only cell.
fn cell(item: &Value, column: &str) -> String {
    match item {
        Value::Object(_) | Value::Array(_) => path::text(item, column),
        plain => path::plain(plain),
    }
}

/// `STATE` of `properties/state`; with the step above where another column ends alike.
fn headings(columns: &[String]) -> Vec<String> {
    let steps = |column: &str| -> Vec<String> {
        let steps = column.split('/').filter(|step| *step != "*");
        steps.map(str::to_uppercase).collect()
    };
    let ends = |wanted: &str, many: usize| {
        let steps = steps(wanted);
        steps[steps.len().saturating_sub(many)..].join("/")
    };
    let head = |column: &String| {
        let alike = |many: usize| {
            let same = |other: &&String| ends(other, many) == ends(column, many);
            columns.iter().filter(same).count() > 1
        };
        let longest = steps(column).len().max(1);
        let many = (1..longest).find(|many| !alike(*many));
        ends(column, many.unwrap_or(longest))
    };
    columns.iter().map(head).collect()
}

/// The width that a table may have; no limit without a terminal.
fn width() -> Option<usize> {
    let term = console::Term::stdout();
    let shown = io::stdout().is_terminal();
    shown
        .then(|| usize::from(term.size().1))
        .filter(|width| *width > 20)
}

fn json(out: &mut impl Write, value: &Value) -> Result<()> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    writeln!(out, "{text}").map_err(Failure::from)
}

fn yaml(value: &Value) -> Result<String> {
    serde_norway::to_string(value).map_err(|error| {
        Failure::new(
            Exit::Unusable,
            format!("the response cannot be written as YAML: {error}"),
        )
    })
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

fn lines(out: &mut impl Write, lines: &[String]) -> Result<()> {
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush().map_err(Failure::from)
}

fn named(value: &Value) -> Result<String> {
    path::name_of(value).ok_or_else(|| {
        let message = "the response has no name";
        Failure::new(Exit::Unusable, message).hint("choose another format with -o, or --jq")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn output(format: Format) -> Output {
        let (columns, jq) = (None, None);
        Output::new(&Wanted {
            format: Some(format),
            columns,
            jq,
        })
        .expect("no filter")
    }

    fn rows(list: &mut List<'_>, items: Vec<Value>) -> String {
        list.waiting.extend(items);
        let mut out = Vec::new();
        list.rows(&mut out).expect("it is written");
        String::from_utf8(out).expect("text")
    }

    /// New columns of later rows do not move the cells of earlier ones.
    #[test]
    fn columns_stay_once_they_are_chosen() {
        let table = output(Format::Table);
        let mut list = table.list(&[]);
        let first = rows(&mut list, vec![json!({"b": 1})]);
        assert_eq!(first, "B\n1\n");
        let second = rows(&mut list, vec![json!({"a": "x", "b": 2})]);
        assert_eq!(second, "2\n");
    }

    #[test]
    fn csv_has_the_columns_of_all_items() {
        let csv = output(Format::Csv);
        let mut list = csv.list(&[]);
        for n in 0..ROWS + 1 {
            list.item(json!({"name": n})).expect("it waits");
        }
        let wide: Value = (0..12).map(|n| (format!("c{n:02}"), json!(n))).collect();
        let text = rows(&mut list, vec![wide]);
        let mut lines = text.lines();
        assert_eq!(
            lines.next(),
            Some("name,c00,c01,c02,c03,c04,c05,c06,c07,c08,c09,c10,c11")
        );
        assert_eq!(lines.next(), Some("0,,,,,,,,,,,,"));
        assert_eq!(lines.last(), Some(",0,1,2,3,4,5,6,7,8,9,10,11"));
    }

    #[test]
    fn no_two_columns_have_one_name() {
        let columns = [
            "name",
            "spec/state",
            "status/state",
            "a/b/x",
            "a/c/x",
            "l/*/x",
        ];
        let columns = columns.map(str::to_owned);
        let heads = ["NAME", "SPEC/STATE", "STATUS/STATE", "B/X", "C/X", "L/X"];
        assert_eq!(headings(&columns), heads);
    }

    #[test]
    fn a_closed_pipe_of_csv_is_one() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let long: Vec<Value> = (0..2000).map(|n| json!({"name": n})).collect();
        let failure = csv_rows(&mut Closed, &long, &["name".to_owned()], true);
        assert!(failure.expect_err("nobody reads").is_closed());
    }
}
