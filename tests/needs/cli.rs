//! The command, judged by programs that may not be here.

use std::process::Command;

use super::{Outcome, needs};
use crate::support::binary::{Dir, works};

pub(crate) fn preflight_sees_the_networks_of_the_host() -> Outcome {
    let dir = Dir::new();
    dir.program("bin/smolvm", "echo smolvm 1.33.0");
    let spec = |octets: &[u8]| {
        let bottle = |octet| {
            format!(
                "bottle \"b{octet}\" {{ engine \"smolvm\" version=\"1.33.0\"; network octet={octet}; }}\n"
            )
        };
        octets.iter().map(bottle).collect::<String>()
    };
    let networks = "ip link set lo up && ip link add b0 type bridge && ip link set b0 up && \
        ip addr add 192.168.42.1/24 dev b0 && ip addr add 192.168.43.7/24 dev b0 && \
        ip route add default dev b0 && ip route add 192.168.44.0/25 dev b0";
    needs(
        works(&["unshare", "-n", "sh", "-c", networks]),
        "`unshare -n`, or `ip link add ... type bridge` within, is not permitted here",
    )?;
    let run = |octets: &[u8]| {
        dir.write("x.kdl", spec(octets));
        let path = format!("{networks} && export PATH='{}'", dir.at("bin").display());
        dir.call(["preflight", "x.kdl"]).after(&path).within(["unshare", "-n"]).run()
    };
    run(&[41]).code(0).says("ok   `b41` has 192.168.41.0/24 to itself\n");
    run(&[42])
        .code(0)
        .says("ok   `b42` has 192.168.42.0/24; it is up on `b0`, most likely as this bottle's own");
    let both = run(&[41, 43, 44]).code(1).says("ok   `b41` has 192.168.41.0/24 to itself\n");
    both.says(
        "fail `b43` needs 192.168.43.0/24, and the host has an address in it: 192.168.43.7/24 on `b0`\n",
    )
    .says("fail `b44` needs 192.168.44.0/24, and the host has a route in it: 192.168.44.0/25 on `b0`\n")
    .says("       pin another subnet with `network octet=");
    Ok(())
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
