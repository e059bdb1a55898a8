//! Random documents that use all of KDL 2, and broken ones made from them.

use proptest::prelude::*;

fn one_of(items: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    proptest::sample::select(items).prop_map(String::from)
}

/// Blanks within a line; at least one.
fn blank() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        8 => Just(String::from(" ")),
        2 => one_of(&["  ", "\t", "\u{a0}", "\u{3000}", " /* x */ ", "/* /* y */ \n */", " \\\n ", "\\ // z\n", "\\\r\n", " \\ /* a */ \n"]),
    ]
}

fn maybe_blank() -> impl Strategy<Value = String> + Clone {
    prop_oneof![6 => Just(String::new()), 2 => blank()]
}

fn newline() -> impl Strategy<Value = String> + Clone {
    one_of(&["\n", "\n", "\n", "\n", "\r\n", "\r", "\u{85}", "\u{b}", "\u{c}", "\u{2028}", "\u{2029}"])
}

fn line_space() -> impl Strategy<Value = String> + Clone {
    prop_oneof![4 => Just(String::new()), 2 => blank(), 2 => newline(), 1 => one_of(&["// c\n", "/* d */\n", "\n\n"])]
}

fn word() -> impl Strategy<Value = String> + Clone {
    one_of(&[
        "a",
        "b",
        "node",
        "x-y",
        "-",
        "+",
        "--x",
        "-a",
        "+.",
        ".",
        "..",
        ".a",
        "-.a",
        "_1",
        "a1",
        "é",
        "ノード",
        "a.b:c",
        "trueish",
        "r",
        "rr",
        "infinity",
        "nan0",
        "a,b",
        "<x>",
        "$y",
        "'",
        "|",
        "~",
        "!?",
        "\u{1f600}",
        "x\u{301}",
        "e5",
        "inff",
    ])
}

fn escape() -> impl Strategy<Value = String> + Clone {
    one_of(&[
        "\\n",
        "\\r",
        "\\t",
        "\\\\",
        "\\\"",
        "\\b",
        "\\f",
        "\\s",
        "\\u{e9}",
        "\\u{1F600}",
        "\\u{0}",
        "\\   ",
        "\\\n   ",
        "\\ \n\t ",
        "\\u{00000a}",
    ])
}

fn piece() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        4 => one_of(&["a", "b c", " ", "{", "}", "//", "/*", "*/", "#", "'", "é", "\u{1f600}", ";", "=", "(u8)", "true", "\t", "\u{a0}", "1", "/-"]),
        2 => escape(),
    ]
}

fn quoted() -> impl Strategy<Value = String> + Clone {
    proptest::collection::vec(piece(), 0..5).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn multi_line() -> impl Strategy<Value = String> + Clone {
    let line = prop_oneof![
        1 => one_of(&["", " ", "    ", "\t", "  \t  "]),
        4 => (one_of(&["", " ", "\t"]), proptest::collection::vec(prop_oneof![5 => piece(), 1 => one_of(&["\"", "\"\""])], 1..4))
            .prop_map(|(more, parts)| {
                let text = parts.concat();
                // Three quotes in a row would be the end.
                format!("PREFIX{more}{}x", text.replace("\"\"\"", "\"").replace("\"\"\"", "\""))
            }),
    ];
    (
        proptest::collection::vec((line, newline()), 0..4),
        one_of(&["", "  ", "\t", "    "]),
        newline(),
        maybe_escape(),
    )
        .prop_map(|(lines, prefix, first, last)| {
            let body: String =
                lines.into_iter().map(|(line, end)| line.replace("PREFIX", &prefix) + &end).collect();
            format!("\"\"\"{first}{body}{prefix}{last}\"\"\"")
        })
}

fn maybe_escape() -> impl Strategy<Value = String> + Clone {
    prop_oneof![8 => Just(String::new()), 1 => one_of(&["\\  ", "\\ \n "])]
}

fn raw() -> impl Strategy<Value = String> + Clone {
    let part = one_of(&["a", " ", "\\", "\\n", "\"b", "{", "//", "\"\"x", "é", "#"]);
    let single = (proptest::collection::vec(part.clone(), 0..5), 2..4_usize).prop_map(|(parts, hashes)| {
        let hashes = "#".repeat(hashes);
        // A raw string must not begin with three quotes.
        format!("{hashes}\"x{}y\"{hashes}", parts.concat().replace("\"#", "\" #").replace("\"#", "\" #"))
    });
    let multi = (proptest::collection::vec((part, newline()), 0..4), one_of(&["", "  ", "\t"]), newline())
        .prop_map(|(lines, prefix, first)| {
            let body: String = lines.into_iter().map(|(line, end)| format!("{prefix}{line}{end}")).collect();
            format!("#\"\"\"{first}{body}{prefix}\"\"\"#")
        });
    prop_oneof![single, multi]
}

pub(crate) fn string() -> impl Strategy<Value = String> + Clone {
    prop_oneof![5 => word(), 3 => quoted(), 1 => multi_line(), 1 => raw()]
}

fn number() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        one_of(&[
            "0",
            "1",
            "-1",
            "+1",
            "007",
            "1_000",
            "1__0_",
            "0x1F",
            "-0xff_",
            "+0o17",
            "0b1_0",
            "1.5",
            "-1.5e3",
            "1e10",
            "1E-5",
            "1.0_0e+1_0",
            "9007199254740993",
            "18446744073709551616",
            "-9223372036854775809",
            "170141183460469231731687303715884105727",
            "0.1",
            "1e400",
            "1e-400",
            "5e-324",
            "0xFFFFFFFFFFFFFFFFFFFFFFFF",
        ]),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:?}")),
    ]
}

