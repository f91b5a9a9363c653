//! A deployment as the store keeps it: the files and what plugins said, read again when needed.
//!
//! Not the checked values: a newer engine reads the same texts with its own eyes.

use casewright_language::{Schema, Signature, Surroundings};

use super::{Deployment, NO_PACK, PACK_FILE};
use crate::engine::Refused;
use crate::record::{DeploymentRow, SignatureRow};

impl Deployment {
    pub(crate) fn to_row(&self) -> DeploymentRow {
        let signature = |(name, signature): (&String, &Signature)| {
            let row = SignatureRow {
                title: signature.title.clone(),
                input: signature.input.document().clone(),
                output: signature.output.document().clone(),
                errors: signature.errors.clone(),
                pays: signature.pays.clone(),
                discloses: signature.discloses.clone(),
            };
            (name.clone(), row)
        };
        DeploymentRow {
            agency: self.pack.namespace.clone(),
            alone: self.alone.clone(),
            files: self.files.clone(),
            plugins: self.plugins.clone(),
            functions_known: self.functions_known,
            signatures: self.signatures.iter().map(signature).collect(),
        }
    }

    pub(crate) fn from_row(row: DeploymentRow) -> Result<Self, Refused> {
        let mut installed = Surroundings {
            functions_known: row.functions_known,
            ..Surroundings::default()
        };
        for (name, signature) in row.signatures {
            let schema = |document| {
                Schema::new(document).map_err(|_| {
                    Refused::Damaged(format!("the stored schema of {name} is refused"))
                })
            };
            let signature = Signature {
                title: signature.title,
                input: schema(signature.input)?,
                output: schema(signature.output)?,
                errors: signature.errors,
                pays: signature.pays,
                discloses: signature.discloses,
            };
            installed.functions.insert(name, signature);
        }
        let plugins: Vec<_> = row.plugins.into_iter().collect();
        let mut files = row.files;
        let read = match row.alone {
            None => Self::read(files, &installed, &plugins),
            Some(file) => {
                let text = files.remove(&file).unwrap_or_default();
                let around = files.get(PACK_FILE).is_some_and(|pack| pack != NO_PACK);
                let around = around.then_some(files);
                Self::of_document(&file, &text, around, &installed, &plugins)
            }
        };
        read.map_err(|findings| {
            let first = findings.first();
            let code = first.map_or("", |finding| finding.code);
            let file = first.map_or("", |finding| finding.file.as_str());
            Refused::Damaged(format!(
                "this engine refuses a deployed pack that an earlier one took: {code} in {file}"
            ))
        })
    }
}
