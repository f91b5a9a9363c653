//! What `doctor` finds in the configuration of a server and in the packs that it serves: whether
//! what they ask for is there. Nothing is started, and no secret is read.

use std::io;
use std::path::Path;

use casewright_language::Workflow;

use super::{Finding, ill, well};
use crate::ports::EvaluatorProcess;
use crate::serve::{self, Outline};
use crate::{folder, validate};

const MESSAGES: &str = "messages";
const ERASURE: &str = "erasure";

/// What a pack asks of the configuration.
struct Asks {
    /// Names of the workflows that send messages.
    senders: Vec<String>,
    /// Whether its files are erased in the end.
    erases: bool,
}

/// One finding for the file, and some for each pack that it names.
pub(super) fn look(config: &Path) -> Vec<Finding> {
    let outline = match serve::outline(config) {
        Ok(outline) => outline,
        Err(sentence) => {
            let remedy = "the README says what stands in it, and `casewright init` makes one";
            return vec![ill("configuration", sentence, remedy)];
        }
    };
    let shown = config.display();
    let mut findings = vec![well("configuration", format!("{shown} can be read"))];
    for pack in &outline.packs {
        match asks(pack) {
            Ok(asks) => {
                findings.push(messages(config, &outline, pack, &asks.senders));
                if asks.erases {
                    findings.push(erasure(config, &outline, pack));
                }
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings
}

fn asks(pack: &Path) -> Result<Asks, Finding> {
    let shown = pack.display();
    match crate::asynchronous(read(pack)) {
        Ok(Some(asks)) => Ok(asks),
        Ok(None) => {
            let remedy = format!("`casewright validate {shown}` shows them");
            let found = format!("the pack in {shown} has mistakes");
            Err(ill(MESSAGES, found, &remedy))
        }
        Err(error) => {
            let remedy = "name the folder of the pack under `packs` of the configuration";
            Err(ill(MESSAGES, format!("{shown}: {error}"), remedy))
        }
    }
}

/// Where nobody sends messages, each `call: notify` of a run fails, and a family hears nothing.
fn messages(config: &Path, outline: &Outline, pack: &Path, senders: &[String]) -> Finding {
    let shown = pack.display();
    if senders.is_empty() {
        return well(MESSAGES, format!("{shown} sends none"));
    }
    let names = senders.join(", ");
    if outline.gateway {
        return well(
            MESSAGES,
            format!("{shown} sends some ({names}), and a gateway is named"),
        );
    }
    let found = format!("workflows of {shown} send some ({names}), and no gateway is named");
    let remedy = format!(
        "write `[notify]` and below it `endpoint = \"https://...\"` into {}: otherwise no message \
         goes out",
        config.display()
    );
    ill(MESSAGES, found, &remedy)
}

/// Without a place for exports no key is rolled, and what was erased opens from any older copy.
fn erasure(config: &Path, outline: &Outline, pack: &Path) -> Finding {
    let shown = pack.display();
    if outline.recovery {
        let found = format!("files of {shown} are erased, and keys are rolled after it");
        return well(ERASURE, found);
    }
    let found = format!("files of {shown} are erased, and older backups go on opening them");
    let remedy = format!(
        "make a recovery secret with `casewright keys recovery`, and write what it prints into {}",
        config.display()
    );
    ill(ERASURE, found, &remedy)
}

/// `None` where the pack has mistakes.
async fn read(pack: &Path) -> io::Result<Option<Asks>> {
    let root = folder::root(pack)?;
    let installed = validate::installed(None).await?;
    let evaluator = EvaluatorProcess::new()?;
    let files = folder::read(root)?;
    let (deployment, _) = validate::whole(root, files, &installed, &evaluator).await;
    Ok(deployment.map(|deployment| {
        let workflows = deployment.workflows.values();
        let senders = workflows.filter(|workflow| Workflow::sends_messages(workflow));
        let senders = senders.map(|workflow| workflow.document.name.clone());
        Asks {
            senders: senders.collect(),
            erases: !deployment.pack.retention.classes.is_empty(),
        }
    }))
}
