//! `/api/v1`: the endpoints and the OpenAPI document that is generated from them.

mod absences;
mod calendars;
mod callbacks;
mod cases;
mod consents;
mod contact;
mod documents;
mod drafts;
mod dto;
mod events;
mod funds;
mod handovers;
mod holds;
mod instances;
mod lifecycle;
mod messages;
mod migrations;
mod notes;
mod packs;
mod persons;
mod plans;
mod query;
mod reports;
mod retention;
mod schedules;
mod walls;
mod work_items;
mod workflows;

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::Site;
use crate::problem::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Casewright",
        description = "Durable workflows for agencies that support families. Failures are \
            RFC 9457 problems; branch on their `code`. Every POST honours `Idempotency-Key`: the \
            same key and body give the same answer for ninety days, another body is refused with \
            `key-reused`. \
            Lists are paged: give `next` back as `cursor`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/")),
    components(schemas(Problem)),
    security(("bearer" = [])),
    modifiers(&Bearer)
)]
struct Outline;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", scheme);
    }
}

/// The routes and their description, from one list.
pub(crate) fn routes() -> (Router<Site>, Document) {
    let v1 = OpenApiRouter::new()
        .routes(routes!(instances::list, instances::start))
        .routes(routes!(instances::get))
        .routes(routes!(instances::history))
        .routes(routes!(lifecycle::of_run))
        .routes(routes!(lifecycle::of_agency))
        .routes(routes!(instances::cancel))
        .routes(routes!(instances::retry))
        .routes(routes!(migrations::preview))
        .routes(routes!(migrations::migrate))
        .routes(routes!(events::publish))
        .routes(routes!(work_items::list))
        .routes(routes!(work_items::get))
        .routes(routes!(work_items::claim))
        .routes(routes!(work_items::release))
        .routes(routes!(work_items::complete))
        .routes(routes!(holds::hold))
        .routes(routes!(holds::resume))
        .routes(routes!(handovers::delegate))
        .routes(routes!(handovers::assign))
        .routes(routes!(handovers::reassign))
        .routes(routes!(handovers::skip))
        .routes(routes!(absences::list, absences::record))
        .routes(routes!(absences::end))
        .routes(routes!(drafts::get, drafts::put, drafts::delete))
        .routes(routes!(callbacks::receive))
        .routes(routes!(calendars::list))
        .routes(routes!(calendars::lines))
        .routes(routes!(calendars::apply))
        .routes(routes!(calendars::keep))
        .routes(routes!(calendars::of_case, calendars::set_for_case))
        .routes(routes!(cases::list))
        .routes(routes!(cases::get))
        .routes(routes!(cases::reopen))
        .routes(routes!(cases::timeline))
        .routes(routes!(cases::audit))
        .routes(routes!(persons::list, persons::add))
        .routes(routes!(persons::get, persons::change))
        .routes(routes!(persons::show_address))
        .routes(routes!(consents::list, consents::give))
        .routes(routes!(consents::history))
        .routes(routes!(consents::withdraw))
        .routes(routes!(consents::disclosures))
        .routes(routes!(plans::get))
        .routes(routes!(plans::versions))
        .routes(routes!(messages::list))
        .routes(routes!(documents::list, documents::add))
        .routes(routes!(documents::get))
        .routes(routes!(documents::content))
        .routes(routes!(notes::list, notes::add))
        .routes(routes!(walls::list, walls::declare))
        .routes(routes!(walls::lift))
        .routes(routes!(walls::take_away))
        .routes(routes!(funds::list))
        .routes(routes!(funds::get))
        .routes(routes!(funds::entries))
        .routes(routes!(funds::entry))
        .routes(routes!(funds::reverse))
        .routes(routes!(packs::list, packs::deploy))
        .routes(routes!(reports::outcomes))
        .routes(routes!(retention::get))
        .routes(routes!(retention::hold))
        .routes(routes!(retention::lift))
        .routes(routes!(retention::transfer))
        .routes(routes!(retention::ask))
        .routes(routes!(retention::agree))
        .routes(routes!(retention::decline))
        .routes(routes!(retention::due))
        .routes(routes!(retention::erased))
        .routes(routes!(schedules::list))
        .routes(routes!(workflows::list));
    OpenApiRouter::with_openapi(Outline::openapi())
        .nest("/api/v1", v1)
        .split_for_parts()
}

pub(crate) fn document_text(document: &Document) -> String {
    document
        .to_pretty_json()
        .expect("an OpenAPI document has only text keys")
}

pub(crate) fn document(text: &Arc<str>) -> impl IntoResponse + use<> {
    (
        [(header::CONTENT_TYPE, "application/json")],
        text.to_string(),
    )
}

#[cfg(test)]
mod tests;
