//! From the text of `pack.yaml` to a [`Pack`].

mod fund;
mod policy;
mod retention;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{ClosingReason, Counts, Disclosure, Pack, PluginBinding, Role, currency};
use crate::Diagnostic;
use crate::diagnostic::{Findings, suggestion};
use crate::yaml::{self, Entry, Fields, Node, Place};

const KEYS: &[&str] = &[
    "namespace",
    "title",
    "timeZone",
    "calendar",
    "calendars",
    "whenCalendarsChange",
    "roles",
    "teams",
    "funds",
    "policies",
    "pettyCash",
    "plugins",
    "http",
    "disclosure",
    "closingReasons",
    "retention",
    "caseNumber",
];
const CASE_NUMBER: &str = "CASE-{year}-{number:5}";
/// Longest name: a label of a host name.
const NAME_LENGTH_MAX: usize = 63;

pub(super) fn read(file: &str, text: &str) -> (Option<Pack>, Vec<Diagnostic>) {
    let mut findings = Findings::new(file);
    let pack = yaml::parse(text, &mut findings).and_then(|root| pack(&mut findings, &root));
    let pack = pack.filter(|_| !findings.has_errors());
    (pack, findings.into_list())
}

pub(super) fn check(
    file: &str,
    text: &str,
    pack: &Pack,
    workflows: &BTreeSet<String>,
) -> Vec<Diagnostic> {
    retention::unknown_workflows(file, text, &pack.retention, workflows)
}

fn pack(findings: &mut Findings, root: &Node) -> Option<Pack> {
    let keys = Fields::open(findings, root, root.place, "the pack", KEYS)?;
    let mut reader = Reader { findings };
    let namespace = reader.required(&keys, "namespace", "namespace: family-services");
    if let Some((name, place)) = &namespace {
        reader.name(name, *place, "a namespace");
    }
    let title = reader.required(&keys, "title", "title: Intensive family support");
    let time_zone = reader.required(&keys, "timeZone", "timeZone: Australia/Melbourne");
    if let Some((zone, place)) = &time_zone {
        reader.time_zone(zone, *place);
    }
    let calendars = reader.named(&keys, "calendars", Reader::calendar);
    reader.joined(&keys, &calendars);
    let when_calendars_change = keys
        .get("whenCalendarsChange")
        .map(|entry| reader.when_changed(entry));
    let calendar = reader.optional(&keys, "calendar");
    if let Some((name, place)) = &calendar {
        reader.exists(name, *place, "CW0523", "calendar", calendars.keys());
    }
    let roles = reader.named(&keys, "roles", Reader::role);
    reader.inclusions(&keys, &roles);
    let teams = reader.named(&keys, "teams", Reader::plain);
    let funds = reader.named(&keys, "funds", Reader::fund);
    let policies = reader.named(&keys, "policies", |reader, name, entry| {
        reader.policy(name, entry, &roles)
    });
    let petty_cash = keys
        .get("pettyCash")
        .map(|entry| reader.money(entry, "the pack", 1));
    let plugins = reader.named(&keys, "plugins", Reader::plugin);
    let http = keys.get("http").map(|entry| reader.http(entry));
    let disclosure = keys.get("disclosure").map(|entry| reader.disclosure(entry));
    let closing_reasons = reader.named(&keys, "closingReasons", Reader::closing_reason);
    let known = retention::Known {
        roles: &roles,
        reasons: &closing_reasons,
    };
    let retention = keys
        .get("retention")
        .map(|entry| reader.retention(entry, &known));
    let case_number = reader.optional(&keys, "caseNumber");
    if let Some((pattern, place)) = &case_number {
        reader.case_number(pattern, *place);
    }
    Some(Pack {
        namespace: namespace?.0,
        title: title?.0,
        time_zone: time_zone?.0,
        calendar: calendar.map(|(name, _)| name),
        calendars,
        when_calendars_change: when_calendars_change.flatten().unwrap_or_default(),
        roles,
        teams,
        funds,
        policies,
        petty_cash: petty_cash.flatten(),
        plugins,
        http: http.unwrap_or_default(),
        disclosure: disclosure.unwrap_or_default(),
        closing_reasons,
        retention: retention.flatten().unwrap_or_default(),
        case_number: case_number.map_or_else(|| CASE_NUMBER.to_owned(), |(pattern, _)| pattern),
    })
}

