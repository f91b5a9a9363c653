//! What a row asks of one input: a set of ranges, and the words in which it is written.
//!
//! Words, not signs: `>` begins a block of text in YAML, and a bracket a list.

use super::{Column, Kind};

/// Ranges with both ends, in order, none touching the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Condition(Vec<(i128, i128)>);

/// How conditions are written, for help.
pub(super) fn forms(kind: &Kind) -> &'static str {
    match kind {
        Kind::Number { .. } | Kind::Money { .. } => {
            "write `up to 2000`, `below 2000`, `above 2000`, `from 2000`, `from 500 to 2000`, \
             `above 500 to 2000`, `2000`, a list of these, or `any`"
        }
        Kind::Day => {
            "write `from 2026-07-01`, `before 2026-07-01`, `after 2026-06-30`, \
             `from 2026-07-01 to 2027-06-30`, `2026-07-01`, a list of these, or `any`"
        }
        Kind::YesNo => "write `true`, `false` or `any`",
        Kind::Word(_) | Kind::Text(_) => "write a word, a list of words, `{ not: word }`, or `any`",
    }
}

impl Condition {
    /// Everything that a column may hold.
    pub(super) fn any(column: &Column) -> Self {
        Self(vec![column.bounds])
    }

    pub(super) fn ranges(&self) -> &[(i128, i128)] {
        &self.0
    }

    pub(super) fn holds(&self, point: i128) -> bool {
        self.0
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&point))
    }

    /// Whether nothing within the other is outside of this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let within = |(from, to): &(i128, i128)| {
            let mut ranges = self.0.iter();
            ranges.any(|(first, last)| first <= from && to <= last)
        };
        other.0.iter().all(within)
    }

    /// One point of both.
    pub(super) fn common(&self, other: &Self) -> Option<i128> {
        let mut points = self.0.iter().flat_map(|(from, to)| {
            let others = other.0.iter();
            others.map(|(first, last)| ((*from).max(*first), (*to).min(*last)))
        });
        points.find(|(from, to)| from <= to).map(|(from, _)| from)
    }

    /// The ranges of both, in order and joined.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.0.sort_unstable();
        let mut joined: Vec<(i128, i128)> = Vec::new();
        for (from, to) in self.0 {
            match joined.last_mut() {
                Some((_, last)) if from <= *last + 1 => *last = to.max(*last),
                _ => joined.push((from, to)),
            }
        }
        Self(joined)
    }

    /// What the column may hold beside it.
    pub(super) fn not(&self, column: &Column) -> Self {
        let (mut from, most) = column.bounds;
        let mut rest = Vec::new();
        for (first, last) in &self.0 {
            if from < *first {
                rest.push((from, first - 1));
            }
            from = last + 1;
        }
        if from <= most {
            rest.push((from, most));
        }
        Self(rest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads one text; the error says what is wrong with it.
    pub(super) fn parse(text: &str, column: &Column) -> Result<Self, String> {
        let kind = &column.kind;
        let text = text.trim();
        if text == "any" {
            return Ok(Self::any(column));
        }
        let range = match kind.point(text) {
            Some(point) => (point, point),
            None if kind.ordered() => range(text, column)?,
            None => return Err(format!("`{text}` is not {}", kind.wanted())),
        };
        let (least, most) = column.bounds;
        let (from, to) = (range.0.max(least), range.1.min(most));
        if from > to {
            return Err(format!("`{text}` fits nothing"));
        }
        Ok(Self(vec![(from, to)]))
    }

    /// As its author could have written it.
    pub(super) fn written(&self, column: &Column) -> String {
        if self.0 == [column.bounds] {
            return "any".to_owned();
        }
        let parts = self.0.iter().map(|range| written(*range, column));
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// One range in words, `any` for all there is.
pub(super) fn written((from, to): (i128, i128), column: &Column) -> String {
    let kind = &column.kind;
    let (least, most) = column.bounds;
    if !kind.ordered() {
        let points = (from..=to).map(|point| kind.written(point));
        return points.collect::<Vec<_>>().join(", ");
    }
    match (from <= least, to >= most) {
        (true, true) => "any".to_owned(),
        (true, false) => format!("up to {}", kind.written(to)),
        (false, true) => format!("from {}", kind.written(from)),
        (false, false) if from == to => kind.written(from),
        (false, false) => format!("from {} to {}", kind.written(from), kind.written(to)),
    }
}

/// `[from X | above X] [to X | below X]`, with `after` and `before` for days.
fn range(text: &str, column: &Column) -> Result<(i128, i128), String> {
    let unread = || format!("`{text}` is not a condition on {}", column.kind.as_str());
    let (mut from, mut to) = column.bounds;
    let mut words = text.split_whitespace().peekable();
    let mut rank = 0;
    while let Some(word) = words.next() {
        let (place, step) = match word {
            "from" => (1, 0),
            "above" | "after" => (1, 1),
            "up" if words.next_if_eq(&"to").is_some() => (2, 0),
            "to" => (2, 0),
            "below" | "before" => (2, -1),
            _ => return Err(unread()),
        };
        // Each end once, the lower one first.
        if place <= rank {
            return Err(unread());
        }
        rank = place;
        let end = words.next().ok_or_else(unread)?;
        let end = column.kind.point(end);
        let end = end.ok_or_else(|| format!("`{text}`: expected {}", ends(&column.kind)))?;
        if place == 1 {
            from = end + step;
        } else {
            to = end + step;
        }
    }
    if rank == 0 {
        return Err(unread());
    }
    Ok((from, to))
}

fn ends(kind: &Kind) -> String {
    match kind {
        Kind::Money { currency } => format!("an amount of {currency} such as 2000 or 2000.50"),
        other => other.wanted(),
    }
}
