//! Starting an instance, and opening the case it belongs to when none is named.

use std::sync::Arc;

use casewright_casework::access::Audience;
use casewright_casework::audit::{Action, Entry};
use casewright_casework::{Case, Code, Principal, Refusal};
use casewright_language::Workflow;
use casewright_machine::event::RuntimeFacts;
use casewright_machine::{CaseFacts, Event, Instance, Started};
use casewright_store::{AuditAppend, Put, Table, Under};
use jiff::Timestamp;
use serde_json::Value;

use super::calendars::{agrees, known};
use super::decide::{Settling, status};
use super::draft::Draft;
use super::requests::{Ask, Asked};
use super::resident::{Entered, Flushed, Resident};
use super::runs::State;
use super::shared::{Shared, not_found};
use super::{Engine, Refused, RequestKey, Start};
use crate::record::{self, InstanceRow};
use crate::view::{StartedView, WorkflowView};
use crate::{Deployment, id, key};

impl Engine {
    /// Starts an instance of a workflow in force; it is on disk when this returns.
    pub async fn start(
        &self,
        who: &Principal,
        start: Start,
        key: Option<RequestKey>,
    ) -> Result<StartedView, Refused> {
        let admitted = self.shared.admit()?;
        let ask = match self.shared.ask::<StartedView>(who, "start", key).await? {
            Asked::Before(answer) => {
                // Who started what they do not see has their answer again.
                self.shared.before_no_wall(who, &answer.case)?;
                return Ok(answer);
            }
            Asked::Now(ask) => ask,
        };
        if self.shared.calls.waiting() >= self.shared.limits.calls_waiting_max {
            return Err(Refused::Busy);
        }
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        Shared::carry(async move {
            let started = begin(&shared, &who, start, ask).await;
            drop(admitted);
            started
        })
        .await
    }

    /// Workflows that the agency's pack has in force.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn workflows(&self, who: &Principal) -> Result<Vec<WorkflowView>, Refused> {
        let deployment = self.shared.in_force(&who.agency).ok_or_else(not_found)?;
        let view = |workflow: &Workflow| WorkflowView {
            namespace: workflow.document.namespace.clone(),
            name: workflow.document.name.clone(),
            version: workflow.document.version.clone(),
            title: workflow.document.title.clone(),
            summary: workflow.document.summary.clone(),
            offered: workflow.offered(),
            in_closed_case: workflow.in_closed_case(),
            start_form: workflow.start_form().map(str::to_owned),
        };
        Ok(deployment.workflows.values().map(view).collect())
    }

    /// The form for the start of a workflow in force, if it names one.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn start_form(
        &self,
        who: &Principal,
        workflow: &str,
    ) -> Result<Option<casewright_language::Form>, Refused> {
        let deployment = self.shared.in_force(&who.agency).ok_or_else(not_found)?;
        let workflow = find(&deployment, workflow, None)?;
        Ok(deployment.start_form(workflow).cloned())
    }
}

async fn begin(
    shared: &Arc<Shared>,
    who: &Principal,
    start: Start,
    ask: Option<Ask>,
) -> Result<StartedView, Refused> {
    let deployment = shared.in_force(&who.agency);
    let deployment = deployment.ok_or_else(|| unknown_workflow(&start.workflow))?;
    let workflow = find(&deployment, &start.workflow, start.version.as_deref())?;
    may_start(&deployment, who)?;
    check_input(&deployment, workflow, &start.input)?;
    if let Some(name) = &start.calendar {
        known(&deployment, name)?;
    }
    let beginning = Beginning {
        deployment: &deployment,
        workflow,
        who,
        case: start.case,
        calendar: start.calendar,
        input: start.input,
    };
    let (view, settling) = begin_instance(shared, beginning, ask.as_ref(), |_| ()).await?;
    settling.settle().await?;
    Ok(view)
}

