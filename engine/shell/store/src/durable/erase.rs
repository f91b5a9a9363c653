//! Erasing a case: its key is destroyed, its audit chain goes on under the agency's. What was
//! sealed under the case stays where it lies, and opens for nobody. Copies of the store that are
//! older still have the key: they are answered by [`super::roll`].
//!
//! It does not know when a case may be erased.

use std::collections::BTreeSet;
use std::sync::Arc;

use casewright_casework::audit::{self, Link};

use super::Shared;
use super::accept::Accepting;
use super::index::{ChainHead, Holder};
use super::plan::Plan;
use super::state::State;
use crate::backend::{Backend, Snapshot, Space};
use crate::codec::{Decoder, Encoder};
use crate::keys::place;
use crate::record::{part_key, part_range, write_links};
use crate::seal::{case_owner, owner};
use crate::{AuditAppend, Batch, Erase, ReadError, SubmitError, Under};

/// What the store says of erased cases.
pub(super) const ERASURES: &[u8] = b"erasures";

/// How many cases were erased, and how many of them no copy of the store can bring back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Erasures {
    pub(super) count: u64,
    pub(super) rolled: u64,
}

/// A chain on its way to the agency's key, with what its batch adds.
pub(super) struct Leaving<'b> {
    pub(super) erase: &'b Erase,
    pub(super) links: Vec<Link>,
    pub(super) parts: Parts,
}

/// Keys of the parts that a chain lies in.
pub(super) type Parts = Vec<Vec<u8>>;

impl Erasures {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.number(self.count);
        out.number(self.rolled);
        out.0
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut input = Decoder(bytes);
        Some(Self {
            count: input.number()?,
            rolled: input.number()?,
        })
    }

    pub(super) fn is_due(self) -> bool {
        self.count > self.rolled
    }
}

impl<B: Backend> Shared<B> {
    /// The chains of cases that are to be erased, as far as they are on disk. They are long, and
    /// read before the lock is taken.
    pub(super) fn chains(&self, erases: &[Erase]) -> Result<Vec<Vec<Link>>, ReadError> {
        erases.iter().map(|erase| self.audit(&erase.case)).collect()
    }

    /// Whether nothing was added to the chains meanwhile, and nothing else of the batch needs the
    /// keys.
    pub(super) fn plan_erases(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &Batch,
        chains: &[Vec<Link>],
        plan: &mut Plan<'_>,
    ) -> Result<(), SubmitError> {
        for (index, (erase, links)) in batch.erases.iter().zip(chains).enumerate() {
            let case = erase.case.as_str();
            self.plan_key(state, plan, case_owner(case), Some(case))?;
            let agency = Under::Agency(erase.agency.clone());
            self.plan_key(state, plan, owner(&agency), None)?;
            if uses(batch, case) || batch.erases[..index].iter().any(|other| other.case == case) {
                return Err(SubmitError::UnknownCase(erase.case.clone()));
            }
            let head = self.chain_head(state, case)?;
            let chain = state.index.chains.get(case);
            let is_folding = chain.is_some_and(|chain| !chain.tail.folding.is_empty());
            if is_folding || head_of(links, case) != head {
                let index = batch.guards.len() + batch.folds.len() + index;
                return Err(SubmitError::Guard { index });
            }
            let (start, end) = part_range(case);
            let parts = state.flushed()?;
            let parts = parts.scan(Space::Audit, &start, &end, usize::MAX);
            let parts = parts.map_err(ReadError::from)?.into_iter();
            plan.parts.push(parts.map(|(key, _)| key).collect());
        }
        Ok(())
    }
}

/// Whether the batch adds anything under the key of a case.
fn uses(batch: &Batch, case: &str) -> bool {
    let of_case = Under::Case(case.to_owned());
    let mut puts = batch.puts.iter();
    batch.opens.iter().any(|opened| opened == case)
        || batch.events.iter().any(|event| event.case == case)
        || batch.folds.iter().any(|fold| fold.case == case)
        || puts.any(|put| put.value.is_some() && put.under == of_case)
}

impl<S> Accepting<'_, '_, S> {
    /// Whether the entry goes with the chain of a case that is erased.
    pub(super) fn link_erased(&mut self, append: &AuditAppend) -> bool {
        let mut leaving = self.leaving.iter_mut();
        let Some(leaving) = leaving.find(|leaving| leaving.erase.case == append.case) else {
            return false;
        };
        let links = &mut leaving.links;
        let head = head_of(links, &append.case);
        links.push(audit::link(&head.hash, head.next, &append.entry));
        true
    }

    /// Destroys the keys. Whatever stays in memory of the cases is let go.
    pub(super) fn erase(&mut self, stamp: u64) {
        let all = std::mem::take(&mut self.leaving);
        if all.is_empty() {
            return;
        }
        for leaving in all {
            let erase = leaving.erase;
            let case = erase.case.as_str();
            for key in &leaving.parts {
                self.delete(Space::Audit, key);
            }
            if !leaving.links.is_empty() {
                let agency = owner(&Under::Agency(erase.agency.clone()));
                let key = part_key(case, 0);
                let plain = write_links(&leaving.links);
                let value = self.seal(place(Space::Audit, &key), &agency, 0, &plain);
                self.put(Space::Audit, &key, value);
            }
            self.let_go(case, &leaving.links, stamp);
            let row = self.keyring.destroy(&case_owner(case));
            self.put(Space::Keys, &case_owner(case), row);
            self.state.erasures.count += 1;
        }
        self.state.fresh.clear();
        let fact = self.state.erasures.bytes();
        let nonce = self.state.nonces.next();
        let fact = self.keyring.seal_meta(ERASURES, &nonce.bytes, &fact);
        self.put(Space::Meta, ERASURES, fact);
    }

    /// Nothing of the case holds the journal any more.
    fn let_go(&mut self, case: &str, links: &[Link], stamp: u64) {
        let index = &mut self.state.index;
        let streams = index.streams.iter();
        let of_case: BTreeSet<Arc<str>> = streams
            .filter(|(_, stream)| &*stream.case == case)
            .map(|(id, _)| Arc::clone(id))
            .collect();
        for id in of_case {
            index.fold_stream(&id, stamp);
            self.folds.push(Holder::Instance(id));
        }
        let head = head_of(links, case);
        if let Some(chain) = index.chains.get_mut(case) {
            let count = chain.tail.places.len();
            chain.hash.clone_from(&head.hash);
            index.fold_chain(case, count, stamp);
            if let Some(chain) = index.chains.get_mut(case) {
                chain.tail.first = head.next;
            }
            self.folds.push(Holder::Case(Arc::from(case)));
        }
        index.quiet.insert(Arc::from(case), head);
    }
}

fn head_of(links: &[Link], case: &str) -> ChainHead {
    links.last().map_or_else(
        || ChainHead::first(case),
        |last| ChainHead {
            next: last.index + 1,
            hash: last.hash.clone(),
        },
    )
}
