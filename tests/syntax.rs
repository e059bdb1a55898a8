//! The KDL front end, from the outside.

#[path = "syntax/canonical.rs"]
mod canonical;
#[path = "syntax/conformance.rs"]
mod conformance;
#[path = "syntax/generate.rs"]
mod generate;
#[path = "syntax/hostile.rs"]
mod hostile;
#[path = "syntax/oracle.rs"]
mod oracle;
#[path = "syntax/pages.rs"]
mod pages;
#[path = "syntax/properties.rs"]
mod properties;
#[path = "syntax/recovery.rs"]
mod recovery;
#[path = "syntax/support.rs"]
mod support;
