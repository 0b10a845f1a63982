//! What our plugin inside pytest tells, and how it gets here.

mod record;
mod tail;
mod tally;

pub(crate) use crate::channel::tail::Tail;
pub(crate) use crate::channel::tally::Tally;
