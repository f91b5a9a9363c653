//! A bounded memory of what was used lately: two generations, the older is dropped whole.
//!
//! Least-recently-used lists cost a link per entry and a write per read; here a read is a lookup.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

pub(crate) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation_max: usize,
}

impl<K: Eq + Hash + Clone, V: Clone> Recent<K, V> {
    /// Holds between one and two times `generation_max` entries once it is full.
    pub(crate) fn new(generation_max: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation_max,
        }
    }

    pub(crate) fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.young.remove(key);
        self.old.remove(key);
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_was_not_used_and_keeps_what_was() {
        let mut recent = Recent::new(2);
        for number in 0..2 {
            recent.insert(number, number);
        }
        recent.insert(2, 2);
        assert_eq!(recent.get(&0), Some(0));
        recent.insert(3, 3);
        assert_eq!(recent.get(&1), None);
        assert_eq!(recent.get(&0), Some(0));
    }

    #[test]
    fn the_newest_value_wins_over_an_older_generation() {
        let mut recent = Recent::new(1);
        recent.insert("a", 1);
        recent.insert("b", 1);
        recent.insert("a", 2);
        assert_eq!(recent.get("a"), Some(2));
    }
}
