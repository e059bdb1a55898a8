//! What `bottlec check` remembers, where another user is needed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::{Outcome, as_another_user};
use crate::support::binary::SYSTEM_PATH;
use crate::support::cache::{CLEAN, Place, counts};

pub(crate) fn nobody_elses_cache_is_read() -> Outcome {
    let place = Place::new();
    let (copy, words) = as_another_user(&place.dir)?;
    place.write_old("x.kdl", CLEAN);
    for path in [place.dir.at("work"), place.dir.at("home")] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
    }
    let command = || {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&copy).args(["check", "."]).env_clear();
        command.env("PATH", SYSTEM_PATH).env("HOME", place.dir.at("home")).current_dir(place.at(""));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    fs::set_permissions(place.dir.at("home"), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(command(), "1 bottle checked, nothing found\n");
    place.forge();
    let chown = |owner: &str| {
        let status = Command::new("chown").args(["-R", owner]).arg(place.dir.at("home/.cache")).status();
        assert!(status.unwrap().success());
    };
    chown("65534:65534");
    assert_eq!(command(), "7 bottles checked, nothing found\n");
    chown("0:0");
    assert_eq!(command(), "1 bottle checked, nothing found\n");
    // Nor does who may read everything believe what another one has written.
    let check = || place.call(&["check", "."]).run();
    let _ = fs::remove_dir_all(place.dir.at("home/.cache"));
    for path in ["home/.cache/bottlec", "the cache"] {
        counts(check(), 1);
        place.forge();
        counts(check(), 7);
        let path = if path == "the cache" { place.cache() } else { place.dir.at(path) };
        let own = |owner: &str| {
            assert!(Command::new("chown").arg(owner).arg(&path).status().unwrap().success());
        };
        own("65534");
        counts(check(), 1);
        // What was a stranger's was not written to, or is replaced.
        let _ = fs::remove_dir_all(place.dir.at("home/.cache"));
    }
    Ok(())
}
