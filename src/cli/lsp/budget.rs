//! A byte budget: bounds the messages that wait between two threads.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A number of bytes, which are taken before something waits and given back afterwards.
pub(super) struct Budget {
    limit: u64,
    used: Mutex<u64>,
    freed: Condvar,
}

/// Bytes of a budget, given back when they are dropped.
pub(super) struct Share {
    budget: Arc<Budget>,
    bytes: u64,
}

impl Budget {
    /// A budget of that many bytes.
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: Mutex::new(0), freed: Condvar::new() })
    }

    /// Takes bytes, once there are so many. More than there ever are can be had when nobody else has any.
    pub(super) fn take(self: &Arc<Self>, bytes: u64) -> Share {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let mut used = self
            .freed
            .wait_while(used, |used| self.is_short_of(bytes, *used))
            .unwrap_or_else(PoisonError::into_inner);
        *used += bytes;
        Share { budget: Arc::clone(self), bytes }
    }

    /// Takes bytes; nothing when it would take longer than that until there are so many.
    pub(super) fn take_within(self: &Arc<Self>, bytes: u64, time: Duration) -> Option<Share> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut used, waited) = self
            .freed
            .wait_timeout_while(used, time, |used| self.is_short_of(bytes, *used))
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return None;
        }
        *used += bytes;
        Some(Share { budget: Arc::clone(self), bytes })
    }

    fn is_short_of(&self, bytes: u64, used: u64) -> bool {
        used > 0 && used.saturating_add(bytes) > self.limit
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.budget.used.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.budget.freed.notify_all();
    }
}
