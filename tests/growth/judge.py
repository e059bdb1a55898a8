#!/usr/bin/env python3
"""Holds the growth of CPU time and memory: of twice the input, less than two and a half times as much.

    python3 tests/growth/judge.py target/debug/bottlec [SHAPE... | PART/PARTS]

Each shape is an input that has one thing many times. It is doubled until the program has something to do, and then once
more. CPU time is that of the process, not the clock's; the least of several runs counts, and a ratio that is too high is
measured again before it fails.
"""

import os
import re
import resource
import sys
import tempfile
from functools import cache
from pathlib import Path

GROWTH = 2.5
# What is measured takes at least that: below, the start of a process is most of it.
SECONDS, MIB = 0.25, 48
# A spec has at most 16 MiB, and this is a debug build.
LARGEST, LONGEST = 8 * 1024 * 1024, 6.0
RUNS, AGAIN = 3, 5
IMAGE = "docker.io/acme/x:1@sha256:" + "0" * 64
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def many(n, text):
    return "".join(text.replace("@", str(i)) for i in range(n))


def bottle(block, n=0):
    return f'bottle "b{n}" {{\n{block}\n}}\n'


def sidecar(name, block):
    return f'sidecar "{name}" image="{IMAGE}" {{ {block} }}\n'


def octets(n):
    return 2 + n % 250


def egress(block):
    return bottle(f"egress {{ {block} }}")


def includes(n):
    n = min(n, 250)
    files = {f"p{i}.kdl": f'profile "p{i}" {{ env {{ A{i} "x"; }} }}\n' for i in range(n)}
    return {"x.kdl": many(n, 'include "p@.kdl"\n') + bottle("supervise"), **files}


def chain_of_includes(n):
    n = min(n, 250)
    files = {f"p{i}.kdl": f'include "p{i + 1}.kdl"\nprofile "p{i}" {{}}\n' for i in range(n)}
    files[f"p{n}.kdl"] = f'profile "p{n}" {{}}\n'
    return {"x.kdl": 'include "p0.kdl"\n' + bottle("supervise"), **files}


