//! How it is written that a run began, went on or ended: a few bytes, since a run that waits for
//! months keeps such a row.

use casewright_machine::lifecycle::{Cause, Phase};
use jiff::Timestamp;

use super::Told;
use crate::id;

/// First byte of a row: a format.
const VERSION: u8 = 1;

/// Of an instance's id: one letter, then 16 bytes as text.
const ID_LEN: usize = 16;

pub(super) fn write(instance: &str, told: &Told) -> Vec<u8> {
    let mut bytes = vec![VERSION, code(&told.phase)];
    let known = instance.strip_prefix('i').and_then(id::decode);
    bytes.extend(known.filter(|id| id.len() == ID_LEN).unwrap_or_default());
    bytes.extend(told.at.as_millisecond().to_be_bytes());
    bytes.extend(told.sequence.to_be_bytes());
    if let Phase::Faulted(Cause { kind, status }) = &told.phase {
        bytes.extend(status.to_be_bytes());
        bytes.extend(kind.as_bytes());
    }
    bytes
}

/// The id of the run and what happened; `None` for what this engine did not write.
pub(super) fn read(bytes: &[u8]) -> Option<(String, Told)> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let (id, rest) = rest.split_first_chunk::<ID_LEN>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (sequence, rest) = rest.split_first_chunk::<8>()?;
    let [VERSION, code] = *head else {
        return None;
    };
    let mut instance = String::from("i");
    id::encode(id, &mut instance);
    let told = Told {
        phase: phase(code, rest)?,
        at: Timestamp::from_millisecond(i64::from_be_bytes(*at)).ok()?,
        sequence: u64::from_be_bytes(*sequence),
    };
    Some((instance, told))
}

/// Codes are a format. What is told of tasks alone has none.
fn code(phase: &Phase) -> u8 {
    match phase {
        Phase::Started => 1,
        Phase::Resumed => 2,
        Phase::Cancelled => 3,
        Phase::Faulted(_) => 4,
        Phase::Completed => 5,
        Phase::Created
        | Phase::Suspended
        | Phase::Retried
        | Phase::CorrelationStarted
        | Phase::CorrelationCompleted => 0,
    }
}

fn phase(code: u8, rest: &[u8]) -> Option<Phase> {
    match code {
        1 => Some(Phase::Started),
        2 => Some(Phase::Resumed),
        3 => Some(Phase::Cancelled),
        4 => {
            let (status, kind) = rest.split_first_chunk::<8>()?;
            Some(Phase::Faulted(Cause {
                kind: String::from_utf8(kind.to_vec()).ok()?,
                status: i64::from_be_bytes(*status),
            }))
        }
        5 => Some(Phase::Completed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_back_and_is_short() {
        let instance = format!("i{}", "0123456789abcdefghjkmnpqr0");
        let failed = Phase::Faulted(Cause {
            kind: "urn:casewright:error:payment-issue.unavailable".to_owned(),
            status: 503,
        });
        for phase in [Phase::Started, Phase::Completed, failed] {
            let told = Told {
                sequence: 17,
                at: Timestamp::from_millisecond(1_764_000_000_123).unwrap(),
                phase,
            };
            let bytes = write(&instance, &told);
            assert_eq!(read(&bytes), Some((instance.clone(), told.clone())));
            assert!(told.phase != Phase::Started || bytes.len() == 34);
            assert_eq!(read(&bytes[..20]), None);
        }
    }

    #[test]
    fn a_row_of_a_newer_engine_is_not_guessed_at() {
        let mut bytes = write(
            "i00000000000000000000000000",
            &Told {
                sequence: 1,
                at: Timestamp::UNIX_EPOCH,
                phase: Phase::Started,
            },
        );
        assert!(read(&bytes).is_some());
        bytes[0] = VERSION + 1;
        assert_eq!(read(&bytes), None);
    }
}
