//! The KDL front end, from the outside.

#![expect(clippy::format_collect, reason = "texts to test with are short")]
#![expect(clippy::format_push_string, reason = "a failure message is built once")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

#[path = "syntax/canonical.rs"]
mod canonical;
#[path = "syntax/conformance.rs"]
mod conformance;
#[path = "syntax/generate.rs"]
mod generate;
#[path = "syntax/hostile.rs"]
mod hostile;
#[path = "syntax/layout.rs"]
mod layout;
#[path = "syntax/oracle.rs"]
mod oracle;
#[path = "syntax/pages.rs"]
mod pages;
#[path = "syntax/properties.rs"]
mod properties;
#[path = "syntax/reading.rs"]
mod reading;
#[path = "syntax/recovery.rs"]
mod recovery;
#[path = "syntax/support.rs"]
mod support;
