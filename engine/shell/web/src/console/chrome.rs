//! What surrounds every page: title, navigation, who is signed in, a message from the step before.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::asset;
use crate::console::member::Member;
use crate::problem::Problem;
use crate::visitor::form_token;

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Chrome {
    /// Unique; also the start of the browser's title.
    pub(crate) title: String,
    pub(crate) account: Option<Account>,
    /// What the step before led to; read out by screen readers.
    pub(crate) notice: Option<String>,
    /// Whether the form on this page has errors: the title says so first.
    pub(crate) faulty: bool,
    pub(crate) place: Place,
    /// Addresses of the files every page needs.
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) icon: &'static str,
}

/// The signed-in person, with what their forms carry.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) token: String,
    /// Whether they look after the agency's runs.
    administers: bool,
    /// Whether they see its reports.
    reports: bool,
    /// Whether they keep or erase its files.
    files: bool,
}

/// Which entry of the navigation is lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Elsewhere,
    Tasks,
    Start,
    Cases,
    Funds,
    Absences,
    Failures,
    Runs,
    Schedules,
    Calendars,
    Outcomes,
    Files,
}

impl Chrome {
    pub(crate) fn new(member: &Member, place: Place, title: impl Into<String>) -> Self {
        Self {
            account: Some(Account {
                name: member.principal.display_name.clone(),
                token: form_token(&member.secret),
                administers: member.administers,
                reports: member.reports,
                files: member.keeper.any(),
            }),
            place,
            ..Self::outside(title)
        }
    }

    /// A page for somebody who is not (known to be) signed in.
    pub(crate) fn outside(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            account: None,
            notice: None,
            faulty: false,
            place: Place::Elsewhere,
            style: &asset::STYLE.path,
            script: &asset::SCRIPT.path,
            icon: &asset::ICON.path,
        }
    }

    pub(crate) fn notice(mut self, notice: Option<String>) -> Self {
        self.notice = notice;
        self
    }

    pub(crate) fn faulty(mut self, faulty: bool) -> Self {
        self.faulty = faulty;
        self
    }

    // Templates call these.

    pub(crate) fn token(&self) -> &str {
        self.account.as_ref().map_or("", |account| &account.token)
    }

    pub(crate) fn links(&self) -> Vec<(&'static str, &'static str, bool)> {
        let mut places = vec![
            ("/tasks", "Tasks", Place::Tasks),
            ("/start", "Start something", Place::Start),
            ("/cases", "Cases", Place::Cases),
            ("/funds", "Funds", Place::Funds),
            ("/absences", "Absences", Place::Absences),
        ];
        if self.account.as_ref().is_some_and(|it| it.administers) {
            places.extend([
                ("/admin/failures", "What failed", Place::Failures),
                ("/admin/instances", "Runs", Place::Runs),
                ("/admin/schedules", "Schedules", Place::Schedules),
                ("/admin/calendars", "Calendars", Place::Calendars),
            ]);
        }
        if self.account.as_ref().is_some_and(|it| it.reports) {
            places.push(("/reports/outcomes", "Outcomes", Place::Outcomes));
        }
        if self.account.as_ref().is_some_and(|it| it.files) {
            places.push(("/files", "Files to erase", Place::Files));
        }
        let link = |(address, title, place)| (address, title, self.place == place);
        places.into_iter().map(link).collect()
    }
}

/// Draws a page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => Problem::bug().into_response(),
    }
}
