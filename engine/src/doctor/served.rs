//! What `doctor` finds in the configuration of a server and in the packs that it serves: whether
//! what they ask for is there. Nothing is started, and no secret is read.

use std::io;
use std::path::Path;

use casewright_language::Workflow;

use super::{Finding, ill, well};
use crate::ports::EvaluatorProcess;
use crate::serve::{self, Outline};
use crate::{folder, validate};

const CHECK: &str = "messages";

/// One finding for the file, and one for each pack that it names.
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
    findings.extend(
        outline
            .packs
            .iter()
            .map(|pack| messages(config, &outline, pack)),
    );
    findings
}

/// Where nobody sends messages, each `call: notify` of a run fails, and a family hears nothing.
fn messages(config: &Path, outline: &Outline, pack: &Path) -> Finding {
    let shown = pack.display();
    let senders = match crate::asynchronous(senders(pack)) {
        Ok(Some(senders)) => senders,
        Ok(None) => {
            let remedy = format!("`casewright validate {shown}` shows them");
            return ill(CHECK, format!("the pack in {shown} has mistakes"), &remedy);
        }
        Err(error) => {
            let remedy = "name the folder of the pack under `packs` of the configuration";
            return ill(CHECK, format!("{shown}: {error}"), remedy);
        }
    };
    if senders.is_empty() {
        return well(CHECK, format!("{shown} sends none"));
    }
    let names = senders.join(", ");
    if outline.gateway {
        return well(
            CHECK,
            format!("{shown} sends some ({names}), and a gateway is named"),
        );
    }
    let found = format!("workflows of {shown} send some ({names}), and no gateway is named");
    let remedy = format!(
        "write `[notify]` and below it `endpoint = \"https://...\"` into {}: otherwise no message \
         goes out",
        config.display()
    );
    ill(CHECK, found, &remedy)
}

/// Names of the workflows that send messages; `None` where the pack has mistakes.
async fn senders(pack: &Path) -> io::Result<Option<Vec<String>>> {
    let root = folder::root(pack)?;
    let installed = validate::installed(None).await?;
    let evaluator = EvaluatorProcess::new()?;
    let files = folder::read(root)?;
    let (deployment, _) = validate::whole(root, files, &installed, &evaluator).await;
    Ok(deployment.map(|deployment| {
        let workflows = deployment.workflows.values();
        let senders = workflows.filter(|workflow| Workflow::sends_messages(workflow));
        senders
            .map(|workflow| workflow.document.name.clone())
            .collect()
    }))
}
