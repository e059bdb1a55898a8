//! A scanner reads its input in pieces; what lies across an end of one must lie whole in another.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use memchr::memmem;
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

pub(super) fn base64(bytes: &[u8]) -> String {
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

/// Writes the text that a scanner gets of what is read, and then the map, as lines behind it.
const DRIVER: &str = r#"
import os, sys
sys.path.insert(0, sys.argv[1])
import gate
stream = gate.Stream(lambda text: os.write(1, text))
stream.of("content", here=1)
stream.whole(sys.stdin.buffer.raw.read)
stream.flush()
with open(sys.argv[2], "w") as map:
    for start, line in zip(stream.starts, stream.lines):
        print(start, line, file=map)
"#;

/// What is made of a file: the windows, and which line of the file each line of each is.
fn streamed(content: &[u8]) -> Vec<Vec<(usize, String)>> {
    let dir = tempfile::tempdir().unwrap();
    let (_, compilation) = compile_text("demo.kdl", SPEC);
    let stage = bottlec::backend::lower(&compilation.plans[0]);
    fs::write(dir.path().join("gate.py"), &stage.files["git-gate/gate.py"].bytes).unwrap();
    let map = dir.path().join("map");
    let mut child = Command::new("python3")
        .args(["-IB", "-c", DRIVER])
        .arg(dir.path())
        .arg(&map)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let content = content.to_vec();
    let feed = std::thread::spawn(move || input.write_all(&content).unwrap());
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let map: Vec<(usize, usize)> = fs::read_to_string(map)
        .unwrap()
        .lines()
        .map(|entry| {
            let (start, line) = entry.split_once(' ').unwrap();
            (start.parse().unwrap(), line.parse().unwrap())
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
        windows.last_mut().unwrap().push((entry.1 + number + 1 - entry.0, (*line).to_owned()));
    }
    windows
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
        ], 1..40),
        // Read in parts, this one.
        long in prop_oneof![Just(0), 1_040_000..2_200_000_usize],
        spaces in 1..200_usize,
    ) {
        let numbers = &mut Numbers(seed);
        let middle = sizes.len() / 2;
        let lines: Vec<String> = sizes[..middle]
            .iter()
            .chain([&long])
            .chain(&sizes[middle..])
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
        let windows = streamed(lines.join("\n").as_bytes());
        // Which parts of the file a window has. There are two in one where a line of more than a MiB comes in parts that
        // repeat some 40,000 bytes of it.
        let mut end = 0;
        for window in &windows {
            let mut part: Option<(usize, usize)> = None;
            let mut parts = Vec::new();
            for (_, line) in window {
                let from = part.map_or(end - end.min(60_000), |(_, end)| (end + 1).min(whole.len()));
                if let Some((start, end)) = part && whole[end..].starts_with(&format!("\n{line}")) {
                    part = Some((start, end + 1 + line.len()));
                    continue;
                }
                parts.extend(part);
                let from = if part.is_some() { from - from.min(60_000) } else { from };
                let Some(at) = memmem::find(&whole.as_bytes()[from..], line.as_bytes()) else {
                    return Err(TestCaseError::fail(format!("a window is not of the file after {from}")));
                };
                part = Some((from + at, from + at + line.len()));
            }
            parts.extend(part);
            for (start, stop) in parts {
                prop_assert!(start == 0 || start + 9_999 <= end, "one ends at {end}, the next begins at {start}");
                end = end.max(stop);
            }
        }
        prop_assert_eq!(end, whole.len());
        for (number, part) in windows.iter().flatten() {
            let line = &lines[number - 1];
            prop_assert!(memmem::find(line.as_bytes(), part.as_bytes()).is_some(), "no part of line {}", number);
        }
    }
}

/// A piece of what is encoded begins where a group of four digits does, or it would decode to something else.
pub(super) fn base64_is_cut_between_its_groups() {
    let numbers = &mut Numbers(3);
    for (prefix, size) in (0..8).map(|prefix| (prefix, 100_000)).chain([(5, 2_500_000)]) {
        let line = format!("{} {}", "=".repeat(prefix), numbers.letters(LETTERS, size));
        let windows = streamed(line.as_bytes());
        assert!(windows.len() > 5);
        for (_, part) in windows.iter().flatten() {
            let at = memmem::find(line.as_bytes(), part.as_bytes()).unwrap();
            assert!(at == 0 || (at - prefix - 1).is_multiple_of(4), "a piece begins at {at}");
            let end = at + part.len();
            assert!(end == line.len() || (end - prefix - 1).is_multiple_of(4), "a piece ends at {end}");
        }
    }
}
