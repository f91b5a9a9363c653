//! How long the files of a pack are kept, as `casework` decides by it, and whether every workflow
//! that a class names is there.

use std::collections::{BTreeMap, BTreeSet};

use casewright_casework::person::Relation;
use casewright_casework::retention::{self, Class, Period};
use casewright_language::pack::{self, Dispose, KeptFrom, Pack, RetentionClass};

use super::{Deployment, PACK_FILE, Reader};

impl Deployment {
    /// The classes of the pack, by their names.
    pub fn classes(&self) -> Vec<Class> {
        let classes = self.pack.retention.classes.iter();
        classes.map(|(name, class)| of(name, class)).collect()
    }
}

fn of(name: &str, class: &RetentionClass) -> Class {
    let (years, months) = class.keep;
    let relations = class.relations.iter();
    Class {
        name: name.to_owned(),
        keep: Period { years, months },
        from: match class.from {
            KeptFrom::Closed => retention::From::Closed,
            KeptFrom::Born => retention::From::Born,
        },
        relations: relations.filter_map(|word| Relation::named(word)).collect(),
        workflows: class.workflows.iter().cloned().collect(),
        reasons: class.reasons.iter().cloned().collect(),
        dispose: match class.dispose {
            Dispose::Erase => retention::Dispose::Erase,
            Dispose::Transfer => retention::Dispose::Transfer,
        },
    }
}

impl Reader {
    /// Workflows that classes name. One that has mistakes of its own is told once. Whoever reads a
    /// pack without its documents asks for something else.
    pub(super) fn kept_workflows(&mut self, pack: &Pack, files: &BTreeMap<String, String>) {
        let known: BTreeSet<_> = super::outlines(files).into_keys().collect();
        if known.is_empty() {
            return;
        }
        let text = files.get(PACK_FILE).map_or("", String::as_str);
        let found = pack::check_pack(PACK_FILE, text, pack, &known);
        self.findings.extend(found);
    }
}