/// An instance to be begun, by people or by a schedule; whether it may was decided before.
pub(crate) struct Beginning<'a> {
    pub(crate) deployment: &'a Arc<Deployment>,
    pub(crate) workflow: &'a Workflow,
    pub(crate) who: &'a Principal,
    /// A new one is opened where none is named.
    pub(crate) case: Option<String>,
    /// That a new case counts its days by.
    pub(crate) calendar: Option<String>,
    pub(crate) input: Value,
}

/// Up to the flush. `also` puts into the batch what belongs to the beginning; it runs again when
/// somebody else was first.
pub(crate) async fn begin_instance(
    shared: &Arc<Shared>,
    beginning: Beginning<'_>,
    ask: Option<&Ask>,
    mut also: impl FnMut(&mut Draft<'_>),
) -> Result<(StartedView, Settling), Refused> {
    let Beginning {
        deployment,
        workflow,
        who,
        case,
        calendar,
        input,
    } = beginning;
    let now = shared.now();
    let seen_by = Audience::default().within(&workflow.visible_to());
    let mut opening = Opening::new(shared, deployment, who, case, seen_by, now)?;
    if opening.new {
        opening.case.calendar = calendar;
    } else {
        agrees(&opening.case, calendar.as_deref())?;
    }
    let instance_id = id::timed('i', now, &*shared.parts.entropy);
    let resident = Resident {
        id: instance_id.clone(),
        row: InstanceRow {
            agency: who.agency.clone(),
            case: opening.case.id.clone(),
            workflow: workflow.document.name.clone(),
            version: workflow.document.version.clone(),
            deployment: deployment.digest.clone(),
            started_at: now,
            ended_at: None,
            parent: None,
            earlier: Vec::new(),
            // What is begun in a hidden case is hidden with it.
            seen_by: opening.case.seen_by.within(&workflow.visible_to()),
            opening: None,
        },
        deployment: Arc::clone(deployment),
        instance: Instance::pending(),
        events: 0,
        folded: 0,
        at: now,
        timers: std::collections::BTreeMap::new(),
        awaited: super::pending::Awaited::new(),
        flushed: tokio::sync::watch::Sender::new(Flushed::Events(0)),
        touched: now,
    };
    let Entered::Vacant(vacant) = shared.residents.enter(&instance_id).await else {
        return Err(Refused::Damaged(
            "a fresh id is in use: randomness repeats".to_owned(),
        ));
    };
    let mut held = vacant.fill(resident);
    let decided = shared
        .decide(
            &mut held,
            ask,
            |draft| {
                also(draft);
                if !opening.new {
                    draft.admit(who)?;
                    draft.begin_in_case(workflow.in_closed_case())?;
                }
                Ok(Some(opening.started(draft, who, input.clone())))
            },
            |draft| {
                Ok(StartedView {
                    id: instance_id.clone(),
                    case: opening.case.id.clone(),
                    status: status(draft.instance(), &draft.awaited),
                })
            },
        )
        .await;
    match decided {
        Ok(begun) => Ok(begun),
        Err(error) => {
            shared.residents.evict(held);
            Err(error.into())
        }
    }
}

/// The case of a new instance.
struct Opening {
    case: Case,
    new: bool,
}

impl Opening {
    fn new(
        shared: &Shared,
        deployment: &Deployment,
        who: &Principal,
        named: Option<String>,
        seen_by: Audience,
        at: Timestamp,
    ) -> Result<Self, Refused> {
        if let Some(named) = named {
            let case = shared.seen_case(who, &named)?;
            return Ok(Self { case, new: false });
        }
        let id = id::timed('c', at, &*shared.parts.entropy);
        let number = shared.case_number(deployment, at)?;
        let mut case = Case::new(id, who.agency.clone(), number, at, who.id.clone());
        case.seen_by = seen_by;
        Ok(Self { case, new: true })
    }

    fn started(&self, draft: &mut Draft<'_>, who: &Principal, input: Value) -> Event {
        if self.new {
            self.open(draft, who);
        }
        let (case, id) = (&self.case, draft.resident.id.clone());
        let row = draft.resident.row.clone();
        draft.put(
            Table::Instance,
            id.clone().into_bytes(),
            &row,
            draft.under(),
        );
        draft.mark(Table::Index, key::join(&["instance", &case.id, &id]), true);
        draft.list_run(&id, &row, None, Some(State::Open));
        draft.note(&who.id, Action::InstanceStarted, None, Some(row.workflow));
        Event::Started(Box::new(Started {
            at: draft.at,
            id,
            input,
            started_by: who.id.clone(),
            case: facts(case),
            runtime: own(),
            depth: 0,
            worked: Vec::new(),
        }))
    }

    fn open(&self, draft: &mut Draft<'_>, who: &Principal) {
        let case = &self.case;
        draft.opened = Some(case.clone());
        draft.batch.opens.push(case.id.clone());
        draft.batch.puts.push(Put {
            table: Table::Case,
            key: case.id.clone().into_bytes(),
            value: Some(record::encode(case)),
            under: Under::Case(case.id.clone()),
        });
        draft.mark(Table::Index, case_key(case), true);
        draft.batch.audit.push(AuditAppend {
            case: case.id.clone(),
            entry: Entry {
                at: draft.at,
                who: who.id.clone(),
                action: Action::CaseOpened,
                instance: None,
                subject: None,
                detail: None,
            },
        });
    }
}

/// `$case`.
pub(crate) fn facts(case: &Case) -> CaseFacts {
    CaseFacts {
        id: case.id.clone(),
        number: case.number.clone(),
        opened: case.opened,
    }
}

/// `$runtime`.
pub(crate) fn own() -> RuntimeFacts {
    RuntimeFacts {
        name: "casewright".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// Newest first.
pub(super) fn case_key(case: &Case) -> Vec<u8> {
    let mut key = key::prefix(&["case", &case.agency]);
    key.extend_from_slice(&key::moment_latest_first(case.opened));
    key.extend_from_slice(case.id.as_bytes());
    key
}

fn find<'a>(
    deployment: &'a Deployment,
    name: &str,
    version: Option<&str>,
) -> Result<&'a Workflow, Refused> {
    let (namespace, bare) = match name.split_once('/') {
        Some((namespace, bare)) => (Some(namespace), bare),
        None => (None, name),
    };
    deployment
        .workflows
        .get(bare)
        .filter(|found| namespace.is_none_or(|wanted| wanted == found.document.namespace))
        .filter(|found| version.is_none_or(|wanted| wanted == found.document.version))
        .ok_or_else(|| unknown_workflow(name))
}

fn unknown_workflow(name: &str) -> Refused {
    Refused::Invalid {
        code: "unknown-workflow",
        status: 404,
        message: format!("no workflow {name} of this version is in force for your agency"),
    }
}

/// Where the pack says which roles start workflows, one of them is needed.
pub(crate) fn may_start(deployment: &Deployment, who: &Principal) -> Result<(), Refused> {
    let roles = &deployment.pack.roles;
    let said = roles.values().any(|role| role.starts);
    let held = roles
        .iter()
        .any(|(name, role)| role.starts && who.holds(name));
    if !said || held {
        return Ok(());
    }
    Err(Refused::Rule(Refusal::new(
        Code::NotAssigned,
        "none of your roles may start this",
    )))
}

fn check_input(deployment: &Deployment, workflow: &Workflow, input: &Value) -> Result<(), Refused> {
    if let Some(form) = deployment.start_form(workflow) {
        let mistakes = form.check(input);
        if !mistakes.is_empty() {
            let fields = mistakes.into_iter().map(|one| (one.field, one.message));
            return Err(Refused::Rule(Refusal::mistakes(fields.collect())));
        }
    }
    let Some(schema) = &workflow.input.schema else {
        return Ok(());
    };
    match schema.violations(input).first() {
        None => Ok(()),
        Some(first) => Err(Refused::Invalid {
            code: "input-invalid",
            status: 422,
            message: format!(
                "the input does not fit: {} at `{}`",
                first.message, first.pointer
            ),
        }),
    }
}
