//! Who may see what: agency first, then the walls within it, then the roles that a workflow keeps
//! itself to; "not yours" and "not there" look alike.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::principal::Kind;
use crate::wall::Walls;
use crate::{Case, Principal};

/// Who sees a run and what it leads to: of each set of roles one must be held. Without a set
/// everybody does who sees the case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Audience(Vec<BTreeSet<String>>);

impl Audience {
    pub fn is_everybody(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, and one of these roles as well; without roles the same. It only ever narrows:
    /// what a hidden run starts is hidden at least as well.
    #[must_use]
    pub fn within(&self, roles: &[&str]) -> Self {
        let roles: BTreeSet<String> = roles.iter().map(|&role| role.to_owned()).collect();
        let mut next = self.clone();
        if !roles.is_empty() && !next.0.contains(&roles) {
            next.0.push(roles);
        }
        next
    }

    /// Whether this principal belongs to it, whatever they did.
    pub fn has(&self, who: &Principal) -> bool {
        let one_of = |roles: &BTreeSet<String>| roles.iter().any(|role| who.holds(role));
        who.kind == Kind::Engine || self.0.iter().all(one_of)
    }
}

/// Whether this principal may open the case on that day, whoever opened it.
pub fn may_see_case(who: &Principal, case: &Case, walls: &Walls, on: Date) -> bool {
    let seen = case.seen_by.has(who);
    who.agency == case.agency && seen && !walls.closed_to(&who.id, on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::tests::staff;

    #[track_caller]
    fn check(audience: &Audience, roles: &[&str], seen: bool) {
        assert_eq!(audience.has(&staff("u-a", roles)), seen, "{roles:?}");
    }

    #[test]
    fn one_role_of_each_set_is_enough_and_needed() {
        let everybody = Audience::default();
        check(&everybody, &[], true);
        check(&everybody.within(&[]), &[], true);
        let group = everybody.within(&["safety", "director"]);
        check(&group, &["safety"], true);
        check(&group, &["director", "worker"], true);
        check(&group, &["worker"], false);
        let inner = group.within(&["director"]);
        check(&inner, &["safety"], false);
        check(&inner, &["director"], true);
        assert_eq!(
            inner.within(&["director"]),
            inner,
            "said twice is said once"
        );
        let apart = everybody.within(&["safety"]).within(&["director"]);
        check(&apart, &["safety"], false);
        check(&apart, &["director"], false);
        check(&apart, &["director", "safety"], true);
        let mut engine = staff("engine", &[]);
        engine.kind = Kind::Engine;
        assert!(inner.has(&engine));
    }
}
