//! A sorted map whose past can be read: a snapshot is a number, not a copy. Old values go as soon
//! as no snapshot is old enough to see them.

use std::borrow::Borrow;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeBounds;
use std::sync::Arc;

/// What a group wrote; `None` is a removal.
type Version = (u64, Option<Arc<[u8]>>);

pub(super) struct Versions<K> {
    /// Values of a key by the stamp that wrote them, ascending.
    keys: BTreeMap<K, Vec<Version>>,
    /// Keys with more than the newest value, by the stamp that will make the rest needless.
    stale: VecDeque<(u64, K)>,
}

impl<K: Ord + Clone> Versions<K> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q, at: u64) -> Option<Arc<[u8]>>
    where
        K: Borrow<Q>,
    {
        seen(self.keys.get(key)?, at)
    }

    pub(super) fn range<Q: Ord + ?Sized>(
        &self,
        range: impl RangeBounds<Q>,
        at: u64,
    ) -> impl DoubleEndedIterator<Item = (&K, Arc<[u8]>)>
    where
        K: Borrow<Q>,
    {
        let keys = self.keys.range(range);
        keys.filter_map(move |(key, values)| Some((key, seen(values, at)?)))
    }

    /// Stamps ascend from call to call.
    pub(super) fn set(&mut self, key: K, stamp: u64, value: Option<Arc<[u8]>>) {
        let is_removal = value.is_none();
        let values = self.keys.entry(key.clone()).or_default();
        values.push((stamp, value));
        if values.len() > 1 || is_removal {
            self.stale.push_back((stamp, key));
        }
    }

    /// No snapshot sees anything before `oldest` any more.
    pub(super) fn forget(&mut self, oldest: u64) {
        while self
            .stale
            .front()
            .is_some_and(|(stamp, _)| *stamp <= oldest)
        {
            let Some((_, key)) = self.stale.pop_front() else {
                return;
            };
            let Some(values) = self.keys.get_mut(&key) else {
                continue;
            };
            let newest = values.iter().rposition(|(stamp, _)| *stamp <= oldest);
            values.drain(..newest.unwrap_or(0));
            if let [(_, None)] = values.as_slice() {
                self.keys.remove(&key);
            }
        }
    }
}

impl<K> Default for Versions<K> {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            stale: VecDeque::new(),
        }
    }
}

fn seen(values: &[Version], at: u64) -> Option<Arc<[u8]>> {
    let (_, value) = values.iter().rev().find(|(stamp, _)| *stamp <= at)?;
    value.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_sees_its_moment_until_it_is_forgotten() {
        let value = |text: &str| Some(Arc::<[u8]>::from(text.as_bytes()));
        let mut map: Versions<Vec<u8>> = Versions::default();
        map.set(b"a".to_vec(), 1, value("one"));
        map.set(b"a".to_vec(), 3, value("three"));
        map.set(b"b".to_vec(), 3, value("b"));
        map.set(b"b".to_vec(), 4, None);
        let get = |map: &Versions<Vec<u8>>, key: &str, at| map.get(key.as_bytes(), at);
        assert_eq!(get(&map, "a", 0), None);
        assert_eq!(get(&map, "a", 2), value("one"));
        assert_eq!(get(&map, "a", 3), value("three"));
        assert_eq!(get(&map, "b", 3), value("b"));
        assert_eq!(map.range::<[u8]>(.., 3).count(), 2);
        assert_eq!(map.range::<[u8]>(.., 4).count(), 1);
        map.forget(3);
        assert_eq!(map.keys[&b"a".to_vec()].len(), 1);
        assert_eq!(get(&map, "b", 3), value("b"));
        map.forget(4);
        assert_eq!(map.keys.len(), 1);
        assert_eq!(get(&map, "a", 9), value("three"));
        assert!(map.stale.is_empty());
    }
}
