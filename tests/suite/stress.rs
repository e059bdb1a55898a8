//! More than anybody writes: `cargo test stress::` runs these alone. What they bound is CPU time, of which a busy
//! machine takes no more.
#![cfg(unix)]

mod bad_input;
mod fleet;
mod import;
mod secrets;
mod stage;
mod syntax;

use rustix::time::{ClockId, clock_gettime};

/// How much of something is much: without optimisation, where all takes ten times as long, a part of it.
const fn much(of: usize) -> usize {
    if cfg!(debug_assertions) { of / 5 } else { of }
}

/// Runs what this thread does alone. Unoptimised it takes seconds; when it was quadratic, minutes.
fn bounded<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let seconds = || clock_gettime(ClockId::ThreadCPUTime).tv_sec;
    let begun = seconds();
    let done = run();
    let took = seconds() - begun;
    assert!(took < 30, "{took} seconds of CPU: {what:?}");
    done
}
