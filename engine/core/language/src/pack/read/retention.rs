//! `retention` of `pack.yaml`: classes of files, and who of the agency erases them.

use std::collections::{BTreeMap, BTreeSet};

use super::Reader;
use crate::diagnostic::{Findings, listed, suggestion};
use crate::pack::{ClosingReason, Dispose, KeptFrom, Retention, RetentionClass, Role};
use crate::read::RELATIONS;
use crate::yaml::{self, Entry, Fields, Place};
use crate::{Diagnostic, pack::retention};

const KEYS: [&str; 5] = ["asks", "decides", "holds", "recipients", "classes"];
const CLASS: [&str; 7] = [
    "title",
    "keep",
    "from",
    "relations",
    "workflows",
    "reasons",
    "dispose",
];
const CLASSES: &str = "classes: { file: { title: The file, keep: P7Y, from: closed } }";
/// Longer than anybody lives: a slip of the pen.
const MONTHS_MAX: u16 = 150 * 12;

/// What the pack says elsewhere.
pub(super) struct Known<'a> {
    pub(super) roles: &'a BTreeMap<String, Role>,
    pub(super) reasons: &'a BTreeMap<String, ClosingReason>,
}

impl Reader<'_> {
    pub(super) fn retention(&mut self, entry: &Entry, known: &Known<'_>) -> Option<Retention> {
        let keys = self.open(entry, "`retention`", &KEYS)?;
        let classes = keys.required(self.findings, "classes", CLASSES);
        if let Some(classes) = classes
            && (classes.value.is_null() || classes.value.as_map() == Some(&[]))
        {
            let finding = self.findings.error(
                "CW0496",
                classes.place(),
                "`retention` has no class, so that every file would be kept for ever",
            );
            finding.help(format!("write `{CLASSES}`, or leave `retention` out"));
        }
        let recipients = self.named(&keys, "recipients", Reader::plain);
        let asks = self.roles_of(&keys, "asks", known);
        let decides = self.roles_of(&keys, "decides", known);
        let holds = self.roles_of(&keys, "holds", known);
        let hands_over = !recipients.is_empty();
        let classes = self.named(&keys, "classes", |reader, name, entry| {
            reader.class(name, entry, known, hands_over)
        });
        Some(Retention {
            asks,
            decides,
            holds,
            recipients,
            classes,
        })
    }

    /// Somebody must be there for each part: without them files pile up, or nobody holds one back.
    fn roles_of(&mut self, keys: &Fields<'_>, key: &str, known: &Known<'_>) -> Vec<String> {
        let Some(entry) = keys.required(self.findings, key, &format!("{key}: [team-leader]"))
        else {
            return Vec::new();
        };
        if entry.value.as_list() == Some(&[]) {
            let message = format!("`{key}` of `retention` names no role");
            let finding = self.findings.error("CW0497", entry.place(), message);
            finding.help("name a role of the pack; who asks and who decides are two people");
        }
        let names = self.once(keys, key);
        for (name, place) in &names {
            if !known.roles.contains_key(name) {
                let message = format!("there is no role `{name}` in this pack");
                let roles = known.roles.keys().map(String::as_str);
                let help = suggestion(name, roles, "declare it under `roles`");
                self.findings.error("CW0490", *place, message).help(help);
            }
        }
        names.into_iter().map(|(name, _)| name).collect()
    }

    fn class(
        &mut self,
        name: &str,
        entry: &Entry,
        known: &Known<'_>,
        hands_over: bool,
    ) -> Option<RetentionClass> {
        let owner = format!("the class `{name}`");
        let keys = self.open(entry, &owner, &CLASS)?;
        let title = self.required(&keys, "title", "title: The file of a family");
        let keep = self.keep(&keys);
        let from = self.required(&keys, "from", "from: closed");
        let from = from.and_then(|word| self.word(&word, KeptFrom::ALL, KeptFrom::as_str));
        let dispose = self.optional(&keys, "dispose");
        let place = dispose.as_ref().map(|(_, place)| *place);
        let dispose = match dispose {
            Some(word) => self.word(&word, Dispose::ALL, Dispose::as_str),
            None => Some(Dispose::Erase),
        };
        if let (Some(Dispose::Transfer), Some(place), false) = (dispose, place, hands_over) {
            let message = format!("files of {owner} are handed over, and to nobody");
            let finding = self.findings.error("CW0498", place, message);
            finding.help("write `recipients: { department: The department }` under `retention`");
        }
        let relations = self.relations(&keys);
        if from == Some(KeptFrom::Born) && keys.get("relations").is_none() {
            let message = format!("{owner} counts from a birth, and does not say whose");
            let finding = self.findings.error("CW0495", entry.key.place, message);
            finding.help("write `relations: [child, sibling]`; the youngest of them counts");
        }
        let reasons = self.words_once(&keys, "reasons");
        for (reason, place) in &reasons {
            if !known.reasons.contains_key(reason) {
                let message = format!("there is no closing reason `{reason}` in this pack");
                let reasons = known.reasons.keys().map(String::as_str);
                let help = suggestion(reason, reasons, "declare it under `closingReasons`");
                self.findings.error("CW0493", *place, message).help(help);
            }
        }
        let workflows = self.words_once(&keys, "workflows");
        let names = |found: Vec<(String, Place)>| found.into_iter().map(|(name, _)| name).collect();
        Some(RetentionClass {
            title: title?.0,
            keep: keep?,
            from: from?,
            relations: names(relations),
            workflows: names(workflows),
            reasons: names(reasons),
            dispose: dispose?,
        })
    }

    fn keep(&mut self, keys: &Fields<'_>) -> Option<(u8, u16)> {
        let (written, place) = self.required(keys, "keep", "keep: P7Y")?;
        let keep = years_and_months(&written);
        if keep.is_none() {
            let message = format!("`{written}` is no number of years and months");
            let finding = self.findings.error("CW0491", place, message);
            finding.help("write for example `P7Y`, `P18M` or `P1Y6M`, at most 150 years");
        }
        keep
    }

    fn word<T: Copy, const N: usize>(
        &mut self,
        (word, place): &(String, Place),
        all: [T; N],
        name: fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.into_iter().find(|one| name(*one) == word);
        if found.is_none() {
            let known = all.map(name);
            let message = format!("`{word}` is not one of: {}", listed(known));
            let help = suggestion(word, known, "");
            self.findings.error("CW0494", *place, message).help(help);
        }
        found
    }

    fn relations(&mut self, keys: &Fields<'_>) -> Vec<(String, Place)> {
        let relations = self.words_once(keys, "relations");
        for (name, place) in &relations {
            if !RELATIONS.contains(&name.as_str()) {
                let message = format!("nobody can be `{name}` to a case");
                let help = suggestion(name, RELATIONS, "");
                self.findings.error("CW0495", *place, message).help(help);
            }
        }
        relations
    }

    /// A list that is not empty where it stands: an empty one would mean everything.
    fn words_once(&mut self, keys: &Fields<'_>, key: &str) -> Vec<(String, Place)> {
        if let Some(entry) = keys.get(key)
            && entry.value.as_list() == Some(&[])
        {
            let message = format!("`{key}` of {} names nothing", keys.owner);
            let finding = self.findings.error("CW0496", entry.place(), message);
            finding.help(format!("name what the class is for, or leave `{key}` out"));
        }
        self.once(keys, key)
    }

    fn once(&mut self, keys: &Fields<'_>, key: &str) -> Vec<(String, Place)> {
        let found = self.texts(keys, key);
        let mut seen = BTreeSet::new();
        for (word, place) in &found {
            if !seen.insert(word) {
                let message = format!("`{key}` names `{word}` twice");
                let finding = self.findings.error("CW0499", *place, message);
                finding.help("name it once");
            }
        }
        found
    }
}

