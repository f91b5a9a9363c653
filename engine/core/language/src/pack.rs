//! `pack.yaml` and the forms of a pack: text to checked values with diagnostics.
//!
//! ```yaml
//! namespace: family-services
//! title: Intensive family support
//! timeZone: Australia/Melbourne
//! calendar: victoria                    # used unless a case says otherwise
//! calendars:
//!   victoria: calendars/victoria.ics
//!   desk: { file: calendars/victoria.ics, opens: '08:30', closes: '16:30', cutOff: '15:00' }
//!   bendigo:                              # each version is in force from its day on
//!     - { file: calendars/bendigo.ics }
//!     - { file: calendars/bendigo.ics, closes: '16:00', from: 2027-01-01 }
//!   both: { latest: [ victoria, bendigo ] }
//! whenCalendarsChange: recompute          # keep, recompute or ask: what is due meanwhile
//! roles:
//!   case-worker: { title: Case worker, starts: true }
//!   team-leader: { title: Team leader, includes: [case-worker] }
//!   service-manager: { title: Service manager, includes: [team-leader], arranges: true }
//!   administrator: { title: Administrator, administers: true }
//!   service-manager: { title: Service manager, walls: true }   # keeps the walls of cases
//!   bookkeeper: { title: Bookkeeper, reverses: true }   # corrects payments
//! teams:
//!   north: Northern team
//! funds:
//!   brokerage: { title: Brokerage, allocated: { minor: 5000000, currency: AUD } }
//!   grant:                               # put aside within the year, paid until the end of August
//!     title: Relief grant
//!     allocated: { minor: 900000, currency: AUD }
//!     from: 2026-07-01
//!     until: 2027-06-30
//!     settleUntil: 2027-08-31
//! policies:
//!   vouchers:                            # a list alone: each request by itself
//!     - { role: team-leader, upTo: { minor: 20000, currency: AUD } }
//!   brokerage-limits:
//!     together:                          # what was approved before counts as well
//!       - { by: [family, supplier], within: 7 days }
//!     limits:
//!       - { role: team-leader, upTo: { minor: 200000, currency: AUD } }
//!       - { role: team-leader, upTo: { minor: 150000, currency: AUD }, from: 2027-07-01 }
//!       - { role: director, upTo: { minor: 900000, currency: AUD }, category: [vehicle] }
//! pettyCash: { minor: 5000, currency: AUD }   # may go out of one run with nobody's approval
//! plugins:
//!   payment-issue:
//!     config: { endpoint: https://pay.example }
//!     origins: [ https://pay.example ]
//!     secrets: [ payment-key ]
//! http:                                 # whom documents may ask without a plugin
//!   hosts: [ homes.example:443 ]
//! disclosure:                           # what consent and documents may name
//!   purposes: { housing: Finding a home }
//!   recipients: { housing-register: The housing register }
//!   bases: { child-protection-act-159m: Sharing without consent for a child's safety }
//! closingReasons:                       # why work with a family ends, and what it counts as
//!   goals-all-majority: { title: Most goals are reached, counts: achieved }
//!   moved: { title: The family moved away, counts: excluded }
//! retention:                            # how long files are kept, and who erases them
//!   asks: [service-manager]
//!   decides: [administrator]
//!   holds: [team-leader]
//!   recipients: { department: The department }
//!   classes:                            # the longest of all that a case falls under wins
//!     file: { title: The file, keep: P7Y, from: closed }
//!     children: { title: Children, keep: P25Y, from: born, relations: [child] }
//!     care: { title: In care, keep: P7Y, from: closed, reasons: [moved], dispose: transfer }
//! caseNumber: IFS-{year}-{number:5}     # CASE-{year}-{number:5} when it is left out
//! ```
//!
//! Plain data only: `casework` gives calendars, funds and policies their meaning, and knows which
//! time zones there are.

mod calendar;
pub(crate) mod currency;
mod read;
pub mod retention;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::decision::Table;
use crate::{Diagnostic, Form, Message, decision, form, message};

pub use retention::{Dispose, KeptFrom, Retention, RetentionClass};

