//! The KDL front end, from the outside.

#![expect(clippy::format_collect, reason = "texts to test with are short")]
#![expect(clippy::format_push_string, reason = "a failure message is built once")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod generate;
mod layout;
mod oracle;
mod pages;
mod properties;
mod reading;
mod recovery;
