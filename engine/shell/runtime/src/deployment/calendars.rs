//! The calendars of a pack: read from its files, and which of them counts for whom.
//!
//! What a version of a calendar means for open deadlines is `engine/calendars`.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::Calendar;
use casewright_casework::calendar::{Hours, Which};
use casewright_language::pack::{CalendarFile, Days, Pack};
use casewright_language::read::outline::outline;
use casewright_language::{Workflow, pack};
use jiff::civil::{Date, Time, Weekday};

use super::{Deployment, PACK_FILE, Reader};

/// The calendar of a pack that names none: no name of a pack has a space.
const STANDARD: &str = "Monday to Friday";

type ByName = BTreeMap<String, Arc<Calendar>>;

impl Deployment {
    /// The calendar that counts where nobody names another.
    pub fn calendar(&self) -> &Calendar {
        &self.standard
    }

    /// By the name that a deadline keeps.
    pub(crate) fn calendar_named(&self, name: &str) -> Option<&Arc<Calendar>> {
        let own = (self.standard.name == name).then_some(&self.standard);
        self.calendars.get(name).or(own)
    }

    /// The calendar that counts: the task's own, the case's, the workflow's, the pack's. A name
    /// that this pack lacks is passed over: the case may have been given it by a later one.
    pub(crate) fn calendar_for(
        &self,
        task: Option<&str>,
        case: Option<&str>,
        workflow: &str,
    ) -> &Arc<Calendar> {
        let workflow = self.workflows.get(workflow).and_then(Workflow::calendar);
        let named = [task, case, workflow].into_iter().flatten();
        let mut known = named.filter_map(|name| self.calendars.get(name));
        known.next().unwrap_or(&self.standard)
    }

    /// Every calendar that a deadline may be counted by.
    pub(crate) fn all_calendars(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        let own = (!self.calendars.contains_key(&self.standard.name)).then_some(&self.standard);
        self.calendars.values().chain(own)
    }
}

impl Reader {
    /// All calendars, and the one that counts where none is named.
    pub(super) fn calendars(
        &mut self,
        pack: &Pack,
        files: &BTreeMap<String, String>,
    ) -> Option<(ByName, Arc<Calendar>)> {
        let mut calendars = ByName::new();
        for (name, declared) in &pack.calendars {
            if let Days::Versions(versions) = &declared.days
                && let Some(calendar) = self.versions(name, versions, &pack.time_zone, files)
            {
                calendars.insert(name.clone(), Arc::new(calendar));
            }
        }
        for (name, declared) in &pack.calendars {
            let (which, of) = match &declared.days {
                Days::Versions(_) => continue,
                Days::Latest(of) => (Which::Latest, of),
                Days::Earliest(of) => (Which::Earliest, of),
            };
            let of = of.iter().map(|one| calendars.get(one));
            let of: Option<Vec<_>> = of.map(|one| one.map(|one| (**one).clone())).collect();
            // One that is broken itself was told.
            let Some(of) = of else { continue };
            match Calendar::joined(name, which, &of) {
                Ok(calendar) => drop(calendars.insert(name.clone(), Arc::new(calendar))),
                Err(reason) => self.hours_fault(name, &reason),
            }
        }
        let standard = self.standard(pack, &calendars)?;
        Some((calendars, standard))
    }

    fn standard(&mut self, pack: &Pack, calendars: &ByName) -> Option<Arc<Calendar>> {
        let Some(name) = &pack.calendar else {
            return match Calendar::new(STANDARD, &pack.time_zone, None) {
                Ok(calendar) => Some(Arc::new(calendar)),
                Err(reason) => {
                    self.fault(PACK_FILE, reason, "name a zone of the IANA database");
                    None
                }
            };
        };
        if !pack.calendars.contains_key(name) {
            let message = format!("there is no calendar `{name}`");
            self.fault(PACK_FILE, message, "name one of `calendars`");
        }
        calendars.get(name).cloned()
    }

    fn versions(
        &mut self,
        name: &str,
        versions: &[CalendarFile],
        zone: &str,
        files: &BTreeMap<String, String>,
    ) -> Option<Calendar> {
        let mut whole: Option<Calendar> = None;
        for file in versions {
            let next = self.version(name, file, zone, files)?;
            whole = Some(match (whole, &file.from) {
                (Some(before), Some(from)) => {
                    // The reader has seen that these are days, in their order.
                    let from: Option<Date> = from.parse().ok();
                    match before.followed_by(from?, next) {
                        Ok(both) => both,
                        Err(reason) => {
                            self.hours_fault(name, &reason);
                            return None;
                        }
                    }
                }
                (_, _) => next,
            });
        }
        whole
    }

    fn version(
        &mut self,
        name: &str,
        file: &CalendarFile,
        zone: &str,
        files: &BTreeMap<String, String>,
    ) -> Option<Calendar> {
        let path = &file.path;
        let Some(ical) = files.get(path) else {
            let message = format!("calendar `{name}`: the pack has no file {path}");
            self.fault(PACK_FILE, message, "add the file, or correct its path");
            return None;
        };
        let calendar = match Calendar::new(name, zone, Some(ical)) {
            Ok(calendar) => calendar,
            Err(reason) => {
                self.fault(path, reason, "write all-day events for the holidays");
                return None;
            }
        };
        let calendar = match week(file) {
            Some(week) => calendar.with_week(&week),
            None => calendar,
        };
        match calendar.with_hours(hours(file)) {
            Ok(calendar) => Some(calendar),
            Err(reason) => {
                self.hours_fault(name, &reason);
                None
            }
        }
    }

    fn hours_fault(&mut self, name: &str, reason: &str) {
        let help = "correct the hours of the calendar, or its events with times";
        self.fault(PACK_FILE, format!("calendar `{name}`: {reason}"), help);
    }

    /// Calendars that workflows name for themselves.
    pub(super) fn named_calendars(&mut self, pack: &Pack, documents: &BTreeMap<String, String>) {
        for (path, text) in documents {
            let name = outline(text).map(|(name, _)| name);
            let workflow = name.and_then(|name| self.workflows.get(&name));
            let named = workflow.and_then(Workflow::calendar).map(str::to_owned);
            if let Some(calendar) = named.filter(|name| !pack.calendars.contains_key(name)) {
                let message = format!(
                    "`metadata.calendar` names `{calendar}`, and the pack has no such calendar"
                );
                self.fault(path, message, "name one of `calendars` in pack.yaml");
            }
        }
    }
}

fn hours(file: &pack::CalendarFile) -> Hours {
    let standard = Hours::default();
    // The reader has seen that these are times of day.
    let time = |(hour, minute)| Time::new(hour, minute, 0, 0).ok();
    Hours {
        opens: file.opens.and_then(time).unwrap_or(standard.opens),
        closes: file.closes.and_then(time).unwrap_or(standard.closes),
        cut_off: file.cut_off.and_then(time),
    }
}

fn week(file: &CalendarFile) -> Option<Vec<Weekday>> {
    let days = file.working_days.as_ref()?;
    let day = |day: &u8| Weekday::from_monday_one_offset(i8::try_from(*day).ok()?).ok();
    days.iter().map(day).collect()
}
