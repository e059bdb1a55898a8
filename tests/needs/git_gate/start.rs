//! What `serve` looks for before it serves, and what it makes of the mirrors.

use std::fs;
use std::process::Command;

use bottlec::backend::lower;

use super::gate::{Gate, SPEC};
use super::scanner::{name, program};
use crate::support::compile_text;

pub(super) fn the_scripts_are_read_by_every_shell_that_is_here() {
    let gate = Gate::prepare(SPEC);
    let stage = gate.at("stage/git-gate");
    for shell in [&["sh"][..], &["dash"], &["busybox", "sh"], &["bash", "--posix"]] {
        if Command::new(shell[0]).args(&shell[1..]).args(["-c", ":"]).output().is_err() {
            continue;
        }
        for script in ["access", "hooks/pre-receive"] {
            let output =
                Command::new(shell[0]).args(&shell[1..]).arg("-n").arg(stage.join(script)).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{shell:?} {script}: {output:?}");
        }
    }
}

pub(super) fn an_identity_that_others_may_read_is_refused() {
    let mut gate = Gate::prepare(SPEC);
    for mode in [0o640, 0o604, 0o660, 0o777] {
        gate.mode("identity/api", mode);
        let said = gate.refuses_to_serve();
        assert!(said.contains("git-gate: the identity of api can be used by others"), "{said}");
    }
    fs::remove_file(gate.at("identity/api")).unwrap();
    assert!(gate.refuses_to_serve().contains("git-gate: the identity of api is not there"));
    fs::create_dir(gate.at("identity/api")).unwrap();
    assert!(gate.refuses_to_serve().contains("git-gate: the identity of api is not there"));
    fs::remove_dir(gate.at("identity/api")).unwrap();
    fs::write(gate.at("identity/api"), "no key\n").unwrap();
    gate.mode("identity/api", 0o400);
    gate.serve();
    // And while it runs.
    gate.mode("identity/api", 0o644);
    let said = gate.agent(&["ls-remote", &gate.url("api")]).badly();
    assert!(said.contains("git-gate: the identity of api can be used by others"), "{said}");
}

pub(super) fn without_a_scanner_that_finds_anything_nothing_is_served() {
    let gate = Gate::prepare(SPEC);
    for scanner in ["#!/bin/sh\ncat >/dev/null\n", "#!/bin/sh\nexit 1\n"] {
        program(&gate.at("bin").join(name()), scanner);
        let said = gate.refuses_to_serve();
        assert!(said.contains("nothing is served without a scanner"), "{said}");
    }
    let other = SPEC.replace("scanner=\"betterleaks\"", "");
    gate.stage(&other);
    if name() != "gitleaks" && Command::new("gitleaks").output().is_err() {
        assert!(gate.refuses_to_serve().contains("git-gate: gitleaks is not there"));
    }
}

pub(super) fn a_start_makes_the_mirrors_what_the_stage_says() {
    let mut gate = Gate::start();
    gate.clone("work");
    gate.agent(&["ls-remote", &gate.url("shared.lib")]).well();
    gate.stop();
    let before = gate.state();
    // Whatever got into a mirror's configuration is gone after a start.
    let config = gate.at("mirrors/api/config");
    let evil = "[receive]\n\tfsckObjects = false\n[core]\n\thooksPath = /nowhere\n[uploadpack]\n\tpackObjectsHook = id\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + evil).unwrap();
    fs::create_dir(gate.at("mirrors/api/hooks")).unwrap();
    program(&gate.at("mirrors/api/hooks/pre-receive"), "#!/bin/sh\nexit 0\n");
    // What is not git-gate's own stays.
    fs::create_dir(gate.at("mirrors/lost+found")).unwrap();
    gate.serve();
    let now = fs::read_to_string(&config).unwrap();
    assert!(
        !now.contains("nowhere")
            && !now.contains("packObjectsHook")
            && !gate.at("mirrors/api/hooks").exists()
    );
    assert_eq!(gate.state(), before);
    gate.stop();
    // A repository that is declared no more goes, and so does one with another upstream.
    let start = SPEC.find("repo \"shared.lib\"").unwrap();
    let end = SPEC[start..].find('}').unwrap() + start + 1;
    let less = format!("{}{}", &SPEC[..start], &SPEC[end..]).replace("acme/api.git", "platform/lib.git");
    gate.stage(&less);
    gate.serve();
    assert!(!gate.at("mirrors/shared.lib").exists() && gate.at("mirrors/lost+found").exists());
    assert!(gate.state().1.is_empty());
    gate.agent(&["ls-remote", &gate.url("shared.lib")]).badly();
    gate.agent(&["ls-remote", &gate.url("api")]).well();
    assert!(gate.state().1.contains("trunk"));
}

/// The health check must not make the gate knock at every upstream.
pub(super) fn looking_whether_it_is_healthy_asks_no_upstream() {
    let gate = Gate::start();
    assert!(gate.program("healthy").output().unwrap().status.success());
    assert!(!gate.at("ssh.log").exists());
    let mut gate = gate;
    gate.stop();
    assert!(!gate.program("healthy").output().unwrap().status.success());
}

/// Every text that a spec may have for a name comes back out of the agent's configuration as it went in.
pub(super) fn the_agents_configuration_is_read_back_as_it_was_meant() {
    let names = [
        r#"Ada "the" \ Agent"#,
        "a # b ; c",
        "[url \\\"x\\\"]",
        " ends with blanks  ",
        "é 日本",
        "\\n \\t \\",
        "'$(id)' `id`",
        "=",
    ];
    for name in names {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        let spec =
            format!("bottle \"a\" {{ git {{ user name=\"{quoted}\" email=\"a{}@x\"; }}; }}", "\\\\'#;");
        let (_, compilation) = compile_text("a.kdl", &spec);
        assert!(compilation.diagnostics.is_empty(), "{spec}");
        let stage = lower(&compilation.plans[0]);
        assert!(!stage.files.keys().any(|path| path.starts_with("git-gate/")));
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("gitconfig");
        fs::write(&file, &stage.files["agent/gitconfig"].bytes).unwrap();
        let output = Command::new("git").args(["config", "--list", "-z", "-f"]).arg(&file).output().unwrap();
        let expected = format!("user.name\n{name}\0user.email\na\\'#;@x\0");
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }
}

/// An image of one's own takes the place of the one that is built.
pub(super) fn an_image_that_the_spec_names_is_not_built() {
    let digest = "a942b37ccfaf5a813b1432caa209a43b9d144e47ad0de1549c289c253e556cd5";
    let image = format!("registry.example.com/gate@sha256:{digest}");
    let spec = SPEC.replace("scanner=\"betterleaks\"", &format!("image=\"{image}\""));
    for (spec, own, scanner) in [(SPEC, None, "betterleaks"), (&spec, Some(&image), "gitleaks")] {
        let (_, compilation) = compile_text("a.kdl", spec);
        let plan = &compilation.plans[0];
        assert_eq!((plan.git.image.as_ref(), plan.git.scanner.as_deref()), (own, Some(scanner)));
        let stage = lower(plan);
        assert_eq!(*stage.files["git-gate/scanner"].bytes, *format!("{scanner}\n").as_bytes());
        assert_eq!(stage.files.contains_key("git-gate/Containerfile"), own.is_none());
        let json: serde_json::Value = serde_json::from_slice(stage.plan()).unwrap();
        assert_eq!(json["git"]["image"].as_str(), own.map(String::as_str));
        assert_eq!(json["git"]["repos"][1]["host_keys"].as_array().map(Vec::len), Some(2));
    }
}
