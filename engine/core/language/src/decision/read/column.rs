//! Columns: their names, types and bounds.

use super::row::written;
use super::{Reader, Side, TYPE_WORDS};
use crate::decision::kind::DECIMALS_MAX;
use crate::decision::{Column, Kind};
use crate::diagnostic::suggestion;
use crate::pack::currency;
use crate::words::humanize;
use crate::yaml::{self, Entry, Fields};

/// Columns of one side.
const COLUMNS_MAX: usize = 16;

impl Reader<'_> {
    pub(super) fn columns(
        &mut self,
        keys: &Fields<'_>,
        entry: &Entry,
        side: Side,
    ) -> Option<Vec<Column>> {
        let Some(entries) = entry.value.as_map().filter(|entries| !entries.is_empty()) else {
            keys.expected(self.findings, entry, "a map of names to `{ type: ... }`");
            return None;
        };
        if entries.len() > COLUMNS_MAX {
            let what = &entry.key.text;
            let message = format!("{} {what}, at most {COLUMNS_MAX} are read", entries.len());
            self.findings
                .error("CW1101", entry.key.place, message)
                .help("decide in two steps, with a table for each");
            return None;
        }
        let columns: Vec<_> = entries
            .iter()
            .map(|entry| self.column(entry, side))
            .collect();
        columns.into_iter().collect()
    }

    fn column(&mut self, entry: &Entry, side: Side) -> Option<Column> {
        let name = &entry.key.text;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
            self.findings
                .error(
                    "CW1101",
                    entry.key.place,
                    format!("`{name}` cannot be the name of a column"),
                )
                .help("begin with a letter, then use letters, digits and `_`");
        }
        let (what, known): (_, &[&str]) = match side {
            Side::Input => (
                "input",
                &[
                    "type", "title", "currency", "decimals", "words", "minimum", "maximum",
                ],
            ),
            Side::Output => (
                "output",
                &["type", "title", "currency", "decimals", "words"],
            ),
        };
        let owner = format!("the {what} `{name}`");
        let place = entry.key.place;
        let keys = Fields::open(self.findings, &entry.value, place, &owner, known)?;
        let kind = self.kind(&keys);
        let title = keys.get("title");
        let title = title.and_then(|entry| keys.text(self.findings, entry));
        let kind = kind?;
        let bounds = self.bounds(&keys, &kind)?;
        Some(Column {
            name: name.clone(),
            title: title.map_or_else(|| humanize(name), str::to_owned),
            kind,
            bounds,
        })
    }

    fn kind(&mut self, keys: &Fields<'_>) -> Option<Kind> {
        let entry = keys.required(self.findings, "type", "type: number")?;
        let word = keys.text(self.findings, entry)?;
        let kind = match word {
            "number" => Kind::Number {
                decimals: self.decimals(keys)?,
            },
            "money" => Kind::Money {
                currency: self.currency(keys)?,
            },
            "yes-no" => Kind::YesNo,
            "day" => Kind::Day,
            "word" => Kind::Word(self.words(keys)?),
            "text" => Kind::Text(Vec::new()),
            _ => {
                self.findings
                    .error(
                        "CW1101",
                        entry.place(),
                        format!("there is no type `{word}` of columns"),
                    )
                    .help(suggestion(word, TYPE_WORDS, ""));
                return None;
            }
        };
        for (key, of) in [
            ("currency", "money"),
            ("decimals", "number"),
            ("words", "word"),
        ] {
            if let Some(entry) = keys.get(key).filter(|_| word != of) {
                let message = format!("`{key}` belongs to the type `{of}`, not to `{word}`");
                let place = entry.key.place;
                self.findings
                    .error("CW1101", place, message)
                    .help("remove it");
            }
        }
        Some(kind)
    }

    fn decimals(&mut self, keys: &Fields<'_>) -> Option<u32> {
        let Some(entry) = keys.get("decimals") else {
            return Some(0);
        };
        let decimals = entry
            .value
            .as_integer()
            .and_then(|it| u32::try_from(it).ok());
        let decimals = decimals.filter(|decimals| *decimals <= DECIMALS_MAX);
        if decimals.is_none() {
            keys.expected(self.findings, entry, "a whole number from 0 to 6");
        }
        decimals
    }

    fn currency(&mut self, keys: &Fields<'_>) -> Option<String> {
        let entry = keys.required(self.findings, "currency", "currency: AUD")?;
        let code = keys.text(self.findings, entry)?;
        if currency::known(code) {
            return Some(code.to_owned());
        }
        self.findings
            .error(
                "CW1101",
                entry.place(),
                format!("there is no currency `{code}`"),
            )
            .help("write three capital letters, such as AUD");
        None
    }

    fn words(&mut self, keys: &Fields<'_>) -> Option<Vec<String>> {
        let entry = keys.required(self.findings, "words", "words: [household, rent]")?;
        let items = entry.value.as_list().unwrap_or_default();
        let mut words: Vec<String> = Vec::new();
        for item in items {
            match item.as_text() {
                Some(word) if word != "any" && !words.iter().any(|known| known == word) => {
                    words.push(word.to_owned());
                }
                Some(word) => {
                    let message = match word {
                        "any" => "`any` stands for all words and cannot be one".to_owned(),
                        _ => format!("the word `{word}` stands here twice"),
                    };
                    self.findings
                        .error("CW1101", item.place, message)
                        .help("remove it");
                }
                None => yaml::expected(self.findings, item.place, "a word", "text", item),
            }
        }
        if items.is_empty() {
            keys.expected(self.findings, entry, "a list of words");
        }
        (!words.is_empty()).then_some(words)
    }

    fn bounds(&mut self, keys: &Fields<'_>, kind: &Kind) -> Option<(i128, i128)> {
        let (mut least, mut most) = kind.bounds();
        let (first, last) = (least, most);
        for (key, end) in [("minimum", &mut least), ("maximum", &mut most)] {
            let Some(entry) = keys.get(key) else {
                continue;
            };
            if !kind.ordered() {
                let message = format!("`{key}` says nothing of the type `{}`", kind.as_str());
                let place = entry.key.place;
                self.findings
                    .error("CW1101", place, message)
                    .help("remove it");
                return None;
            }
            let point = written(&entry.value).and_then(|text| kind.point(&text));
            // Money below nothing is a refund, which an author may mean.
            let low = match kind {
                Kind::Money { .. } => -last,
                Kind::Number { .. } | Kind::YesNo | Kind::Day | Kind::Word(_) | Kind::Text(_) => {
                    first
                }
            };
            let Some(point) = point.filter(|point| (low..=last).contains(point)) else {
                let wanted = match kind {
                    Kind::Money { .. } => "an amount such as 2000 or 2000.50".to_owned(),
                    other => other.wanted(),
                };
                keys.expected(self.findings, entry, &wanted);
                return None;
            };
            *end = point;
        }
        if least > most {
            self.findings
                .error(
                    "CW1101",
                    keys.place,
                    format!("the minimum of {} is above its maximum", keys.owner),
                )
                .help("exchange them");
            return None;
        }
        Some((least, most))
    }
}
