//! Who may see which case: agency first, then the walls within it; "not yours" and "not there" look
//! alike.

use jiff::civil::Date;

use crate::wall::Walls;
use crate::{Case, Principal};

/// Whether this principal may open the case on that day, whoever opened it.
pub fn may_see_case(who: &Principal, case: &Case, walls: &Walls, on: Date) -> bool {
    who.agency == case.agency && !walls.closed_to(&who.id, on)
}
