//! What our plugin inside pytest tells, and how it gets here.

mod ledger;
mod record;
mod tail;

pub(crate) use crate::channel::ledger::{Ending, Ledger};
pub(crate) use crate::channel::tail::Tail;
