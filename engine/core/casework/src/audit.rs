//! The record of a case: an append-only chain of hashes. Entries name things, they hold no content.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What somebody did or tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Principal id.
    pub who: String,
    pub action: Action,
    /// Instance, if any.
    pub instance: Option<String>,
    /// Work item, function key, reservation...: an id.
    pub subject: Option<String>,
    /// Outcome, refusal code, function name: from a fixed vocabulary or the workflow document.
    pub detail: Option<String>,
}

/// What was done; the names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    CaseOpened,
    /// The end of an episode, with its reason.
    CaseClosed,
    /// Another episode.
    CaseReopened,
    CaseRead,
    /// Its days are counted by another calendar from here on.
    CaseCalendarChanged,
    InstanceStarted,
    InstanceCompleted,
    InstanceFaulted,
    InstanceCancelled,
    /// It goes on from a step that failed.
    InstanceRetried,
    /// It goes on in another version of its workflow.
    InstanceMigrated,
    WorkItemOffered,
    WorkItemClaimed,
    WorkItemReleased,
    WorkItemCompleted,
    WorkItemWithdrawn,
    WorkItemDrafted,
    WorkItemHeld,
    WorkItemResumed,
    WorkItemReminded,
    WorkItemEscalated,
    /// Its calendar changed, and its moments with it.
    WorkItemDueMoved,
    /// Handed to a colleague who acts for whoever had it.
    WorkItemHandedOver,
    /// Taken up by somebody for a colleague.
    WorkItemTakenFor,
    /// Back to those it was handed over by, or offered again.
    WorkItemReturned,
    /// What somebody decided counts for a colleague as well.
    WorkItemActedFor,
    /// Given to a colleague by somebody who arranges.
    WorkItemGiven,
    WorkItemReassigned,
    WorkItemSkipped,
    Refused,
    FunctionCalled,
    FunctionReturned,
    FunctionFailed,
    AnswerAwaited,
    CallbackArrived,
    CallbackIgnored,
    FundReserved,
    FundCommitted,
    FundReleased,
    /// Somebody took a payment back.
    FundReversed,
    /// A decision table was asked.
    TableDecided,
    PersonAdded,
    PersonChanged,
    /// Somebody asked for an address that is confidential.
    AddressShown,
    ConsentGiven,
    ConsentWithdrawn,
    /// A version of the plan was written.
    PlanProposed,
    /// What the family says to a version was written down.
    PlanAnswered,
    /// A version came into force.
    PlanActivated,
    /// Facts about people were about to be sent.
    Disclosed,
    /// They were not, since nobody had agreed to it.
    DisclosureRefused,
    /// A message was about to be sent.
    MessageSent,
    /// It was not: nobody said that this way is safe.
    MessageRefused,
    NoteAdded,
    DocumentAdded,
    /// Somebody was given the content.
    DocumentOpened,
    /// A member of staff may not open the case.
    WallDeclared,
    /// They may, up to a day.
    WallLifted,
    WallTakenAway,
    /// The file is held back from erasure.
    HoldSet,
    HoldLifted,
    /// It is on record that the file was handed over.
    FileTransferred,
    ErasureAsked,
    ErasureDeclined,
    /// The last entry of a case: nothing of what it held can be read any more.
    CaseErased,
    EventAwaited,
    EventReceived,
    EventEmitted,
    EventLetGo,
}

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// From 0, within the case.
    pub index: u64,
    /// Hex SHA-256 over the previous hash and this entry.
    pub hash: String,
    pub entry: Entry,
}

/// A link as somebody sees it who does not see everything: of what is hidden its place and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub index: u64,
    pub hash: String,
    pub entry: Option<Entry>,
}

/// [`verify`] for a chain with hidden entries: their hashes are taken as they stand, so that every
/// entry that is shown is held by all that stand before it.
pub fn verify_shown(case: &str, links: &[Shown]) -> Result<(), u64> {
    let mut previous = genesis(case);
    for (index, found) in (0_u64..).zip(links) {
        let follows = match &found.entry {
            Some(entry) => link(&previous, index, entry).hash == found.hash,
            None => true,
        };
        if !follows || found.index != index {
            return Err(index);
        }
        previous.clone_from(&found.hash);
    }
    Ok(())
}

/// The hash before the first entry of a case: chains of different cases cannot be exchanged.
pub fn genesis(case: &str) -> String {
    hex(Sha256::new()
        .chain_update(b"casewright audit 1\n")
        .chain_update(case.as_bytes()))
}

