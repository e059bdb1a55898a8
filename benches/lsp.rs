//! The language server as an editor has it: the real process over pipes, on a spec of 1,000 lines. Prints how long it is
//! from a keystroke to the diagnostics that it changes, to a completion, and from the start to the first diagnostics, and
//! what becomes of the memory over as many random edits as half an hour of typing makes. `true` started and ended, and a
//! request that needs no work, are what the machine itself takes.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark runs programs and prints figures"
)]

use std::fmt::Write as _;
use std::io::{BufReader, BufWriter, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request, RequestId};
use serde_json::{Value, json};

const URI: &str = "file:///tmp/bottlec-bench/bottle.kdl";
const KEYSTROKES: usize = 4_000;
const STARTS: usize = 60;
/// Half an hour of twenty keystrokes a second.
const EDITS: usize = 36_000;
const WORD: &str = "hosts-of-mine";

fn main() {
    // `cargo test --benches` passes no `--bench`: there is nothing to test here.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let spec = spec();
    println!("a spec of {} lines, {} bytes, 30 bottles", spec.lines().count(), spec.len());
    starts(&spec);
    let mut client = Client::start();
    client.initialize();
    client.open(&spec);
    typing(&mut client, &spec);
    edits(&mut client, &spec);
    client.end();
}

/// A spec of 1,000 lines without a mistake in it.
fn spec() -> String {
    let mut text = String::from(
        "profile \"team\" {\n    env { TERM \"xterm-256color\" }\n    egress {\n        deny \"gist.github.com\"\n    }\n}\n\n",
    );
    for n in 0..30 {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "bottle \"bottle-{n}\" {{\n    extends \"team\"\n    engine \"smolvm\" version=\"1.33.0\" // what it is compiled for\n    network octet={}\n    env {{\n        GH_HOST \"github.com\" // a literal\n        ANTHROPIC_API_KEY from-env=\"ANTHROPIC_API_KEY\"\n        NPM_TOKEN from-file=\"/run/secrets/npm\"\n    }}\n    egress {{\n        allow \"api.anthropic.com\" \"packages-{n}.example.com\" \"*.github.com\"\n        rate-limit 600\n    }}\n    git {{\n        user name=\"Ada\" email=\"ada@example.com\"\n        repo \"api-{n}\" {{\n            url \"ssh://git@github.com/acme/api-{n}.git\"\n            identity \"~/.ssh/id_ed25519\"\n            host-key \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\"\n        }}\n    }}\n    sidecar \"db\" image=\"docker.io/library/postgres:17@sha256:a942b37ccfaf5a813b1432caa209a43b9d144e47ad0de1549c289c253e556cd5\" {{\n        port 5432 scheme=\"postgres\"\n        needs \"pipelock\"\n        run-as \"999:999\"\n        env {{ POSTGRES_PASSWORD from-env=\"DB_PASSWORD\" }}\n        expose \"DATABASE_URL\" path=\"/app\"\n    }}\n    expect {{\n        allow \"api.github.com:443\"\n        refuse \"gist.github.com\"\n    }}\n}}\n\n",
            if n < 16 { n + 1 } else { n + 2 },
        );
    }
    while text.lines().count() < 1000 {
        text.push_str("// the end\n");
    }
    text
}

/// From the start of the process to the first diagnostics of a spec with a mistake in it.
fn starts(spec: &str) {
    let broken = spec.replacen("rate-limit", "rate-limi", 1);
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let begun = Instant::now();
        Command::new("true").status().expect("it runs");
        nothing.push(begun.elapsed());
        let begun = Instant::now();
        let mut client = Client::start();
        client.initialize();
        client.open(&broken);
        client.until_diagnostics(1);
        ours.push(begun.elapsed());
        client.end();
    }
    print("a process that does nothing", &mut nothing);
    print("start to first diagnostics", &mut ours);
}

/// A word is typed and taken back again, in one bottle after the other: each keystroke changes what is wrong.
fn typing(client: &mut Client, spec: &str) {
    let places: Vec<usize> = spec
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("rate-limit"))
        .map(|(line, _)| line)
        .collect();
    let (mut keystrokes, mut completions, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    let mut version = 1;
    let mut at = 0;
    while keystrokes.len() < KEYSTROKES {
        let line = places[at % places.len()];
        at += 1;
        let mut stroke = |client: &mut Client, from: usize, to: usize, text: &str| {
            version += 1;
            let begun = Instant::now();
            client.change(version, (line, from, line, to), text);
            client.until_diagnostics(version);
            keystrokes.push(begun.elapsed());
        };
        // The word stands before the node of the line, so that it is one of its own.
        stroke(client, 8, 8, ";");
        for (at, c) in WORD.char_indices() {
            stroke(client, 8 + at, 8 + at, &c.to_string());
            if at == 2 {
                let begun = Instant::now();
                let found = client.ask(
                    "textDocument/completion",
                    &json!({"textDocument": {"uri": URI}, "position": {"line": line, "character": 11}}),
                );
                completions.push(begun.elapsed());
                assert!(found.is_object(), "{found}");
                let begun = Instant::now();
                client.ask("bottlec/nothing", &Value::Null);
                idle.push(begun.elapsed());
            }
        }
        for at in (0..WORD.len()).rev() {
            stroke(client, 8 + at, 9 + at, "");
        }
        stroke(client, 8, 9, "");
    }
    print("a request that is refused", &mut idle);
    print("keystroke to diagnostics", &mut keystrokes);
    print("completion", &mut completions);
}

