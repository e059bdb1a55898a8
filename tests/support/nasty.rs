//! Texts that would do harm somewhere, for generators of specs.
#![allow(clippy::format_push_string, reason = "specs are put together from few parts")]

use proptest::prelude::*;

/// A KDL string with every character that needs it escaped, so that any text can be put into a spec.
pub(crate) fn kdl(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_ascii_graphic() || c == ' ' => quoted.push(c),
            c => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    quoted + "\""
}

/// Texts that would do harm somewhere: in a path, TOML, YAML, a shell, an environment, an argument vector.
pub(crate) fn nasty() -> BoxedStrategy<String> {
    let fixed = prop::sample::select(vec![
        "",
        " ",
        "x",
        "=",
        "a=b",
        "A=B\nC=D",
        "\n",
        "\r\n",
        "\0",
        "'",
        "\"",
        "'''",
        "\"\"\"",
        "\\",
        "$(id)",
        "`id`",
        "${HOME}",
        "$HOME",
        "; id",
        "| id",
        "&& id",
        "# x",
        "--",
        "-rf",
        "--from",
        "--outbound-localhost-only",
        "../x",
        "../../etc/passwd",
        "/etc/passwd",
        "~",
        "~/x",
        ".",
        "..",
        "a/b",
        "[network]",
        "[[net]]",
        "]",
        "\"]\n[network]\n",
        "allow_cidrs = [\"0.0.0.0/0\"]",
        "unixgram",
        "gvproxy",
        "0.0.0.0/0",
        "192.168.0.0/16",
        "*",
        "*.",
        "{}",
        "!!x",
        "&a",
        "a: b",
        "- a",
        "\u{202e}x",
        "\u{feff}",
        "é",
        "日本",
        "\u{1b}[31m",
        "\u{85}",
        "\u{2028}",
        "%s",
        "a b",
        " a",
        "a ",
        "\t",
        "a\tb",
        "ok",
        "ok.example.com",
        "*.example.com",
        "PATH",
        "HTTP_PROXY",
        "api",
        "db",
    ]);
    prop_oneof![4 => fixed.prop_map(str::to_owned), 1 => any::<String>(), 1 => "[ -~]{0,12}"].boxed()
}

/// Mostly what is right, sometimes what is nasty.
pub(crate) fn mostly(right: &'static str) -> BoxedStrategy<String> {
    prop_oneof![6 => right.prop_map(|text| text), 1 => nasty()].boxed()
}
