//! The home of who launches, in the paths of a plan.

use std::env;

use crate::cli::error::Error;

/// Returns a path of a plan with the home in place of its `~/`.
pub(super) fn home(path: &str) -> Result<String, Error> {
    let Some(rest) = path.strip_prefix("~/") else { return Ok(path.to_owned()) };
    let home = env::var("HOME").ok().filter(|home| home.starts_with('/'));
    let home =
        home.ok_or_else(|| Error::Host(format!("HOME is not set, so there is no telling where {path} is")))?;
    Ok(format!("{home}/{rest}"))
}
