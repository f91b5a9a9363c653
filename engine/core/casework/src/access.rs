//! Who may see which case: agency first; "not yours" and "not there" look alike.
//!
//! Walls within an agency (conflicts of interest, safety groups) are not built yet: every member of
//! an agency's staff sees the agency's cases, and every look is audited.

use crate::{Case, Principal};

/// Whether this principal may open the case.
pub fn may_see_case(who: &Principal, case: &Case) -> bool {
    who.agency == case.agency
}