pub(super) struct Reader<'f> {
    pub(super) findings: &'f mut Findings,
}

impl Reader<'_> {
    pub(super) fn required(
        &mut self,
        keys: &Fields<'_>,
        key: &str,
        write: &str,
    ) -> Option<(String, Place)> {
        let entry = keys.required(self.findings, key, write)?;
        let text = keys.text(self.findings, entry)?;
        Some((text.to_owned(), entry.place()))
    }

    pub(super) fn optional(&mut self, keys: &Fields<'_>, key: &str) -> Option<(String, Place)> {
        let entry = keys.get(key)?;
        let text = keys.text(self.findings, entry)?;
        Some((text.to_owned(), entry.place()))
    }

    /// A map of names to what `read` makes of their values.
    fn named<T>(
        &mut self,
        keys: &Fields<'_>,
        key: &str,
        mut read: impl FnMut(&mut Self, &str, &Entry) -> Option<T>,
    ) -> BTreeMap<String, T> {
        let mut named = BTreeMap::new();
        let Some(entry) = keys.get(key).filter(|entry| !entry.value.is_null()) else {
            return named;
        };
        let Some(entries) = entry.value.as_map() else {
            keys.expected(self.findings, entry, "a map of names");
            return named;
        };
        for entry in entries {
            let name = &entry.key.text;
            self.name(name, entry.key.place, "a name");
            if let Some(value) = read(self, name, entry) {
                named.insert(name.clone(), value);
            }
        }
        named
    }

    fn name(&mut self, name: &str, place: Place, what: &str) {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(allowed)
            && !name.ends_with('-')
            && name.len() <= NAME_LENGTH_MAX;
        if !good {
            self.findings
                .error("CW0520", place, format!("`{name}` cannot be {what}"))
                .help(
                    "use lower-case letters, digits and hyphens, begin with a letter, at most 63 \
                     characters",
                );
        }
    }

    fn exists<'n>(
        &mut self,
        name: &str,
        place: Place,
        code: &'static str,
        what: &str,
        known: impl Iterator<Item = &'n String>,
    ) {
        let known: Vec<&str> = known.map(String::as_str).collect();
        if !known.contains(&name) {
            self.findings
                .error(
                    code,
                    place,
                    format!("there is no {what} `{name}` in this pack"),
                )
                .help(suggestion(
                    name,
                    known,
                    &format!("declare it under `{what}s`"),
                ));
        }
    }

    /// Only the shape: which zones there are is known elsewhere.
    fn time_zone(&mut self, zone: &str, place: Place) {
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic())
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-+".contains(c))
        };
        let parts = zone.split('/').count();
        let good = zone == "UTC" || (2..=3).contains(&parts) && zone.split('/').all(part);
        if !good {
            self.findings
                .error(
                    "CW0526",
                    place,
                    format!("`{zone}` is not the name of a time zone"),
                )
                .help("write area and city, for example `Australia/Melbourne`");
        }
    }

    pub(super) fn plain(&mut self, name: &str, entry: &Entry) -> Option<String> {
        let Some(text) = entry.value.as_text() else {
            yaml::expected(
                self.findings,
                entry.place(),
                &format!("`{name}`"),
                "text",
                &entry.value,
            );
            return None;
        };
        Some(text.to_owned())
    }

    fn role(&mut self, name: &str, entry: &Entry) -> Option<Role> {
        let owner = format!("the role `{name}`");
        let keys = self.open(
            entry,
            &owner,
            &[
                "title",
                "includes",
                "starts",
                "administers",
                "walls",
                "reverses",
                "arranges",
                "reports",
            ],
        )?;
        let title = self.required(&keys, "title", "title: Team leader");
        let includes = self.texts(&keys, "includes");
        let mut flag = |name| match keys.get(name) {
            None => false,
            Some(entry) => entry.value.as_bool().unwrap_or_else(|| {
                keys.expected(self.findings, entry, "`true` or `false`");
                false
            }),
        };
        let (starts, administers) = (flag("starts"), flag("administers"));
        let walls = flag("walls");
        let reverses = flag("reverses");
        let arranges = flag("arranges");
        let reports = flag("reports");
        Some(Role {
            title: title?.0,
            includes: includes.into_iter().map(|(name, _)| name).collect(),
            starts,
            administers,
            walls,
            reverses,
            arranges,
            reports,
        })
    }

    /// Included roles exist, and none includes itself through others.
    fn inclusions(&mut self, keys: &Fields<'_>, roles: &BTreeMap<String, Role>) {
        let entries = keys.get("roles").and_then(|entry| entry.value.as_map());
        for entry in entries.unwrap_or_default() {
            let name = &entry.key.text;
            let included = entry.value.get("includes").and_then(Node::as_list);
            for node in included.unwrap_or_default() {
                if let Some(other) = node.as_text() {
                    self.exists(other, node.place, "CW0521", "role", roles.keys());
                }
            }
            if includes_itself(name, roles) {
                self.findings
                    .error(
                        "CW0528",
                        entry.key.place,
                        format!("the role `{name}` includes itself"),
                    )
                    .help("the broader role includes the narrower one, not the other way round");
            }
        }
    }

    /// `{minor: 200000, currency: AUD}`.
    fn money(&mut self, entry: &Entry, owner: &str, least: i64) -> Option<(i64, String)> {
        let owner = format!("`{}` of {owner}", entry.key.text);
        let keys = self.open(entry, &owner, &["minor", "currency"])?;
        let minor = keys.required(self.findings, "minor", "minor: 200000");
        let minor = minor.and_then(|entry| match entry.value.as_integer() {
            Some(minor) if minor >= least => Some(minor),
            Some(_) => {
                self.findings
                    .error(
                        "CW0525",
                        entry.place(),
                        format!("{owner} must be {least} or more"),
                    )
                    .help("amounts are whole minor units: 200000 is 2,000.00");
                None
            }
            None => {
                let found = entry.value.described();
                let message =
                    format!("{owner} must be a whole number of minor units, found {found}");
                self.findings
                    .error("CW0103", entry.place(), message)
                    .help("amounts are whole minor units: 200000 is 2,000.00");
                None
            }
        });
        let currency = self.required(&keys, "currency", "currency: AUD");
        let currency = currency.filter(|(code, place)| {
            let known = currency::known(code);
            if !known {
                self.findings
                    .error(
                        "CW0522",
                        *place,
                        format!("`{code}` is not a currency of ISO 4217"),
                    )
                    .help(match crate::diagnostic::similar(code, currency::codes()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "write three capital letters, for example `AUD`".to_owned(),
                    });
            }
            known
        });
        Some((minor?, currency?.0))
    }

    fn plugin(&mut self, name: &str, entry: &Entry) -> Option<PluginBinding> {
        let owner = format!("the plugin `{name}`");
        let nothing = entry.value.is_null();
        let empty = || PluginBinding {
            config: Value::Object(Map::new()),
            origins: Vec::new(),
            secrets: Vec::new(),
        };
        if nothing {
            return Some(empty());
        }
        let keys = self.open(entry, &owner, &["config", "origins", "secrets"])?;
        let mut binding = empty();
        if let Some(config) = keys.get("config") {
            if config.value.as_map().is_some() {
                binding.config = config.value.to_json();
            } else {
                keys.expected(self.findings, config, "a map (`key: value`)");
            }
        }
        for (origin, place) in self.texts(&keys, "origins") {
            if is_origin(&origin) {
                binding.origins.push(origin);
            } else {
                self.findings
                    .error("CW0527", place, format!("`{origin}` is not an origin"))
                    .help(
                        "write scheme and host without a path, for example `https://pay.example`",
                    );
            }
        }
        for (secret, place) in self.texts(&keys, "secrets") {
            self.name(&secret, place, "the name of a secret");
            binding.secrets.push(secret);
        }
        Some(binding)
    }

    fn http(&mut self, entry: &Entry) -> Vec<String> {
        let Some(keys) = self.open(entry, "`http`", &["hosts"]) else {
            return Vec::new();
        };
        let mut hosts = Vec::new();
        for (host, place) in self.texts(&keys, "hosts") {
            if is_origin(&host) || is_host(&host) {
                hosts.push(host);
            } else {
                self.findings
                    .error(
                        "CW0530",
                        place,
                        format!("`{host}` is not a host with its port"),
                    )
                    .help("write for example `homes.example:443`");
            }
        }
        hosts
    }

    fn disclosure(&mut self, entry: &Entry) -> Disclosure {
        let known = ["purposes", "recipients", "bases"];
        let Some(keys) = self.open(entry, "`disclosure`", &known) else {
            return Disclosure::default();
        };
        Disclosure {
            purposes: self.named(&keys, "purposes", Reader::plain),
            recipients: self.named(&keys, "recipients", Reader::plain),
            bases: self.named(&keys, "bases", Reader::plain),
        }
    }

    /// `{ title: The family moved away, counts: excluded }`
    fn closing_reason(&mut self, name: &str, entry: &Entry) -> Option<ClosingReason> {
        let owner = format!("the closing reason `{name}`");
        let keys = self.open(entry, &owner, &["title", "counts"])?;
        let title = self.required(&keys, "title", "title: The family moved away");
        let (word, place) = self.required(&keys, "counts", "counts: excluded")?;
        let counts = Counts::ALL.into_iter().find(|one| one.as_str() == word);
        if counts.is_none() {
            let known = Counts::ALL.map(Counts::as_str);
            self.findings
                .error(
                    "CW0550",
                    place,
                    format!("a reason cannot count as `{word}`"),
                )
                .help(suggestion(&word, known, "write `counts: not`"));
        }
        Some(ClosingReason {
            title: title?.0,
            counts: counts?,
        })
    }

    /// `{year}` as often as wanted, `{number}` or `{number:5}` once, and plain letters.
    fn case_number(&mut self, pattern: &str, place: Place) {
        if let Err(problem) = numbered(pattern) {
            self.findings
                .error("CW0524", place, format!("`caseNumber` {problem}"))
                .help("write for example `IFS-{year}-{number:5}`");
        }
    }

    pub(super) fn open<'a>(
        &mut self,
        entry: &'a Entry,
        owner: &str,
        known: &[&str],
    ) -> Option<Fields<'a>> {
        Fields::open(self.findings, &entry.value, entry.key.place, owner, known)
    }

    pub(super) fn texts(&mut self, keys: &Fields<'_>, key: &str) -> Vec<(String, Place)> {
        let Some(entry) = keys.get(key) else {
            return Vec::new();
        };
        let Some(items) = entry.value.as_list() else {
            keys.expected(self.findings, entry, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.as_text() {
                Some(text) => texts.push((text.to_owned(), item.place)),
                None => yaml::expected(
                    self.findings,
                    item.place,
                    &format!("`{key}` of {}", keys.owner),
                    "text",
                    item,
                ),
            }
        }
        texts
    }
}

