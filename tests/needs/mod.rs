//! Tests of what may not be here: another program, another user, a namespace of one's own. What cannot be tried is
//! ignored, and says why.

mod bad_input;
mod check;
mod cli;
mod clients;
mod databases;
mod diff;
mod formats;
mod git;
mod git_gate;
mod graph;
mod pipelock;
mod pull;
mod stage;
mod traps;
mod watch;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use libtest_mimic::{Completion, Trial};

use crate::support::binary::{BOTTLEC, Dir, works};

/// Why a test was not tried.
pub(crate) struct Missing(String);

/// How a test ended that did not fail.
pub(crate) type Outcome = Result<(), Missing>;

type Test = fn() -> Outcome;

/// Every test of this kind. What is not listed here is dead code, which the compiler says.
pub(crate) fn trials() -> Vec<Trial> {
    macro_rules! tests {
        ($($module:ident { $($name:ident),+ $(,)? })+) => {
            vec![$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name as Test)),+),+]
        };
    }
    let mut found = tests! {
        bad_input { a_full_disk_leaves_the_old_stage_whole, what_another_user_may_not_read_is_a_failure_that_says_so }
        check { one_file_is_checked_by_one_thread, only_what_changed_is_checked }
        cli {
            bash_reads_its_completions, fish_reads_its_completions, groff_reads_the_man_page,
            preflight_sees_the_networks_of_the_host, preflight_sees_the_routes_of_every_table,
            zsh_reads_its_completions,
        }
        clients { apt, curl, fetch_of_node, git, httpx, java, npm, pip, requests, wget }
        databases {
            the_agent_of_an_example_opens_its_database_and_is_no_superuser, the_cache_of_an_example_dials_for_nobody,
        }
        diff { a_revision_is_read_with_what_it_includes }
        formats { sarif_is_what_the_published_schema_says }
        git {
            a_committed_directory_that_looks_like_a_repository_runs_nothing,
            a_repository_that_cannot_be_read_is_said, a_spec_of_a_revision_is_read_with_what_it_includes_there,
            a_strangers_configuration_runs_nothing, git_is_looked_for_as_every_program_is,
            no_variable_leads_to_another_repository_or_program, what_changed_since_a_revision_is_checked, what_is_tracked_is_checked_whatever_is_ignored,
        }
        graph { graphviz_takes_every_picture }
        pull {
            branches_come_and_nothing_else_is_written, nothing_of_the_repository_runs,
            what_a_name_could_do_it_does_not, what_is_wrong_or_too_much_is_refused,
            every_kind_of_repository_is_found_or_refused_with_what_to_do,
        }
        pipelock { a_reader_of_yaml_1_1_reads_the_same }
        stage {
            a_directory_of_another_user_is_an_error_that_says_so, a_full_disk_leaves_the_old_stages,
            a_read_only_file_system_is_an_error_that_says_so,
            an_exchange_that_the_system_refuses_undoes_those_before_it,
        }
        watch {
            a_long_check_shows_how_far_it_is_to_who_looks_on, a_terminal_shows_what_it_can,
            the_screen_holds_one_result_on_a_terminal_only,
        }
    };
    found.extend(git_gate::tests());
    let trial = |(name, test): (&str, Test)| {
        Trial::ignorable_test(name, move || {
            Ok(match test() {
                Ok(()) => Completion::Completed,
                Err(Missing(why)) => Completion::ignored_with(why),
            })
        })
    };
    found.into_iter().map(trial).collect()
}

/// Nothing is tried unless this holds.
pub(crate) fn needs(holds: bool, missing: &str) -> Outcome {
    if holds { Ok(()) } else { Err(Missing(missing.to_owned())) }
}

pub(crate) fn needs_git() -> Outcome {
    needs(works(&["git", "--version"]), "there is no git here")
}

pub(crate) fn needs_mounts() -> Outcome {
    let mount = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"];
    needs(works(&mount), "mounts in a namespace of one's own are not permitted here")
}

/// Runs git in a directory, with nothing of the user's configuration.
pub(crate) fn git(dir: &Dir, args: &[&str]) {
    let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
    let mut command = Command::new("git");
    command.args(identity).args(args).current_dir(dir.path());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let done = command.output().unwrap();
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// The words that become another user.
const ANOTHER_USER: [&str; 4] = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

pub(crate) fn needs_another_user() -> Outcome {
    let become_it = [&ANOTHER_USER[..], &["true"]].concat();
    needs(works(&become_it), "this needs root and `setpriv` to become another user")
}

/// The words that become another user, and the binary, copied to where that one can reach it.
pub(crate) fn as_another_user(dir: &Dir) -> Result<(PathBuf, [&'static str; 4]), Missing> {
    needs_another_user()?;
    let copy = dir.at("bottlec-copy");
    // `cp` writes it, for the reason given at `Dir::program`.
    assert!(Command::new("cp").args([BOTTLEC.as_ref(), copy.as_os_str()]).status().unwrap().success());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    Ok((copy, ANOTHER_USER))
}