/// A checked `pack.yaml`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pack {
    /// Of all its workflows; letters, digits and hyphens.
    pub namespace: String,
    /// For people.
    pub title: String,
    /// IANA name.
    pub time_zone: String,
    /// Calendar used unless a case says otherwise; a key of `calendars`.
    pub calendar: Option<String>,
    /// By name.
    pub calendars: BTreeMap<String, PackCalendar>,
    /// What becomes of open deadlines when a calendar changes that does not say it itself.
    pub when_calendars_change: WhenChanged,
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// Name to title.
    pub teams: BTreeMap<String, String>,
    /// By name.
    pub funds: BTreeMap<String, Fund>,
    /// By name; every role named exists.
    pub policies: BTreeMap<String, Policy>,
    /// Minor units and currency: so much may go out of one run with nobody's approval.
    pub petty_cash: Option<(i64, String)>,
    /// By name of the plugin.
    pub plugins: BTreeMap<String, PluginBinding>,
    /// `HOST:PORT`, or origins, that `call: http` may ask as far as the operator allows it too.
    pub http: Vec<String>,
    /// Words that consent and sending are compared by.
    pub disclosure: Disclosure,
    /// Why work with a family ends.
    pub closing_reasons: BTreeMap<String, ClosingReason>,
    /// How long files are kept.
    pub retention: Retention,
    /// `IFS-{year}-{number:5}`.
    pub case_number: String,
}

impl Pack {
    /// Whether one of these roles corrects payments.
    pub fn reverses(&self, held: &BTreeSet<String>) -> bool {
        let mut roles = self.roles.iter();
        roles.any(|(name, role)| role.reverses && held.contains(name))
    }

    /// Whether one of these roles arranges the work of others.
    pub fn arranges(&self, held: &BTreeSet<String>) -> bool {
        let mut roles = self.roles.iter();
        roles.any(|(name, role)| role.arranges && held.contains(name))
    }

    /// Whether one of these roles looks after the agency's runs.
    pub fn administers(&self, held: &BTreeSet<String>) -> bool {
        let mut roles = self.roles.iter();
        roles.any(|(name, role)| role.administers && held.contains(name))
    }

    /// Whether one of these roles keeps the walls between staff and cases that they stand in.
    pub fn keeps_walls(&self, held: &BTreeSet<String>) -> bool {
        let mut roles = self.roles.iter();
        roles.any(|(name, role)| role.walls && held.contains(name))
    }

    /// What becomes of open deadlines when this calendar changes.
    pub fn when_changed(&self, calendar: &str) -> WhenChanged {
        let own = self
            .calendars
            .get(calendar)
            .and_then(|one| one.when_changed);
        own.unwrap_or(self.when_calendars_change)
    }
}

/// A calendar, as the pack declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PackCalendar {
    pub days: Days,
    /// What becomes of open deadlines when it changes, where it says so itself.
    pub when_changed: Option<WhenChanged>,
}

/// Which days count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Days {
    /// At least one; the first from the beginning, each other from its day on.
    Versions(Vec<CalendarFile>),
    /// Due is what is due by all of these calendars.
    Latest(Vec<String>),
    /// Due is what is due by the first of these calendars.
    Earliest(Vec<String>),
}

/// What becomes of open deadlines when their calendar changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhenChanged {
    /// They stay as they are.
    #[default]
    Keep,
    /// They are computed again.
    Recompute,
    /// Whoever looks after the agency's runs decides.
    Ask,
}

impl WhenChanged {
    pub const ALL: [Self; 3] = [Self::Keep, Self::Recompute, Self::Ask];

    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Recompute => "recompute",
            Self::Ask => "ask",
        }
    }
}

/// Days and hours of work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CalendarFile {
    /// An iCalendar file with the holidays, relative to the pack.
    pub path: String,
    /// From which day on, `2027-01-01`; `None` for the first version.
    pub from: Option<String>,
    /// When work begins, hour and minute.
    pub opens: Option<(i8, i8)>,
    /// When it ends.
    pub closes: Option<(i8, i8)>,
    /// What is asked from then on counts as asked on the next working day.
    pub cut_off: Option<(i8, i8)>,
    /// Days of the week with work, Monday as 1; `None` for Monday to Friday.
    pub working_days: Option<Vec<u8>>,
}

/// For what, to whom and on what facts about people may be passed on: names with their titles.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Disclosure {
    pub purposes: BTreeMap<String, String>,
    pub recipients: BTreeMap<String, String>,
    /// Legal bases in place of consent.
    pub bases: BTreeMap<String, String>,
}

/// Why an episode of a case ends, and what the figures make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosingReason {
    /// For people.
    pub title: String,
    pub counts: Counts,
}

/// What a reason counts as; `casework` does the counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    Achieved,
    Partly,
    Not,
    /// Neither for nor against.
    Excluded,
}

impl Counts {
    pub const ALL: [Self; 4] = [Self::Achieved, Self::Partly, Self::Not, Self::Excluded];

    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Achieved => "achieved",
            Self::Partly => "partly",
            Self::Not => "not",
            Self::Excluded => "excluded",
        }
    }
}