SHAPES = {
    # Text.
    "blank lines": lambda n: "\n" * n + bottle(""),
    "comments": lambda n: many(n, "// @\n") + bottle(""),
    "a comment of blocks": lambda n: "/* " * n + "*/ " * n + bottle(""),
    "blocks beside each other": lambda n: "/* x */ " * n + bottle(""),
    "marks of commands": lambda n: 'bottle "b" {\n   // ' + "#" * n + "\n}\n",
    "slashdashes": lambda n: many(n, "/- a@ 1\n") + bottle(""),
    "line continuations": lambda n: "bottle \\\n" + "\\\n" * n + '"b" {}\n',
    "a long string": lambda n: bottle(f'env {{ A "{"x" * n}"; }}'),
    "a long raw string": lambda n: bottle(f'env {{ A #"{"x" * n}"#; }}'),
    "a long bare word": lambda n: bottle(f"env {{ A {'x' * n}; }}"),
    "a string of escapes": lambda n: bottle(f'env {{ A "{chr(92) + "t"}{(chr(92) + "u{41}") * n}"; }}'),
    "a multi-line string": lambda n: bottle('env { A """\n' + "    x\n" * n + '    """; }'),
    "a long number": lambda n: f"bottle \"b\" {{ network octet={'1' * n} }}\n",
    "quotes that are not closed": lambda n: 'a "\n' * n,
    "braces that are not closed": lambda n: "a {\n" * n,
    "braces that close nothing": lambda n: "}\n" * n,
    "nested nodes": lambda n: "a {" * n + "}" * n,
    "bytes that are no text": lambda n: b"\xff\xfe a\n" * n,
    "characters that nobody sees": lambda n: "a \u200b\n" * n,
    "wide characters": lambda n: bottle(f'env {{ A "{"語" * n}"; }}'),
    "foreign quotes": lambda n: many(n, "a@ 'x'\n"),
    "foreign assignments": lambda n: many(n, "A@=\"x\"\n"),
    "foreign comments": lambda n: many(n, "# @\n"),
    "addresses without quotes": lambda n: bottle("env {\n" + many(n, "A@ http://a/@\n") + "}"),
    "dangling semicolons": lambda n: ";" * n,
    "equals signs": lambda n: "a " + "= " * n + "\n",
    # One line.
    "nodes on one line": lambda n: bottle("env { " + many(n, 'A@ "x"; ') + "}"),
    "mistakes on one line": lambda n: "bottle \"b\" { " + many(n, 'egres@ "x"; ') + "}\n",
    "arguments of one node": lambda n: egress("allow " + many(n, '"h@.example.com" ')),
    "properties of one node": lambda n: "bottle \"b\" { env { A " + many(n, 'p@="x" ') + "} }\n",
    # Mistakes.
    "unknown nodes": lambda n: bottle(many(n, "egres@\n")),
    "unknown nodes that are meant": lambda n: bottle(many(n, "egresss {}\n")),
    "duplicate names": lambda n: 'bottle "b" {}\n' * n,
    "duplicate variables": lambda n: bottle("env {\n" + 'A "x"\n' * n + "}"),
    "values of no type": lambda n: bottle("env {\n" + many(n, "A@ #true\n") + "}"),
    "profiles that are unused": lambda n: many(n, 'profile "p@" {}\n') + bottle(""),
    "profiles that are not there": lambda n: 'bottle "b" { extends ' + many(n, '"p@" ') + "}\n",
    # Bottles and profiles.
    "bottles": lambda n: many(n, 'bottle "b@" {}\n'),
    "bottles of one profile": lambda n: 'profile "p" { env { A "x"; B "y"; } }\n' + many(n, 'bottle "b@" { extends "p"; }\n'),
    "a chain of profiles": lambda n: 'profile "p0" {}\n' + "".join(f'profile "p{i + 1}" {{ extends "p{i}"; }}\n' for i in range(n)) + f'bottle "b" {{ extends "p{n}"; }}\n',
    "profiles of one bottle": lambda n: many(n, 'profile "p@" { env { A@ "x"; } }\n') + 'bottle "b" { extends ' + many(n, '"p@" ') + "}\n",
    "a circle of profiles": lambda n: "".join(f'profile "p{i}" {{ extends "p{(i + 1) % n}"; }}\n' for i in range(n)) + bottle(""),
    "variables": lambda n: bottle("env {\n" + many(n, 'A@ "x"\n') + "}"),
    "references": lambda n: bottle("env {\n" + many(n, 'A@ from-env="B@"\n') + "}"),
    # Egress.
    "hosts": lambda n: egress(many(n, 'allow "h@.example.com"\n')),
    "wildcards": lambda n: egress(many(n, 'allow "*.h@.example.com"\n')),
    "hosts below wildcards": lambda n: egress(many(n, 'allow "*.h@.example.com"; allow "a.h@.example.com"\n')),
    "denied hosts": lambda n: egress(many(n, 'allow "h@.example.com"; deny "h@.example.com"\n')),
    "a host many times": lambda n: egress('allow "h.example.com"\n' * n),
    "deep hosts": lambda n: egress(f'allow "{".".join(["a"] * min(n, 120))}.example.com"\n' * (n // 8 + 1)),
    "private ranges": lambda n: egress("".join(f'allow "10.{i // 65536 % 256}.{i // 256 % 256}.{i % 256}"; private "10.{i // 65536 % 256}.{i // 256 % 256}.{i % 256}"\n' for i in range(n))),
    "patterns": lambda n: egress('allow "a.example.com"; dlp { ' + many(n, 'pattern "p@" regex="x@[a-z]{8}"\n') + "}"),
    "expectations": lambda n: bottle('egress { allow "*.example.com"; }; expect {\n' + many(n, 'allow "h@.example.com"\n') + "}"),
    "expectations that fail": lambda n: bottle('egress { allow "*.example.com"; }; expect {\n' + many(n, 'refuse "h@.example.com"\n') + "}"),
    "accepted rules": lambda n: bottle('accept "host-path-exposed" reason="x"\n' * n),
    # Sidecars and repositories.
    "sidecars": lambda n: bottle("".join(sidecar(f"s{i}", f"port {10000 + i % 50000}") for i in range(n))),
    "a chain of needs": lambda n: bottle("".join(sidecar(f"s{i}", f'needs "s{i + 1}"' if i + 1 < n else "") for i in range(n))),
    "a circle of needs": lambda n: bottle("".join(sidecar(f"s{i}", f'needs "s{(i + 1) % n}"') for i in range(n))),
    "needs of one sidecar": lambda n: bottle("".join(sidecar(f"s{i}", "") for i in range(n)) + sidecar("all", "needs " + many(n, '"s@" '))),
    "ports that are taken": lambda n: bottle("".join(sidecar(f"s{i}", "port 8080") for i in range(n))),
    "volumes": lambda n: bottle(sidecar("s", many(n, 'volume "v@" "/v@" access="read-write"\n'))),
    "volumes at one place": lambda n: bottle(sidecar("s", many(n, 'volume "v@" "/v"\n'))),
    "words of a command": lambda n: bottle(sidecar("s", "command " + many(n, '"w@" '))),
    "variables of a sidecar": lambda n: bottle(sidecar("s", "env { " + many(n, 'A@ "x"; ') + "}")),
    "repositories": lambda n: bottle("git {\n" + many(n, f'repo "r@" {{ url "git@git.example.com:r@"; identity "~/.ssh/id"; host-key "{KEY}"; }}\n') + "}"),
    "queues": lambda n: many(n, 'bottle "b@" { supervise { queue "~/q/@"; }; }\n'),
    # Files.
    "includes": includes,
    "a chain of includes": chain_of_includes,
}
# Beside `check`, which everything goes through: what makes more of it.
COMMANDS = {
    "hosts": ["build", "reach", "plan"],
    "variables": ["build"],
    "sidecars": ["build", "graph"],
    "repositories": ["build"],
    "mistakes on one line": ["sarif", "gitlab", "json", "junit"],
    "nodes on one line": ["fmt"],
    "marks of commands": ["fmt"],
    "addresses without quotes": ["diff of fixes"],
    "variables of a sidecar": ["fmt", "build"],
}


def command(bottlec, what, file):
    if what in ("sarif", "gitlab", "json", "junit"):
        return [bottlec, "check", "--format", what, file]
    if what == "fmt":
        return [bottlec, "fmt", "--diff", file]
    if what == "diff of fixes":
        return [bottlec, "check", "--diff", file]
    if what == "build":
        return [bottlec, "build", "--force", "--out", str(Path(file).parent / "out"), file]
    return [bottlec, what, file]


def cost(words):
    """CPU seconds and MiB of a run."""
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
        os.execv(words[0], words)
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, code


def written(shape, n, directory):
    made = shape(n)
    files = made if isinstance(made, dict) else {"x.kdl": made}
    for name, text in files.items():
        (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(directory / "x.kdl"), sum(len(text) for text in files.values())


def least(words, runs=RUNS):
    costs = [cost(words) for _ in range(runs)]
    return min(c[0] for c in costs), min(c[1] for c in costs), costs[0][2]


@cache
def idle(bottlec, what):
    """What a command costs that has nothing to do."""
    with tempfile.TemporaryDirectory() as directory:
        return least(command(bottlec, what, written(SHAPES["blank lines"], 1, Path(directory))[0]))


def grown(bottlec, name, shape, what):
    """The ratios of CPU time and of memory, and what went wrong."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        base_cpu, base_mib, _ = idle(bottlec, what)
        n = 64
        file, size = written(shape, n, directory)
        before, earlier = least(command(bottlec, what, file), 1), None
        while True:
            if before[2] not in (0, 1):
                return None, None, f"code {before[2]} for {n}"
            if size * 2 > LARGEST or before[0] > LONGEST:
                return None, None, "" if before[0] <= LONGEST else f"{before[0]:.1f} s of CPU for {size} bytes"
            enough = before[0] - base_cpu > SECONDS
            file, bigger = written(shape, 2 * n, directory)
            if bigger < size * 1.5:
                # It is bounded.
                return None, None, ""
            after = least(command(bottlec, what, file), 1)
            if after[2] != before[2] and after[0] <= LONGEST and earlier and earlier[0] - base_cpu > SECONDS / 10:
                # A bound was reached, and something else is done: what is told apart is what was done up to it.
                n, before, after = n // 2, earlier, before
                break
            if enough:
                break
            n, size, earlier, before = 2 * n, bigger, before, after
        for _ in range(AGAIN):
            cpu = (after[0] - base_cpu) / (before[0] - base_cpu)
            more = before[1] - base_mib > MIB
            memory = (after[1] - base_mib) / (before[1] - base_mib) if more else 0.0
            if cpu < GROWTH and memory < GROWTH:
                break
            after = least(command(bottlec, what, written(shape, 2 * n, directory)[0]))
            before = least(command(bottlec, what, written(shape, n, directory)[0]))
        wrong = [f"{text} grows {ratio:.2f} times" for text, ratio in (("CPU time", cpu), ("memory", memory)) if ratio >= GROWTH]
        return cpu, memory, "; ".join(wrong) and f"{'; '.join(wrong)} from {n} to {2 * n} ({before} {after})"


def control():
    """A program that takes four times as long for twice as much: what is measured must tell it."""
    words = lambda n: [sys.executable, "-SIE", "-c", f"for i in range({n}):\n for j in range({n}): pass"]
    return any(least(words(4000))[0] / least(words(2000))[0] >= GROWTH for _ in range(AGAIN))


def fleet():
    """Bottles of the usual kind, each with an octet of its own: 17 is nobody's."""
    text = (
        '''// Bottle NUMBER: what it is for.
bottle "agent-NUMBER" {
    network octet=NUMBER
    env { GH_HOST "github.com"; ANTHROPIC_API_KEY from-env="ANTHROPIC_API_KEY"; }
    egress { allow "packages.example.com" "*.example.org" "registry-NUMBER.example.com"; deny "gist.example.org"; }
    supervise { queue "./queue-NUMBER"; }
    sidecar "db" image="''' + IMAGE + '''" {
        port 5432 scheme="postgres"
        volume "data" "/var/lib/postgresql/data" access="read-write"
        env { POSTGRES_PASSWORD from-env="DB_PASSWORD"; }
        no-relay reason="its role may not"
    }
}
'''
    )
    return "".join(text.replace("NUMBER", str(i)) for i in range(1, 252) if i != 17)


def speed(bottlec):
    """CPU seconds from text to a tree, to a verdict and to files. It decides nothing: whoever reads the log of two runs
    sees by the ratios, which hold on any machine, whether one of the steps fell behind."""
    with tempfile.TemporaryDirectory() as directory:
        file, size = written(lambda _: fleet(), 1, Path(directory))
        start = least([bottlec, "--version"])[0]
        seconds = {what: least(command(bottlec, what, file))[0] - start for what in ("fmt", "check", "build")}
    steps = ", ".join(f"{what} {took:.2f} s" for what, took in seconds.items())
    ratios = f"check/fmt {seconds['check'] / seconds['fmt']:.1f}, build/check {seconds['build'] / seconds['check']:.1f}"
    return f"speed of this build, 250 bottles, {size // 1000} kB: {steps}; {ratios}"


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    only = sys.argv[2:]
    passed = failed = 0
    if not control():
        failed += 1
        print("FAILED: what grows with the square is not told")
    asked = [(name, what) for name in SHAPES for what in ["check", *COMMANDS.get(name, [])]]
    part, parts = 1, 1
    if len(only) == 1 and (asks_part := re.fullmatch(r"([1-9])/([1-9])", only[0])):
        part, parts = map(int, asks_part.groups())
        asked = asked[part - 1 :: parts]
    elif only:
        asked = [(name, what) for name, what in asked if name in only]
    # What is too much beside other work is asked again at the end, when there is less of that.
    for last in (False, True):
        again = []
        for name, what in asked:
            cpu, memory, wrong = grown(bottlec, name, SHAPES[name], what)
            if wrong and not last:
                again.append((name, what))
                print(f"once more, later: {name}, {what}: {wrong}", flush=True)
            elif wrong:
                failed += 1
                print(f"FAILED: {name}, {what}: {wrong}", flush=True)
            else:
                passed += 1
                print(f"{name}, {what}: " + (f"{cpu:.2f} {memory:.2f}" if cpu else "little, up to the bound"), flush=True)
        asked = again
    if part == 1:
        print(speed(bottlec))
    print(f"growth: {passed} shapes passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
