//! Opening every seal of a store once: whether anything was changed, swapped or lost since it was
//! written. It reads what is flushed and keeps nobody from going on.

use super::Shared;
use crate::backend::{Backend, Snapshot, Space};
use crate::chunk;
use crate::record::RECORD;
use crate::seal::damaged;
use crate::{ReadError, Sound};

/// Read at a time.
const ENTRIES: usize = 256;

impl<B: Backend> Shared<B> {
    pub(super) fn verify(&self) -> Result<Sound, ReadError> {
        let flushed = self.lock()?.flushed()?;
        let mut sound = Sound::default();
        for space in Space::ALL {
            // Facts about the store and wrapped keys are judged when it opens and when they are
            // used.
            if matches!(space, Space::Meta | Space::Keys) {
                continue;
            }
            let mut from = Vec::new();
            loop {
                let pairs = flushed.scan(space, &from, &[0xff; 64], ENTRIES);
                let pairs = pairs.map_err(ReadError::from)?;
                let Some((last, _)) = pairs.last() else {
                    break;
                };
                from.clone_from(last);
                from.push(0);
                for (key, value) in &pairs {
                    sound.count(self.open(space, key, value))?;
                }
            }
        }
        let mut next = 0;
        loop {
            let rows = flushed.journal(next, ENTRIES).map_err(ReadError::from)?;
            let Some((last, _)) = rows.last() else {
                return Ok(sound);
            };
            for (first, row) in &rows {
                let records = chunk::read(*first, row).ok_or_else(|| damaged(RECORD))?;
                for (position, record) in records {
                    sound.count(self.open_record(position, record))?;
                }
            }
            next = last + 1;
        }
    }
}

impl Sound {
    fn count<T>(&mut self, opened: Result<T, ReadError>) -> Result<(), ReadError> {
        match opened {
            Ok(_) => self.opened += 1,
            Err(ReadError::Erased) => self.erased += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
