//! A scanner reads its input in pieces; what lies across an end of one must lie whole in another.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::super::{Outcome, needs};
use super::gate::{Gate, SPEC};
use super::scanner::{name, scanner};
use crate::support::compile_text;

/// No two of these numbers are near each other, and each run has the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).expect("31 bits") % end
    }

    fn letters(&mut self, from: &[u8], count: usize) -> String {
        (0..count).map(|_| char::from(from[self.below(from.len())])).collect()
    }
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Words that no rule knows, of so many bytes.
fn words(numbers: &mut Numbers, count: usize) -> String {
    const WORDS: &[&str] = &["lorem", "ipsum", "dolor", "sit", "amet", "and", "so", "on"];
    let mut text = String::new();
    while text.len() < count {
        text += WORDS[numbers.below(WORDS.len())];
        text.push(' ');
    }
    text
}

/// A private key of nobody's, and of so many bytes; its parts are put together here.
fn private_key(numbers: &mut Numbers, count: usize, headers: &str, newline: &str) -> String {
    let kind = ["RSA PRIVATE", " KEY-----"].concat();
    let body: Vec<String> = (0..count / 64).map(|_| numbers.letters(LETTERS, 64)).collect();
    format!("-----BEGIN {kind}{newline}{headers}{}{newline}-----END {kind}{newline}", body.join(newline))
}

/// A file, and how many of its places must be said.
struct Case {
    name: &'static str,
    places: usize,
    make: fn(&mut Numbers) -> Vec<String>,
}

const CASES: &[Case] = &[
    Case {
        name: "tokens on line after line",
        places: 20_000,
        make: |numbers| {
            (0..20_000).map(|_| ["gh", "p_", &numbers.letters(LETTERS, 36), "\n"].concat()).collect()
        },
    },
    Case {
        name: "private keys in long lines",
        places: 80,
        make: |numbers| {
            (0..80)
                .map(|_| {
                    let before = numbers.below(40_000);
                    let before = words(numbers, before);
                    let key = private_key(numbers, 6_000, "", "\\n");
                    let after = numbers.below(40_000);
                    format!("{before}\"{key}\" {}\n", words(numbers, after))
                })
                .collect()
        },
    },
    Case {
        name: "private keys with a blank line in each",
        places: 200,
        make: |numbers| {
            let headers = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n \t\r\n\n";
            (0..200)
                .flat_map(|_| {
                    let before = numbers.below(4_000);
                    [words(numbers, before) + "\n\n", private_key(numbers, 3_000, headers, "\n")]
                })
                .collect()
        },
    },
    Case {
        name: "tokens in long lines of base64",
        places: 60,
        make: |numbers| {
            (0..60)
                .map(|_| {
                    let before = numbers.below(40_000);
                    let token = ["gh", "p_", &numbers.letters(LETTERS, 36)].concat();
                    let after = 20_000 + numbers.below(20_000);
                    let plain =
                        format!("{}token = \"{token}\" {}", words(numbers, before), words(numbers, after));
                    format!("data: {}\n", base64(plain.as_bytes()))
                })
                .collect()
        },
    },
];

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(part.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * at) & 63]);
            text.push(if at > part.len() { '=' } else { digit });
        }
    }
    text
}

/// The gate says the first twenty places and counts the others, so one push tells whether each was found.
pub(super) fn every_secret_is_found_wherever_the_pieces_end() -> Outcome {
    needs(scanner().real, "a stand-in for the scanner reads its input whole")?;
    let gate = Gate::start();
    for case in CASES {
        let work = gate.clone(&case.name.replace(' ', "-"));
        let lines = (case.make)(&mut Numbers(7));
        gate.commit(&work, "data.txt", lines.concat(), case.name);
        let said = gate.git(&work, &["push", "--quiet", "origin", "trunk"]).badly();
        let more = format!("git-gate:   and {} more", case.places - 20);
        assert!(said.contains(&more), "{} with {}, not {more}:\n{said}", case.name, name());
    }
    Ok(())
}

