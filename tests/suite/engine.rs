//! The ledger of the engine: each row makes a difference to what is compiled, and the newest known version has no gap.
#![allow(clippy::format_push_string, reason = "a few lines are put together")]

use std::collections::{BTreeMap, BTreeSet};

use bottlec::backend::lower;
use bottlec::backend::smolmachines::commands;
use bottlec::rule;
use bottlec::world::engine::{BootKind, Capability, Effect, Gap, Ledger, Row, Version};

use crate::support::{assert_generated, assert_snapshot, compile_text};

/// What a row's bottle boots from and holds, so that the row matters to it.
fn body(capability: Capability) -> &'static str {
    match capability {
        Capability::FromFlag | Capability::FromKeepsPolicy => "artifact \"./agent.smolmachine\"",
        Capability::ExecSecretFlags | Capability::PackDropsSecrets => {
            "artifact \"./agent.smolmachine\"\n    env { TOKEN from-env=\"TOKEN\"; }"
        }
        Capability::PublishLoopback => "publish 3000",
        Capability::GpuFlag => "gpu",
        Capability::FromTakesUsual => {
            "artifact \"./agent.smolmachine\"\n    resources cpus=4 memory=\"8GiB\""
        }
        Capability::ExecUser | Capability::Provisioning => "supervise",
        Capability::SecretsSection => "env { TOKEN from-env=\"TOKEN\"; }",
        Capability::LocalImage => "rootfs \"./rootfs\"",
        Capability::PackByImage | Capability::HostPullsImage => {
            "image \"ghcr.io/acme/agent:2@sha256:0000000000000000000000000000000000000000000000000000000000000000\""
        }
        _ => "",
    }
}

/// What one bottle becomes for a version: what is said of it, and what is run. The version itself is left out.
fn compiled(capability: Capability, version: Version) -> Vec<String> {
    let mut accepts = String::new();
    for rule in rule::acceptable() {
        accepts.push_str(&format!("    accept \"{rule}\" reason=\"a test\"\n"));
    }
    let text = format!(
        "bottle \"demo\" {{\n    engine \"smolvm\" version=\"{version}\"\n    {}\n{accepts}}}\n",
        body(capability)
    );
    let (_, compilation) = compile_text("demo.kdl", &text);
    let mut lines: Vec<String> = compilation
        .diagnostics
        .as_slice()
        .iter()
        // What is accepted and not needed follows from what is said, and from what is not.
        .filter(|diagnostic| diagnostic.rule.id != "accept-unused")
        .map(|diagnostic| {
            let message = diagnostic.message.replace(&format!("smolvm {version} "), "smolvm V ");
            format!("{}: [{}] {message}", diagnostic.level.as_str(), diagnostic.rule.id)
        })
        .collect();
    if let [plan] = compilation.plans.as_slice() {
        let commands = commands::lower(plan);
        let of_machine = commands.cleanup.iter().filter(|command| *command[0] == "smolvm");
        let all = [&commands.create, &commands.start, &commands.exec, &commands.attach];
        let all = all.into_iter().chain(&commands.provision).chain(commands.machines.as_ref());
        for command in all.chain(of_machine).chain(commands.denials.as_ref()) {
            lines.push(command.join(" "));
        }
        lines.extend(commands.unset.iter().map(|variable| format!("without {variable}")));
        lines.extend(commands.set.iter().map(|(name, value)| format!("with {name}={value}")));
        let smolfile = lower(plan).files["smolfile.toml"].bytes.clone();
        lines.extend(
            String::from_utf8(smolfile.to_vec())
                .expect("text")
                .lines()
                .map(|line| format!("smolfile: {line}")),
        );
    } else {
        lines.push(String::from("nothing is built"));
    }
    lines
}

fn before(version: Version) -> Version {
    let Version { major, minor, patch } = version;
    match (minor, patch) {
        (_, 1..) => Version::new(major, minor, patch - 1),
        (1.., 0) => Version::new(major, minor - 1, 99),
        (0, 0) => Version::new(major - 1, 99, 99),
    }
}

fn after(version: Version) -> Version {
    Version { patch: version.patch + 1, ..version }
}

#[test]
fn every_row_makes_a_difference_on_both_sides_of_it() {
    let ledger = Ledger::smolvm();
    let mut shown = String::new();
    for capability in Capability::ALL.iter().copied() {
        let row = ledger.row(capability);
        let mut borders = vec![(row.after.unwrap_or_else(|| before(row.since)), row.since)];
        borders.extend(row.until.map(|until| (until, after(until))));
        for (last, first) in borders {
            let (old, new) = (compiled(capability, last), compiled(capability, first));
            assert_ne!(old, new, "{}: {last} and {first} compile alike", capability.id());
            // And nothing but the row makes it: on one side of the border nothing changes.
            let gone: Vec<_> = old.iter().filter(|line| !new.contains(line)).collect();
            let come: Vec<_> = new.iter().filter(|line| !old.contains(line)).collect();
            shown.push_str(&format!("{} from {last} to {first}\n", capability.id()));
            for line in gone {
                shown.push_str(&format!("  - {line}\n"));
            }
            for line in come {
                shown.push_str(&format!("  + {line}\n"));
            }
        }
    }
    assert_snapshot("engine__rows", &shown);
}

