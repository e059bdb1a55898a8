//! The workspace: a spec's verdict and its stage are the same wherever `bottlec` is started.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::binary::{Call, Dir, Run, SMALL, tree};

/// Copies a directory, with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// The specs below a directory.
fn specs(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        tree(directory).into_keys().filter(|path| path.extension().is_some_and(|end| end == "kdl")).collect();
    found.sort();
    found.into_iter().map(|path| directory.join(path)).collect()
}

/// What a run has to say of a spec, without where the spec was seen from.
fn verdict(run: &Run, spec: &Path) -> String {
    let name = spec.file_name().unwrap().to_str().unwrap();
    let cut = |line: &str| line.find(name).map_or_else(|| line.to_owned(), |at| line[at..].to_owned());
    let lines: Vec<String> = run.out.lines().map(cut).collect();
    format!("{}\n{}", run.code, lines.join("\n"))
}

/// Builds each example from five directories: with a marker above them, and without any.
fn from_everywhere(marker: Option<&str>) {
    let dir = Dir::new();
    let project = dir.at("team/project");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples"), &project.join("examples"));
    fs::create_dir_all(project.join("docs/deep")).unwrap();
    fs::create_dir(dir.at("elsewhere")).unwrap();
    if let Some(marker) = marker {
        fs::create_dir(project.join(marker)).unwrap();
    }
    let places = [
        project.clone(),
        project.join("examples"),
        project.join("docs/deep"),
        dir.at("elsewhere"),
        PathBuf::from("/"),
    ];
    let specs = specs(&project.join("examples"));
    assert!(specs.len() > 6, "{specs:?}");
    for spec in specs {
        let stages = marker.map_or(spec.parent().unwrap(), |_| &project).join("stage");
        let mut first: Option<(String, BTreeMap<_, _>)> = None;
        for place in &places {
            let checked = Call::new(place, [Path::new("check"), Path::new("--format=concise"), &spec]).run();
            let built = Call::new(place, [Path::new("build"), &spec]).run();
            let seen = if stages.exists() { tree(&stages) } else { BTreeMap::new() };
            assert_eq!(built.code == 0, !seen.is_empty(), "{}: {}", spec.display(), built.err);
            if stages.exists() {
                fs::remove_dir_all(&stages).unwrap();
            }
            let got = (verdict(&checked, &spec), seen);
            match &first {
                None => first = Some(got),
                Some(first) => assert!(
                    *first == got,
                    "{} from {}:\n{}\n{}",
                    spec.display(),
                    place.display(),
                    first.0,
                    got.0
                ),
            }
        }
    }
}

#[test]
fn an_example_is_the_same_from_everywhere_in_a_repository() {
    from_everywhere(Some(".git"));
}

#[test]
fn an_example_is_the_same_from_everywhere_below_a_marker_of_ours() {
    from_everywhere(Some(".bottlec"));
}

#[test]
fn an_example_is_the_same_from_everywhere_where_there_is_no_marker() {
    from_everywhere(None);
}

const INCLUDING: &str = "include \"../team.kdl\"\nbottle \"api\" { extends \"team\"; network octet=42; }\n";
const TEAM: &str = "profile \"team\" { egress { allow \"api.example.com\"; }; }\n";

#[test]
fn an_include_is_bounded_by_the_nearest_marker_above_the_spec() {
    let dir = Dir::new();
    dir.write("a/b/x.kdl", INCLUDING);
    dir.write("a/team.kdl", TEAM);
    let from = |place: &str| dir.run(["check", &format!("{place}/b/x.kdl")]);
    let standing = Call::new(&dir.at("a"), ["check", "b/x.kdl"]);
    // Without a marker the workspace is the spec's own directory, also for who stands above it.
    from("a").code(1).says("include-escape").says("`.bottlec`");
    standing.run().code(1).says("include-escape");
    fs::create_dir(dir.at("a/.git")).unwrap();
    from("a").code(0);
    // A nearer one counts.
    dir.write("a/b/.bottlec", "");
    from("a").code(1).says("include-escape");
}

#[test]
fn specs_of_one_call_share_a_workspace() {
    let dir = Dir::new();
    dir.write("a/x.kdl", SMALL);
    dir.write("b/y.kdl", "bottle \"web\" { egress { allow \"api.example.com\"; }; network octet=43; }\n");
    // Each has its own, and an include of one does not lead to the other.
    dir.run(["build", "a/x.kdl", "b/y.kdl"]).code(2).complains("put an empty `.bottlec` into the directory");
    assert!(!dir.at("stage").exists());
    dir.write(".bottlec", "");
    dir.run(["build", "a/x.kdl", "b/y.kdl"]).code(0).says("built `stage/api`").says("built `stage/web`");
    let plan = dir.read("stage/api/plan.json");
    assert!(plan.contains("\"a/x.kdl\""), "{plan}");
    fs::create_dir(dir.at("a/.git")).unwrap();
    dir.run(["build", "a/x.kdl", "b/y.kdl"])
        .code(2)
        .complains("`a/x.kdl` and `b/y.kdl` belong to two workspaces: compile each by itself");
    // Found in a directory, each is by itself anyway.
    dir.run(["check", "."]).code(0).says("2 bottles checked, nothing found");
}

#[test]
fn one_file_under_two_names_is_one_file() {
    let dir = Dir::with(SMALL);
    fs::create_dir(dir.at(".git")).unwrap();
    symlink("x.kdl", dir.at("l.kdl")).unwrap();
    dir.run(["check", "x.kdl", "l.kdl"]).code(0).says("1 bottle checked, nothing found");
    dir.run(["check", "l.kdl", "./x.kdl"]).code(0).says("1 bottle checked, nothing found");
    dir.write("z.kdl", "include \"l.kdl\"\ninclude \"x.kdl\"\n");
    dir.run(["check", "z.kdl"]).code(0).says("1 bottle checked, nothing found");
}

#[test]
fn a_stage_knows_its_specs_from_everywhere() {
    let dir = Dir::new();
    fs::create_dir_all(dir.at("p/.git")).unwrap();
    dir.write("p/specs/x.kdl", SMALL);
    Call::new(&dir.at("p/specs"), ["build", "x.kdl"]).run().code(0).says("built `../stage/api`");
    dir.run(["trace", "p/stage/api/agent.env:1"]).code(0);
    Call::new(&dir.at("p/stage/api"), ["trace", "agent.env:1"]).run().code(0);
    Call::new(&dir.at("p/specs"), ["build", "--check", "x.kdl"]).run().code(0);
    dir.run(["build", "--check", "p/specs/x.kdl"]).code(0).says("`p/stage/api` is what the spec says");
    dir.run(["diff", "p/stage/api", "p/specs/x.kdl"]).code(0).says("nothing changed");
}
