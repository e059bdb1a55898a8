//! git-gate at work, with real git, a real daemon on loopback and, where it can be had, the real scanner.

mod faults;
pub(super) mod gate;
mod hostile;
pub(super) mod local;
mod push;
mod scanner;
mod secrets;
mod sshd;
mod start;
mod windows;

pub(super) use scanner::program;

use super::{Outcome, Test, needs_git};

/// How these tests end, most of which need nothing but git.
trait Ended {
    fn outcome(self) -> Outcome;
}

impl Ended for () {
    fn outcome(self) -> Outcome {
        Ok(())
    }
}

impl Ended for Outcome {
    fn outcome(self) -> Outcome {
        self
    }
}

/// Each with its name. What is not listed here is dead code, which the compiler says.
pub(super) fn tests() -> Vec<(&'static str, Test)> {
    macro_rules! tests {
        ($($module:ident { $($name:ident),+ $(,)? })+) => {
            vec![$($((
                concat!("git_gate::", stringify!($module), "::", stringify!($name)),
                (|| {
                    needs_git()?;
                    $module::$name().outcome()
                }) as Test,
            )),+),+]
        };
    }
    tests! {
        faults {
            no_secret_of_a_commit_arrives_whatever_fails,
            no_secret_of_a_tag_arrives_whatever_fails,
            no_secret_of_a_merge_arrives_whatever_fails,
            what_a_push_unpacks_to_is_bounded,
            each_process_of_a_push_is_bounded,
        }
        hostile {
            the_daemon_serves_the_declared_paths_and_two_services,
            nothing_but_branches_and_tags_is_pushed_or_shown,
            what_is_malformed_or_too_large_is_refused,
            without_a_scanner_that_works_nothing_is_pushed,
        }
        local {
            what_the_agent_pushes_stays_in_the_gate_and_is_scanned,
            a_branch_follows_the_host_until_the_agent_moves_it,
            names_that_come_go_and_stand_in_each_others_way,
            nothing_of_the_hosts_repository_runs_or_counts,
            every_kind_of_repository_is_served_or_refused_with_its_reason,
            a_read_only_repository_takes_no_push,
            the_agents_work_outlives_a_change_of_the_stage,
        }
        push {
            whatever_is_pushed_is_upstream_before_it_is_in_the_mirror,
            every_spelling_of_an_upstream_leads_to_its_mirror,
            ssh_is_called_with_the_key_and_the_host_keys_of_the_spec_and_nothing_else,
            a_mirror_is_what_its_upstream_is_or_serves_nothing,
            what_the_upstream_does_not_take_the_mirror_does_not_have,
            what_the_upstream_got_meanwhile_is_not_lost,
            pushes_beside_each_other_do_not_spoil_each_other,
        }
        scanner { the_same_tests_run_with_gitleaks, the_scanner_is_the_real_one }
        secrets {
            no_secret_goes_upstream_however_it_is_hidden_0,
            no_secret_goes_upstream_however_it_is_hidden_1,
            no_secret_goes_upstream_however_it_is_hidden_2,
            no_secret_goes_upstream_however_it_is_hidden_3,
            what_is_said_not_to_be_found_is_not_found,
            the_name_of_what_is_deleted_is_scanned_unless_it_is_upstream_already,
            only_what_is_new_is_scanned,
        }
        sshd { a_real_server_is_known_by_its_key_and_knows_the_identity_by_its }
        start {
            the_scripts_are_read_by_every_shell_that_is_here,
            an_identity_that_others_may_read_is_refused,
            without_a_scanner_that_finds_anything_nothing_is_served,
            a_start_makes_the_mirrors_what_the_stage_says,
            looking_whether_it_is_healthy_asks_no_upstream,
            the_agents_configuration_is_read_back_as_it_was_meant,
            an_image_that_the_spec_names_is_not_built,
        }
        windows {
            every_secret_is_found_wherever_the_pieces_end,
            what_is_short_enough_lies_whole_in_one_window,
            base64_is_cut_between_its_groups,
        }
    }
}
