//! A git-gate at work: upstreams on disk, a stage compiled from a spec, its scripts run as the container runs them, and
//! an agent whose git has the stage's configuration.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use bottlec::backend::lower;
use rustix::process::{Pid, Signal, kill_process_group};

use super::scanner::{SYSTEM_PATH, name, program, scanner};
use crate::support::compile_text;

/// Two repositories, one of them on a port of its own.
pub(crate) const SPEC: &str = r#"
bottle "demo" {
    git {
        user name="Ada \"the\" \\ Agent" email="ada@example.com"
        repo "api" {
            url "ssh://git@code.example.com/acme/api.git"
            identity "/nowhere/api"
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        }
        repo "shared.lib" {
            url "ssh://ci@git.example.com:2222/platform/lib.git"
            identity "/nowhere/lib"
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIlTfbLKKMxUqTkKxQfyqYVZ1GvLrYgGmgIXJIFTTBgB"
            host-key "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA0iNT3V4dxtW/rpb1NjU/P4/iwN0V/hZ3PQ0r03fW0NJ1u4adk6k1l2d5fF2H+rHn/qqX2wqRTWf8dDscK3vYU="
        }
    }
    git-gate scanner="betterleaks"
}
"#;

/// Stands for the SSH client and the host at its other end: writes down how it was called, and runs the command that it
/// was given on the repositories below `upstream/`, in an environment of the host's own.
const SSH: &str = r#"#!/bin/sh
printf '%s\n' "$*" >>'ROOT/ssh.log'
for command; do :; done
if [ -e 'ROOT/down' ]; then
    echo 'ssh: connect to host code.example.com port 22: Connection refused' >&2
    exit 255
fi
command=$(printf '%s' "$command" | sed "s#'/#'ROOT/upstream/#")
exec env -i PATH="$PATH" HOME='ROOT/host' GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL='ROOT/host.gitconfig' sh -c "$command"
"#;

pub(crate) struct Gate {
    tmp: tempfile::TempDir,
    port: u16,
    daemon: Option<Child>,
    /// Words that run a program where the gate is, such as in another network.
    pub(crate) within: Vec<String>,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ok: bool,
    pub(crate) text: String,
}

impl Done {
    fn new(output: &Output) -> Self {
        let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        Self { ok: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
    }

    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert!(self.ok, "{}", self.text);
        self.text
    }

    #[track_caller]
    pub(crate) fn badly(self) -> String {
        assert!(!self.ok, "{}", self.text);
        self.text
    }
}

impl Gate {
    /// A gate that runs, with an upstream that has one commit on `trunk`.
    pub(crate) fn start() -> Self {
        Self::start_with(SPEC)
    }

    pub(crate) fn start_with(spec: &str) -> Self {
        let mut gate = Self::prepare(spec);
        gate.serve();
        gate
    }

    /// Everything but the daemon.
    pub(crate) fn prepare(spec: &str) -> Self {
        let tmp = tempfile::tempdir().expect("a directory");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let gate = Self { tmp, port, daemon: None, within: Vec::new() };
        for directory in [
            "bin",
            "mirrors",
            "identity",
            "repository",
            "upstream/acme",
            "upstream/platform",
            "host",
            "agent",
            "tmp",
        ] {
            fs::create_dir_all(gate.at(directory)).expect("a directory");
        }
        let root = gate.tmp.path().to_str().expect("a plain path");
        program(&gate.at("bin/ssh"), &SSH.replace("ROOT", root));
        if let Some(text) = scanner().with_a_cache() {
            program(&gate.at("bin").join(name()), &text);
        }
        fs::write(
            gate.at("host.gitconfig"),
            "[safe]\n\tdirectory = *\n[receive]\n\tdenyDeleteCurrent = ignore\n",
        )
        .expect("a file");
        for (name, path) in [("api", "acme/api.git"), ("shared.lib", "platform/lib.git")] {
            fs::write(gate.at("identity").join(name), "no key\n").expect("a file");
            gate.mode(&format!("identity/{name}"), 0o600);
            let path = gate.at("upstream").join(path);
            let path = path.to_str().expect("a plain path");
            gate.host(&["init", "--quiet", "--bare", "--initial-branch=trunk", path]).well();
        }
        gate.stage(spec);
        let seed = gate.at("seed");
        gate.host(&["init", "--quiet", "--initial-branch=trunk", seed.to_str().expect("plain")]).well();
        gate.commit(&seed, "README", "hello\n", "first");
        for path in ["acme/api.git", "platform/lib.git"] {
            gate.git(&seed, &["push", "--quiet", &format!("{root}/upstream/{path}"), "trunk"]).well();
        }
        gate
    }

