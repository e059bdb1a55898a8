//! As many specs as a fleet has.

use crate::support::binary::Dir;

#[test]
fn a_fleet_is_counted_as_a_whole() {
    let dir = Dir::new();
    for n in 0..1_500 {
        let broken = n % 3 == 0;
        let what = if broken { "egres; netwrk; image \"debian\";" } else { "egress { allow \"a.test\"; };" };
        dir.write(&format!("{:02}/{n:04}.kdl", n / 100), format!("bottle \"b-{n}\" {{ {what} }}\n"));
    }
    // 500 specs have three each: more than are shown. The first ones are, in the order of their paths.
    let run = dir.run(["check", "--format", "concise"]).code(1);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines.len(), 1_001);
    assert!(
        lines[0].starts_with("00/0000.kdl:1:") && lines[999].starts_with("09/0999.kdl:1:"),
        "{}",
        lines[999]
    );
    assert_eq!(lines[1_000], "667 errors, 333 warnings in 334 files, and 500 more are not shown");
    let counted = "  1000  error    unknown-node\n   500  warning  image-not-pinned\n";
    dir.run(["check", "--statistics"]).code(1).says(counted);
    let few = ["check", "--format", "concise", "--statistics", "--max-diagnostics", "10"];
    let run = dir.run(few).code(1);
    assert_eq!(run.out.lines().count(), 13, "{}", run.out);
    let rest = "7 errors, 3 warnings in 4 files, and 1490 more are not shown\n";
    assert!(run.out.ends_with(&format!("{rest}{counted}")), "{}", run.out);
    let none = dir.run(["check", "--statistics", "--max-diagnostics", "0"]).code(1);
    assert_eq!(none.out, format!("1500 diagnostics are not shown\n{counted}"));
}

#[test]
fn what_a_fleet_includes_is_counted_once() {
    let dir = Dir::new();
    dir.write("team.kdl", "profile \"team\" { image \"debian\"; egres; }\n");
    for n in 0..1_200 {
        let spec = format!("include \"team.kdl\"\nbottle \"b-{n}\" {{ extends \"team\"; }}\n");
        dir.write(&format!("{n}.kdl"), spec);
    }
    // It sorts behind them, and what is found in it is not pushed out of the report.
    dir.write("z.kdl", "bottle \"z\" { netwrk; }\n");
    let run = dir.run(["check", "--format", "concise", "--statistics"]).code(1);
    assert_eq!(run.out.lines().count(), 5, "{}", run.out);
    let counted = "     2  error    unknown-node\n     1  warning  image-not-pinned\n";
    assert!(run.out.contains("z.kdl:1:14: error") && run.out.ends_with(counted), "{}", run.out);
}
