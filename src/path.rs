//! Paths of the workspace: relative, with `/` between their parts on every system.

/// `path` seen from `directory`, without `.` and with `..` only in front.
#[must_use]
pub fn join(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { String::from(".") } else { parts.join("/") }
}
