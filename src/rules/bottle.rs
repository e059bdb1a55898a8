//! The rules of names and what they refer to; `resolve`, `scope` and `include` check them.

use super::rule;

rule!(DEPENDENCY_CYCLE, "dependency-cycle", Error, "0.1.0", "sidecars need each other in a circle");
rule!(DUPLICATE_NAME, "duplicate-name", Error, "0.1.0", "two things that must be told apart have one name");
rule!(INCLUDE_CYCLE, "include-cycle", Error, "0.1.0", "files include each other in a circle");
rule!(INCLUDE_ESCAPE, "include-escape", Error, "0.1.0", "an include leaves the workspace");
rule!(INCLUDE_UNREADABLE, "include-unreadable", Error, "0.1.0", "a file that is included cannot be read");
rule!(PROFILE_CYCLE, "profile-cycle", Error, "0.1.0", "profiles extend each other in a circle");
rule!(UNKNOWN_PROFILE, "unknown-profile", Error, "0.1.0", "a profile that is extended is not defined");
rule!(
    UNKNOWN_SIDECAR,
    "unknown-sidecar",
    Error,
    "0.1.0",
    "a sidecar that is needed is not part of the bottle"
);