#[test]
fn between_two_borders_nothing_changes() {
    let ledger = Ledger::smolvm();
    let mut borders = BTreeSet::from([Version::new(0, 1, 0)]);
    for capability in Capability::ALL {
        let row = ledger.row(*capability);
        borders.insert(row.since);
        borders.extend(row.until.map(after));
    }
    // Many rows are looked at by the same bottle, which is compiled once.
    let bodies: BTreeMap<&str, Capability> = Capability::ALL.iter().map(|it| (body(*it), *it)).collect();
    for version in borders {
        let next = after(version);
        for capability in bodies.values().copied() {
            if Capability::ALL.iter().any(|other| ledger.has(*other, version) != ledger.has(*other, next)) {
                continue;
            }
            assert_eq!(compiled(capability, version), compiled(capability, next), "{version}");
        }
    }
}

#[test]
fn a_version_newer_than_the_ledger_is_compiled_as_the_newest() {
    let newest = Ledger::smolvm().newest;
    for capability in Capability::ALL.iter().copied() {
        let mut newer = compiled(capability, after(newest));
        let note = newer.remove(0);
        assert!(note.starts_with("advice: [engine-newer]"), "{note}");
        assert_eq!(newer, compiled(capability, newest));
        assert!(Ledger::smolvm().has(capability, newest) == Ledger::smolvm().has(capability, after(newest)));
    }
}

#[test]
fn the_newest_version_has_no_gap_and_every_gap_can_be_accepted() {
    let newest = Ledger::smolvm().newest;
    for boot in [None, Some(BootKind::Artifact), Some(BootKind::Image), Some(BootKind::Rootfs)] {
        assert_eq!(Gap::of(newest, boot), []);
    }
    for gap in Gap::ALL {
        assert!(bottlec::check::engine::of(gap).acceptable);
        let effect = Ledger::smolvm().row(gap.capability()).effect;
        assert!(matches!(effect, Effect::Confines | Effect::Opens), "{gap:?}");
    }
    for capability in Capability::ALL {
        let row = Ledger::smolvm().row(*capability);
        let is_gap = Gap::ALL.iter().any(|gap| gap.capability() == *capability);
        assert!(
            row.effect != Effect::Opens || is_gap || row.unset.is_some(),
            "{capability:?} opens, and is neither a gap nor closed by what the commands are run without"
        );
    }
}

#[test]
fn without_a_version_the_newest_known_one_is_meant() {
    let plan = |engine: &str| {
        let (_, compilation) = compile_text("demo.kdl", &format!("bottle \"demo\" {{\n    {engine}\n}}\n"));
        assert!(compilation.diagnostics.is_empty());
        compilation.plans.into_iter().next().expect("a plan")
    };
    assert_eq!(*plan("").engine.version, Ledger::smolvm().newest);
    assert_eq!(*plan("engine \"smolvm\"").engine.version, Ledger::smolvm().newest);
}

/// A row of the ledger, and the rule that speaks of it.
fn section(name: &str, row: &Row, rule: &str) -> String {
    let effect = match row.effect {
        Effect::Confines => "Keeps the agent to the bundle.",
        Effect::Opens => "Opens a way past the bundle.",
        Effect::Closes => "Closes the way to the bundle.",
        Effect::None => "Neither opens nor closes a way.",
    };
    let after = row.after.map(|after| format!(" The last version that was seen without it is {after}."));
    let plan = if let Some(variable) = &row.unset {
        format!(" The plan's commands are run without `{}`.", variable.name)
    } else if row.set.is_empty() {
        String::new()
    } else {
        let set: Vec<_> = row.set.iter().map(|(name, value)| format!("`{name}={value}`")).collect();
        format!(" The plan's commands are run with {}.", set.join(" and "))
    };
    let (versions, summary, evidence, on) = (row.versions(), &row.summary, &row.evidence, &row.on);
    format!(
        "\n## {name}\n\nsmolvm {versions}: {summary}.{}\n\n{effect}{plan}{rule}\n\nEvidence, {on}: {evidence}.\n",
        after.unwrap_or_default()
    )
}

#[test]
fn every_row_has_its_evidence_and_its_day() {
    let ledger = Ledger::smolvm();
    let rows = Capability::ALL.iter().map(|capability| ledger.row(*capability));
    for row in rows.chain(ledger.around.iter().map(|(_, row)| row)) {
        let day: Vec<_> = row.on.split('-').map(str::len).collect();
        let digits = row.on.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        assert!(day == [4, 2, 2] && digits, "{}: {}", row.summary, row.on);
        assert!(row.evidence.contains("read") || row.evidence.contains("run"), "{}", row.evidence);
    }
}

/// The ledger as a page, for people who do not read KDL.
#[test]
fn the_page_of_the_ledger_is_up_to_date() {
    let ledger = Ledger::smolvm();
    let mut page = format!(
        "# What each smolvm does\n\n\
         The compiler's ledger, from {} to {}: made from `src/world/engine/ledger.kdl`, which rules and lowering ask. What a\n\
         row does to a bottle is held by a test that compiles one spec on both sides of it.\n",
        ledger.oldest, ledger.newest
    );
    for capability in Capability::ALL {
        let row = ledger.row(*capability);
        let gap = Gap::ALL.iter().find(|gap| gap.capability() == *capability);
        let rule =
            gap.map(|gap| format!(" Rule: `{}`.", bottlec::check::engine::of(*gap).id)).unwrap_or_default();
        page.push_str(&section(capability.id(), row, &rule));
    }
    page.push_str(
        "\n## What reopens a machine\n\n\
         A stage makes and starts a machine by the vectors of its plan, and by no other. What follows does not go by them: it\n\
         undoes what a stage confined, or makes another machine of it. Nothing in a stage does any of it, and no program in a\n\
         machine can; whoever may run `smolvm` on the host, or write to its directories, may.\n",
    );
    for (name, row) in &ledger.around {
        page.push_str(&section(name, row, "").replacen("## ", "### ", 1));
    }
    assert_generated("docs/engine.md", &page);
}
