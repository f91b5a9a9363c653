//! `policies` of `pack.yaml`: who alone may approve how much, and what counts together.

use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use crate::pack::{Aspect, Policy, PolicyRow, Role, Together};
use crate::schema::Format;
use crate::yaml::{self, Entry, Fields, Node};

const KEYS: [&str; 2] = ["limits", "together"];
const ROW: [&str; 6] = ["role", "upTo", "up_to", "category", "fund", "from"];
const UP_TO: &str = "upTo: { minor: 200000, currency: AUD }";
const TOGETHER: &str = "{ by: [family, supplier], within: 7 days }";
const DAYS_MAX: u16 = 366;

impl Reader<'_> {
    pub(super) fn policy(
        &mut self,
        name: &str,
        entry: &Entry,
        roles: &BTreeMap<String, Role>,
    ) -> Option<Policy> {
        let owner = format!("the policy `{name}`");
        if let Some(rows) = entry.value.as_list() {
            let rows = self.rows(rows, &owner, roles);
            let together = Vec::new();
            return Some(Policy { rows, together });
        }
        if entry.value.as_map().is_none() {
            let wanted = "a list of `{ role, upTo }`, or `limits` and `together`";
            yaml::expected(self.findings, entry.place(), &owner, wanted, &entry.value);
            return None;
        }
        let keys = self.open(entry, &owner, &KEYS)?;
        let limits = keys.required(self.findings, "limits", "limits: [{ role, upTo }]")?;
        let Some(rows) = limits.value.as_list() else {
            keys.expected(self.findings, limits, "a list of `{ role, upTo }`");
            return None;
        };
        let rows = self.rows(rows, &owner, roles);
        let mut together = Vec::new();
        if let Some(entry) = keys.get("together") {
            let Some(items) = entry.value.as_list() else {
                let wanted = format!("a list of `{TOGETHER}`");
                keys.expected(self.findings, entry, &wanted);
                return None;
            };
            let items = items.iter();
            together.extend(items.filter_map(|item| self.together(item, &owner)));
        }
        Some(Policy { rows, together })
    }

    fn rows(
        &mut self,
        rows: &[Node],
        owner: &str,
        roles: &BTreeMap<String, Role>,
    ) -> Vec<PolicyRow> {
        let owner = format!("a row of {owner}");
        let rows = rows.iter();
        rows.filter_map(|row| self.row(row, &owner, roles))
            .collect()
    }

    fn row(
        &mut self,
        row: &Node,
        owner: &str,
        roles: &BTreeMap<String, Role>,
    ) -> Option<PolicyRow> {
        let keys = Fields::open(self.findings, row, row.place, owner, &ROW)?;
        let role = self.required(&keys, "role", "role: team-leader");
        if let Some((role, place)) = &role {
            self.exists(role, *place, "CW0521", "role", roles.keys());
        }
        let limit = keys
            .get("up_to")
            .or_else(|| keys.required(self.findings, "upTo", UP_TO));
        let limit = limit.and_then(|limit| self.money(limit, owner, 1));
        let (category, fund) = (self.words(&keys, "category"), self.words(&keys, "fund"));
        let from = self.optional(&keys, "from");
        if let Some((day, place)) = &from
            && !Format::Date.accepts(day)
        {
            let message = format!("`{day}` is not a day");
            let finding = self.findings.error("CW0540", *place, message);
            finding.help("write the day it begins, in quotes or not: `from: 2027-07-01`");
        }
        let (up_to_minor, currency) = limit?;
        Some(PolicyRow {
            role: role?.0,
            up_to_minor,
            currency,
            category: category?,
            fund: fund?,
            from: from.map(|(day, _)| day),
        })
    }

    /// A list of words that is not empty where it stands: an empty one would mean everything.
    fn words(&mut self, keys: &Fields<'_>, key: &str) -> Option<Vec<String>> {
        let Some(entry) = keys.get(key) else {
            return Some(Vec::new());
        };
        let found = self.texts(keys, key);
        if entry
            .value
            .as_list()
            .is_none_or(|items| items.len() != found.len())
        {
            return None;
        }
        let words: Vec<_> = found.into_iter().map(|(word, _)| word).collect();
        if words.is_empty() || words.iter().any(|word| word.trim().is_empty()) {
            let message = format!("`{key}` of a row names nothing");
            let finding = self.findings.error("CW0541", entry.place(), message);
            finding.help(format!("name what the row is for, or leave `{key}` out"));
            return None;
        }
        Some(words)
    }

    fn together(&mut self, item: &Node, owner: &str) -> Option<Together> {
        let owner = format!("`together` of {owner}");
        let keys = Fields::open(self.findings, item, item.place, &owner, &["by", "within"])?;
        let written = keys.required(self.findings, "by", "by: [family, supplier]");
        let within = keys.required(self.findings, "within", "within: 7 days");
        let mut by = BTreeSet::new();
        if let Some(entry) = written.filter(|entry| entry.value.as_list() == Some(&[])) {
            let message = format!("`by` of {owner} names nothing");
            let finding = self.findings.error("CW0541", entry.place(), message);
            finding.help("write `by: [family, supplier]`, or leave `together` out");
        }
        for (name, place) in self.texts(&keys, "by") {
            let found = Aspect::ALL.into_iter().find(|one| one.as_str() == name);
            by.extend(found);
            if found.is_none() {
                let known = Aspect::ALL.map(Aspect::as_str);
                let help = match crate::diagnostic::similar(&name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("requests have: {}", known.join(", ")),
                };
                let message = format!("requests have no `{name}` to count together by");
                self.findings.error("CW0542", place, message).help(help);
            }
        }
        let days = within.and_then(|entry| {
            let days = entry.value.as_text().and_then(days);
            if days.is_none() {
                let message = format!("`within` of {owner} is not a number of days");
                let finding = self.findings.error("CW0543", entry.place(), message);
                finding.help(format!("write `within: 7 days`, 1 to {DAYS_MAX}"));
            }
            days
        });
        let days = days?;
        if by.is_empty() {
            return None;
        }
        Some(Together { by, days })
    }
}

/// `7 days`, `1 day`.
fn days(written: &str) -> Option<u16> {
    let (count, unit) = written.trim().split_once(' ')?;
    let count = count.parse::<u16>().ok()?;
    let named = matches!(unit.trim(), "day" | "days");
    (named && (1..=DAYS_MAX).contains(&count)).then_some(count)
}
