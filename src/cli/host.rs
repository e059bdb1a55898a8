//! What the host says, for `preflight`: its networks and its programs. Nothing is changed.

mod network;
mod program;

#[cfg(target_os = "linux")]
mod netlink;

#[allow(unused_imports, reason = "a probe's whole interface, whatever `preflight` needs of it")]
pub(crate) use network::{Address, HostNetwork, NetworkError, Overlap, OverlapKind, Route, overlaps};
#[allow(unused_imports, reason = "a probe's whole interface, whatever `preflight` needs of it")]
pub(crate) use program::{PATIENCE, ProbeError, find_program, program_version};