/// What people are in an agency.
#[derive(Debug, Clone)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own in a pack"
)]
pub struct Role {
    /// For people.
    pub title: String,
    /// Roles that a holder of this one also holds.
    pub includes: Vec<String>,
    /// Whether holders may start instances and see cases of the agency; see `casework`.
    pub starts: bool,
    /// Whether holders look after the agency's runs: see what failed, try it again, put a pack in
    /// force. It exempts nobody from any rule.
    pub administers: bool,
    /// Whether holders keep the walls between staff and cases that they stand in: declare one for a
    /// colleague, lift one for a time, take one away. Never their own.
    pub walls: bool,
    /// Whether holders correct payments: move money that was spent by mistake back into its fund.
    pub reverses: bool,
    /// Whether holders arrange the work of others: give it to colleagues, and say who is away and
    /// who stands in. It exempts nobody from any rule.
    pub arranges: bool,
    /// Whether holders see how the work of the agency ends, in numbers that name nobody.
    pub reports: bool,
}

/// Money set aside.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Fund {
    /// For people.
    pub title: String,
    /// ISO 4217.
    pub currency: String,
    /// Minor units.
    pub allocated_minor: i64,
    /// First day on which it is put aside, `2026-07-01`.
    pub from: Option<String>,
    /// Last day on which it is put aside; not before `from`.
    pub until: Option<String>,
    /// Last day on which what was put aside is paid; not before `until`, and only with it.
    pub settle_until: Option<String>,
}

/// Who alone may approve how much; `casework::policy` says what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    pub rows: Vec<PolicyRow>,
    /// What was approved before and counts together with a request.
    pub together: Vec<Together>,
}

/// One line of a policy: this role alone may approve up to this amount.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyRow {
    /// A key of `roles`.
    pub role: String,
    /// Minor units.
    pub up_to_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Only for these; empty for what no line of the policy names.
    pub category: Vec<String>,
    /// Only for these; empty for what no line of the policy names.
    pub fund: Vec<String>,
    /// From which day on, `2027-07-01`; the youngest that has begun is in force.
    pub from: Option<String>,
}

/// Requests that are one: those that agree in all of `by`, within so many days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Together {
    pub by: BTreeSet<Aspect>,
    pub days: u16,
}

/// What a request for money is about, besides its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    Family,
    Goal,
    Supplier,
    Category,
    Fund,
}

impl Aspect {
    pub const ALL: [Self; 5] = [
        Self::Family,
        Self::Goal,
        Self::Supplier,
        Self::Category,
        Self::Fund,
    ];

    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Family => "family",
            Self::Goal => "goal",
            Self::Supplier => "supplier",
            Self::Category => "category",
            Self::Fund => "fund",
        }
    }
}

impl Policy {
    /// What an approval has to say of its request, so that this policy can be asked. The family is
    /// the case.
    pub fn needs(&self) -> BTreeSet<Aspect> {
        let together = self.together.iter().flat_map(|one| one.by.iter().copied());
        let mut needed: BTreeSet<_> = together.filter(|one| *one != Aspect::Family).collect();
        if self.rows.iter().any(|row| !row.category.is_empty()) {
            needed.insert(Aspect::Category);
        }
        if self.rows.iter().any(|row| !row.fund.is_empty()) {
            needed.insert(Aspect::Fund);
        }
        needed
    }
}

/// What a pack binds for a plugin.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PluginBinding {
    /// An object; the plugin's manifest says what belongs into it.
    pub config: Value,
    /// Origins (`https://pay.example`) that the plugin may call; never wider than its manifest.
    pub origins: Vec<String>,
    /// Names of secrets it may use.
    pub secrets: Vec<String>,
}

/// Reads `pack.yaml`; `None` when a diagnostic is an error.
pub fn read_pack(file: &str, text: &str) -> (Option<Pack>, Vec<Diagnostic>) {
    read::read(file, text)
}

/// What only the documents beside a `pack.yaml` show: workflows that it names and nobody has.
pub fn check_pack(
    file: &str,
    text: &str,
    pack: &Pack,
    workflows: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    read::check(file, text, pack, workflows)
}

/// Reads a form; its name is the file's name without `.yaml`.
pub fn read_form(name: &str, file: &str, text: &str) -> (Option<Form>, Vec<Diagnostic>) {
    form::read(name, file, text)
}

/// Reads a decision table; its name is the file's name without `.yaml`.
pub fn read_table(name: &str, file: &str, text: &str) -> (Option<Table>, Vec<Diagnostic>) {
    decision::read(name, file, text)
}

/// Reads a message; its name is the file's name without `.yaml`.
pub fn read_message(name: &str, file: &str, text: &str) -> (Option<Message>, Vec<Diagnostic>) {
    message::read(name, file, text)
}
