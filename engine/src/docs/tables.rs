//! Decision tables as tables: what is asked, what is given, from which day on.

use casewright_language::decision::Hit;
use casewright_runtime::Deployment;

/// A decision table of the page.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) anchor: String,
    pub(super) title: String,
    pub(super) name: String,
    pub(super) hit: &'static str,
    /// Titles of what is asked, then of what is given.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    pub(super) versions: Vec<Version>,
}

/// What is in force from a day on.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) from: String,
    pub(super) note: Option<String>,
    pub(super) rows: Vec<Row>,
}

/// A line, with the title of the column beside each cell.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) number: usize,
    pub(super) cells: Vec<(String, String)>,
    pub(super) note: Option<String>,
}

pub(super) fn anchor(index: usize) -> String {
    format!("t{}", index + 1)
}

/// All tables of the pack by name.
pub(super) fn told(deployment: &Deployment) -> Vec<Table> {
    let tables = deployment.tables.values().enumerate();
    tables
        .map(|(index, table)| {
            let titles = |columns: &[casewright_language::decision::Column]| {
                let titles = columns.iter().map(|column| column.title.clone());
                titles.collect::<Vec<_>>()
            };
            let (inputs, outputs) = (titles(&table.inputs), titles(&table.outputs));
            let versions = table.versions.iter().map(|version| Version {
                from: version.from.to_string(),
                note: version.note.clone(),
                rows: (1..)
                    .zip(&version.rows)
                    .map(|(number, row)| {
                        let cells = table.conditions(row).into_iter().chain(table.given(row));
                        let titles = inputs.iter().chain(&outputs).cloned();
                        Row {
                            number,
                            cells: titles.zip(cells).collect(),
                            note: row.note.clone(),
                        }
                    })
                    .collect(),
            });
            Table {
                anchor: anchor(index),
                title: table.title.clone(),
                name: table.name.clone(),
                hit: hit(table.hit),
                versions: versions.collect(),
                inputs,
                outputs,
            }
        })
        .collect()
}

fn hit(hit: Hit) -> &'static str {
    match hit {
        Hit::Unique => "Exactly one row fits, whatever comes; that was checked.",
        Hit::First => "The first row that fits counts; one fits, whatever comes; that was checked.",
        Hit::Collect => "All rows that fit count together; perhaps none does.",
    }
}
