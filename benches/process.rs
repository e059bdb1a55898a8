//! The whole process: how long `bottlec check` takes on the example, how much memory and how large a binary, beside
//! `taplo check` on a TOML file of the same size when taplo is on PATH (`pip install taplo` brings it).

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs and prints figures"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

const RUNS: usize = 400;

fn main() {
    // `cargo test --benches` passes no `--bench`: there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bottlec = env!("CARGO_BIN_EXE_bottlec");
    let spec = root.join("examples/api-dev.kdl");
    let size = std::fs::metadata(&spec).expect("the example").len();
    let directory = tempfile::tempdir().expect("a directory");
    let toml = directory.path().join("same-size.toml");
    std::fs::write(&toml, toml_of(size)).expect("written");

    println!("example: {size} bytes; {RUNS} runs each, interleaved");
    let ours: Vec<&str> = vec![bottlec, "check", spec.to_str().expect("text")];
    let theirs: Vec<&str> = vec!["taplo", "check", toml.to_str().expect("text")];
    let nothing: Vec<&str> = vec!["true"];
    let with_taplo = Command::new("taplo").arg("--version").stdout(Stdio::null()).status().is_ok();
    let mut names: Vec<(&str, &[&str])> =
        vec![("bottlec check", &ours), ("true (a process, nothing else)", &nothing)];
    if with_taplo {
        names.push(("taplo check", &theirs));
    } else {
        println!("taplo: not on PATH, not measured");
    }
    let mut times = vec![Vec::new(); names.len()];
    let mut memory = vec![0; names.len()];
    for _ in 0..RUNS {
        for (at, (_, command)) in names.iter().enumerate() {
            let (time, peak) = run(command);
            times[at].push(time);
            memory[at] = memory[at].max(peak);
        }
    }
    for ((name, _), (mut times, peak)) in names.iter().zip(times.into_iter().zip(memory)) {
        times.sort();
        println!(
            "{name:32} median {:>6.2} ms   90 % under {:>6.2} ms   peak memory {:>5.1} MB",
            milliseconds(times[times.len() / 2]),
            milliseconds(times[times.len() * 9 / 10]),
            f64::from(u32::try_from(peak / 1024).unwrap_or(u32::MAX)) / 1024.0
        );
    }
    let binary = root.join("target/release/bottlec");
    if let Ok(meta) = std::fs::metadata(&binary) {
        println!("stripped release binary (of the last `cargo build --release`): {} bytes", meta.len());
    } else {
        println!("stripped release binary: run `cargo build --release` first");
    }
}

fn run(command: &[&str]) -> (Duration, u64) {
    let begun = Instant::now();
    let child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let used = child.wait4().expect("it ends");
    assert!(used.status.success(), "{command:?}");
    (begun.elapsed(), used.rusage.maxrss)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A TOML file of `size` bytes, as much like the example as TOML goes.
fn toml_of(size: u64) -> String {
    let mut text = String::new();
    for n in 0.. {
        let table = format!(
            "[bottle-{n}]\n# what the agent may reach\nallow = [\"api.anthropic.com\", \"*.github.com\"]\noctet = {n}\n\n"
        );
        if (text.len() + table.len()) as u64 > size {
            break;
        }
        text.push_str(&table);
    }
    text
}
