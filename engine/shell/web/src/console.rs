//! The console: server-drawn pages for staff. Every action is a form that works without a script,
//! and every answer to a form is a redirect, or the page again with what was typed.

mod absence;
pub(crate) mod address;
mod admin;
mod assigned;
mod barrier;
mod calendar;
mod case;
pub(crate) mod chrome;
mod consent;
mod document;
pub(crate) mod escape;
pub(crate) mod failure;
mod fill;
mod fund;
mod handover;
mod instance;
mod keys;
pub(crate) mod member;
mod message;
mod money;
mod note;
mod notice;
mod person;
mod plan;
mod queue;
mod reopen;
mod retention;
pub(crate) mod sentence;
mod session;
mod shown;
mod start;
mod task;
mod when;
mod words;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::Site;

/// Every page and every form's target. GET never changes anything but the record of who looked.
pub(crate) fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(async || Redirect::to("/tasks")))
        .route("/sign-in", get(session::show).post(session::sign_in))
        .route("/sign-out", post(session::sign_out))
        .route("/tasks", get(queue::show))
        .route("/tasks/counts", get(queue::count))
        .route("/tasks/{id}", get(task::show))
        .route("/tasks/{id}/claim", post(task::claim))
        .route("/tasks/{id}/release", post(task::release))
        .route("/tasks/{id}/complete", post(task::complete))
        .route("/tasks/{id}/draft", post(task::keep))
        .route("/tasks/{id}/hold", post(task::hold))
        .route("/tasks/{id}/resume", post(task::resume))
        .route("/tasks/{id}/delegate", post(handover::delegate))
        .route("/tasks/{id}/assign", post(handover::assign))
        .route("/tasks/{id}/reassign", post(handover::reassign))
        .route("/tasks/{id}/skip", post(handover::skip))
        .route("/absences", get(absence::show).post(absence::record))
        .route("/absences/{id}/end", post(absence::end))
        .route("/start", get(start::list))
        .route("/start/{workflow}", get(start::show).post(start::start))
        .route("/cases", get(case::list))
        .route("/cases/{id}", get(case::show))
        .route("/cases/{id}/calendar", post(calendar::set))
        .route("/cases/{id}/notes", post(note::add))
        .route(
            "/cases/{id}/documents",
            get(document::blank)
                .post(document::add)
                // Its own limit is counted as the document arrives.
                .layer(DefaultBodyLimit::disable()),
        )
        .route("/cases/{id}/documents/{document}", get(document::download))
        .route("/cases/{id}/persons", get(person::blank).post(person::add))
        .route(
            "/cases/{id}/persons/{person}",
            get(person::show).post(person::change),
        )
        .route(
            "/cases/{id}/persons/{person}/address",
            post(person::show_address),
        )
        .route(
            "/cases/{id}/persons/{person}/consents",
            get(consent::show).post(consent::give),
        )
        .route(
            "/cases/{id}/persons/{person}/consents/{consent}/withdraw",
            post(consent::withdraw),
        )
        .route(
            "/cases/{id}/walls",
            get(barrier::show).post(barrier::declare),
        )
        .route("/cases/{id}/walls/{person}/lift", post(barrier::lift))
        .route(
            "/cases/{id}/walls/{person}/take-away",
            post(barrier::take_away),
        )
        .route(
            "/cases/{id}/reopen",
            get(reopen::blank).post(reopen::reopen),
        )
        .route("/cases/{id}/retention", get(retention::show))
        .route("/cases/{id}/retention/holds", post(retention::hold))
        .route(
            "/cases/{id}/retention/holds/{hold}/lift",
            post(retention::lift),
        )
        .route("/cases/{id}/retention/transfers", post(retention::transfer))
        .route("/cases/{id}/retention/erasure", post(retention::ask))
        .route(
            "/cases/{id}/retention/erasure/agree",
            post(retention::agree),
        )
        .route(
            "/cases/{id}/retention/erasure/decline",
            post(retention::decline),
        )
        .route("/files", get(retention::files))
        .route("/cases/{id}/plan", get(plan::show))
        .route("/cases/{id}/disclosures", get(consent::disclosures))
        .route("/cases/{id}/messages", get(message::list))
        .route("/instances/{id}", get(instance::show))
        .route("/funds", get(fund::list))
        .route("/funds/{fund}", get(fund::show))
        .route(
            "/funds/{fund}/entries/{number}",
            get(fund::entry).post(fund::reverse),
        )
        .route("/admin/failures", get(admin::failures::show))
        .route("/admin/instances", get(admin::runs::show))
        .route("/admin/instances/{id}", get(admin::run::show))
        .route("/admin/instances/{id}/retry", post(admin::run::retry))
        .route("/admin/instances/{id}/cancel", post(admin::run::cancel))
        .route("/admin/schedules", get(admin::schedules::show))
        .route("/admin/calendars", get(admin::calendars::list))
        .route("/admin/calendars/{name}", get(admin::calendars::show))
        .route(
            "/admin/calendars/{name}/apply",
            post(admin::calendars::apply),
        )
        .route("/admin/calendars/{name}/keep", post(admin::calendars::keep))
        .route("/reports/outcomes", get(admin::outcomes::show))
}