/// Random edits, as fast as they are taken, and what is resident on the way.
fn edits(client: &mut Client, spec: &str) {
    let mut lines: Vec<String> = spec.lines().map(str::to_owned).collect();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap_or(0)
    };
    let words = ["{", "}", "\"", "allow", " ", "x", "é", "🍾", ";", "=", "/*", "*/", "bottle", "\\"];
    let mut version = 1_000_000;
    let mut resident = Vec::new();
    let begun = Instant::now();
    for edit in 0..EDITS {
        // Every so often the text is as it was: a file that is garbage from end to end is no session.
        version += 1;
        if edit % 400 == 399 {
            client.replace(version, spec);
            lines = spec.lines().map(str::to_owned).collect();
        } else {
            let line = next(lines.len());
            let column = next(lines[line].chars().count() + 1);
            let word = words[next(words.len())];
            let at = lines[line].char_indices().nth(column).map_or(lines[line].len(), |(at, _)| at);
            let units = lines[line][..at].encode_utf16().count();
            lines[line].insert_str(at, word);
            client.change(version, (line, units, line, units), word);
        }
        // A request now and then, which also waits for what was sent before.
        if edit % 10 == 0 {
            let position = json!({"line": next(lines.len()), "character": next(40)});
            client.ask("textDocument/hover", &json!({"textDocument": {"uri": URI}, "position": position}));
        }
        if edit % (EDITS / 6) == EDITS / 6 - 1 {
            resident.push(client.resident());
        }
    }
    println!(
        "{EDITS} random edits in {:.1} s; resident after each sixth: {resident:?} kB",
        begun.elapsed().as_secs_f64()
    );
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |part: f64| {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = ((times.len() - 1) as f64 * part) as usize;
        times[index].as_secs_f64() * 1000.0
    };
    println!(
        "{what:28} {:>6} times: median {:>6.2} ms   99 % under {:>6.2} ms   longest {:>6.2} ms",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

struct Client {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: i32,
}

impl Client {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bottlec"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = BufWriter::new(child.stdin.take().expect("a pipe"));
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output, requests: 0 }
    }

    fn send(&mut self, message: &Message) {
        message.write(&mut self.input).expect("the server reads");
        self.input.flush().expect("the server reads");
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&Message::Notification(Notification::new(method.to_owned(), params)));
    }

    fn read(&mut self) -> Message {
        Message::read(&mut self.output).expect("a message").expect("the server is there")
    }

    /// Sends a request, and reads until its answer: nothing when it was refused.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.send(&Message::Request(Request::new(id.clone(), method.to_owned(), params)));
        loop {
            if let Message::Response(response) = self.read()
                && response.id == id
            {
                return response.response_result.unwrap_or_default();
            }
        }
    }

    fn initialize(&mut self) {
        let params = json!({"processId": std::process::id(), "rootUri": null, "capabilities": {}});
        self.ask("initialize", &params);
        self.tell("initialized", json!({}));
    }

    fn open(&mut self, text: &str) {
        let document = json!({"uri": URI, "languageId": "bottlec", "version": 1, "text": text});
        self.tell("textDocument/didOpen", json!({"textDocument": document}));
    }

    fn change(&mut self, version: usize, (line, from, last, to): (usize, usize, usize, usize), text: &str) {
        let range =
            json!({"start": {"line": line, "character": from}, "end": {"line": last, "character": to}});
        self.tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"range": range, "text": text}]}),
        );
    }

    fn replace(&mut self, version: usize, text: &str) {
        self.tell(
            "textDocument/didChange",
            json!({"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"text": text}]}),
        );
    }

    /// Reads until the diagnostics of a version.
    fn until_diagnostics(&mut self, version: usize) {
        loop {
            if let Message::Notification(told) = self.read()
                && told.method == "textDocument/publishDiagnostics"
                && told.params["version"] == version
            {
                return;
            }
        }
    }

    /// What is resident of the server, in kB.
    fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    fn end(mut self) {
        self.ask("shutdown", &Value::Null);
        self.tell("exit", Value::Null);
        assert!(self.child.wait().expect("it ends").success());
    }
}
