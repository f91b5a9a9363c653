//! Where unfolded events and audit links stand in the journal: in memory, rebuilt from the
//! journal's tail at opening. Ids and positions only, never content.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::recent::Recent;

/// Folded instances and quiet cases whose heads are remembered, per generation.
const REMEMBERED: usize = 16_384;

/// The unfolded part of one history.
#[derive(Default)]
pub(super) struct Tail {
    /// Sequence of the first place; everything before is folded, or being folded.
    pub(super) first: u64,
    /// Where each event or link lies, in order.
    pub(super) places: Vec<Place>,
    /// Accepted folds that are not on disk yet: outsiders still read the journal.
    pub(super) folding: Vec<Folding>,
}

/// A place in the journal.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) position: u64,
    /// Length of the journal in bytes before it.
    offset: u64,
}

pub(super) struct Folding {
    pub(super) stamp: u64,
    pub(super) first: u64,
    pub(super) places: Vec<Place>,
}

/// An instance with unfolded events.
pub(super) struct Stream {
    pub(super) case: Arc<str>,
    /// Whether its newest snapshot is marked active.
    pub(super) active: bool,
    pub(super) tail: Tail,
}

/// A case with unfolded audit links.
pub(super) struct Chain {
    pub(super) hash: String,
    pub(super) tail: Tail,
}

/// What a decision needs to know of an instance.
#[derive(Clone)]
pub(super) struct StreamHead {
    pub(super) case: Arc<str>,
    pub(super) events: u64,
    pub(super) active: bool,
}

/// What the next audit link needs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ChainHead {
    pub(super) next: u64,
    pub(super) hash: String,
}

/// Who holds a part of the journal's tail.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Instance(Arc<str>),
    Case(Arc<str>),
}

pub(super) struct Index {
    pub(super) streams: HashMap<Arc<str>, Stream>,
    pub(super) chains: HashMap<Arc<str>, Chain>,
    pub(super) parked: Recent<Arc<str>, StreamHead>,
    pub(super) quiet: Recent<Arc<str>, ChainHead>,
    /// First place of each unfolded history, with the journal's length in bytes before it.
    oldest: BTreeMap<(u64, Holder), u64>,
    /// Bytes appended to the journal, counted from its tail at opening.
    pub(super) written: u64,
}

impl Tail {
    pub(super) fn starting_at(first: u64) -> Self {
        Self {
            first,
            ..Self::default()
        }
    }

    pub(super) fn next(&self) -> u64 {
        self.first + self.places.len() as u64
    }

    fn is_settled(&self) -> bool {
        self.places.is_empty() && self.folding.is_empty()
    }
}

impl Index {
    pub(super) fn new() -> Self {
        Self {
            streams: HashMap::new(),
            chains: HashMap::new(),
            parked: Recent::new(REMEMBERED),
            quiet: Recent::new(REMEMBERED),
            oldest: BTreeMap::new(),
            written: 0,
        }
    }

    pub(super) fn stream(&mut self, instance: &str, head: &StreamHead) -> &mut Stream {
        if !self.streams.contains_key(instance) {
            let stream = Stream {
                case: Arc::clone(&head.case),
                active: head.active,
                tail: Tail::starting_at(head.events),
            };
            self.streams.insert(Arc::from(instance), stream);
        }
        self.streams.get_mut(instance).expect("inserted above")
    }

    pub(super) fn chain(&mut self, case: &str, head: &ChainHead) -> &mut Chain {
        if !self.chains.contains_key(case) {
            let chain = Chain {
                hash: head.hash.clone(),
                tail: Tail::starting_at(head.next),
            };
            self.chains.insert(Arc::from(case), chain);
        }
        self.chains.get_mut(case).expect("inserted above")
    }

    /// Adds an event of a stream that exists.
    pub(super) fn push_event(&mut self, instance: &str, position: u64) {
        let (name, _) = self
            .streams
            .get_key_value(instance)
            .expect("made by caller");
        let holder = Holder::Instance(Arc::clone(name));
        let stream = self.streams.get_mut(instance).expect("made by caller");
        push(
            &mut self.oldest,
            &mut stream.tail,
            holder,
            position,
            self.written,
        );
    }

