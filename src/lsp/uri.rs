//! `file:` URIs to paths and back, as far as editors on unix have them.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr as _;

use lsp_types::Uri;

/// The absolute path of a `file:` URI on this host; `None` of any other one, and of a path that is not UTF-8.
#[must_use]
pub(super) fn to_path(uri: &Uri) -> Option<PathBuf> {
    let rest = uri.as_str().strip_prefix("file://")?;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let path = PathBuf::from(decoded(&path[..end])?);
    // A path is compared with others by its parts: `.` and `..` are taken out of it, as an editor's own are.
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    Some(plain)
}

/// The URI of an absolute path; `None` of one that is not UTF-8.
#[must_use]
pub(super) fn from_path(path: &Path) -> Option<Uri> {
    let mut uri = String::from("file://");
    for byte in path.to_str()?.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            // Writing to a `String` cannot fail.
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    Uri::from_str(&uri).ok()
}

/// Names a document that has no path: the last part of its URI.
#[must_use]
pub(super) fn last_part(uri: &Uri) -> String {
    let text = uri.as_str();
    let last = text.rsplit(['/', ':']).find(|part| !part.is_empty()).unwrap_or(text);
    decoded(last).filter(|name| !name.contains('/')).unwrap_or_else(|| last.to_owned())
}

/// Text without its percent signs; `None` when what they stand for is not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = match (byte, bytes.get(at + 1), bytes.get(at + 2)) {
            (b'%', Some(high), Some(low)) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escaped {
            plain.push(high << 4 | low);
            at += 3;
        } else {
            plain.push(byte);
            at += 1;
        }
    }
    String::from_utf8(plain).ok()
}