    /// Compiles a spec and lays its stage down.
    pub(crate) fn stage(&self, spec: &str) {
        let spec = spec.replace("scanner=\"betterleaks\"", &format!("scanner=\"{}\"", name()));
        let (_, compilation) = compile_text("demo.kdl", &spec);
        assert!(compilation.diagnostics.is_empty(), "{:?}", compilation.diagnostics);
        let stage = lower(&compilation.plans[0]);
        let made = self.at("made");
        for (path, file) in &stage.files {
            let path = made.join(path);
            fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
            fs::write(&path, &file.bytes).expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(file.mode.bits())).expect("permissions");
        }
        // Another process writes what is run: see `program`.
        let copy = "rm -rf stage && cp -rp made stage && rm -rf made";
        assert!(
            Command::new("sh")
                .args(["-c", copy])
                .current_dir(self.tmp.path())
                .status()
                .expect("sh")
                .success()
        );
        // The agent's git has what the guest would have, with the address of this daemon for the bundle's.
        let bundle = format!("{}:9418", compilation.plans[0].addresses.bundle());
        let config = fs::read_to_string(self.at("stage/agent/gitconfig")).expect("a file");
        assert!(config.contains(&bundle));
        fs::write(self.at("agent.gitconfig"), config.replace(&bundle, &format!("127.0.0.1:{}", self.port)))
            .expect("a file");
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.tmp.path().join(path)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("git://127.0.0.1:{}/{path}", self.port)
    }

    /// Sends a request as git's protocol has it, reads what comes first, and, where there is one, sends a command and
    /// reads all that comes of it.
    pub(crate) fn send(&self, request: &str, command: &str) -> String {
        self.send_with(request, command, b"")
    }

    /// The same, with a pack behind the command.
    pub(crate) fn send_with(&self, request: &str, command: &str, pack: &[u8]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a daemon");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a bound");
        let packet = |text: &str| format!("{:04x}{text}", text.len() + 4);
        stream.write_all(packet(request).as_bytes()).expect("it listens");
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).unwrap_or(0);
        answer.truncate(length);
        if !command.is_empty() {
            stream.write_all((packet(command) + "0000").as_bytes()).expect("it listens");
            // It may hang up before all of it is sent.
            let _ = stream.write_all(pack);
            let _ = stream.read_to_end(&mut answer);
        }
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.at(path), fs::Permissions::from_mode(mode)).expect("permissions");
    }

    /// Puts the gate where its bottle has it, in a network that these words lead to.
    pub(crate) fn move_to(&mut self, within: Vec<String>) {
        (self.within, self.port) = (within, 9418);
    }

    fn words(&self, program: &str) -> Command {
        let mut words = self.within.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words);
        command
    }

    /// What the container runs, in the environment that it gives it.
    pub(crate) fn program(&self, what: &str) -> Command {
        let [program, flags, file, what] = bottlec::lower::git_gate::command(what);
        let file = self.at("stage").join(file.trim_start_matches('/'));
        let mut command = self.words(program);
        command.arg(flags).arg(file).arg(what);
        let programs =
            format!("{}:{}:{SYSTEM_PATH}", self.at("bin").display(), scanner().directory.display());
        command
            .env_clear()
            .env("PATH", programs)
            .env("HOME", "/nonexistent")
            .env("TMPDIR", self.at("tmp"))
            .env("GIT_GATE_MIRRORS", self.at("mirrors"))
            .env("GIT_GATE_IDENTITIES", self.at("identity"))
            .env("GIT_GATE_REPOSITORIES", self.at("repository"))
            .env("GIT_GATE_LISTEN", if self.within.is_empty() { "127.0.0.1" } else { "0.0.0.0" })
            .env("GIT_GATE_PORT", self.port.to_string())
            .env("GIT_GATE_TIMEOUT", "60")
            .current_dir("/");
        command
    }

    /// Starts the daemon and waits until it is healthy.
    pub(crate) fn serve(&mut self) {
        self.serve_as(self.program("serve"));
    }

    pub(crate) fn serve_as(&mut self, mut command: Command) {
        let log = fs::File::options().create(true).append(true).open(self.at("log")).expect("a log");
        let daemon = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("it can be run");
        self.daemon = Some(daemon);
        let begun = Instant::now();
        while !self.program("healthy").output().expect("it can be run").status.success() {
            assert!(begun.elapsed() < Duration::from_secs(20), "not healthy: {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs `serve`, which must not come up, and gives what it said.
    pub(crate) fn refuses_to_serve(&self) -> String {
        let output = self.program("serve").stdin(Stdio::null()).output().expect("it can be run");
        Done::new(&output).badly()
    }

    /// Ends the daemon and whatever it started.
    pub(crate) fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = kill_process_group(Pid::from_child(&daemon), Signal::KILL);
            let _ = daemon.wait();
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap_or_default()
    }

    /// Git on the host's side of things.
    pub(crate) fn host(&self, words: &[&str]) -> Done {
        self.run(&self.at("host"), "host.gitconfig", words)
    }

    /// The agent's git.
    pub(crate) fn agent(&self, words: &[&str]) -> Done {
        self.git(&self.at("agent"), words)
    }

    /// The agent's git in a directory.
    pub(crate) fn git(&self, directory: &Path, words: &[&str]) -> Done {
        self.run(directory, "agent.gitconfig", words)
    }

    /// What the agent's git prints, in one line, that is given something to read.
    pub(crate) fn made(&self, directory: &Path, words: &[&str], input: &[u8]) -> String {
        let file = self.at("input");
        fs::write(&file, input).expect("a file");
        let output = self
            .command(directory, "agent.gitconfig", words)
            .stdin(fs::File::open(file).expect("a file"))
            .output()
            .expect("git");
        Done::new(&output).well().trim_end().to_owned()
    }

    fn run(&self, directory: &Path, config: &str, words: &[&str]) -> Done {
        Done::new(&self.command(directory, config, words).stdin(Stdio::null()).output().expect("git"))
    }

    fn command(&self, directory: &Path, config: &str, words: &[&str]) -> Command {
        let mut command = self.words("timeout");
        command
            .args(["120", "git"])
            .args(words)
            .current_dir(directory)
            .env_clear()
            .env("PATH", SYSTEM_PATH)
            .env("HOME", self.at("host"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.at(config))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C");
        command
    }

    /// A clone of the agent's.
    pub(crate) fn clone(&self, directory: &str) -> PathBuf {
        self.agent(&["clone", "--quiet", "ssh://git@code.example.com/acme/api.git", directory]).well();
        self.at("agent").join(directory)
    }

    /// Commits one file.
    pub(crate) fn commit(&self, directory: &Path, path: &str, content: impl AsRef<[u8]>, message: &str) {
        let file = directory.join(path);
        fs::create_dir_all(file.parent().expect("a directory")).expect("a directory");
        fs::write(file, content).expect("a file");
        self.git(directory, &["add", "--all", "--force"]).well();
        let user = ["-c", "user.name=Seed", "-c", "user.email=seed@example.com"];
        self.git(directory, &[&user[..], &["commit", "--quiet", "--message", message]].concat()).well();
    }

    /// Every reference of the upstream of `api`, and of its mirror.
    pub(crate) fn state(&self) -> (String, String) {
        let refs = |path: &str| {
            let path = self.at(path);
            self.host(&["--git-dir", path.to_str().expect("plain"), "for-each-ref"]).well()
        };
        (refs("upstream/acme/api.git"), refs("mirrors/api"))
    }

    /// Whether the upstream of `api` has an object.
    pub(crate) fn upstream_has(&self, object: &str) -> bool {
        let path = self.at("upstream/acme/api.git");
        self.host(&["--git-dir", path.to_str().expect("plain"), "cat-file", "-e", object]).ok
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.stop();
    }
}
