//! git-gate at work, with real git, a real daemon on loopback and, where it can be had, the real scanner.
#![allow(clippy::disallowed_methods, reason = "tests touch files and run programs")]
#![allow(clippy::unwrap_used, reason = "clippy knows `#[test]` functions only, not what they share")]

#[path = "git_gate/faults.rs"]
mod faults;
#[path = "git_gate/gate.rs"]
mod gate;
#[path = "git_gate/hostile.rs"]
mod hostile;
#[path = "git_gate/push.rs"]
mod push;
#[path = "git_gate/scanner.rs"]
mod scanner;
#[path = "git_gate/secrets.rs"]
mod secrets;
#[path = "git_gate/sshd.rs"]
mod sshd;
#[path = "git_gate/start.rs"]
mod start;
mod support;
#[path = "git_gate/windows.rs"]
mod windows;