/// The next link.
pub fn link(previous_hash: &str, index: u64, entry: &Entry) -> Link {
    let text = serde_json::to_string(entry).expect("an entry has only text and numbers");
    let hash = hex(Sha256::new()
        .chain_update(previous_hash.as_bytes())
        .chain_update(index.to_be_bytes())
        .chain_update(text.as_bytes()));
    Link {
        index,
        hash,
        entry: entry.clone(),
    }
}

/// Whether the links are the whole beginning of the case's chain; otherwise the index of the first
/// one that does not follow from what stands before it.
pub fn verify(case: &str, links: &[Link]) -> Result<(), u64> {
    let mut previous = genesis(case);
    for (index, found) in (0_u64..).zip(links) {
        if link(&previous, index, &found.entry) != *found {
            return Err(index);
        }
        previous.clone_from(&found.hash);
    }
    Ok(())
}

pub(crate) fn hex(hasher: Sha256) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let hash = hasher.finalize();
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    nibbles
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u8) -> Vec<Link> {
        let mut previous = genesis("case-1");
        let links = (0..count).map(|index| {
            let entry = Entry {
                at: Timestamp::from_second(i64::from(index)).unwrap(),
                who: format!("u-{index}"),
                action: Action::WorkItemClaimed,
                instance: None,
                subject: Some("i-1-1".to_owned()),
                detail: None,
            };
            let next = link(&previous, u64::from(index), &entry);
            previous.clone_from(&next.hash);
            next
        });
        links.collect()
    }

    #[test]
    fn a_whole_chain_verifies_and_every_tampering_is_named() {
        let whole = chain(5);
        assert_eq!(verify("case-1", &whole), Ok(()));
        assert_eq!(verify("case-2", &whole), Err(0), "a chain of another case");
        for index in 0..5 {
            let mut edited = whole.clone();
            edited[index].entry.who = "u-9".to_owned();
            assert_eq!(
                verify("case-1", &edited),
                Err(index as u64),
                "an edited entry"
            );
            let mut removed = whole.clone();
            removed.remove(index);
            let expected = if index == 4 {
                Ok(())
            } else {
                Err(index as u64)
            };
            assert_eq!(verify("case-1", &removed), expected, "a removed entry");
        }
        let mut swapped = whole.clone();
        swapped.swap(1, 2);
        assert_eq!(verify("case-1", &swapped), Err(1));
        let mut renumbered = whole;
        renumbered[3].index = 7;
        assert_eq!(verify("case-1", &renumbered), Err(3));
    }

    #[test]
    fn a_chain_with_hidden_entries_verifies_and_what_is_shown_cannot_be_changed() {
        let shown: Vec<_> = chain(5)
            .into_iter()
            .map(|link| Shown {
                index: link.index,
                hash: link.hash,
                entry: (link.index != 2).then_some(link.entry),
            })
            .collect();
        assert_eq!(verify_shown("case-1", &shown), Ok(()));
        for index in [0, 1, 3, 4] {
            let mut edited = shown.clone();
            edited[index].entry.as_mut().unwrap().who = "u-9".to_owned();
            assert_eq!(verify_shown("case-1", &edited), Err(index as u64));
        }
        let mut removed = shown.clone();
        removed.remove(2);
        assert_eq!(verify_shown("case-1", &removed), Err(2));
        let mut renumbered = shown.clone();
        renumbered[3].index = 7;
        assert_eq!(verify_shown("case-1", &renumbered), Err(3));
        let mut forged = shown;
        forged[2].hash = "0".repeat(64);
        assert_eq!(verify_shown("case-1", &forged), Err(3));
    }

    #[test]
    fn every_part_of_an_entry_is_in_its_hash() {
        let whole = chain(3);
        let edits: [fn(&mut Entry); 6] = [
            |entry| entry.at = Timestamp::MAX,
            |entry| entry.who.push('x'),
            |entry| entry.action = Action::WorkItemReleased,
            |entry| entry.instance = Some("i-2".to_owned()),
            |entry| entry.subject = Some("i-1-2".to_owned()),
            |entry| entry.detail = Some("approve".to_owned()),
        ];
        for edit in edits {
            let mut edited = whole.clone();
            edit(&mut edited[1].entry);
            assert_eq!(verify("case-1", &edited), Err(1), "{:?}", edited[1].entry);
        }
        // The same entry at another place is another link.
        let entry = &whole[0].entry;
        assert_ne!(link("", 0, entry).hash, link("", 1, entry).hash);
    }
}
