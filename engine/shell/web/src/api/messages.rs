//! `/cases/{id}/messages`: what the engine sent to people of a case and to colleagues, without
//! content.

use axum::Json;
use axum::extract::State;
use casewright_casework::contact::Channel;
use casewright_casework::message::{self, To};
use casewright_runtime::Engine;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::contact::WayShape;
use crate::api::dto::Page;
use crate::api::query::Id;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// That a message was about to go out. It holds no content and no address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    id: String,
    case: String,
    #[schema(format = DateTime)]
    at: String,
    instance: String,
    /// JSON pointer of the task.
    task: String,
    attempt: u32,
    /// As the document names them: one of `person`, `relation`, `role`, `team` and `staff`.
    #[schema(value_type = Object)]
    to: To,
    /// Ids of the person, or of the colleagues, that this came to.
    recipients: Vec<String>,
    /// How a person was reached; absent for colleagues.
    #[schema(value_type = Option<String>, example = "text-message")]
    channel: Option<Channel>,
    /// Name of a message of the pack; absent for colleagues, who are told one constant.
    template: Option<String>,
    /// The way as it was listed then.
    way: Option<WayShape>,
}

/// Messages that went out of a case, oldest first, one for each attempt. That you looked is
/// recorded.
#[utoipa::path(
    get, operation_id = "listMessages",
    path = "/cases/{id}/messages", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Message>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Message>>, Problem> {
    let sent = engine.messages(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(sent)))
}

impl From<message::Message> for Message {
    fn from(one: message::Message) -> Self {
        Self {
            id: one.id,
            case: one.case,
            at: one.at.to_string(),
            instance: one.instance,
            task: one.task,
            attempt: one.attempt,
            to: one.to,
            recipients: one.recipients,
            channel: one.way.as_ref().map(|way| way.channel),
            template: one.template,
            way: one.way.map(WayShape::from),
        }
    }
}
