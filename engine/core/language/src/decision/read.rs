//! From the YAML of a table to a [`Table`]: columns, versions and rows, then what the rows leave
//! out.

mod column;
mod row;

use super::survey::{self, TooLarge};
use super::{Column, Day, Hit, Row, Table, Version};
use crate::Diagnostic;
use crate::diagnostic::{Findings, suggestion};
use crate::yaml::{self, Entry, Fields, Node, Place};

/// Rows of one version.
const ROWS_MAX: usize = 500;

pub(crate) const TYPE_WORDS: [&str; 6] = ["number", "money", "yes-no", "day", "word", "text"];
pub(crate) const HIT_WORDS: [&str; 3] = ["unique", "first", "collect"];

/// Reads a table; `None` when a diagnostic is an error.
pub(crate) fn read(name: &str, file: &str, text: &str) -> (Option<Table>, Vec<Diagnostic>) {
    let mut findings = Findings::new(file);
    let table = yaml::parse(text, &mut findings).and_then(|root| {
        let mut reader = Reader {
            findings: &mut findings,
        };
        reader.table(name, &root)
    });
    let table = table.filter(|_| !findings.has_errors());
    (table, findings.into_list())
}

struct Reader<'f> {
    findings: &'f mut Findings,
}

/// Whether a column is compared or given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Input,
    Output,
}