fn includes_itself(name: &str, roles: &BTreeMap<String, Role>) -> bool {
    let mut open = vec![name];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        for included in roles
            .get(next)
            .map(|role| &role.includes)
            .into_iter()
            .flatten()
        {
            if included == name {
                return true;
            }
            if seen.insert(included) {
                open.push(included);
            }
        }
    }
    false
}

fn is_origin(text: &str) -> bool {
    let Some(host) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !host.is_empty() && host.chars().all(allowed)
}

/// `homes.example:443`
fn is_host(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
    !host.is_empty() && host.chars().all(allowed) && port.parse::<u16>().is_ok()
}

fn numbered(pattern: &str) -> Result<(), String> {
    let mut numbers = 0;
    let mut rest = pattern;
    while let Some((plain, tail)) = rest.split_once('{') {
        plain_part(plain)?;
        let (name, tail) = tail
            .split_once('}')
            .ok_or_else(|| "has a `{` that is never closed".to_owned())?;
        match name.split_once(':') {
            None if name == "year" => {}
            None if name == "number" => numbers += 1,
            Some(("number", width)) if matches!(width.parse(), Ok(1..=12)) => numbers += 1,
            Some(("number", _)) => {
                return Err("gives the number a width outside of 1 to 12".to_owned());
            }
            _ => {
                return Err(format!(
                    "has no `{{{name}}}`; there are `{{year}}` and `{{number}}`"
                ));
            }
        }
        rest = tail;
    }
    plain_part(rest)?;
    match numbers {
        1 => Ok(()),
        0 => Err("has no `{number}`, so that all cases would have the same".to_owned()),
        _ => Err("has more than one `{number}`".to_owned()),
    }
}

fn plain_part(text: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if text.chars().all(allowed) {
        Ok(())
    } else {
        Err("may hold only letters, digits and `-`, `_`, `.`, `/` between its parts".to_owned())
    }
}