/// What `stream.awk` makes of a diff that adds one file: the windows, and which line of the file each line of each is.
fn streamed(awk: &[&str], content: &str) -> Vec<Vec<(usize, String)>> {
    let dir = tempfile::tempdir().unwrap();
    let (_, compilation) = compile_text("demo.kdl", SPEC);
    let stage = bottlec::lower::lower(&compilation.plans[0]);
    let script = dir.path().join("stream.awk");
    fs::write(&script, &stage.files["git-gate/stream.awk"].bytes).unwrap();
    let map = dir.path().join("map");
    let mut child = Command::new(awk[0])
        .args(&awk[1..])
        .args(["-v", &format!("map={}", map.display()), "-f"])
        .arg(&script)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut diff = format!("{}\ndiff --git a.txt a.txt\n", "0".repeat(40));
    diff += "new file mode 100644\n--- /dev/null\n+++ a.txt\n@@ -0,0 +1 @@\n";
    for line in content.split('\n') {
        diff.extend(["+", line, "\n"]);
    }
    let mut input = child.stdin.take().unwrap();
    let feed = std::thread::spawn(move || input.write_all(diff.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let map: Vec<(usize, usize, bool)> = fs::read_to_string(map)
        .unwrap()
        .lines()
        .map(|entry| {
            let part: Vec<&str> = entry.split('\t').collect();
            (part[0].parse().unwrap(), part[1].parse().unwrap(), part[3] == "content" && part[4] == "a.txt")
        })
        .collect();
    let lines: Vec<&str> = text.lines().collect();
    let padding = lines.iter().take_while(|line| line.trim().is_empty()).count();
    assert!(lines[..padding].iter().map(|line| line.len() + 1).sum::<usize>() > 125_000);
    let mut windows = vec![Vec::new()];
    let mut size = 0;
    for (number, line) in lines.iter().enumerate().skip(padding) {
        size += line.len() + 1;
        assert!(size < 25_000, "a window of {size}");
        if line.trim().is_empty() {
            assert_eq!(*line, "");
            windows.push(Vec::new());
            size = 0;
            continue;
        }
        let entry = map[map.partition_point(|entry| entry.0 <= number + 1) - 1];
        if entry.2 {
            windows.last_mut().unwrap().push((entry.1 + number + 1 - entry.0, (*line).to_owned()));
        }
    }
    windows
}

/// The programs that are there: busybox' is the one of the image.
fn awks() -> Vec<Vec<&'static str>> {
    let there = |awk: &[&str]| {
        Command::new(awk[0]).args(&awk[1..]).args(["BEGIN {}"]).output().is_ok_and(|o| o.status.success())
    };
    [&["awk"][..], &["busybox", "awk"], &["gawk"]]
        .into_iter()
        .filter(|awk| there(awk))
        .map(<[_]>::to_vec)
        .collect()
}

pub(super) fn what_is_short_enough_lies_whole_in_one_window() {
    lies_whole_in_one_window();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    fn lies_whole_in_one_window(
        seed in any::<u64>(),
        sizes in prop::collection::vec(prop_oneof![
            3 => 0..200_usize,
            1 => 0..20_000_usize,
            1 => 9_000..11_000_usize,
            1 => 13_900..14_100_usize,
            1 => 20_000..100_000_usize,
        ], 1..60),
        spaces in 1..200_usize,
    ) {
        let numbers = &mut Numbers(seed);
        let lines: Vec<String> = sizes
            .iter()
            .map(|size| {
                let mut line = numbers.letters(LETTERS, *size).into_bytes();
                for _ in 0..size / spaces {
                    let at = numbers.below(*size);
                    line[at] = b' ';
                }
                String::from_utf8(line).unwrap()
            })
            .collect();
        let blank = |line: &str| line.trim().is_empty();
        let whole: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !blank(line)).collect();
        let whole = whole.join("\n");
        for awk in awks() {
            let windows = streamed(&awk, &lines.join("\n"));
            let texts: Vec<String> = windows
                .iter()
                .map(|window| window.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n"))
                .collect();
            // Each window is a part of the file, and begins early enough in the one before.
            let mut end = 0;
            for text in texts.iter().filter(|text| !text.is_empty()) {
                let from = end - end.min(10_003);
                let Some(at) = whole[from..].find(text.as_str()) else {
                    return Err(TestCaseError::fail(format!("{awk:?}: a window is not of the file after {from}")));
                };
                let at = from + at;
                prop_assert!(at == 0 || at + 9_999 <= end, "{awk:?}: one ends at {end}, the next begins at {at}");
                end = at + text.len();
            }
            prop_assert_eq!(end, whole.len());
            for (number, part) in windows.iter().flatten() {
                let line = &lines[number - 1];
                let at = line.find(part.as_str());
                prop_assert!(at.is_some(), "{:?}: no part of line {}", awk, number);
            }
        }
    }
}

/// A piece of what is encoded begins where a group of four digits does, or it would decode to something else.
pub(super) fn base64_is_cut_between_its_groups() {
    let numbers = &mut Numbers(3);
    for prefix in 0..8 {
        let line = format!("{} {}", "=".repeat(prefix), numbers.letters(LETTERS, 100_000));
        for awk in awks() {
            let windows = streamed(&awk, &line);
            assert!(windows.len() > 5);
            for (_, part) in windows.iter().flatten() {
                let at = line.find(part.as_str()).unwrap();
                assert!(at == 0 || (at - prefix - 1) % 4 == 0, "{awk:?}: a piece begins at {at}");
                let end = at + part.len();
                assert!(end == line.len() || (end - prefix - 1) % 4 == 0, "{awk:?}: a piece ends at {end}");
            }
        }
    }
}