impl Reader<'_> {
    fn table(&mut self, name: &str, root: &Node) -> Option<Table> {
        let known = ["title", "inputs", "outputs", "hit", "versions"];
        let keys = Fields::open(self.findings, root, root.place, "the table", &known)?;
        let title = keys.required(self.findings, "title", "title: What a request needs");
        let title = title.and_then(|entry| keys.text(self.findings, entry));
        let write = "inputs: { amount: { type: money, currency: AUD } }";
        let inputs = keys.required(self.findings, "inputs", write);
        let inputs = inputs.and_then(|entry| self.columns(&keys, entry, Side::Input));
        let write = "outputs: { quotes: { type: number } }";
        let outputs = keys.required(self.findings, "outputs", write);
        let outputs = outputs.and_then(|entry| self.columns(&keys, entry, Side::Output));
        let hit = self.hit(&keys);
        let write = "versions: [ { from: 2026-07-01, rows: [] } ]";
        let versions = keys.required(self.findings, "versions", write)?;
        let (mut inputs, outputs, hit) = (inputs?, outputs?, hit?);
        row::gather_words(&mut inputs, versions);
        let versions = self.versions(&keys, versions, (&inputs, &outputs), hit)?;
        Some(Table {
            name: name.to_owned(),
            title: title?.to_owned(),
            inputs,
            outputs,
            hit,
            versions,
        })
    }

    fn hit(&mut self, keys: &Fields<'_>) -> Option<Hit> {
        let Some(entry) = keys.get("hit") else {
            return Some(Hit::Unique);
        };
        match entry.value.as_text() {
            Some("unique") => Some(Hit::Unique),
            Some("first") => Some(Hit::First),
            Some("collect") => Some(Hit::Collect),
            Some(word) => {
                self.findings
                    .error(
                        "CW1102",
                        entry.place(),
                        format!("`{word}` does not say which rows are taken"),
                    )
                    .help(suggestion(word, HIT_WORDS, ""));
                None
            }
            None => {
                keys.expected(self.findings, entry, "`unique`, `first` or `collect`");
                None
            }
        }
    }

    fn versions(
        &mut self,
        keys: &Fields<'_>,
        entry: &Entry,
        columns: (&[Column], &[Column]),
        hit: Hit,
    ) -> Option<Vec<Version>> {
        let Some(items) = entry.value.as_list().filter(|items| !items.is_empty()) else {
            keys.expected(self.findings, entry, "a list of `{ from, rows }`");
            return None;
        };
        let mut versions: Vec<Version> = Vec::new();
        for item in items {
            let known = ["from", "note", "rows"];
            let fields = Fields::open(self.findings, item, item.place, "a version", &known);
            let version = fields.and_then(|fields| self.version(&fields, columns, hit));
            let Some((version, place)) = version else {
                continue;
            };
            if let Some(before) = versions.last().filter(|it| it.from >= version.from) {
                let message = format!(
                    "the version from {} stands behind the one from {}",
                    version.from, before.from
                );
                self.findings
                    .error("CW1103", place, message)
                    .help("write the versions in the order of their days, each day once");
            }
            versions.push(version);
        }
        Some(versions)
    }

    fn version(
        &mut self,
        fields: &Fields<'_>,
        (inputs, outputs): (&[Column], &[Column]),
        hit: Hit,
    ) -> Option<(Version, Place)> {
        let from = fields.required(self.findings, "from", "from: 2026-07-01");
        let from = from.and_then(|entry| {
            let day = entry.value.as_text().and_then(Day::parse);
            if day.is_none() {
                fields.expected(self.findings, entry, "a day such as 2026-07-01");
            }
            day.map(|day| (day, entry.place()))
        });
        let note = self.note(fields);
        let entry = fields.required(self.findings, "rows", "rows: [ { when: {}, then: {} } ]")?;
        let Some(items) = entry.value.as_list().filter(|items| !items.is_empty()) else {
            fields.expected(self.findings, entry, "a list of `{ when, then }`");
            return None;
        };
        if items.len() > ROWS_MAX {
            self.too_large(entry.key.place, &format!("{} rows", items.len()));
            return None;
        }
        let rows: Vec<_> = (1..)
            .zip(items)
            .map(|(number, item)| self.row(number, item, inputs, outputs))
            .collect();
        let rows: Vec<Row> = rows.into_iter().collect::<Option<_>>()?;
        let (from, place) = from?;
        let version = Version { from, note, rows };
        self.survey(&version, (entry.key.place, items), inputs, hit);
        Some((version, place))
    }

    fn note(&mut self, fields: &Fields<'_>) -> Option<String> {
        let entry = fields.get("note")?;
        fields.text(self.findings, entry).map(str::to_owned)
    }

    /// What the rows leave out, and where they lie upon each other.
    fn survey(
        &mut self,
        version: &Version,
        (place, items): (Place, &[Node]),
        inputs: &[Column],
        hit: Hit,
    ) {
        if hit == Hit::Collect {
            return;
        }
        match survey::gaps(inputs, &version.rows) {
            Err(TooLarge) => return self.too_large(place, "too many combinations"),
            Ok(gaps) => {
                for gap in gaps {
                    let example = survey::shown(&gap.example(inputs), inputs);
                    self.findings
                        .error(
                            "CW1106",
                            place,
                            format!(
                                "no row of the version from {} fits, for example: {example}",
                                version.from
                            ),
                        )
                        .help(format!(
                            "add a row, for example `- when: {{ {} }}`",
                            gap.written(inputs)
                        ));
                }
            }
        }
        if hit == Hit::Unique {
            for (first, second, point) in survey::overlaps(&version.rows) {
                let example = survey::shown(&point, inputs);
                self.findings
                    .error(
                        "CW1107",
                        items[second].place,
                        format!(
                            "rows {} and {} both fit, for example: {example}",
                            first + 1,
                            second + 1
                        ),
                    )
                    .help(
                        "narrow one of them, or write `hit: first` where the order of the rows \
                         is to decide",
                    );
            }
            return;
        }
        match survey::unreached(&version.rows) {
            Err(TooLarge) => self.too_large(place, "too many combinations"),
            Ok(unreached) => {
                for index in unreached {
                    self.findings
                        .error(
                            "CW1108",
                            items[index].place,
                            format!(
                                "row {} is never reached: whatever it fits, a row before it fits \
                                 too",
                                index + 1
                            ),
                        )
                        .help("move it up, or remove it");
                }
            }
        }
    }

    fn too_large(&mut self, place: Place, what: &str) {
        self.findings
            .error(
                "CW1109",
                place,
                format!("{what}: whether the rows leave something out cannot be told"),
            )
            .help("decide in two steps, with a smaller table for each");
    }
}