/// `P7Y`, `P18M`, `P1Y6M`.
fn years_and_months(written: &str) -> Option<(u8, u16)> {
    let mut rest = written.trim().strip_prefix('P')?;
    let mut part = |unit: char| {
        let Some((count, after)) = rest.split_once(unit) else {
            return Some(0);
        };
        rest = after;
        let digits = count.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| count.parse::<u16>().ok()).flatten()
    };
    let (years, months) = (part('Y')?, part('M')?);
    let all = years.checked_mul(12)?.checked_add(months)?;
    let whole = rest.is_empty() && (1..=MONTHS_MAX).contains(&all);
    whole.then(|| Some((u8::try_from(years).ok()?, months)))?
}

/// Workflows that classes name and the pack does not have; read apart, since `pack.yaml` is read
/// before the documents beside it.
pub(super) fn unknown_workflows(
    file: &str,
    text: &str,
    retention: &retention::Retention,
    known: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    let mut findings = Findings::new(file);
    let named = retention.classes.values().flat_map(|one| &one.workflows);
    if named.clone().all(|name| known.contains(name)) {
        return Vec::new();
    }
    let root = yaml::parse(text, &mut findings);
    let classes = root
        .as_ref()
        .and_then(|root| root.get("retention")?.get("classes"));
    for class in classes.and_then(yaml::Node::as_map).unwrap_or_default() {
        let named = class.value.get("workflows").and_then(yaml::Node::as_list);
        for node in named.unwrap_or_default() {
            let Some(name) = node.as_text().filter(|name| !known.contains(*name)) else {
                continue;
            };
            let message = format!("there is no workflow `{name}` in this pack");
            let help = suggestion(name, known.iter().map(String::as_str), "add its document");
            findings.error("CW0492", node.place, message).help(help);
        }
    }
    findings.into_list()
}
