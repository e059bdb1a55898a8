#!/usr/bin/env python3
"""git-gate: a git daemon whose mirrors are what their upstreams are, and whose pushes are scanned.

    gate.py serve           the entry point: looks whether everything is there, makes the mirrors, becomes the daemon
    gate.py access          the daemon's access hook: makes a mirror what its upstream is, or nothing is served
    gate.py pre-receive     git's hook: scans what a push brings, then pushes it upstream; only then the mirror has it
    gate.py healthy         the health check

A repository on the host has no upstream: its mirror takes over what the host has, and keeps what the agent pushed.

The agent is taken for hostile, and this is the one program between it and an upstream. So nothing here is allowed to
fail unseen: the end of every program that it runs is asked for, a list that git prints is taken only when its end has
arrived, each scan holds a secret that the scanner must find, and whatever is not foreseen ends the push.

No text of a spec stands in here: all of it is data, in files beside this one. It needs Linux, Python 3.9 or newer, git
with its daemon, ssh and the scanner.
"""

import bisect
import contextlib
import fcntl
import json
import os
import re
import resource
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import deque
from pathlib import Path

GATE = Path(__file__).resolve().parent
MIRRORS = Path(os.environ.get("GIT_GATE_MIRRORS", "/srv/git"))
IDENTITIES = Path(os.environ.get("GIT_GATE_IDENTITIES", "/identity"))
# Git directories of the host's, which are mounted read-only.
REPOSITORIES = Path(os.environ.get("GIT_GATE_REPOSITORIES", "/repository"))
LISTEN = os.environ.get("GIT_GATE_LISTEN", "0.0.0.0")
PORT = int(os.environ.get("GIT_GATE_PORT", "9418"))
# How many seconds one step may take: a lock, a fetch, a scan, a push.
PATIENCE = int(os.environ.get("GIT_GATE_TIMEOUT", "600"))

MIB = 1 << 20
# What one push may unpack to: any one object of it, and all that is scanned of it.
MAX_OBJECT = int(os.environ.get("GIT_GATE_MAX_OBJECT", 100 * MIB))
MAX_PUSH = int(os.environ.get("GIT_GATE_MAX_PUSH", 1024 * MIB))
# What each process of a push may have: memory of its own, and bytes in one file. git reads an object whole, and a diff
# holds both sides.
MAX_MEMORY, MAX_FILE = 1024 * MIB, 1024 * MIB
MAX_REFS, MAX_TAG_DEPTH, MAX_TAG, MAX_PATH = 1000, 8, MIB, 1 << 16
# What a file of a repository on the host may have that is read whole: its configuration, its list of shallow commits.
MAX_SETTINGS = MIB
# How much of the upstream's words the agent gets.
MAX_WORDS = 1 << 16

# A scanner does not see the text whole. gitleaks 8.30.1 and betterleaks 2.0.0-rc.4 read on to the next blank line, for
# 25000 bytes at most, and what lies across such an end they miss. So no blank line is left but our own: one ends each
# window of the text, and the next window begins with the end of the one before. A secret of up to 10,000 bytes
# lies whole in one of them, be it on one line or on many: the end of a line may be one of OVERLAP.
WINDOW, OVERLAP = 24000, 10004
# A longer line is read in parts, each of which begins with the end of the one before: four bytes a letter, at most.
MAX_LINE, LINE_OVERLAP = MIB, 4 * OVERLAP
# gitleaks 8.30.1 takes its first piece of the input, of up to 125000 bytes, for a file's beginning: does it look like
# an archive or a program there, nothing at all is scanned. So all of that piece is ours.
PADDING = [b" " * 63] * 2048
# What a scanner ends with when it found something: no scanner ends so by itself.
FOUND = 42
# A token of nobody's, put together here so that this file does not hold it.
CONTROL = b"ghp" + b"_w8sK2mQx9Tz4LbVc7Yn3Rf6Jh1Gd5Pa0EuSo"
# A line that `git diff-tree --stdin` repeats, since it names no object: where it comes out, all before it came out.
END = b"git-gate: the end"

ENCODED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-"
OBJECT = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
UPDATE = re.compile(rb"([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (.+)")
RAW = re.compile(rb":([0-7]+) ([0-7]+) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])[0-9]*")
HUNK = re.compile(rb"@@ -[0-9,]+ \+([0-9]+)(?:,[0-9]+)? @@")
TREE, SUBMODULE, NOTHING = b"040000", b"160000", b"000000"
# What is no news in a push: what the mirror has, and what the host has, of which nobody pushed it.
PUBLIC = ["refs/heads", "refs/tags"]
KNOWN = ["--not", "--branches", "--tags", "--glob=refs/host"]
# Where a mirror keeps what the host had when it was last taken over, and what it has now.
LAST, INCOMING = b"refs/host/", b"refs/incoming/"

DIFF = ["diff-tree", "--stdin", "--root", "--always", "-r", "--no-renames", "--ignore-submodules=none"]


class Refused(Exception):
    """What is not served, or not pushed, in words for the agent."""


def log(text):
    """Says something: in the access hook and at the start to the container's log, in a push to the agent."""
    sys.stderr.write(f"git-gate: {text}\n")
    sys.stderr.flush()


def shown(text):
    """What somebody else named, as it may go to a terminal."""
    text = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text[:1000])


def environment(**more):
    """What programs get: git reads nothing that the image, the volume or a caller left lying about, asks nobody, and
    leaves over SSH only."""
    kept = ["PATH", "HOME", "TMPDIR"]
    # In a push: where the objects lie that are not in the mirror yet.
    kept += ["GIT_DIR", "GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"]
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env.update(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=str(GATE / "gitconfig"),
        GIT_TERMINAL_PROMPT="0",
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_NO_LAZY_FETCH="1",
        GIT_ATTR_NOSYSTEM="1",
        GIT_ALLOW_PROTOCOL="ssh",
        GIT_SSH_VARIANT="ssh",
        LC_ALL="C",
    )
    return {**env, **more}


def deadline():
    return time.monotonic() + PATIENCE


