//! The tests of a pack that lies in no folder, to be played again and again: for `bench`.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use casewright_language::pack_test::{self, Test};
use casewright_language::{Diagnostic, Surroundings};
use casewright_runtime::Deployment;

use super::play::Listeners;
use super::stage::World;
use super::{around, one};
use crate::ports::plugins::Sources;
use crate::ports::{EvaluatorProcess, Plugins};

/// A pack and its tests, read and checked.
pub(crate) struct Rehearsal {
    world: World,
    deployment: Deployment,
    tests: Vec<Test>,
}

impl Rehearsal {
    /// It calls no plugin.
    pub(crate) async fn read(pack: BTreeMap<String, String>, tests: &str) -> io::Result<Self> {
        let world = World {
            plugins: Arc::new(Plugins::load(Sources::default()).await?),
            evaluate: Arc::new(EvaluatorProcess::new()?),
        };
        let deployment = Deployment::read(pack, &Surroundings::default(), &[]);
        let deployment = deployment.map_err(|found| wrong(&found))?;
        let (tests, found) = pack_test::read("tests", tests, &around(&deployment));
        if found.is_empty() {
            return Ok(Self {
                world,
                deployment,
                tests,
            });
        }
        Err(wrong(&found))
    }

    /// Every test once, each with a fresh engine; an error when one does not pass.
    pub(crate) async fn play(&self) -> io::Result<()> {
        for test in &self.tests {
            let mut listeners = Listeners::default();
            let failures = one(&self.world, &self.deployment, "tests", test, &mut listeners);
            let failures = failures.await?;
            if !failures.is_empty() {
                return Err(wrong(&failures));
            }
        }
        Ok(())
    }
}

fn wrong(found: &[Diagnostic]) -> io::Error {
    let sentences = found
        .iter()
        .map(|one| format!("{}:{}: {}", one.file, one.line, one.message));
    io::Error::other(sentences.collect::<Vec<_>>().join("; "))
}
