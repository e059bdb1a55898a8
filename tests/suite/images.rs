//! Each agent of the catalogue has an image to boot from in `examples/images`, which has what the agent asks for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kdl::{KdlDocument, KdlNode};

use crate::support::root;

/// The names of a directory's files with that extension, without it.
fn stems(directory: &Path, extension: &str) -> BTreeSet<String> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|it| it == extension));
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The `agent` of a file of the catalogue.
fn agent(name: &str) -> KdlNode {
    let text = fs::read_to_string(root().join(format!("src/world/catalogue/{name}.kdl"))).unwrap();
    let catalogue: KdlDocument = text.parse().unwrap();
    let profile = catalogue.get("profile").unwrap();
    assert_eq!(profile.get(0).unwrap().as_string(), Some(format!("std/{name}").as_str()));
    profile.children().unwrap().get("agent").unwrap().clone()
}

/// The words of an agent's node.
fn words(agent: &KdlNode, node: &str) -> Vec<String> {
    let node = agent.children().unwrap().get(node).unwrap();
    node.entries().iter().map(|entry| entry.value().as_string().unwrap().to_owned()).collect()
}

/// The instructions of an image, each as a line of its own.
fn instructions(text: &str) -> Vec<String> {
    let text = text.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn each_agent_has_an_image_and_each_image_an_agent() {
    let images = root().join("examples/images");
    let agents = stems(&root().join("src/world/catalogue"), "kdl");
    assert!(agents.len() >= 5, "{agents:?}");
    assert_eq!(stems(&images, "Containerfile"), agents);
    let readme = fs::read_to_string(images.join("README.md")).unwrap();
    for name in agents {
        let row = format!("| `std/{name}` | [{name}.Containerfile]({name}.Containerfile) |");
        assert!(readme.lines().any(|line| line == row), "{row}");
    }
}

#[test]
fn an_image_has_what_its_agent_requires_and_the_program_by_a_pinned_version() {
    for name in stems(&root().join("src/world/catalogue"), "kdl") {
        let text = fs::read_to_string(root().join(format!("examples/images/{name}.Containerfile"))).unwrap();
        assert!(text.lines().count() <= 20, "{name}");
        let instructions = instructions(&text);
        let [from, apt, argument, install, cmd] = instructions.as_slice() else { panic!("{instructions:?}") };
        let from = from.strip_prefix("FROM docker.io/library/").unwrap();
        let (base, digest) = from.split_once("@sha256:").unwrap();
        assert!(
            digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{name}: {digest}"
        );
        let packages: BTreeSet<&str> = apt
            .split(" && ")
            .find_map(|it| it.strip_prefix("apt-get install "))
            .unwrap()
            .split(' ')
            .collect();
        assert!(packages.contains("ca-certificates"), "{name}");
        let agent = agent(&name);
        for program in words(&agent, "requires") {
            let has = match program.as_str() {
                "node" => base.starts_with("node:"),
                "python3" => base.starts_with("python:"),
                "rg" => packages.contains("ripgrep"),
                program => packages.contains(program),
            };
            assert!(has, "{name}: {program}");
        }
        // The one thing that `--build-arg` sets, and what is installed by it.
        let variable = format!("{}_VERSION", name.to_uppercase().replace('-', "_"));
        let (_, version) = argument.split_once('=').unwrap();
        assert_eq!(*argument, format!("ARG {variable}={version}"));
        assert!(
            version.split('.').count() == 3 && version.split('.').all(|it| it.parse::<u32>().is_ok()),
            "{version}"
        );
        assert!(
            install.starts_with("RUN ") && install.contains(&format!("${{{variable}}}")),
            "{name}: {install}"
        );
        let program = words(&agent, "program");
        // A shell runs it where its arguments need a variable.
        let command = program.last().filter(|_| program[0] == "sh").and_then(|it| it.split(' ').nth(1));
        assert!(install.contains(command.unwrap_or(&program[0])), "{name}: {install}");
        assert_eq!(cmd, r#"CMD ["sleep", "infinity"]"#);
    }
}
