//! The KDL front end, from the outside.

#[path = "syntax/canonical.rs"]
mod canonical;
#[path = "syntax/conformance.rs"]
mod conformance;
#[path = "syntax/support.rs"]
mod support;