fn value() -> impl Strategy<Value = String> + Clone {
    let bare = prop_oneof![4 => string(), 3 => number(), 2 => one_of(&["#true", "#false", "#null", "#inf", "#-inf", "#nan"])];
    (annotation(), bare).prop_map(|(ty, value)| ty + &value)
}

fn annotation() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        6 => Just(String::new()),
        1 => (maybe_blank(), string(), maybe_blank(), maybe_blank()).prop_map(|(a, ty, b, c)| format!("({a}{ty}{b}){c}")),
    ]
}

fn entry() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        3 => value(),
        2 => (string(), maybe_blank(), maybe_blank(), value()).prop_map(|(key, a, b, value)| format!("{key}{a}={b}{value}")),
    ]
}

fn spaced_entry() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        6 => (blank(), entry()).prop_map(|(blank, entry)| blank + &entry),
        1 => (blank(), line_space(), entry()).prop_map(|(blank, space, entry)| format!("{blank}/-{space}{entry}")),
    ]
}

fn block(nodes: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> + Clone {
    nodes.prop_map(|nodes| format!("{{{nodes}}}"))
}

fn node(children: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let commented =
        (blank(), line_space(), block(children.clone())).prop_map(|(a, b, block)| format!("{a}/-{b}{block}"));
    let live = (blank(), block(children)).prop_map(|(a, block)| a + &block);
    (
        prop_oneof![9 => Just(String::new()), 1 => line_space().prop_map(|space| format!("/-{space}"))],
        annotation(),
        string(),
        proptest::collection::vec(spaced_entry(), 0..4),
        prop_oneof![9 => Just(String::new()), 1 => commented.clone()],
        prop_oneof![2 => Just(String::new()), 1 => live],
        prop_oneof![9 => Just(String::new()), 1 => commented],
        maybe_blank(),
    )
        .prop_map(|(slashdash, ty, name, entries, before, live, after, end)| {
            format!("{slashdash}{ty}{name}{}{before}{live}{after}{end}", entries.concat())
        })
}

fn nodes(depth: u32) -> BoxedStrategy<String> {
    let children = if depth == 0 { one_of(&["", " ", "\n", "a", " b 1 "]).boxed() } else { nodes(depth - 1) };
    let end = prop_oneof![4 => newline(), 2 => Just(String::from(";")), 1 => Just(String::from("// end\n"))];
    (proptest::collection::vec((line_space(), node(children), end), 0..3), line_space())
        .prop_map(|(nodes, space)| {
            nodes.into_iter().map(|(a, b, c)| a + &b + &c).collect::<String>() + &space
        })
        .boxed()
}

/// A valid document.
pub(crate) fn document() -> impl Strategy<Value = String> {
    (prop_oneof![9 => Just(""), 1 => Just("\u{feff}"), 1 => Just("/- kdl-version 2\n")], nodes(2))
        .prop_map(|(start, nodes)| start.to_owned() + &nodes)
}

/// A document of which a few characters were removed, doubled or replaced.
pub(crate) fn mutated() -> impl Strategy<Value = String> {
    let change = (
        any::<prop::sample::Index>(),
        0..4_u8,
        one_of(&[
            "\"", "{", "}", "(", ")", "=", "/-", "#", "\\", "\n", " ", ";", "/", "*/", "/*", "a", "1", "-",
            ".", "\"\"\"", "r", "true", "[", "\u{202e}",
        ]),
    );
    (document(), proptest::collection::vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut chars: Vec<String> = text.chars().map(String::from).collect();
        for (at, how, new) in changes {
            if chars.is_empty() {
                break;
            }
            let at = at.index(chars.len());
            match how {
                0 => drop(chars.remove(at)),
                1 => chars.insert(at, chars[at].clone()),
                2 => chars.insert(at, new),
                _ => chars[at] = new,
            }
        }
        chars.concat()
    })
}

/// A document laid out by the depth of its blocks, of which some braces are not there: what the indentation of a line says
/// of them is said.
pub(crate) fn unbalanced() -> impl Strategy<Value = String> {
    let line = (0..4_usize, string(), any::<bool>());
    (proptest::collection::vec(line, 1..12), proptest::collection::vec(any::<prop::sample::Index>(), 1..4))
        .prop_map(|(lines, taken)| {
            let mut text = String::new();
            let mut open = 0;
            for (depth, name, opens) in lines {
                let depth = depth.min(open);
                while open > depth {
                    open -= 1;
                    text.push_str(&format!("{}}}\n", "  ".repeat(open)));
                }
                text.push_str(&format!("{}{name}{}\n", "  ".repeat(depth), if opens { " {" } else { "" }));
                open = depth + usize::from(opens);
            }
            for open in (0..open).rev() {
                text.push_str(&format!("{}}}\n", "  ".repeat(open)));
            }
            for at in taken {
                let braces: Vec<usize> = text.match_indices(['{', '}']).map(|(at, _)| at).collect();
                if braces.is_empty() {
                    break;
                }
                text.remove(braces[at.index(braces.len())]);
            }
            text
        })
}
