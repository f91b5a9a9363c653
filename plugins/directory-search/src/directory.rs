//! The directory's side of the wire: pages of `GET {path}/services`. Only what is needed of a
//! service is read; a row that cannot be is left out with a warning.

use std::collections::BTreeSet;

use casewright_sdk::prelude::*;

use crate::{Settings, Warning};

/// Some directories have no last page.
const PAGES_MAX: u32 = 20;
const PER_PAGE: &str = "50";
const WARNINGS_MAX: usize = 20;
/// Values of a service beyond it are left out.
const VALUES_MAX: usize = 50;

pub(crate) struct Directory {
    service: http::Service,
}

/// What was read of the directory.
pub(crate) struct Read {
    pub(crate) services: Vec<Service>,
    /// Whether it was stopped before the last page.
    pub(crate) more: bool,
    pub(crate) warnings: Vec<Warning>,
}

#[derive(Deserialize)]
struct Page {
    contents: Vec<Value>,
    #[serde(default)]
    last_page: bool,
}

/// A service, as HSDS 3.0 writes it.
#[derive(Deserialize)]
pub(crate) struct Service {
    pub(crate) id: Line<64>,
    pub(crate) name: Line<200>,
    pub(crate) status: Status,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) minimum_age: Option<f64>,
    #[serde(default)]
    pub(crate) maximum_age: Option<f64>,
    #[serde(default)]
    pub(crate) email: Option<String>,
    #[serde(default)]
    pub(crate) organization: Option<Organization>,
    #[serde(default)]
    pub(crate) phones: Vec<Phone>,
    #[serde(default)]
    pub(crate) schedules: Vec<Schedule>,
    #[serde(default)]
    pub(crate) languages: Vec<Language>,
    #[serde(default)]
    pub(crate) required_documents: Vec<Document>,
    #[serde(default, rename = "service_areas")]
    pub(crate) areas: Vec<Area>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Status {
    #[serde(rename = "active")]
    Active,
    #[serde(rename = "inactive")]
    Inactive,
    #[serde(rename = "defunct")]
    Defunct,
    #[serde(rename = "temporarily closed")]
    TemporarilyClosed,
}

#[derive(Deserialize)]
pub(crate) struct Organization {
    pub(crate) name: Line<200>,
}

#[derive(Deserialize)]
pub(crate) struct Phone {
    pub(crate) number: Line<40>,
}

#[derive(Deserialize)]
pub(crate) struct Schedule {
    #[serde(default)]
    pub(crate) byday: Option<String>,
    #[serde(default)]
    pub(crate) opens_at: Option<String>,
    #[serde(default)]
    pub(crate) closes_at: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Language {
    #[serde(default)]
    pub(crate) name: Option<Line<80>>,
    #[serde(default)]
    pub(crate) code: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Document {
    #[serde(default)]
    pub(crate) document: Option<Line<200>>,
}

#[derive(Deserialize)]
pub(crate) struct Area {
    #[serde(default)]
    pub(crate) extent: Option<String>,
}

impl Directory {
    pub(crate) fn new(settings: Settings) -> Self {
        let service = http::Service::new(&settings.endpoint, &settings.path)
            .credential(settings.credential)
            .timeout_ms(settings.timeout_ms);
        Self { service }
    }

    /// All pages, up to the bound. A service that stands on two pages is one.
    pub(crate) fn services(&self, term: &str) -> Result<Read, Error> {
        let mut read = Read {
            services: Vec::new(),
            more: false,
            warnings: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        for number in 1..=PAGES_MAX {
            let page = self.page(term, number)?;
            let (last, empty) = (page.last_page, page.contents.is_empty());
            for (row, value) in (1..).zip(page.contents) {
                let at = format!("{number}:{row}");
                read.take(value, &at, &mut seen);
            }
            if last || empty {
                return Ok(read);
            }
        }
        read.more = true;
        Ok(read)
    }

    fn page(&self, term: &str, number: u32) -> Result<Page, Error> {
        let request = self
            .service
            .get(&["services"])
            .query("search", term)
            .query("page", &number.to_string())
            .query("per_page", PER_PAGE)
            .query("full", "true");
        request.send()?.success()?.json()
    }
}

impl Read {
    fn take(&mut self, value: Value, at: &str, seen: &mut BTreeSet<String>) {
        let service = Service::deserialize(value)
            .ok()
            .filter(|service| is_uuid(&service.id));
        let Some(mut service) = service else {
            if self.warnings.len() < WARNINGS_MAX {
                self.warnings.push(Warning {
                    code: "bad-row",
                    at: at.to_owned(),
                });
            }
            return;
        };
        if seen.insert(service.id.to_string()) {
            service.languages.truncate(VALUES_MAX);
            service.required_documents.truncate(VALUES_MAX);
            self.services.push(service);
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
