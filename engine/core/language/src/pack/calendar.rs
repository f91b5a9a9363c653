//! Calendars of `pack.yaml`: a file alone, a file with hours, versions of these from a day on, or
//! several calendars that count together. What they mean is `casework`'s.

use std::collections::BTreeMap;

use super::read::Reader;
use super::{CalendarFile, Days, PackCalendar, WhenChanged};
use crate::schema::Format;
use crate::yaml::{Entry, Fields, Node, Place};

const FILE: [&str; 5] = ["file", "opens", "closes", "cutOff", "workingDays"];
const VERSION: [&str; 6] = ["file", "opens", "closes", "cutOff", "workingDays", "from"];
const KEYS: [&str; 9] = [
    "file",
    "opens",
    "closes",
    "cutOff",
    "workingDays",
    "versions",
    "latest",
    "earliest",
    "whenChanged",
];
/// A calendar is one of these.
const KINDS: [&str; 4] = ["file", "versions", "latest", "earliest"];

/// As authors write them, Monday first.
pub(crate) const WEEK: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A mistake that is among the findings.
struct Told;

impl Reader<'_> {
    pub(super) fn calendar(&mut self, name: &str, entry: &Entry) -> Option<PackCalendar> {
        let owner = format!("the calendar `{name}`");
        if let Some(versions) = entry.value.as_list() {
            let days = self.versions(name, versions, entry.place())?;
            return Some(of(days, None));
        }
        if entry.value.as_map().is_none() {
            let path = self.plain(name, entry)?;
            let path = self.file(name, path, entry.place())?;
            return Some(of(Days::Versions(vec![of_file(path)]), None));
        }
        let keys = self.open(entry, &owner, &KEYS)?;
        let when_changed = match keys.get("whenChanged") {
            None => None,
            Some(entry) => Some(self.when_changed(entry)?),
        };
        let kinds: Vec<_> = KINDS
            .into_iter()
            .filter(|kind| keys.get(kind).is_some())
            .collect();
        let days = match kinds[..] {
            [] | ["file"] => Some(Days::Versions(vec![self.with_hours(name, &keys)?])),
            ["versions"] if self.bare(&keys, "versions") => {
                let entry = keys.get("versions")?;
                let Some(versions) = entry.value.as_list() else {
                    keys.expected(self.findings, entry, "a list of files with hours");
                    return None;
                };
                self.versions(name, versions, entry.place())
            }
            ["latest"] if self.bare(&keys, "latest") => self.counting_together(&keys, "latest"),
            ["earliest"] if self.bare(&keys, "earliest") => {
                self.counting_together(&keys, "earliest")
            }
            ["versions" | "latest" | "earliest"] => None,
            _ => {
                self.one_kind(&keys, keys.get(kinds[1])?.place());
                None
            }
        };
        Some(of(days?, when_changed))
    }

    /// `keep`, `recompute` or `ask`.
    pub(super) fn when_changed(&mut self, entry: &Entry) -> Option<WhenChanged> {
        let word = entry.value.as_text();
        let known = WhenChanged::ALL
            .into_iter()
            .find(|one| Some(one.as_str()) == word);
        if known.is_none() {
            let key = &entry.key.text;
            let message = format!("`{key}` does not say what becomes of open deadlines");
            self.findings
                .error("CW0547", entry.place(), message)
                .help(format!(
                    "write `{key}: keep`, `{key}: recompute` or `{key}: ask`"
                ));
        }
        known
    }

    /// What calendars that count together name. Those that are broken themselves are told before.
    pub(super) fn joined(&mut self, keys: &Fields<'_>, known: &BTreeMap<String, PackCalendar>) {
        let entries = keys
            .get("calendars")
            .and_then(|entry| entry.value.as_map())
            .unwrap_or_default();
        let declared = |name: &str| entries.iter().any(|entry| entry.key.text == name);
        for entry in entries {
            let lists = ["latest", "earliest"].map(|kind| entry.value.get(kind));
            for node in lists
                .into_iter()
                .flatten()
                .filter_map(Node::as_list)
                .flatten()
            {
                let Some(name) = node.as_text() else { continue };
                let problem = match known.get(name).map(|calendar| &calendar.days) {
                    Some(Days::Versions(_)) => continue,
                    Some(Days::Latest(_) | Days::Earliest(_)) => "is joined of others itself",
                    None if declared(name) => continue,
                    None => "is not in this pack",
                };
                let files = known
                    .iter()
                    .filter(|(_, calendar)| matches!(calendar.days, Days::Versions(_)));
                let names: Vec<_> = files.map(|(name, _)| format!("`{name}`")).collect();
                self.findings
                    .error(
                        "CW0549",
                        node.place,
                        format!("the calendar `{name}` {problem}"),
                    )
                    .help(format!("name calendars with files: {}", names.join(", ")));
            }
        }
    }

    fn with_hours(&mut self, name: &str, keys: &Fields<'_>) -> Option<CalendarFile> {
        let write = format!("file: calendars/{name}.ics");
        let file = self.required(keys, "file", &write);
        let file = file.and_then(|(path, place)| self.file(name, path, place));
        let (opens, closes) = (self.time(keys, "opens"), self.time(keys, "closes"));
        let cut_off = self.time(keys, "cutOff");
        let working_days = match keys.get("workingDays") {
            None => None,
            Some(entry) => Some(self.week(entry)?),
        };
        Some(CalendarFile {
            opens,
            closes,
            cut_off,
            working_days,
            ..of_file(file?)
        })
    }

    fn versions(&mut self, name: &str, versions: &[Node], place: Place) -> Option<Days> {
        let owner = format!("a version of the calendar `{name}`");
        let mut read: Vec<CalendarFile> = Vec::new();
        let mut well = true;
        for (index, node) in versions.iter().enumerate() {
            let keys = Fields::open(self.findings, node, node.place, &owner, &VERSION);
            let file = keys.and_then(|keys| {
                let file = self.with_hours(name, &keys);
                let before = read.last().and_then(|before| before.from.as_deref());
                let from = self.from(&keys, node.place, index, before).ok()?;
                Some(CalendarFile { from, ..file? })
            });
            match file {
                Some(file) => read.push(file),
                None => well = false,
            }
        }
        if versions.is_empty() {
            let message = format!("the calendar `{name}` has no version");
            self.findings.error("CW0544", place, message).help(format!(
                "write for example `- {{ file: calendars/{name}.ics }}`"
            ));
            return None;
        }
        well.then_some(Days::Versions(read))
    }

    /// The first version counts from the beginning, each other from a later day on. The error is
    /// told.
    fn from(
        &mut self,
        keys: &Fields<'_>,
        place: Place,
        index: usize,
        before: Option<&str>,
    ) -> Result<Option<String>, Told> {
        let from = self.optional(keys, "from");
        let (problem, place, help) = match &from {
            None if index == 0 => return Ok(None),
            None => (
                "does not say from when it is in force".to_owned(),
                place,
                "write the day it begins: `from: 2027-01-01`",
            ),
            Some((_, place)) if index == 0 => (
                "is the first and has a `from`".to_owned(),
                *place,
                "the first version counts from the beginning: leave `from` out",
            ),
            Some((day, place)) if !Format::Date.accepts(day) => {
                let message = format!("`{day}` is not a day");
                let finding = self.findings.error("CW0540", *place, message);
                finding.help("write the day it begins, in quotes or not: `from: 2027-07-01`");
                return Err(Told);
            }
            // Days compare as their texts do.
            Some((day, place)) if before.is_some_and(|before| before >= day.as_str()) => (
                format!("begins on {day}, and the one before it not earlier"),
                *place,
                "write the versions in the order of their days",
            ),
            Some((day, _)) => return Ok(Some(day.clone())),
        };
        let message = format!("{} {problem}", keys.owner);
        self.findings.error("CW0544", place, message).help(help);
        Err(Told)
    }

    fn counting_together(&mut self, keys: &Fields<'_>, kind: &str) -> Option<Days> {
        let entry = keys.get(kind)?;
        let names: Vec<_> = self
            .texts(keys, kind)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        if names.len() < 2 && entry.value.as_list().is_some() {
            let message = format!("`{kind}` of {} names fewer than two", keys.owner);
            self.findings
                .error("CW0549", entry.place(), message)
                .help(format!(
                    "name two calendars: `{kind}: [ statewide, brisbane ]`"
                ));
        }
        (names.len() >= 2).then_some(match kind {
            "latest" => Days::Latest(names),
            _ => Days::Earliest(names),
        })
    }

    /// Whether the hours of a file stand beside what has none.
    fn bare(&mut self, keys: &Fields<'_>, kind: &str) -> bool {
        let stray = FILE.into_iter().find_map(|key| keys.get(key));
        let Some(stray) = stray else {
            return true;
        };
        let message = format!(
            "{} has `{kind}`, so `{}` stands in the wrong place",
            keys.owner, stray.key.text
        );
        self.findings.error("CW0546", stray.place(), message).help(
            "hours belong to a file: write them beside `file`, in each version or in each of the \
             calendars",
        );
        false
    }

    fn one_kind(&mut self, keys: &Fields<'_>, place: Place) {
        let message = format!("{} is more than one thing", keys.owner);
        self.findings
            .error("CW0546", place, message)
            .help("write one of `file`, `versions`, `latest` and `earliest`");
    }

    fn week(&mut self, entry: &Entry) -> Option<Vec<u8>> {
        let items = entry.value.as_list().unwrap_or_default();
        let mut days: Vec<u8> = Vec::new();
        for item in items {
            let place = WEEK
                .iter()
                .position(|day| Some(*day) == item.as_text())
                .and_then(|index| u8::try_from(index + 1).ok());
            match place {
                Some(day) if !days.contains(&day) => days.push(day),
                Some(_) | None => {
                    days.clear();
                    break;
                }
            }
        }
        if days.is_empty() {
            self.findings
                .error(
                    "CW0545",
                    entry.place(),
                    "`workingDays` is no list of days of the week",
                )
                .help(
                    "name each once: `workingDays: [ monday, tuesday, wednesday, thursday, friday \
                     ]`",
                );
            return None;
        }
        days.sort_unstable();
        Some(days)
    }

    fn file(&mut self, name: &str, path: String, place: Place) -> Option<String> {
        let inside = !path.starts_with('/')
            && !path.split('/').any(|part| part == ".." || part.is_empty())
            && !path.contains('\\');
        let is_calendar = path
            .rsplit_once('.')
            .is_some_and(|(_, extension)| extension == "ics");
        if inside && is_calendar {
            return Some(path);
        }
        self.findings
            .error(
                "CW0529",
                place,
                format!("the calendar `{name}` is not an `.ics` file within the pack"),
            )
            .help(format!("write for example `{name}: calendars/{name}.ics`"));
        None
    }

    fn time(&mut self, keys: &Fields<'_>, key: &str) -> Option<(i8, i8)> {
        let entry = keys.get(key)?;
        let time = time(&entry.value);
        if time.is_none() {
            let message = format!("`{key}` of {} is not a time of day", keys.owner);
            self.findings
                .error("CW0539", entry.place(), message)
                .help(format!(
                    "write hours and minutes in quotes: `{key}: '15:00'`"
                ));
        }
        time
    }
}

fn of(days: Days, when_changed: Option<WhenChanged>) -> PackCalendar {
    PackCalendar { days, when_changed }
}

fn of_file(path: String) -> CalendarFile {
    CalendarFile {
        path,
        from: None,
        opens: None,
        closes: None,
        cut_off: None,
        working_days: None,
    }
}

/// `15:00`
fn time(node: &Node) -> Option<(i8, i8)> {
    let (hour, minute) = node.as_text()?.split_once(':')?;
    let two = |part: &str, most| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| part.parse::<i8>().ok()).flatten();
        number.filter(|number| *number <= most)
    };
    Some((two(hour, 23)?, two(minute, 59)?))
}
