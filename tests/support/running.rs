//! A `bottlec` that goes on: `check --watch`.

use std::io::Read as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::binary::{Dir, PATIENCE};

/// The end of the last line of a result.
pub(crate) const END: &str = "Ctrl-C ends\n";

/// A run that goes on.
pub(crate) struct Running {
    pub(crate) child: Child,
    #[allow(dead_code, reason = "one of the test binaries types")]
    pub(crate) stdin: ChildStdin,
    pub(crate) out: Receiver<Vec<u8>>,
    /// What was heard and not yet looked at.
    pub(crate) text: String,
}

impl Running {
    pub(crate) fn start(dir: &Dir, args: &[&str]) -> Self {
        let words: Vec<&str> =
            ["check", "--format", "concise", "--watch"].iter().chain(args).copied().collect();
        let mut command = dir.call(words).command();
        Self::of(command.stderr(Stdio::null()))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdout.take().unwrap();
        let (send, out) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut bytes) {
                if send.send(bytes[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin, out, text: String::new() }
    }

    /// The next result, up to its last line.
    #[track_caller]
    pub(crate) fn next(&mut self) -> String {
        loop {
            if let Some(at) = self.text.find(END) {
                let rest = self.text.split_off(at + END.len());
                return std::mem::replace(&mut self.text, rest);
            }
            match self.out.recv_timeout(PATIENCE) {
                Ok(bytes) => self.text += &String::from_utf8_lossy(&bytes),
                Err(error) => panic!("{error}: {:?}", self.text),
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Ends it as Ctrl-C does: what it has not shown yet, and its exit code.
    #[track_caller]
    pub(crate) fn end(mut self) -> (String, i32) {
        self.signal(Signal::INT);
        let code = self.code();
        while let Ok(bytes) = self.out.recv_timeout(PATIENCE) {
            self.text += &String::from_utf8_lossy(&bytes);
        }
        (self.text, code)
    }

    #[track_caller]
    pub(crate) fn code(&mut self) -> i32 {
        code_of(&mut self.child)
    }
}

/// How a run ends, by itself and in time.
#[track_caller]
pub(crate) fn code_of(child: &mut Child) -> i32 {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("it ends by itself");
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it did not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) const BROKEN: &str = "bottle \"api\" { egres { allow \"a.test\"; }; }\n";
