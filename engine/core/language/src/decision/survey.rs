//! What the rows of a version leave out, where two fit, and which are never reached.
//!
//! The space of all inputs is cut along the ends of the conditions, one input after the other; what
//! no row is left for is a gap. That is exact, and it may cost as much as there are combinations of
//! conditions: beyond [`VISITS_MAX`] looks at a row a table is refused, never left half checked.

use std::collections::BTreeSet;

use super::condition::written;
use super::{Column, Condition, Row};

/// Looks at a row for one version.
const VISITS_MAX: usize = 2_000_000;
/// Gaps, and pairs of rows, that are told of one version.
const TOLD_MAX: usize = 3;

/// The table has too many combinations.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

type Range = (i128, i128);

/// A part of the space: a range for each input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap(Vec<Range>);

impl Gap {
    /// `amount: from 5000.01, category: rent`; what may be anything is left out.
    pub(super) fn written(&self, columns: &[Column]) -> String {
        let parts = self.0.iter().zip(columns);
        let parts = parts.filter(|(range, column)| **range != column.bounds);
        let parts: Vec<_> = parts
            .map(|(range, column)| format!("{}: {}", column.name, written(*range, column)))
            .collect();
        parts.join(", ")
    }

    /// One point of it, for each input.
    pub(super) fn example(&self, columns: &[Column]) -> Vec<i128> {
        let parts = self.0.iter().zip(columns);
        parts
            .map(|((from, to), column)| {
                // The end that an author wrote, or zero, rather than an end of the world.
                let (least, most) = column.bounds;
                match (*from == least, *to == most) {
                    (true, false) => *to,
                    (true, true) => 0.clamp(least, most),
                    (false, _) => *from,
                }
            })
            .collect()
    }
}

/// `amount 5000.01, category rent`
pub(super) fn shown(point: &[i128], columns: &[Column]) -> String {
    let parts = point.iter().zip(columns);
    let parts: Vec<_> = parts
        .map(|(point, column)| format!("{} {}", column.name, column.kind.shown(*point)))
        .collect();
    parts.join(", ")
}

/// The first parts of the space for which there is no row.
pub(super) fn gaps(columns: &[Column], rows: &[Row]) -> Result<Vec<Gap>, TooLarge> {
    let all: Vec<Condition> = columns.iter().map(Condition::any).collect();
    Search::new(&all, rows).run(&(0..rows.len()).collect::<Vec<_>>(), TOLD_MAX)
}

/// The first pairs of rows that both fit a point, with such a point.
pub(super) fn overlaps(rows: &[Row]) -> Vec<(usize, usize, Vec<i128>)> {
    let mut found = Vec::new();
    for (second, row) in rows.iter().enumerate() {
        for (first, earlier) in rows[..second].iter().enumerate() {
            let columns = earlier.when.iter().zip(&row.when);
            let common: Option<Vec<_>> = columns.map(|(one, other)| one.common(other)).collect();
            if let Some(point) = common {
                found.push((first, second, point));
                if found.len() == TOLD_MAX {
                    return found;
                }
            }
        }
    }
    found
}

/// Rows for which nothing is left by those before them.
pub(super) fn unreached(rows: &[Row]) -> Result<Vec<usize>, TooLarge> {
    let mut found = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let earlier: Vec<usize> = (0..index).collect();
        let left = Search::new(&row.when, rows).run(&earlier, 1)?;
        if left.is_empty() {
            found.push(index);
        }
    }
    Ok(found)
}

struct Search<'a> {
    /// Where is looked.
    within: &'a [Condition],
    rows: &'a [Row],
    path: Vec<Range>,
    found: Vec<Gap>,
    visits: usize,
}

impl<'a> Search<'a> {
    fn new(within: &'a [Condition], rows: &'a [Row]) -> Self {
        Self {
            within,
            rows,
            path: Vec::new(),
            found: Vec::new(),
            visits: 0,
        }
    }

    fn run(mut self, rows: &[usize], most: usize) -> Result<Vec<Gap>, TooLarge> {
        self.look(rows, most)?;
        Ok(self.found)
    }

    /// Looks along the input after the path, for these rows.
    fn look(&mut self, rows: &[usize], most: usize) -> Result<(), TooLarge> {
        self.visits += rows.len() + 1;
        if self.visits > VISITS_MAX {
            return Err(TooLarge);
        }
        let depth = self.path.len();
        if rows.is_empty() {
            let rest = self.within[depth..].iter().map(|all| all.ranges()[0]);
            self.found
                .push(Gap(self.path.iter().copied().chain(rest).collect()));
            return Ok(());
        }
        let rest = depth..self.within.len();
        let covers = |row: &usize| {
            let conditions = &self.rows[*row].when;
            rest.clone()
                .all(|at| conditions[at].covers(&self.within[at]))
        };
        if rows.iter().any(covers) {
            return Ok(());
        }
        // Where the same rows are left, the same follows.
        let mut looked: BTreeSet<Vec<usize>> = BTreeSet::new();
        for (segment, left) in self.segments(depth, rows) {
            if self.found.len() >= most {
                return Ok(());
            }
            if looked.insert(left.clone()) {
                self.path.push(segment);
                self.look(&left, most)?;
                self.path.pop();
            }
        }
        Ok(())
    }

    /// Stretches along one input on which the same rows are left, in order.
    fn segments(&mut self, depth: usize, rows: &[usize]) -> Vec<(Range, Vec<usize>)> {
        let mut starts = BTreeSet::new();
        for row in rows {
            for (from, to) in self.rows[*row].when[depth].ranges() {
                starts.insert(*from);
                starts.insert(to + 1);
            }
        }
        let mut segments: Vec<(Range, Vec<usize>)> = Vec::new();
        for (from, to) in self.within[depth].ranges() {
            let inner = starts
                .range(*from..=*to)
                .filter(|start| *start > from)
                .copied();
            let begins: Vec<i128> = std::iter::once(*from).chain(inner).collect();
            for (index, begin) in begins.iter().enumerate() {
                let end = begins.get(index + 1).map_or(*to, |next| next - 1);
                self.visits += rows.len();
                let holds = |row: &&usize| self.rows[**row].when[depth].holds(*begin);
                let left: Vec<usize> = rows.iter().filter(holds).copied().collect();
                match segments.last_mut() {
                    Some(((_, last), before)) if *last + 1 == *begin && *before == left => {
                        *last = end;
                    }
                    _ => segments.push(((*begin, end), left)),
                }
            }
        }
        segments
    }
}
