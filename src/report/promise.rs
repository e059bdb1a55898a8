//! A bottle's guarantee in one sentence.

use std::fmt;

use crate::plan::Plan;
use crate::world::engine::Gap;

/// The guarantee of a bottle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The promise: "the agent may dial 192.168.42.2 and nothing else".
    pub promise: String,
    /// What it does not cover, if anything: "this engine looks up any name for it".
    pub but: Option<&'static str>,
}

impl Promise {
    /// Returns the guarantee of a plan's bottle.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        // The worst one: the others are small beside it.
        match plan.gaps().into_iter().next() {
            Some(gap) if gap.is_total() => {
                Self { promise: format!("the agent may dial anything: {}", gap.but()), but: None }
            }
            gap => Self {
                promise: format!("the agent may dial {} and nothing else", plan.addresses.bundle()),
                but: gap.map(Gap::but).or_else(|| Some(plan.cluster_gaps().next()?.but())),
            },
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.promise)?;
        self.but.map_or(Ok(()), |but| write!(f, ", but {but}"))
    }
}
