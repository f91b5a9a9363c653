//! Packs that somebody puts in force: from the configuration at a start, or from an administrator
//! while the engine runs. How a checked pack gets in force stands in `deploy`.
//!
//! What the configuration names is taken at each start only if it has changed since it was taken
//! last: otherwise a start would quietly take back what an administrator deployed after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::{Principal, retention};
use casewright_language::{Diagnostic, Surroundings};
use casewright_store::{Batch, Put, Table, Under};
use serde::{Deserialize, Serialize};

use super::deploy::settle_doubts;
use super::requests::Asked;
use super::shared::{Shared, not_found, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::deployment::Deployment;
use crate::view::{PackView, PackWorkflow};
use crate::{id, key, record};

/// Why a pack is not in force. Nothing has changed.
#[derive(Debug)]
pub enum NotDeployed {
    /// All mistakes of all its files.
    Mistakes(Vec<Diagnostic>),
    Refused(Refused),
}

impl From<Refused> for NotDeployed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// That a pack was put in force: (agency, time-ordered id) -> this.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct DeployedRow {
    at: jiff::Timestamp,
    /// Id of who did; none for the configuration.
    by: Option<String>,
    /// Of the deployment.
    digest: String,
    /// Of its files alone.
    files: String,
    /// Classes under which files would go sooner than by the pack before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    shortened: Vec<String>,
}

/// Who put a pack in force.
enum By {
    /// It was in force: only the plugins around it may be others.
    Nobody,
    Configuration,
    Person(String),
}

impl Engine {
    /// The pack that the configuration names. If its files are those that were taken last time,
    /// what is in force stays, and is only checked against the plugins of this start.
    pub async fn deploy_configured(
        &self,
        files: BTreeMap<String, String>,
    ) -> Result<Arc<Deployment>, NotDeployed> {
        let admitted = self.shared.admit()?;
        let mut deployment = self.shared.read_pack(files).await?;
        let agency = deployment.pack.namespace.clone();
        let configured = deployment.files_digest();
        let before = self.shared.configured_before(&agency)?;
        let changed = before.is_none_or(|before| before != configured);
        if !changed && let Some(in_force) = self.shared.in_force(&agency) {
            deployment = self
                .shared
                .read_pack(in_force.files.clone())
                .await
                .map_err(no_longer_fits)?;
        }
        let by = if changed {
            By::Configuration
        } else {
            By::Nobody
        };
        Ok(self.bring_in(deployment, by, None, admitted).await?.0)
    }

