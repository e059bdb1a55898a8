//! Specs to draw, and drawing them.

use std::fmt::Write as _;

use bottlec::plan::Plan;
use bottlec::report::Style;
use bottlec::report::graph::{Format, render};

use super::compile_text;

pub(crate) fn plans(spec: &str) -> Vec<Plan> {
    let (_, compilation) = compile_text("x.kdl", spec);
    let said: Vec<&str> =
        compilation.diagnostics.as_slice().iter().map(|said| said.message.as_str()).collect();
    assert!(!compilation.diagnostics.has_errors(), "{said:?}\n{spec}");
    assert!(!compilation.plans.is_empty(), "{spec}");
    compilation.plans
}

pub(crate) fn draw_with(plans: &[Plan], format: Format, style: &Style) -> String {
    render(&plans.iter().collect::<Vec<_>>(), format, style)
}

pub(crate) fn draw(plans: &[Plan], format: Format) -> String {
    draw_with(plans, format, &Style::default())
}

/// A KDL string.
pub(crate) fn kdl(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A bottle of the size and with the texts that a test wants.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) slug: String,
    pub(crate) text: String,
    pub(crate) hosts: usize,
    pub(crate) denied: usize,
    pub(crate) repos: usize,
    pub(crate) secrets: usize,
    pub(crate) supervise: bool,
    pub(crate) sidecars: Vec<(String, bool, bool, usize)>,
}

impl Shape {
    /// As a spec. Each sidecar: name, whether it needs the one before it, whether the agent learns of it, its secrets.
    pub(crate) fn spec(&self) -> String {
        let Self { slug, text, hosts, denied, repos, secrets, supervise, sidecars } = self;
        let mut spec = format!("bottle {} {{\nenv {{\n", kdl(slug));
        let file = |n: usize| kdl(&format!("/{text}{n}"));
        for n in 0..*secrets {
            let _ = writeln!(spec, "V{n} from-file={}", file(n));
        }
        let _ = writeln!(spec, "}}\negress {{ rate-limit 1000000");
        let label = "x".repeat(textwrap::core::display_width(text).clamp(1, 60));
        for (node, count) in [("allow", *hosts), ("deny", *denied)] {
            for n in 0..count {
                let _ = writeln!(spec, "{node} \"{node}{n}.{label}.{label}.{label}.example.com\"");
            }
        }
        spec.push_str("}\ngit {\n");
        for n in 0..*repos {
            let identity = kdl(&format!("~/{text}{n}"));
            let _ = writeln!(
                spec,
                "repo \"{label}{n}\" {{\nurl \"ssh://git@git.example.com/{label}/{n}.git\"\nidentity {identity}\n\
                 host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"\n}}"
            );
        }
        spec.push_str(if *supervise { "}\nsupervise\n" } else { "}\n" });
        for (n, (name, needs, exposed, secrets)) in sidecars.iter().enumerate() {
            let image = format!("{label}/image:1@sha256:{}", "0".repeat(64)).to_lowercase();
            let _ = writeln!(spec, "sidecar \"{name}{n}\" image=\"{image}\" {{");
            if *exposed {
                let _ = writeln!(spec, "port {} scheme=\"s{}\"", 3000 + n, &label[..label.len().min(30)]);
                let _ = writeln!(spec, "expose \"E{n}_{}\" path=\"/'&amp;$(x)\"", label.to_uppercase());
            }
            if *needs && n > 0 {
                let _ = writeln!(spec, "needs \"{}{}\"", sidecars[n - 1].0, n - 1);
            }
            for secret in 0..*secrets {
                let _ = writeln!(spec, "secret \"s{secret}\" from-file={}", file(secret));
            }
            spec.push_str("}\n");
        }
        spec + "}\n"
    }
}

/// Texts that would do harm in one of the formats, each of which a path may hold.
pub(crate) const NASTY: &[&str] = &[
    "</text><script>alert(1)</script>",
    "\"><rect/>",
    "' onload='x",
    "&lt;&amp;&#60;",
    "<!-- --",
    "]]>",
    "<?xml ?>",
    "#quot;#35;#lt;b#gt;",
    "\"] --> x[\"",
    "`**bold** _x_ [a](b)`",
    "%%{init: {}}%%",
    "end",
    "\\\" ]; evil -> x [label=\"",
    "\\n\\N\\G\\l",
    "trailing\\",
    "<b>html</b>",
    "$(id) `id` ${HOME}",
    "1. list",
    "- list",
    "www.example.com http://a.b",
    ";|{}()<>",
    "$$x^2$$ fa:fa-car",
    "\u{fffe}\u{ffff}x",
    "日本語",
];

pub(crate) fn nasty_spec(text: &str) -> String {
    let shape = Shape {
        slug: "x".into(),
        text: text.into(),
        hosts: 2,
        denied: 1,
        repos: 2,
        secrets: 2,
        supervise: true,
        sidecars: vec![("a".into(), false, true, 2), ("b".into(), true, true, 0)],
    };
    shape.spec()
}
