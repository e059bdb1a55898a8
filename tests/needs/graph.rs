//! Graphviz, and the pictures that are written for it.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bottlec::report::graph::Format;

use super::{Outcome, needs};
use crate::support::binary::works;
use crate::support::pictures::{NASTY, draw, nasty_spec, plans};
use crate::support::{compile_file, root, specs};

/// Graphviz itself reads what is written for it, and shows the texts as they are.
pub(crate) fn graphviz_takes_every_picture() -> Outcome {
    needs(works(&["dot", "-V"]), "there is no `dot` here")?;
    let read = |graph: &str| {
        let mut dot = Command::new("dot")
            .args(["-Tsvg"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        dot.stdin.take().unwrap().write_all(graph.as_bytes()).unwrap();
        let output = dot.wait_with_output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !complaint.contains("yntax"), "{complaint}\n{graph}");
        String::from_utf8(output.stdout).unwrap()
    };
    for path in specs(&root().join("examples")) {
        let plans = compile_file(&path).1.plans;
        if !plans.is_empty() {
            read(&draw(&plans, Format::Dot));
        }
    }
    let mut all = String::new();
    for (n, nasty) in NASTY.iter().enumerate() {
        let spec = nasty_spec(nasty).replacen("\"x\"", &format!("\"x{n}\""), 1);
        let end = spec.rfind('}').unwrap();
        let _ = writeln!(all, "{}network octet={}\n}}", &spec[..end], n + 20);
    }
    let plans = plans(&all);
    assert_eq!(plans.len(), NASTY.len());
    let svg = read(&draw(&plans, Format::Dot));
    let svg = &svg[svg.find("<svg").unwrap()..];
    let document = roxmltree::Document::parse(svg).unwrap();
    let classed = |class| document.descendants().filter(move |node| node.attribute("class") == Some(class));
    // The agent, five sidecars, six cards outside, secrets for three.
    assert_eq!(classed("node").count(), NASTY.len() * 15);
    let texts: Vec<String> = document
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| node.text().unwrap_or_default().replace('\u{a0}', " "))
        .collect();
    for nasty in NASTY {
        let shown = format!("file /{}0 as V0", nasty.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"));
        assert!(texts.contains(&shown), "{shown}: {texts:?}");
    }
    Ok(())
}
