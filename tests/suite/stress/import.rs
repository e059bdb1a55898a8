//! Files that are imported and mean harm: bounded in time and memory, told what is wrong, and nothing panics.

use std::fmt::Write as _;

use super::{bounded, much};
use crate::support::binary::Dir;
use bottlec::import::{ImportError, Input, MAX_BYTES, import};

/// What is said of a text, by the library and by the program, which has 512 MiB.
fn refused(what: &str, text: &str) -> ImportError {
    let input = Input { name: what.to_owned(), directory: String::new(), text: text.to_owned() };
    let error = bounded(what, || import(&[input])).expect_err(what).1;
    let dir = Dir::new();
    dir.write("x", text);
    dir.call(["import", "x"]).memory(512).run().code(3);
    error
}

fn imported(what: &str, text: &str) {
    let input = Input { name: what.to_owned(), directory: String::new(), text: text.to_owned() };
    let out = bounded(what, || import(&[input])).unwrap_or_else(|(_, error)| panic!("{what}: {error}"));
    assert!(out.text.len() < 64 * MAX_BYTES, "{what}: {} bytes", out.text.len());
}

#[test]
fn anchors_by_the_million() {
    // Each stands for ten of the one before.
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let aliases = format!("*a{}, ", n - 1).repeat(10);
        writeln!(bomb, "a{n}: &a{n} [{}]", aliases.trim_end_matches(", ")).expect("it is a string");
    }
    bomb.push_str("services: {}\n");
    assert!(refused("a bomb", &bomb).to_string().contains("more than any configuration"));
    let long = format!("services: {{}}\na: &a {}\nb: [{}]\n", "x".repeat(500_000), "*a,".repeat(100_000));
    assert!(refused("long aliases", &long).to_string().contains("more than any configuration"));
    let many = format!("services: {{}}\nb: [{}]\n", "&a x,".repeat(200_000));
    refused("anchors", &many);
    let merged = format!(
        "services: {{}}\na: &a {{{}}}\nb: [{}]\n",
        (0..1000).fold(String::new(), |all, n| all + &format!("k{n}: 1,")),
        "{<<: *a},".repeat(10_000)
    );
    refused("merged", &merged);
    refused("in itself", "services: &a {x: *a}\n");
}

#[test]
fn deep_ones() {
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    refused("JSON", &deep("{\"services\":", "}", 80_000));
    refused("JSON, open", &"{\"a\":[".repeat(150_000));
    refused("YAML", &format!("services: {}", deep("[", "]", 400_000)));
    refused("YAML maps", &format!("services: {}", "{a: ".repeat(200_000)));
    let mut nested = String::from("services:\n");
    (1..700).for_each(|n| writeln!(nested, "{}a:", " ".repeat(n)).expect("it is a string"));
    refused("YAML blocks", &nested);
    refused("TOML", &format!("image = {}", deep("[", "]", 400_000)));
    refused("TOML tables", &format!("[{}]\nx = 1\n", "a.".repeat(400_000) + "a"));
    refused("KDL", &format!("a {}", deep("{ a ", "}", 100_000)));
}

#[test]
fn long_ones() {
    assert_eq!(refused("sixteen", &"a".repeat(16 * MAX_BYTES)), ImportError::TooLarge);
    assert_eq!(refused("no end", &format!("---\n{}", "a: b\n".repeat(200_000))), ImportError::NoEnd);
    refused("one line", &format!("---\n{}", "a".repeat(MAX_BYTES - 10)));
    let list = |n: usize| (0..n).fold(String::new(), |all, n| all + &format!("\"*.a{n}.example.com\","));
    let hosts = list(much(20_000));
    imported("hosts", &format!("{{\"network\":{{\"allowedDomains\":[{}]}}}}", hosts.trim_end_matches(',')));
    let services = (0..much(5_000))
        .fold(String::new(), |all, n| all + &format!("  s{n}: {{image: x, ports: ['{n}'], x{n}: 1}}\n"));
    imported("services", &format!("services:\n{services}"));
    let same =
        (0..much(5_000)).fold(String::new(), |all, n| all + &format!("\"{}{n}\": {{}},", "-".repeat(n % 30)));
    imported("names", &format!("{{\"bottles\":{{{}}}}}", same.trim_end_matches(',')));
    let key = "k".repeat(much(900_000));
    imported("a key", &format!("{{\"services\":{{\"{key}\":{{\"image\":\"x\"}}}}}}"));
    imported(
        "a secret",
        &format!(
            "{{\"services\":{{\"a\":{{\"image\":\"x\",\"command\":[\"{}\"]}}}}}}",
            "a=b ".repeat(much(200_000))
        ),
    );
}

#[test]
fn odd_ones() {
    for text in [
        "\u{0}",
        "\u{feff}",
        "\u{feff}---\n---\n",
        "---",
        "---\n",
        "---\n---",
        "%",
        "%YAML 1.2",
        "\r\r\r",
        "{",
        "[",
        ":",
        "=",
        "a:",
        "a=",
        "&a",
        "*a",
        "<<: 1",
        "? a",
    ] {
        let _ =
            import(&[Input { name: "\u{202e}/\u{0}".into(), directory: String::new(), text: text.into() }]);
    }
}
