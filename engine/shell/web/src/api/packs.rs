//! `/packs`: what is in force for an agency, and putting another pack in force.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use casewright_runtime::Engine;
use casewright_runtime::view::{PackView, PackWorkflow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::dto::Page;
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Texts of a pack together: hundreds of workflows as long as the sample's longest.
const PACK_BYTES_MAX: usize = 8 * 1024 * 1024;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PackRequest {
    /// Path within the pack, with `/`, to text: `pack.yaml`, the workflows beside it, `forms/`,
    /// `calendars/`, `tests/`.
    files: BTreeMap<String, String>,
}

/// A pack in force.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Pack {
    #[schema(example = "intensive-family-support")]
    namespace: String,
    title: String,
    /// SHA-256 over its files and the plugins it was checked against; runs are pinned to it.
    digest: String,
    #[schema(format = DateTime)]
    deployed: Option<String>,
    /// Id of who put it in force; null for the configuration.
    by: Option<String>,
    /// Classes of `retention` under which files would go sooner than by the pack before. What is
    /// closed already stays bound by what held then.
    shortened: Vec<String>,
    workflows: Vec<Deployed>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deployed {
    name: String,
    version: String,
    title: Option<String>,
}

/// What is in force for your agency. Needs a role that administers.
#[utoipa::path(
    get, operation_id = "listPacks",
    path = "/packs", tag = "packs",
    responses(
        (status = 200, body = Page<Pack>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<Pack>>, Problem> {
    let pack = engine.pack(&visitor.principal)?;
    Ok(Json(Page::whole(vec![pack])))
}

/// Put a pack in force, whole or not at all. Runs under way keep the one they began with. Needs a
/// role that administers, now and in the new pack. `pack-invalid` lists every mistake.
#[utoipa::path(
    post, operation_id = "deployPack",
    path = "/packs", tag = "packs", request_body = PackRequest,
    params(("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Pack),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn deploy(
    State(engine): State<Engine>,
    visitor: Visitor,
    request: Request,
) -> Result<(StatusCode, Json<Pack>), Problem> {
    let posted = Posted::within(request, PACK_BYTES_MAX).await?;
    let PackRequest { files } = posted.json()?;
    let who = &visitor.principal;
    let pack = engine.deploy_pack(who, files, posted.key).await?;
    Ok((StatusCode::CREATED, Json(pack.into())))
}

impl From<PackView> for Pack {
    fn from(view: PackView) -> Self {
        Self {
            namespace: view.namespace,
            title: view.title,
            digest: view.digest,
            deployed: view.deployed.map(|at| at.to_string()),
            by: view.by,
            shortened: view.shortened,
            workflows: view.workflows.into_iter().map(Deployed::from).collect(),
        }
    }
}

impl From<PackWorkflow> for Deployed {
    fn from(workflow: PackWorkflow) -> Self {
        Self {
            name: workflow.name,
            version: workflow.version,
            title: workflow.title,
        }
    }
}