    /// A pack that a person brings. They must look after their agency's runs by a role of the pack
    /// in force, and still by one of the new pack: nobody locks the door behind themselves.
    pub async fn deploy_pack(
        &self,
        who: &Principal,
        files: BTreeMap<String, String>,
        key: Option<RequestKey>,
    ) -> Result<PackView, NotDeployed> {
        let admitted = self.shared.admit()?;
        self.shared.administers(who)?;
        let ask = match self.shared.ask(who, "deploy", key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let deployment = self.shared.read_pack(files).await?;
        if deployment.pack.namespace != who.agency {
            return Err(
                invalid("this pack is another agency's: its namespace is not yours").into(),
            );
        }
        if !deployment.pack.administers(&who.roles) {
            let sentence = "with this pack you could not look after it any more: give one of your \
                            roles `administers: true`";
            return Err(invalid(sentence).into());
        }
        let by = By::Person(who.id.clone());
        let (_, view) = self.bring_in(deployment, by, ask, admitted).await?;
        Ok(view)
    }

    /// What is in force for the principal's agency.
    pub fn pack(&self, who: &Principal) -> Result<PackView, Refused> {
        self.shared.administers(who)?;
        let deployment = self.shared.in_force(&who.agency).ok_or_else(not_found)?;
        let newest = self.shared.deployed(&who.agency)?.pop();
        Ok(view(&deployment, newest.as_ref()))
    }

    async fn bring_in(
        &self,
        deployment: Deployment,
        by: By,
        ask: Option<super::requests::Ask>,
        admitted: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<(Arc<Deployment>, PackView), Refused> {
        let shared = Arc::clone(&self.shared);
        Shared::carry(async move {
            settle_doubts(&shared, &deployment).await?;
            let one_by_one = shared.deploying.lock().await;
            let before = shared.in_force(&deployment.pack.namespace);
            let classes = before.map_or_else(Vec::new, |before| before.classes());
            let row = |by| DeployedRow {
                at: shared.now(),
                by,
                digest: deployment.digest.clone(),
                files: deployment.files_digest(),
                shortened: retention::shortened(&classes, &deployment.classes()),
            };
            let (row, from) = match by {
                By::Nobody => (None, "as it stood"),
                By::Configuration => (Some(row(None)), "configuration"),
                By::Person(id) => (Some(row(Some(id))), "administrator"),
            };
            let view = view(&deployment, row.as_ref());
            let told = |batch: &mut Batch| {
                let agency = &deployment.pack.namespace;
                if let Some(row) = &row {
                    batch.puts.push(shared.deployed_put(row, agency));
                }
                if let Some(ask) = &ask {
                    ask.record(&view, Under::Agency(agency.clone()), batch);
                }
            };
            shared.establish(&deployment, told).await?;
            let deployment = Arc::new(deployment);
            shared.put_in_force(&deployment);
            shared.begin_moving();
            drop((one_by_one, admitted));
            let (agency, digest) = (&deployment.pack.namespace, &deployment.digest);
            let workflows = view.workflows.len();
            tracing::info!(agency, digest, workflows, from, "a pack is in force");
            Ok((deployment, view))
        })
        .await
    }
}

impl Shared {
    /// Checked against what is installed here. A pack may be megabytes of text: off the threads
    /// that others are served by.
    async fn read_pack(&self, files: BTreeMap<String, String>) -> Result<Deployment, NotDeployed> {
        let mut installed = Surroundings::default();
        let digests = self.parts.invoke.describe(&mut installed);
        let read = move || Deployment::read(files, &installed, &digests);
        match tokio::task::spawn_blocking(read).await {
            Ok(read) => read.map_err(NotDeployed::Mistakes),
            // A reader that broke on it has changed nothing.
            Err(error) => Err(Refused::Damaged(format!("the pack's reader broke: {error}")).into()),
        }
    }

    fn deployed_put(&self, row: &DeployedRow, agency: &str) -> Put {
        let place = id::timed('p', row.at, &*self.parts.entropy);
        Put {
            table: Table::Deployed,
            key: key::join(&[agency, &place]),
            value: Some(record::encode(row)),
            under: Under::Agency(agency.to_owned()),
        }
    }

    /// Oldest first.
    fn deployed(&self, agency: &str) -> Result<Vec<DeployedRow>, Refused> {
        let prefix = key::prefix(&[agency]);
        let end = key::after(&prefix);
        let rows = self
            .parts
            .store
            .scan(Table::Deployed, &prefix, &end, usize::MAX)
            .map_err(unreadable)?;
        rows.iter()
            .map(|(_, row)| record::decode("a deployment of a pack", &row.value))
            .collect()
    }

    /// The files that the configuration gave when it was taken last.
    fn configured_before(&self, agency: &str) -> Result<Option<String>, Refused> {
        let rows = self.deployed(agency)?.into_iter().rev();
        Ok(rows
            .filter(|row| row.by.is_none())
            .map(|row| row.files)
            .next())
    }
}

/// The folder of the configuration is not what is wrong, and changing it is the way out.
fn no_longer_fits(not: NotDeployed) -> NotDeployed {
    let NotDeployed::Mistakes(findings) = not else {
        return not;
    };
    let first = findings.first();
    let place = first.map_or_else(String::new, |found| {
        format!("{}:{}: {}", found.file, found.line, found.message)
    });
    invalid(&format!(
        "the pack that was deployed last does not fit the plugins of this start ({place}); \
         install the plugins it needs, or change the pack that the configuration names"
    ))
    .into()
}

fn invalid(message: &str) -> Refused {
    Refused::Invalid {
        code: "pack-invalid",
        status: 422,
        message: message.to_owned(),
    }
}

fn view(deployment: &Deployment, row: Option<&DeployedRow>) -> PackView {
    let workflow = |(name, workflow): (&String, &casewright_language::Workflow)| PackWorkflow {
        name: name.clone(),
        version: workflow.document.version.clone(),
        title: workflow.document.title.clone(),
    };
    PackView {
        namespace: deployment.pack.namespace.clone(),
        title: deployment.pack.title.clone(),
        digest: deployment.digest.clone(),
        deployed: row.map(|row| row.at),
        by: row.and_then(|row| row.by.clone()),
        shortened: row.map_or_else(Vec::new, |row| row.shortened.clone()),
        workflows: deployment.workflows.iter().map(workflow).collect(),
    }
}
