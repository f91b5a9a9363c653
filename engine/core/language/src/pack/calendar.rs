//! Calendars of `pack.yaml`: a file alone, or a file with hours.

use super::CalendarFile;
use super::read::Reader;
use crate::yaml::{Entry, Fields, Node, Place};

impl Reader<'_> {
    pub(super) fn calendar(&mut self, name: &str, entry: &Entry) -> Option<CalendarFile> {
        if entry.value.as_map().is_none() {
            let path = self.plain(name, entry)?;
            return self.file(name, path, entry.place()).map(of_file);
        }
        let owner = format!("the calendar `{name}`");
        let known = ["file", "opens", "closes", "cutOff"];
        let keys = self.open(entry, &owner, &known)?;
        let write = format!("file: calendars/{name}.ics");
        let file = self.required(&keys, "file", &write);
        let file = file.and_then(|(path, place)| self.file(name, path, place));
        let (opens, closes) = (self.time(&keys, "opens"), self.time(&keys, "closes"));
        let cut_off = self.time(&keys, "cutOff");
        Some(CalendarFile {
            opens,
            closes,
            cut_off,
            ..of_file(file?)
        })
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

fn of_file(path: String) -> CalendarFile {
    CalendarFile {
        path,
        opens: None,
        closes: None,
        cut_off: None,
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
