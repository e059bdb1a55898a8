//! The command, judged by programs that may not be here.

use std::process::Command;

use super::{Outcome, needs};
use crate::support::binary::{DOCKER, Dir, Run, works};

pub(crate) fn preflight_sees_the_networks_of_the_host() -> Outcome {
    let networks = "ip link set lo up && ip link add b0 type bridge && ip link set b0 up && \
        ip addr add 192.168.42.1/24 dev b0 && ip addr add 192.168.43.7/24 dev b0 && \
        ip route add default dev b0 && ip route add 192.168.44.0/25 dev b0";
    needs_networks(networks)?;
    let run = |octets: &[u8]| preflight(networks, octets);
    let free = run(&[41]).says("ok   `b41` has 192.168.41.0/24 to itself\n");
    assert!(free.lacks_nothing(), "{}", free.out);
    let own =
        run(&[42]).says("ok   `b42` has 192.168.42.0/24; it is up on `b0`, most likely as this bottle's own");
    assert!(own.lacks_nothing(), "{}", own.out);
    let both = run(&[41, 43, 44]).code(1).says("ok   `b41` has 192.168.41.0/24 to itself\n");
    both.says(
        "fail `b43` needs 192.168.43.0/24, and the host has an address in it: 192.168.43.7/24 on `b0`\n",
    )
    .says("fail `b44` needs 192.168.44.0/24, and the host has a route in it: 192.168.44.0/25 on `b0`\n")
    .says("       pin another subnet with `network octet=");
    Ok(())
}

/// A VPN's routes stand in a table of their own, and there are routes that lead nowhere.
pub(crate) fn preflight_sees_the_routes_of_every_table() -> Outcome {
    let networks = "ip link set lo up && ip link add b0 type bridge && ip link set b0 up && \
        ip addr add 192.168.42.1/24 dev b0 && ip addr add 192.168.43.7/24 dev b0 && \
        ip route add default dev b0 && ip route add blackhole 192.168.42.128/25 && \
        ip route add local 192.168.42.200/32 dev lo && ip route add 192.168.0.0/16 dev b0 table 52";
    needs_networks(networks)?;
    let run = preflight(networks, &[42, 43]).code(1);
    let found: Vec<&str> = run.out.lines().filter(|line| line.contains(" 192.168.")).collect();
    assert_eq!(
        found,
        [
            "fail `b42` needs 192.168.42.0/24, and the host has a route in it: 192.168.0.0/16 on `b0`",
            "fail `b42` needs 192.168.42.0/24, and the host has a route in it: 192.168.42.128/25",
            "fail `b42` needs 192.168.42.0/24, and the host has a route in it: 192.168.42.200/32 on `lo`",
            "ok   `b42` has 192.168.42.0/24; it is up on `b0`, most likely as this bottle's own network",
            "fail `b43` needs 192.168.43.0/24, and the host has a route in it: 192.168.0.0/16 on `b0`",
            "fail `b43` needs 192.168.43.0/24, and the host has an address in it: 192.168.43.7/24 on `b0`",
        ],
        "{}",
        run.out
    );
    Ok(())
}

/// Runs `preflight` of bottles with these octets, in a namespace with these networks.
fn preflight(networks: &str, octets: &[u8]) -> Run {
    let dir = Dir::new();
    dir.program("bin/smolvm", "echo smolvm 1.33.0");
    dir.program("bin/docker", DOCKER);
    let bottle = |octet| {
        format!("bottle \"b{octet}\" {{ engine \"smolvm\" version=\"1.33.0\"; network octet={octet}; }}\n")
    };
    dir.write("x.kdl", octets.iter().map(bottle).collect::<String>());
    let path = format!("{networks} && export PATH='{}'", dir.at("bin").display());
    dir.call(["preflight", "x.kdl"]).after(&path).within(["unshare", "-n"]).run()
}

fn needs_networks(networks: &str) -> Outcome {
    needs(
        works(&["unshare", "-n", "sh", "-c", networks]),
        "`unshare -n`, or `ip link add ... type bridge` within, is not permitted here",
    )
}

/// The shell takes its script, without running it.
fn reads_its_completions(shell: &str) -> Outcome {
    needs(works(&[shell, "-c", "true"]), &format!("there is no `{shell}` here"))?;
    let dir = Dir::new();
    let script = dir.run(["completions", shell]).code(0).out;
    let path = dir.write("script", script);
    assert!(works(&[shell, "-n", path.to_str().unwrap()]), "{shell} does not read its script");
    Ok(())
}

pub(crate) fn bash_reads_its_completions() -> Outcome {
    reads_its_completions("bash")
}

pub(crate) fn fish_reads_its_completions() -> Outcome {
    reads_its_completions("fish")
}

pub(crate) fn zsh_reads_its_completions() -> Outcome {
    reads_its_completions("zsh")
}

pub(crate) fn groff_reads_the_man_page() -> Outcome {
    needs(works(&["groff", "--version"]), "there is no `groff` here")?;
    let dir = Dir::new();
    let path = dir.write("bottlec.1", dir.run(["man"]).code(0).out);
    let output = Command::new("groff").args(["-man", "-Tascii", "-ww", "-z"]).arg(path).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    Ok(())
}