class Child:
    """A program that has until then to end. Left by an exception, it is killed; so is all that it started."""

    def __init__(self, words, until, **options):
        options = {"env": environment(), "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, **options}
        self.name, self.late = words[0], False
        self.process = subprocess.Popen(words, bufsize=0, start_new_session=True, **options)
        self.timer = threading.Timer(max(0.0, until - time.monotonic()), self.expire)
        self.timer.daemon = True
        self.timer.start()

    def expire(self):
        self.late = True
        self.kill()

    def kill(self):
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def status(self):
        """How it ended, once it has."""
        status = self.process.wait()
        if self.late:
            raise Refused(f"{self.name} was not done in {PATIENCE} seconds")
        return status

    def ends_well(self):
        status = self.status()
        if status:
            raise Refused(f"{self.name} failed ({status})")

    def read(self, size=1 << 16):
        """The next bytes of its output; none at its end."""
        return self.process.stdout.read(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
        self.process.wait()
        self.timer.cancel()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


def output(words, until, **options):
    """All that a program prints, which ends well."""
    with Child(words, until, **options) as child:
        data = b"".join(iter(child.read, b""))
        child.ends_well()
    return data


def aligned(text, first, at):
    """The place at or a little before `at` where a text may be cut, in a piece that begins at `first`: what is encoded
    in base64 or hex goes by fours, and scanners decode it from where it begins, and only when no part of a four is
    missing."""
    part = text[first:at]
    return at - (len(part) - len(part.rstrip(ENCODED))) % 4


def lines(read, prefix=0):
    """The lines of what `read` gives, as `(text, first, last)`: a line longer than MAX_LINE comes in parts, of which
    one is the first and one the last. The first `prefix` bytes of a line are none of its content."""
    rest, first = b"", True
    for chunk in iter(read, b""):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line, first, True
            first = True
        while len(rest) > MAX_LINE:
            begin = prefix if first else 0
            end = aligned(rest, begin, MAX_LINE)
            yield rest[:end], first, False
            rest, first = rest[aligned(rest, begin, end - LINE_OVERLAP) :], False
    if rest or not first:
        yield rest, first, True


class Stream:
    """The text that is scanned, and the map of what lies where in it.

    An entry of the map begins at the line `starts` of the text: `lines` is the number of that line in its file, 0 for
    none in particular, and `origins` says what it is of, as `(kind, commit, path)`. A path itself is of the kind
    `path`, the name of a branch or tag of the kind `name`: what is found there must not be said with it."""

    def __init__(self, write):
        self.sink, self.buffer = write, []
        self.number = self.used = self.taken = 0
        self.starts, self.lines, self.origins = array("Q"), array("Q"), []
        self.last = self.origin = None
        self.last_line = self.here = 0
        self.kept, self.held = deque(), 0
        for line in PADDING:
            self.buffer.append(line)
            self.number += 1

    def of(self, kind, commit="", path="", here=0):
        """Says what the lines that follow are of. They have no number of their own in the file without `here`."""
        self.origin, self.here = (kind, commit, path), here

    def line(self, text, last=True):
        """A line of the text, or a part of one."""
        self.taken += len(text) + 1
        if self.taken > MAX_PUSH:
            raise Refused(too_much())
        # Once zero bytes part words, and once they lie between the letters of UTF-16.
        if b"\0" in text:
            self.put(text.replace(b"\0", b" "))
            text = text.replace(b"\0", b"")
        self.put(text)
        if self.here and last:
            self.here += 1

    def whole(self, read):
        """A text with all of its lines."""
        for text, _, last in lines(read):
            self.line(text, last)

    def put(self, text):
        # A line of nothing but these is a blank one.
        if not text.strip(b" \t\r"):
            return
        size, at = len(text), 0
        if self.used + size >= WINDOW and self.used:
            self.turn()
            self.overlap()
        while self.used + size - at >= WINDOW:
            end = aligned(text, at, at + WINDOW - self.used - 1)
            self.write(text[at:end], self.here, self.origin)
            self.turn()
            at = aligned(text, at, end - OVERLAP)
        self.keep(text[at:] if at else text)

    def keep(self, text):
        """Writes a line, and keeps it for the next window as long as it is among its last OVERLAP bytes."""
        self.write(text, self.here, self.origin)
        self.kept.append((text, self.here, self.origin))
        self.held += len(text) + 1
        while self.held - len(self.kept[0][0]) - 1 >= OVERLAP:
            self.held -= len(self.kept.popleft()[0]) + 1

    def overlap(self):
        """Begins a window with the end of the one before."""
        excess = max(0, self.held - OVERLAP)
        for text, line, origin in self.kept:
            if excess < len(text):
                self.write(text[aligned(text, 0, excess) :], line, origin)
            excess = 0

    def turn(self):
        """Ends the window."""
        self.buffer.append(b"")
        self.number += 1
        self.used = 0

    def write(self, text, line, origin):
        self.buffer.append(text)
        self.number += 1
        self.used += len(text) + 1
        if origin is not self.last or line != self.last_line + (line > 0):
            self.starts.append(self.number)
            self.lines.append(line)
            self.origins.append(origin)
        self.last, self.last_line = origin, line
        if len(self.buffer) >= 1024:
            self.flush()

    def flush(self):
        text = memoryview(b"\n".join(self.buffer) + b"\n")
        self.buffer = []
        while text:
            text = text[self.sink(text) :]

    def end(self):
        """Ends the text with the secret that the scanner must find, in a window of its own: the number of its line."""
        self.turn()
        self.of("control")
        self.write(b'token = "' + CONTROL + b'"', 0, self.origin)
        number = self.number
        self.turn()
        self.flush()
        return number

    def entry(self, line):
        """The entry of the map that a line of the text is of; -1 where there is none."""
        return bisect.bisect_right(self.starts, line) - 1


class Objects:
    """The objects of a mirror and of what is pushed to it."""

    def __init__(self, git, until):
        self.child = Child([*git, "cat-file", "--batch"], until, stdin=subprocess.PIPE)
        # What was read and not asked for yet, and how much is to come of the object in question.
        self.rest, self.coming = b"", 0

    def more(self):
        chunk = self.child.read()
        if not chunk:
            self.child.ends_well()
            raise Refused("git ended before it had said everything")
        return chunk

    def ask(self, name):
        """The kind of an object; `read` gives what is in it."""
        self.skip()
        self.child.process.stdin.write(name + b"\n")
        while b"\n" not in self.rest:
            self.rest += self.more()
        head, self.rest = self.rest.split(b"\n", 1)
        said = head.split(b" ")
        if len(said) != 3 or said[0] != name:
            raise Refused("git does not know an object of this push")
        size = int(said[2])
        if size > MAX_OBJECT:
            raise Refused(too_large(size))
        # After the contents comes the end of a line.
        self.coming = size + 1
        return said[1]

    def read(self):
        """The next bytes of the object; none at its end."""
        if not self.coming:
            return b""
        chunk = self.rest or self.more()
        chunk, self.rest = chunk[: self.coming], chunk[self.coming :]
        self.coming -= len(chunk)
        return chunk if self.coming else chunk[:-1]

    def skip(self):
        while self.coming:
            self.read()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with self.child:
            if kind is None:
                self.skip()
                self.child.process.stdin.close()
                self.child.ends_well()


def too_large(size):
    return f"this push holds a file or message of {size // MIB} MiB, and {MAX_OBJECT // MIB} MiB are the most"


def too_much():
    return f"this push unpacks to more than {MAX_PUSH // MIB} MiB, which are the most: push it in parts"


def scan(work, until, feed):
    """Scans what `feed` writes into a stream: the stream, and what was found besides the control, as `(rule, first line,
    last line)`.

    The scanner is started in an empty directory, since it looks for configuration and lists of exceptions where it
    stands. A comment that says "allow" is not heeded: who pushes could write one."""
    scanner = (GATE / "scanner").read_text().strip()
    empty, report, words = work / "empty", work / "report.json", work / "scanner.words"
    empty.mkdir()
    command = {
        # Flags and what it ends with: run with gitleaks 8.30.1.
        "gitleaks": [
            "gitleaks", "stdin", "--no-banner", "--no-color", "--log-level", "error", "--redact",
            "--ignore-gitleaks-allow", "--gitleaks-ignore-path", str(empty),
            "--report-format", "json", "--report-path", str(report),
        ],
        # Flags: run with betterleaks 2.0.0-rc.4; releases before 2 have others.
        "betterleaks": [
            "betterleaks", "stdin", "--no-banner", "--no-color", "--log-level", "error", "--silent", "--redact",
            "--no-allow-signatures", "--output", str(report),
        ],
    }[scanner]  # fmt: skip
    command += ["--config", str(GATE / "scanner.toml"), "--max-decode-depth", "5", "--exit-code", str(FOUND)]
    env = {"PATH": os.environ["PATH"], "HOME": str(empty), "TMPDIR": str(empty)}
    with words.open("wb") as said:
        options = {"cwd": empty, "env": env, "stdin": subprocess.PIPE, "stdout": said, "stderr": said}
        with Child(command, until, **options) as child:
            stream = Stream(child.process.stdin.write)
            try:
                feed(stream)
                control = stream.end()
                child.process.stdin.close()
            except BrokenPipeError:
                # It did not read to the end. How it ended says more, if it says anything.
                if child.status() in (0, FOUND):
                    raise Refused("the scanner ended before it had read everything") from None
            status = child.status()
    if status == 0:
        raise Refused("the scanner does not find the secret that it must find")
    if status != FOUND:
        raise Refused("the scanner failed")
    findings = read_report(report)
    others = [finding for finding in findings if finding[1] != control]
    if len(others) == len(findings):
        raise Refused("the scanner does not find the secret that it must find")
    return stream, others


def read_report(report):
    """What a scanner's report holds: rule, first and last line."""
    try:
        said = json.loads(report.read_bytes())
        # gitleaks 8.30.1 writes a list, betterleaks 2.0.0-rc.4 an object that has one.
        if isinstance(said, list):
            return [(str(one["RuleID"]), int(one["StartLine"]), int(one["EndLine"])) for one in said]
        places = [(one["rule_id"], one["location"]) for one in said["findings"]]
        return [(str(rule), int(place["start_line"]), int(place["end_line"])) for rule, place in places]
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused("the scanner's report cannot be read") from None


def say_findings(stream, findings):
    """Says what was found and where; never what it was, and no path that something was found in."""
    kind, path = 0, 2
    secret = set()
    for _, first, last in findings:
        # What begins before a path may reach into it.
        for at in range(stream.entry(first), stream.entry(last) + 1):
            if at >= 0 and stream.origins[at][kind] == "path":
                secret.add(stream.origins[at][path])
    said = {}
    for rule, first, _ in findings:
        at = stream.entry(first)
        what, commit, where = stream.origins[at] if at >= 0 else ("a place unknown", "", "")
        if what == "path":
            where = "a path"
        elif what == "content":
            where = "a path that is not said" if where in secret else where
            if stream.lines[at]:
                where += f":{stream.lines[at] + first - stream.starts[at]}"
        else:
            where = {"name": "the name of a branch or tag"}.get(what, what)
        rule = re.sub(r"[^A-Za-z0-9._-]", "?", rule)
        said[f"{rule} at {where}" + (f" in commit {commit[:12]}" if commit else "")] = None
    for text in list(said)[:20]:
        log(f"  {text}")
    if len(said) > 20:
        log(f"  and {len(said) - 20} more")


def declared(path):
    """The declared repository that a path of the daemon means, or None."""
    name = path[len(f"{MIRRORS}/") :].rstrip("/")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
        return None
    if path not in (f"{MIRRORS}/{name}", f"{MIRRORS}/{name}/"):
        return None
    return name if is_local(name) or (GATE / "repos" / name / "url").is_file() else None


def is_local(name):
    """Whether a repository is one of the host's."""
    return (GATE / "repos" / name / "local").is_file()


def is_read_only(name):
    return (GATE / "repos" / name / "read-only").is_file()


def upstream(name):
    """The upstream of a repository, as git takes it."""
    return (GATE / "repos" / name / "url").read_text().strip()


def problem(name):
    """What is wrong with what a repository is reached by, or None."""
    if not is_local(name):
        return identity_problem(name)
    try:
        why = directory_problem(REPOSITORIES / name)
    except OSError as error:
        why = f"it cannot be read ({error.strerror})"
    return f"the repository {name} of the host is not served: {why}" if why else None


def directory_problem(root):
    """Why nothing is read of a git directory of the host's, or None. What it says itself of programs and of other
    repositories is not heeded, since it is never opened as a repository: see `view`."""
    for part, kind in (("HEAD", Path.is_file), ("objects", Path.is_dir), ("refs", Path.is_dir)):
        if not kind(root / part):
            return f"it is no git directory, for it has no {part}"
    inside = root.resolve()
    for part in ("HEAD", "objects", "objects/info", "objects/pack", "refs", "packed-refs", "shallow"):
        if not (root / part).resolve().is_relative_to(inside):
            return f"its {part} is a link that leads out of it"
    for part in ("config", "shallow"):
        if (root / part).exists() and (root / part).stat().st_size > MAX_SETTINGS:
            return f"its {part} is larger than {MAX_SETTINGS // MIB} MiB"
    why = alternates_problem(root / "objects", inside)
    return why or format_problem(root)


def alternates_problem(objects, inside, depth=5):
    """Whether git would look for objects where the mount does not reach. As many steps as git itself goes."""
    file = objects / "info" / "alternates"
    if not file.exists():
        return None
    if not depth or file.stat().st_size > MAX_SETTINGS:
        return "its objects lie in a chain of other repositories that is too long"
    for line in file.read_bytes().split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        other = (objects / os.fsdecode(line)).resolve()
        if line.startswith((b"/", b'"')) or not other.is_relative_to(inside):
            return f"some of its objects lie in {shown(line)} (objects/info/alternates), which is not mounted"
        why = alternates_problem(other, inside, depth - 1)
        if why:
            return why
    return None


def format_problem(root):
    """Whether a mirror cannot hold what a repository of the host has, or that one does not have all of it."""
    if any((root / "objects" / "pack").glob("*.promisor")):
        return "it is a partial clone, which lacks objects"
    if not (root / "config").is_file():
        return None
    said = output(["git", "config", "-f", str(root / "config"), "--no-includes", "-z", "--list"], deadline())
    for setting in said.split(b"\0"):
        key, _, value = setting.partition(b"\n")
        value = value.lower()
        if key == b"extensions.objectformat" and value != b"sha1":
            return f"its objects are named by {shown(value)}, and a mirror's by SHA-1"
        if key == b"extensions.refstorage" and value != b"files":
            return f"its references are kept as {shown(value)}, and not as files"
        if key == b"extensions.partialclone":
            return "it is a partial clone, which lacks objects"
    return None


def identity_problem(name):
    """What is wrong with the identity of a repository, or None."""
    file = IDENTITIES / name
    if not file.is_file():
        return f"the identity of {name} is not there: {file} is no file"
    if not os.access(file, os.R_OK):
        return f"the identity of {name} cannot be read"
    if file.stat().st_mode & 0o177:
        return f"the identity of {name} can be used by others than its owner: run chmod 600 on it"
    return None


def with_upstream(name):
    """The environment in which git reaches the upstream of a repository: with its own key, the spec's host keys, and no
    configuration of anybody's."""
    options = [
        "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null", f"UserKnownHostsFile={GATE / 'known_hosts'}", "UpdateHostKeys=no",
        "CheckHostIP=no", "VerifyHostKeyDNS=no", "PreferredAuthentications=publickey", "ClearAllForwardings=yes",
        "ForwardAgent=no", "ProxyCommand=none", "ControlPath=none", "ConnectTimeout=20", "ServerAliveInterval=15",
        "ServerAliveCountMax=4", "LogLevel=ERROR",
    ]  # fmt: skip
    words = ["ssh", "-T", "-F", "none"]
    words += [word for option in options for word in ("-o", option)]
    words += ["-i", str(IDENTITIES / name)]
    return environment(GIT_SSH_COMMAND=shlex.join(words))


def lock(name):
    """Waits for the lock of a mirror; it is held as long as what is returned is open."""
    file = open(MIRRORS / name / "git-gate.lock", "wb")
    until = deadline()
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refused(f"the mirror of {name} is in use for too long: try again") from None
            time.sleep(0.05)


@contextlib.contextmanager
def directory():
    """A directory of its own, which goes in the end."""
    path = Path(tempfile.mkdtemp(prefix="git-gate-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


# ------------------------------------------------------------------------------------------------------------- a fetch


def refresh(name, words):
    """Makes a mirror what its upstream is now. One connection when nothing changed, two when something did."""
    url, git = upstream(name), ["git", f"--git-dir={MIRRORS / name}"]
    options = {"env": with_upstream(name), "stderr": words}
    there, head = listed(git, url, options)
    if there != set(references(git)):
        fetch(git, url, options, *(f"+{root}/*:{root}/*" for root in PUBLIC))
    check_out(name, git, head, words)


def refresh_local(name, words):
    """Takes over what a repository of the host has now."""
    git = ["git", f"--git-dir={MIRRORS / name}"]
    with view(name) as source:
        options = {"env": environment(GIT_ALLOW_PROTOCOL="file"), "stderr": words}
        there, head = listed(git, source, options)
        last = {(what, ref.replace(LAST, b"refs/", 1)) for what, ref in references(git, "refs/host")}
        if there != last:
            incoming = INCOMING.decode()
            refspecs = (f"+{root}/*:{root.replace('refs/', incoming, 1)}/*" for root in PUBLIC)
            fetch(git, source, options, *refspecs, more=["--update-shallow"])
            follow(git)
    check_out(name, git, head or usual_branch(git), words)


@contextlib.contextmanager
def view(name):
    """A git directory of ours over one of the host's: with its references and its objects, and without its
    configuration and its hooks, which git would heed and run. Nothing is written through it."""
    root = REPOSITORIES / name
    with directory() as made:
        head = (root / "HEAD").read_bytes()[:MAX_PATH].strip()
        if not (OBJECT.fullmatch(head) or head.startswith(b"ref: refs/")):
            raise Refused(f"HEAD of the repository {name} cannot be read")
        (made / "HEAD").write_bytes(head + b"\n")
        shutil.copyfile(GATE / "view.gitconfig", made / "config")
        (made / "objects" / "info").mkdir(parents=True)
        (made / "objects" / "info" / "alternates").write_bytes(os.fsencode(root / "objects") + b"\n")
        (made / "refs").symlink_to(root / "refs")
        (made / "packed-refs").symlink_to(root / "packed-refs")
        if (root / "shallow").exists():
            (made / "shallow").write_bytes((root / "shallow").read_bytes())
        yield str(made)


def follow(git):
    """Takes over, name by name, what the host changed since it was last looked at. What the agent did not move, or
    deleted, becomes the host's; so does a branch of whose commits the host's has all. Whatever else the agent pushed
    stays. Names are independent of each other: of each, what is served and what was last seen change together."""
    roots = [(root, ["refs/heads", "refs/tags"] if root == b"refs/" else [root.decode().rstrip("/")])
             for root in (LAST, INCOMING, b"refs/")]  # fmt: skip
    last, there, ours = ({ref[len(root):]: what for what, ref in references(git, *of)} for root, of in roots)
    gone, come = [], []
    for name in sorted({*last, *there}):
        was, now, own = last.get(name), there.get(name), ours.get(name)
        if was == now:
            continue
        if not now:
            gone.append(b"delete %s%s %s" % (LAST, name, was))
            if own == was:
                gone.append(b"delete refs/%s %s" % (name, own))
                del ours[name]
            continue
        if not own and any(is_in_the_way(other, name) for other in ours):
            log(f"{shown(name)} of the host waits: something that the agent pushed is in its way")
            continue
        none = b"0" * len(now)
        come.append(b"update %s%s %s %s" % (LAST, name, now, was or none))
        moved = own and own != was
        if own != now and (not moved or name.startswith(b"heads/") and contains(git, now, own)):
            come.append(b"update refs/%s %s %s" % (name, now, own or none))
            ours[name] = now
    # A name may become the directory of others: what goes, goes first.
    for changes in (gone, come):
        if changes:
            with tempfile.TemporaryFile() as stdin:
                stdin.write(b"\n".join(changes) + b"\n")
                stdin.seek(0)
                output([*git, "update-ref", "--stdin"], deadline(), stdin=stdin)


def is_in_the_way(one, other):
    """Whether two names cannot both be files."""
    return one.startswith(other + b"/") or other.startswith(one + b"/")


def contains(git, new, old):
    """Whether all commits of one are among those of the other."""
    with Child([*git, "merge-base", "--is-ancestor", old.decode(), new.decode()], deadline()) as child:
        status = child.status()
    if status not in (0, 1):
        raise Refused(f"git merge-base failed ({status})")
    return status == 0


def usual_branch(git):
    """What a clone checks out when the host has no branch checked out: what a mirror's HEAD is, if it is there, or
    else the branch that most repositories have, or any."""
    names = [ref for _, ref in references(git, "refs/heads")]
    head = output([*git, "symbolic-ref", "HEAD"], deadline()).strip()
    usual = [head, b"refs/heads/main", b"refs/heads/master", *names]
    return next((name for name in usual if name in names), None)


def listed(git, url, options):
    """What a repository has, as `(object, name)`, and the branch that it has checked out."""
    there, head = set(), None
    command = [*git, "ls-remote", "--symref", "--", url, "HEAD", *(f"{root}/*" for root in PUBLIC)]
    for line in output(command, deadline(), **options).splitlines():
        what, _, ref = line.partition(b"\t")
        if what.startswith(b"ref: refs/heads/") and ref == b"HEAD":
            head = what[len(b"ref: ") :]
        elif ref.startswith((b"refs/heads/", b"refs/tags/")) and not ref.endswith(b"^{}"):
            there.add((what, ref))
    return there, head


def fetch(git, url, options, *refspecs, more=()):
    command = [
        *git, "fetch", "--quiet", "--prune", "--force", "--no-tags", "--no-write-fetch-head",
        "--no-recurse-submodules", "--no-auto-maintenance", *more, "--", url, *refspecs,
    ]  # fmt: skip
    output(command, deadline(), **options)


def check_out(name, git, head, words):
    """A clone checks out what the upstream would check out."""
    if head and head != (MIRRORS / name / "HEAD").read_bytes().strip().replace(b"ref: ", b"", 1):
        output([*git, "symbolic-ref", "HEAD", os.fsdecode(head)], deadline(), stderr=words)


def references(git, *roots):
    """The branches and tags of a mirror, or what is below other roots, as `(object, name)`."""
    command = [*git, "for-each-ref", "--format=%(objectname)%09%(refname)", *(roots or PUBLIC)]
    for line in output(command, deadline()).splitlines():
        what, _, ref = line.partition(b"\t")
        yield what, ref


def access(service, path):
    """What the daemon asks before each fetch and each push. One line on standard output is what the agent is told."""
    if service not in ("upload-pack", "receive-pack"):
        raise Refused("this service is not offered")
    name = declared(path)
    if not name:
        raise Refused("no such repository")
    if service == "receive-pack" and is_read_only(name):
        raise Refused(f"{name} is read-only: the spec lets this agent fetch from it, and not push to it")
    why = problem(name)
    if why:
        raise Refused(why)
    with directory() as work, lock(name), (work / "words").open("w+b") as words:
        try:
            (refresh_local if is_local(name) else refresh)(name, words)
            failure = None
        except Refused as refused:
            failure = refused
        words.seek(0)
        said = words.read(MAX_WORDS).decode("utf-8", "backslashreplace")
    for line in said.splitlines():
        log(shown(line))
    if failure:
        log(failure)
        if "Host key verification failed" in said:
            raise Refused(f"the upstream of {name} shows another host key than the spec has: nothing is served")
        if is_local(name):
            raise Refused(f"the repository {name} of the host cannot be read: nothing is served that may be out of date")
        raise Refused(
            f"the upstream of {name} cannot be reached, or refuses: nothing is served that may be out of date"
        )
    if service == "receive-pack":
        # The process that asks becomes the one that unpacks and checks what the agent sends, before any hook sees it.
        # What it starts has the same bounds, this program's hook too.
        for bound, value in (
            (resource.RLIMIT_DATA, MAX_MEMORY),
            (resource.RLIMIT_FSIZE, MAX_FILE),
            (resource.RLIMIT_CPU, PATIENCE),
        ):
            resource.prlimit(os.getppid(), bound, (value, value))


# -------------------------------------------------------------------------------------------------------------- a push


class Push:
    """A push that has arrived whole, and of which nothing is in the mirror yet: the objects lie apart, and go away with
    a refusal."""

    def __init__(self, name, updates, work):
        self.name, self.updates, self.work, self.until = name, updates, work, deadline()
        self.git = ["git", f"--git-dir={MIRRORS / name}"]
        known = {ref for _, ref in references(self.git)}
        # A name that the upstream has already tells it nothing, so a branch with a bad one can be deleted.
        self.names = [ref for _, _, ref in updates if ref not in known]
        self.tips = [(new, ref) for _, new, ref in updates if new.strip(b"0")]
        # The merges that are new, with how many parents each has, and the files that one brings, with where they are.
        self.merges, self.blobs = {}, {}

    def feed(self, stream):
        """Writes everything that is new into what is scanned."""
        stream.of("path", path=f"pushed to {self.name}")
        stream.line(os.fsencode(f"pushed to {self.name}"))
        stream.of("name")
        for name in self.names:
            name_lines(stream, name)
        if not self.tips:
            return
        (self.work / "tips").write_bytes(b"".join(b"%s\n" % tip for tip, _ in self.tips))
        with Objects(self.git, self.until) as objects:
            reached = self.tags(stream, objects)
            self.weigh()
            self.list_commits(reached)
            self.messages(stream, objects)
            self.entries(stream)
            self.patches(stream)
            for blob, (commit, path) in self.blobs.items():
                objects.ask(blob)
                stream.of("content", commit, path, here=1)
                stream.whole(objects.read)

    def tags(self, stream, objects):
        """The tags that are pushed: a tag may be of a tag, and each has a message. Gives the commits that they lead to,
        and those that are pushed as they are."""
        reached = set()
        for tip, ref in self.tips:
            for _ in range(MAX_TAG_DEPTH + 1):
                kind = objects.ask(tip)
                if kind != b"tag":
                    break
                if objects.coming > MAX_TAG:
                    raise Refused(f"{shown(ref)} has a message of more than {MAX_TAG // MIB} MiB")
                text = b"".join(iter(objects.read, b""))
                stream.of("the header or message of a tag")
                for line in text.split(b"\n"):
                    stream.line(line)
                tip = re.match(rb"object ([0-9a-f]+)\n", text)[1]
            if kind == b"tag":
                raise Refused(f"{shown(ref)} is a tag of a tag of a tag, and so on, too many times")
            if kind != b"commit":
                raise Refused(f"{shown(ref)} is of no commit, so there is no telling what is in it")
            reached.add(tip)
        return reached

    @contextlib.contextmanager
    def program(self, file, *words, **options):
        """Runs a program of git's, which reads one of our lists and must end well."""
        with (self.work / file).open("rb") as stdin:
            with Child([*self.git, *words], self.until, stdin=stdin, **options) as child:
                yield child
                child.ends_well()

    def weigh(self):
        """Asks how much the push unpacks to, before any of it is unpacked."""
        total = 0
        new = ["rev-list", "--objects", "--stdin", *KNOWN]
        # The rest is the path of an object, of which git would take the whole line for the name otherwise.
        sizes = [*self.git, "cat-file", "--batch-check=%(objectsize) %(rest)", "--buffer"]
        with self.program("tips", *new) as listed:
            with Child(sizes, self.until, stdin=listed.process.stdout) as weighed:
                for text, first, _ in lines(weighed.read):
                    size = int(text.split(b" ", 1)[0]) if first else 0
                    total += size
                    if size > MAX_OBJECT:
                        raise Refused(too_large(size))
                weighed.ends_well()
        if total > MAX_PUSH:
            raise Refused(too_much())

    def list_commits(self, reached):
        """Lists the commits that are new. Every parent of one is listed too, or named as one that the mirror has, so a
        list that lacks a part is noticed."""
        listed, parents, old = set(), set(), set()
        new = ["rev-list", "--parents", "--boundary", "--stdin", *KNOWN]
        with self.program("tips", *new) as child:
            with (self.work / "commits").open("wb") as commits, (self.work / "plain").open("wb") as plain:
                for text, first, last in lines(child.read):
                    names = text.removeprefix(b"-").split(b" ")
                    if not (first and last and all(map(OBJECT.fullmatch, names))):
                        raise Refused("git's list of commits cannot be read")
                    if text.startswith(b"-"):
                        old.add(names[0])
                        continue
                    listed.add(names[0])
                    parents.update(names[1:])
                    commits.write(names[0] + b"\n")
                    if len(names) > 2:
                        self.merges[names[0]] = len(names) - 1
                    else:
                        plain.write(names[0] + b"\n")
                commits.write(END + b"\n")
                plain.write(END + b"\n")
        if not parents <= listed | old:
            raise Refused("git's list of commits lacks some of them")
        for tip in reached - listed:
            # It must be old, then; another program of git's is asked.
            holds = ["for-each-ref", "--count=1", f"--contains={tip.decode()}", *PUBLIC, "refs/host"]
            if not output([*self.git, *holds], self.until):
                raise Refused("git's list of commits lacks one that is pushed")

    def messages(self, stream, objects):
        """The commits themselves: headers, whoever wrote them, and messages."""
        with (self.work / "commits").open("rb") as commits:
            for commit in map(bytes.rstrip, commits):
                if commit != END:
                    objects.ask(commit)
                    stream.of("the header or message of a commit", commit.decode())
                    stream.whole(objects.read)

    def entries(self, stream):
        """The name of every file, link, submodule and directory, an empty one too, that no parent has; and which files
        of a merge are unlike those of every parent."""
        commit, seen = None, {}

        def brought(path, added, mode, blob):
            if added:
                stream.of("path", commit.decode(), shown(path))
                name_lines(stream, path)
            if commit in self.merges and mode not in (TREE, SUBMODULE):
                self.blobs.setdefault(blob, (commit.decode(), shown(path)))

        def settle():
            # A merge is compared with one parent after the other: what is unlike each of them, it brings.
            for path, (times, added, mode, blob) in seen.items():
                if times == self.merges[commit]:
                    brought(path, added == times, mode, blob)

        with self.program("commits", *DIFF, "-t", "-m", "--raw", "-z", "--no-abbrev") as child:
            parts = tokens(child.read)
            for part in parts:
                entry = RAW.fullmatch(part)
                if entry:
                    _, mode, _, blob, status = entry.groups()
                    path = next(parts)
                    if mode == NOTHING:
                        continue
                    if commit in self.merges:
                        times, added, *_ = seen.get(path, (0, 0))
                        seen[path] = (times + 1, added + (status == b"A"), mode, blob)
                    else:
                        brought(path, status == b"A", mode, blob)
                elif OBJECT.fullmatch(part):
                    if part != commit:
                        settle()
                        commit, seen = part, {}
                elif part == END + b"\n":
                    settle()
                    break
                else:
                    raise Refused("git's list of files cannot be read")
            else:
                raise Refused("git's list of files has no end")

    def patches(self, stream):
        """What commits change. Attributes and binary looks hide nothing, and what is taken away is no finding: it is
        upstream already."""
        commit, path, ended, content = "", "", False, False
        flags = ["-p", "-U0", "--text", "--no-ext-diff", "--no-textconv", "--no-color", "--no-prefix", "--full-index"]
        with self.program("plain", *DIFF, *flags) as child:
            for text, first, last in lines(child.read, prefix=1):
                if not first:
                    if content:
                        stream.line(text, last)
                    continue
                content = text.startswith(b"+")
                if content:
                    stream.line(text[1:], last)
                elif text.startswith((b"-", b"\\")):
                    pass
                elif text.startswith(b"@@ "):
                    stream.of("content", commit, path, here=int(HUNK.match(text)[1]))
                elif text.startswith(b"diff --git "):
                    # The same path twice: nothing is taken for a rename, and there is no prefix.
                    name = text[len(b"diff --git ") :]
                    name = name[: (len(name) - 1) // 2]
                    path = shown(name)
                    stream.of("path", commit, path)
                    stream.line(name)
                elif OBJECT.fullmatch(text):
                    commit = text.decode()
                elif text == END:
                    ended = True
                else:
                    stream.line(text, last)
        if not ended:
            raise Refused("git's patches have no end")

    def send(self):
        """The upstream takes all of it or nothing, and only where it still is what this push was made on."""
        command = [*self.git, "push", "--quiet", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
        if len(self.updates) > 1:
            command.append("--atomic")
        for old, _, ref in self.updates:
            command.append(b"--force-with-lease=%s:%s" % (ref, old if old.strip(b"0") else b""))
        command += ["--", upstream(self.name)]
        command += [b"%s:%s" % (new if new.strip(b"0") else b"", ref) for _, new, ref in self.updates]
        with (self.work / "words").open("w+b") as words:
            options = {"env": with_upstream(self.name), "stdout": words, "stderr": words}
            with Child(command, deadline(), **options) as child:
                status = child.status()
            words.seek(0)
            for line in words.read(MAX_WORDS).splitlines():
                sys.stderr.write(shown(re.sub(rb"^remote: *", b"upstream: ", line)) + "\n")
        if status:
            raise Refused("the upstream did not take the push")


def name_lines(stream, name):
    """The name of a reference or of a file: whole, and its last part alone, where something encoded may begin."""
    for part in name.split(b"\n"):
        stream.line(part)
        if b"/" in part:
            stream.line(part.rsplit(b"/", 1)[1])


def tokens(read):
    """The parts of an output that end with a zero byte; the last may lack it."""
    rest = b""
    for chunk in iter(read, b""):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole
        if len(rest) > MAX_PATH:
            raise Refused(f"this push holds a path of more than {MAX_PATH} bytes")
    if rest:
        yield rest


def read_updates():
    """What each line of a push asks for: the old object, the new one, and the reference."""
    updates = []
    for line in sys.stdin.buffer.read().removesuffix(b"\n").split(b"\n"):
        update = UPDATE.fullmatch(line)
        if not update:
            raise Refused("git says something that is no update")
        ref = update[3]
        if not re.fullmatch(rb"refs/(heads|tags)/.+", ref):
            raise Refused(f"{shown(ref)} is neither a branch nor a tag, and nothing else is pushed through the gate")
        updates.append(update.groups())
    if not updates:
        raise Refused("there is nothing in this push")
    if len(updates) > MAX_REFS:
        raise Refused(f"this push is of more than {MAX_REFS} branches and tags: push some of them at a time")
    return updates


def pre_receive():
    """Scans what a push brings, and pushes it upstream."""
    here = Path.cwd().resolve()
    name = here.name
    if here != MIRRORS.resolve() / name or declared(f"{MIRRORS}/{name}") != name:
        raise Refused("this is no mirror of git-gate")
    if is_read_only(name):
        raise Refused(f"{name} is read-only")
    why = problem(name)
    if why:
        raise Refused(why)
    updates = read_updates()
    held = lock(name)
    with directory() as work:
        push = Push(name, updates, work)
        if push.names or push.tips:
            stream, findings = scan(work, push.until, push.feed)
            if findings:
                scanner = (GATE / "scanner").read_text().strip()
                log(f"{scanner} found secrets in this push; comments and files that allow them are not heeded")
                say_findings(stream, findings)
                log("take them out of every commit of the push, or ask a human")
                raise Refused("the push is refused")
        # What is pushed to a repository of the host's stays here: the host fetches it.
        if not is_local(name):
            push.send()
    hold_until_received(held)


def hold_until_received(held):
    """Keeps the lock of a mirror until its references are changed, which is after this hook: nobody fetches between, or
    one of the two would fail."""
    receiver, until = os.getppid(), time.monotonic() + 30
    if os.fork() == 0:
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(3):
                os.dup2(nothing, descriptor)
            while held and time.monotonic() < until:
                os.kill(receiver, 0)
                time.sleep(0.05)
        finally:
            os._exit(0)


# ------------------------------------------------------------------------------------------------------------ a start


def serve():
    """Looks whether everything is there, makes the mirrors what the stage says, and becomes the daemon. It ends, with a
    reason, rather than serve anything by halves."""
    scanner = (GATE / "scanner").read_text().strip()
    for program in ("git", "ssh", "sh", scanner):
        if not shutil.which(program):
            raise Refused(f"{program} is not there: the image must bring it")
    if not os.access(Path(os.fsdecode(output(["git", "--exec-path"], deadline())).strip()) / "git-daemon", os.X_OK):
        raise Refused("git daemon is not there: the image must bring it")
    names = sorted(repo.name for repo in (GATE / "repos").iterdir())
    if not names:
        raise Refused("no repository is declared")
    problems = [why for why in map(problem, names) if why]
    if problems:
        for why in problems:
            log(why)
        raise Refused("nothing is served without every identity and every repository of the host")
    with directory() as work:
        try:
            scan(work, deadline(), lambda stream: None)
        except Refused as refused:
            said = work / "scanner.words"
            for line in said.read_bytes()[:MAX_WORDS].splitlines() if said.is_file() else ():
                log(shown(line))
            raise Refused(f"{refused}: nothing is served without a scanner that works") from None
    remove_strangers()
    for name in names:
        make_mirror(name)
    # Only these directories, named letter for letter; fetching and pushing and nothing else, whatever a mirror says.
    paths = [path for name in names for path in (f"{MIRRORS}/{name}", f"{MIRRORS}/{name}/")]
    command = [
        "git", "daemon", "--strict-paths", f"--base-path={MIRRORS}", f"--access-hook={GATE / 'access'}",
        "--informative-errors", "--enable=receive-pack", "--disable=upload-archive", "--forbid-override=upload-pack",
        "--forbid-override=upload-archive", "--forbid-override=receive-pack", f"--listen={LISTEN}", f"--port={PORT}",
        "--reuseaddr", "--init-timeout=10", "--timeout=600", "--max-connections=32", "--log-destination=stderr", "--",
    ]  # fmt: skip
    settings = {name: value for name, value in os.environ.items() if name.startswith("GIT_GATE_")}
    os.execvpe(command[0], command + paths, environment(**settings))


def remove_strangers():
    """Removes what is no mirror of this stage any more: a mirror holds nothing that its upstream does not. The mark says
    what a directory is a mirror of; one without it is not ours to remove. The mirror of a repository of the host's may
    hold work that nobody else has."""
    for old in MIRRORS.iterdir():
        if not old.is_symlink() and (old / "git-gate.local").is_file() and not is_local(old.name):
            retire(old)
            continue
        mark = old / "git-gate.url"
        if old.is_symlink() or not mark.is_file():
            continue
        wanted = GATE / "repos" / old.name / "url"
        if not wanted.is_file() or wanted.read_bytes() != mark.read_bytes():
            log(f"removing the mirror {old.name}, which is not declared, or of another upstream")
            shutil.rmtree(old)


def retire(old):
    """Removes the mirror of a repository of the host's that is not declared any more, unless the agent's work is in it."""
    git = ["git", f"--git-dir={old}"]
    last = {(what, ref.replace(LAST, b"refs/", 1)) for what, ref in references(git, "refs/host")}
    if set(references(git)) <= last:
        log(f"removing the mirror {old.name}, which is of no repository of the host any more")
        shutil.rmtree(old)
    elif declared(f"{MIRRORS}/{old.name}"):
        raise Refused(
            f"{old} holds what the agent pushed to a repository of the host, and {old.name} is at an upstream now: call "
            "that one otherwise, or remove the volume when you have what you want of it"
        )
    else:
        log(f"keeping {old}, which is not served: it holds what the agent pushed to a repository of the host")


def make_mirror(name):
    mirror = MIRRORS / name
    mark = "git-gate.local" if is_local(name) else "git-gate.url"
    if not (mirror / mark).is_file():
        if mirror.exists() or mirror.is_symlink():
            raise Refused(f"{mirror} is there and is no mirror of git-gate: take it away")
        # It gets its name when it is whole.
        new = MIRRORS / ".new"
        shutil.rmtree(new, ignore_errors=True)
        output(["git", "init", "--quiet", "--bare", "--template=", str(new)], deadline())
        shutil.copyfile(GATE / "repos" / name / mark.removeprefix("git-gate."), new / mark)
        new.rename(mirror)
    # The whole configuration is written anew each time: whatever got into it is gone, and the stage's edits are in.
    stale = ["hooks", "info", "config*", "*.lock", "refs/*.lock", "objects/incoming-*", "objects/tmp_objdir-*"]
    for pattern in [*stale, "objects/pack/tmp_*"]:
        for path in mirror.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    new = mirror / "config.new"
    shutil.copyfile(GATE / "mirror.gitconfig", new)
    output(["git", "config", "-f", str(new), "core.hooksPath", str(GATE / "hooks")], deadline())
    if is_local(name):
        # What the host has is there to be merged with, also where the agent has another branch of that name.
        output(["git", "config", "-f", str(new), "--add", "uploadpack.hideRefs", "!refs/host/"], deadline())
    new.rename(mirror / "config")
    (mirror / "git-daemon-export-ok").touch()


def healthy(address="127.0.0.1"):
    """Whether the daemon answers at an address: asked for what cannot be there, it says no before anything is fetched
    from an upstream."""
    request = b"git-upload-pack /.healthy\0host=localhost\0"
    with socket.create_connection((address, PORT), timeout=5) as daemon:
        daemon.sendall(b"%04x%s" % (len(request) + 4, request))
        if b"ERR " not in daemon.recv(1024):
            raise Refused("the daemon does not say no")


def stop(*_):
    sys.exit(1)


def main(words):
    os.umask(0o077)
    for one in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)
    what = words[0]
    # Of the access hook the agent is told one line, which stands on standard output.
    tell = (lambda text: print(f"git-gate: {text}", flush=True)) if what == "access" else log
    try:
        if what == "access":
            # The daemon leaves its hook no way to its log but its own.
            with contextlib.suppress(OSError):
                sys.stderr = open(f"/proc/{os.getppid()}/fd/2", "a")
            # The daemon gives more: the host name that was asked for, addresses and ports.
            access(*words[1:3])
        else:
            {"serve": serve, "pre-receive": pre_receive, "healthy": healthy}[what](*words[1:2])
        return 0
    except Refused as refused:
        tell(refused)
    except Exception as error:
        # What it says may hold what was pushed; where it came up does not.
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        tell(f"the gate itself failed ({type(error).__name__} at line {trace.tb_lineno})")
    if what == "pre-receive":
        log("nothing was pushed")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
