//! The host's networks and programs, read for `preflight`; nothing is changed.

mod address;
mod network;
mod program;

#[cfg(target_os = "linux")]
mod netlink;

#[allow(unused_imports, reason = "a probe's whole interface, whatever `preflight` needs of it")]
pub(crate) use address::{Address, HostNetwork, NetworkError, Route};
#[allow(unused_imports, reason = "a probe's whole interface, whatever `preflight` needs of it")]
pub(crate) use network::{Overlap, OverlapKind, overlaps, read};
#[allow(unused_imports, reason = "a probe's whole interface, whatever `preflight` needs of it")]
pub(crate) use program::{
    PATIENCE, ProbeError, Running, find_program, first_line_with, program_version, version_said,
};