    /// Adds a link of a chain that exists.
    pub(super) fn push_link(&mut self, case: &str, position: u64) {
        let (name, _) = self.chains.get_key_value(case).expect("made by caller");
        let holder = Holder::Case(Arc::clone(name));
        let chain = self.chains.get_mut(case).expect("made by caller");
        push(
            &mut self.oldest,
            &mut chain.tail,
            holder,
            position,
            self.written,
        );
    }

    pub(super) fn fold_stream(&mut self, instance: &str, stamp: u64) {
        let holder = Holder::Instance(Arc::from(instance));
        if let Some(stream) = self.streams.get_mut(instance) {
            let count = stream.tail.places.len();
            fold(&mut self.oldest, &mut stream.tail, holder, count, stamp);
        }
    }

    /// Folds the first `count` links of what is unfolded.
    pub(super) fn fold_chain(&mut self, case: &str, count: usize, stamp: u64) {
        let holder = Holder::Case(Arc::from(case));
        if let Some(chain) = self.chains.get_mut(case) {
            fold(&mut self.oldest, &mut chain.tail, holder, count, stamp);
        }
    }

    /// A fold is on disk: what is folded whole leaves memory.
    pub(super) fn settle(&mut self, holder: &Holder, flushed: u64) {
        match holder {
            Holder::Instance(id) => {
                let Some(stream) = self.streams.get_mut(id) else {
                    return;
                };
                stream.tail.folding.retain(|part| part.stamp > flushed);
                if stream.tail.is_settled() {
                    let head = StreamHead::of(stream);
                    self.streams.remove(id);
                    self.parked.insert(Arc::clone(id), head);
                }
            }
            Holder::Case(id) => {
                let Some(chain) = self.chains.get_mut(id) else {
                    return;
                };
                chain.tail.folding.retain(|part| part.stamp > flushed);
                if chain.tail.is_settled() {
                    let head = ChainHead::of(chain);
                    self.chains.remove(id);
                    self.quiet.insert(Arc::clone(id), head);
                }
            }
        }
    }

    /// Forgets histories that proved to be folded whole.
    pub(super) fn drop_settled(&mut self) {
        self.streams.retain(|_, stream| !stream.tail.is_settled());
        self.chains.retain(|_, chain| !chain.tail.is_settled());
    }

    /// Everything below this position is folded.
    pub(super) fn oldest_position(&self) -> Option<u64> {
        self.oldest.keys().next().map(|(position, _)| *position)
    }

    /// Bytes of the journal from the oldest unfolded record on.
    pub(super) fn tail_bytes(&self) -> u64 {
        let first = self.oldest.values().next();
        first.map_or(0, |offset| self.written - offset)
    }

    /// Holders that lie more than so many bytes behind, oldest first, looking at `limit` at most.
    pub(super) fn behind(&self, bytes: u64, limit: usize) -> impl Iterator<Item = &Holder> {
        self.oldest
            .iter()
            .take(limit)
            .take_while(move |(_, offset)| self.written - **offset > bytes)
            .map(|((_, holder), _)| holder)
    }
}

impl StreamHead {
    pub(super) fn of(stream: &Stream) -> Self {
        Self {
            case: Arc::clone(&stream.case),
            events: stream.tail.next(),
            active: stream.active,
        }
    }
}

impl ChainHead {
    pub(super) fn of(chain: &Chain) -> Self {
        Self {
            next: chain.tail.next(),
            hash: chain.hash.clone(),
        }
    }
}

fn push(
    oldest: &mut BTreeMap<(u64, Holder), u64>,
    tail: &mut Tail,
    holder: Holder,
    position: u64,
    offset: u64,
) {
    if tail.places.is_empty() {
        oldest.insert((position, holder), offset);
    }
    tail.places.push(Place { position, offset });
}

fn fold(
    oldest: &mut BTreeMap<(u64, Holder), u64>,
    tail: &mut Tail,
    holder: Holder,
    count: usize,
    stamp: u64,
) {
    if count == 0 {
        return;
    }
    let rest = tail.places.split_off(count);
    let places = std::mem::replace(&mut tail.places, rest);
    let first = tail.first;
    tail.first += count as u64;
    oldest.remove(&(places[0].position, holder.clone()));
    if let Some(place) = tail.places.first() {
        oldest.insert((place.position, holder), place.offset);
    }
    tail.folding.push(Folding {
        stamp,
        first,
        places,
    });
}
