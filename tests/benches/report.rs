//! The table that is printed, and the same figures as JSON.

use std::time::Duration;

use serde_json::{Value, json};

/// Figures that were measured in the same way.
pub(crate) struct Section {
    pub(crate) title: &'static str,
    /// What exactly was measured, and what was not.
    pub(crate) how: String,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Row>,
}

/// One line: a value for each column of its section.
pub(crate) struct Row {
    name: String,
    unit: &'static str,
    values: Vec<f64>,
    /// The first value should not be above this.
    goal: Option<f64>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>, unit: &'static str, values: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            unit,
            values,
            goal: None,
        }
    }

    pub(crate) fn at_most(self, goal: f64) -> Self {
        Self {
            goal: Some(goal),
            ..self
        }
    }

    fn verdict(&self) -> String {
        let Some(goal) = self.goal else {
            return String::new();
        };
        // Where a line has several columns, the first one is what the goal is for.
        let met = self.values.first().is_some_and(|value| *value <= goal);
        let verdict = if met { "met" } else { "MISSED" };
        format!("   goal <= {goal}: {verdict}")
    }
}

pub(crate) struct Report {
    json: bool,
    figures: Vec<Value>,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        let figures = Vec::new();
        Self { json, figures }
    }

    /// Prints a section as soon as it is there: the next one takes its time.
    pub(crate) fn add(&mut self, figure: &str, section: Section) {
        if !self.json {
            print(&section);
        }
        for row in section.rows {
            for (column, value) in section.columns.iter().zip(row.values) {
                self.figures.push(json!({
                    "figure": figure, "name": row.name, "column": column,
                    "value": value, "unit": row.unit, "goal": row.goal,
                }));
            }
        }
    }

    pub(crate) fn end(self) {
        if self.json {
            let cpus = std::thread::available_parallelism().map_or(0, usize::from);
            println!("{}", json!({"cpus": cpus, "figures": self.figures}));
        }
    }
}

fn print(section: &Section) {
    println!("\n{}\n", section.title);
    let columns = section.columns.iter().map(ToString::to_string);
    println!("  {}", line("", columns));
    for row in &section.rows {
        let values = row.values.iter().map(|value| shown(*value));
        let values = line(&row.name, values);
        println!("  {values} {}{}", row.unit, row.verdict());
    }
    println!();
    for line in section.how.lines() {
        println!("  {line}");
    }
}

fn line(name: &str, cells: impl Iterator<Item = String>) -> String {
    cells.fold(format!("{name:48}"), |line, cell| {
        format!("{line}{cell:>13}")
    })
}

fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        _ if value.fract() == 0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    format!("{value:.decimals$}")
}

/// Milliseconds below which this share of the times lies.
pub(crate) fn percentile(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    let rank = (times.len() as f64 * share).ceil() as usize;
    let time = times.get(rank.saturating_sub(1)).copied();
    time.unwrap_or_default().as_secs_f64() * 1_000.0
}
