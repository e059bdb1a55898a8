//! Whether a stage is the launcher's own: what others may write to could be another one by the time that it runs.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bottlec::text::quote_path;

/// Why a stage is not launched from where it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untrusted {
    /// Somebody else owns it.
    #[error("{} is not yours: a stage is launched from directories that you or root own", quote_path(.0))]
    Owner(PathBuf),
    /// Others may write to it.
    #[error(
        "others may write to {}, which could be another stage by the time that it runs: `chmod go-w` it, or build \
         with `--out` in a directory of your own",
        quote_path(.0)
    )]
    Writable(PathBuf),
    /// It cannot be looked at.
    #[error("cannot look at {}: {}", quote_path(.0), .1)]
    Unknown(PathBuf, io::Error),
}

const STICKY: u32 = 0o1000;

/// Looks at a stage's directory, given without links, and at all above it.
pub(super) fn check(stage: &Path) -> Result<(), Untrusted> {
    let me = rustix::process::geteuid().as_raw();
    let mut below_sticky = false;
    // From the top down, since what is right in a directory that all may write to depends on what it is in.
    let mut all: Vec<&Path> = stage.ancestors().collect();
    all.reverse();
    for directory in all {
        let meta =
            fs::symlink_metadata(directory).map_err(|error| Untrusted::Unknown(directory.into(), error))?;
        let (owner, mode) = (meta.uid(), meta.mode());
        if owner != me && owner != 0 {
            return Err(Untrusted::Owner(directory.into()));
        }
        // In such a directory nobody renames what another one owns, as in /tmp; the stage itself is no such place.
        let sticky = mode & STICKY != 0 && directory != stage;
        let of_group = mode & 0o020 != 0 && !is_own_group(meta.gid(), me);
        if !sticky && (mode & 0o002 != 0 || of_group) {
            return Err(Untrusted::Writable(directory.into()));
        }
        if below_sticky && owner != me {
            return Err(Untrusted::Owner(directory.into()));
        }
        below_sticky = sticky && mode & 0o002 != 0;
    }
    Ok(())
}

/// Whether a group is the user's alone: where each user has one, what is new is its to write.
fn is_own_group(gid: u32, uid: u32) -> bool {
    let fields = |file: &str| -> Vec<Vec<String>> {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
    };
    let user =
        fields("/etc/passwd").into_iter().find(|entry| entry.get(2).is_some_and(|id| *id == uid.to_string()));
    let group =
        fields("/etc/group").into_iter().find(|entry| entry.get(2).is_some_and(|id| *id == gid.to_string()));
    let (Some(user), Some(group)) = (user, group) else { return false };
    let members = group.get(3).map_or("", String::as_str);
    group.first() == user.first() && members.split(',').all(|member| member.is_empty() || member == user[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_stage_is_launched_only_from_where_nobody_else_writes() {
        let tmp = tempfile::tempdir().unwrap();
        let tmp = tmp.path().canonicalize().unwrap();
        let parent = tmp.join("project");
        let stage = parent.join("stage");
        fs::create_dir_all(&stage).unwrap();
        set(&parent, 0o755);
        set(&stage, 0o755);
        check(&stage).unwrap();
        for (path, mode) in [(&stage, 0o757), (&stage, 0o1777), (&parent, 0o757), (&parent, 0o722)] {
            set(path, mode);
            let error = check(&stage).unwrap_err();
            assert!(matches!(&error, Untrusted::Writable(at) if at == path), "{path:?} {mode:o}: {error}");
            set(path, 0o755);
        }
        // As /tmp is: nobody exchanges what another one owns there.
        set(&parent, 0o1777);
        check(&stage).unwrap();
        assert!(check(&tmp.join("absent")).is_err());
    }

    #[test]
    fn only_a_group_of_the_user_alone_may_write() {
        assert!(!is_own_group(u32::MAX - 7, 0));
        assert!(!is_own_group(0, u32::MAX - 7));
    }
}
