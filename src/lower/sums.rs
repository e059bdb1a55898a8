//! `SHA256SUMS`: the digest of every other file of a stage, in the form that `sha256sum --check` reads.
//!
//! The digest of a stage is that of this file.

use std::collections::BTreeMap;

use super::{Artifact, Draft, Mode};
use crate::plan::{Origin, Origins, Traced};

/// Its path in the stage.
pub const PATH: &str = "SHA256SUMS";

/// The lines of the file of a stage whose other files are `files`, by path. No path of a stage holds a backslash or the
/// end of a line, which the format would write in another way.
pub fn lines(files: &BTreeMap<String, Artifact>) -> impl Iterator<Item = String> {
    files.iter().map(|(path, file)| format!("{}  {path}", file.bytes.sha256()))
}

/// Adds the file of a stage whose other files are there.
pub(crate) fn lower(draft: &mut Draft) {
    static DIGEST: Origin = Origin::compiler("the digest of a file of the stage");
    let digest = Origins::compiler(&DIGEST);
    let lines: Vec<_> = lines(draft.files()).map(|line| Traced::new(line, digest.clone())).collect();
    draft.lines(PATH, Mode::Shared, digest, &lines);
}

/// The digests in such a file, by path; nothing when it is not, byte for byte, one that was written from [`lines`].
#[must_use]
pub fn read(bytes: &[u8]) -> Option<BTreeMap<&str, &str>> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let mut digests = BTreeMap::new();
    let mut last = "";
    for line in text.split('\n') {
        let (digest, path) = line.split_once("  ")?;
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != 64 || !digest.bytes().all(is_hex) || path <= last || path.contains(['\\', '\r']) {
            return None;
        }
        last = path;
        digests.insert(path, digest);
    }
    Some(digests)
}
