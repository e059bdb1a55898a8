#!/usr/bin/env python3
"""How long `bottlec check` takes over a fleet, beside checkers of other languages on files of the same sizes.

    python3 benches/fleet.py            makes benches/fleet.md
    python3 benches/fleet.py --make DIR writes the specs only

It needs Rust, Python 3 with venv, and PyPI; what cannot be installed is left out, and the table says so. Everything
else is of a directory of its own, which is gone afterwards.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.kdl"))
# Files of one directory.
TOGETHER = 100
# One in so many is broken, in the fleet that has mistakes.
BROKEN = 20
# What takes longer than so many seconds is run no more often than this.
SLOW = [(20, 1), (4, 3)]
TOOLS = ["taplo", "tombi", "check-jsonschema", "yamllint"]


def spec(n, broken):
    """The n-th spec: an example in turn, with names of its own."""
    text = EXAMPLES[n % len(EXAMPLES)].read_text()
    text = re.sub(r'^bottle "([a-z-]+)"', rf'bottle "\1-{n}"', text, flags=re.M)
    return text.replace("egress {", "egres {", 1) if broken else text


def filled(size, text, block):
    """A text of exactly that size: the blocks that fit, and a comment."""
    n = 0
    while len(text) + len(block(n)) + 4 <= size:
        text += block(n)
        n += 1
    # In lines of 4 to 72 characters, so that nobody complains of their layout.
    while (left := size - len(text)) > 0:
        line = left if left <= 72 else min(72, left - 4)
        text += "# " + "x" * (line - 3) + "\n"
    return text


def toml(size):
    return filled(
        size,
        "",
        lambda n: f"[bottle-{n}]\n# what the agent may reach\n"
        f'allow = ["api.anthropic.com", "*.github.com"]\noctet = {n}\n\n',
    )


def yaml(size):
    return filled(
        size,
        "---\n",
        lambda n: f"bottle-{n}:\n  # what the agent may reach\n"
        f'  allow: ["api.anthropic.com", "*.github.com"]\n  octet: {n}\n',
    )


SCHEMA = """{"type": "object", "additionalProperties": {"type": "object", "required": ["allow", "octet"], "properties": {
"allow": {"type": "array", "items": {"type": "string"}}, "octet": {"type": "integer"}}}}"""


def make(directory, count, broken=False):
    """Writes that many specs, in directories of a hundred; returns their bytes."""
    total = 0
    for n in range(count):
        text = spec(n, broken and n % BROKEN == BROKEN - 1)
        total += write(directory, n, "kdl", text)
    return total


def make_others(directory, count):
    """Writes TOML and YAML, each file of the size of the spec in its place."""
    for n in range(count):
        size = len(spec(n, False).encode())
        write(directory / "toml", n, "toml", toml(size))
        write(directory / "yaml", n, "yaml", yaml(size))
    (directory / "schema.json").write_text(SCHEMA)


def write(directory, n, ending, text):
    path = directory / f"team-{n // TOGETHER:03}" / f"bottle-{n:05}.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return len(text.encode())


class Row:
    """A command in a directory, and what was measured of it."""

    def __init__(self, name, kind, words, cwd):
        self.name, self.kind, self.words, self.cwd = name, kind, [str(word) for word in words], cwd
        self.times, self.memory = [], 0

    def once(self):
        begun = time.perf_counter()
        child = subprocess.Popen(
            self.words,
            cwd=self.cwd,
            env={**os.environ, "CI": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - begun
        if child.returncode != 0:
            sys.exit(f"{self.name}: exit code {child.returncode}: {' '.join(self.words[:4])} in {self.cwd}")
        self.memory = max(self.memory, used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024))
        return took


def measure(rows, runs):
    """All rows one after the other, then again: what disturbs the machine disturbs them all."""
    for row in rows:
        # Warms the page cache, and tells what is slow.
        took = row.once()
        row.runs = next((min(runs, most) for seconds, most in SLOW if took > seconds), runs)
    for n in range(runs):
        for row in rows:
            if n < row.runs:
                row.times.append(row.once())


def install(directory):
    """The checkers of others, from PyPI: their names and versions."""
    venv = directory / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    there = {}
    for tool in TOOLS:
        words = [venv / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", tool]
        if subprocess.run(words).returncode == 0:
            told = subprocess.run([venv / "bin" / tool, "--version"], capture_output=True, text=True).stdout
            there[tool] = (venv / "bin" / tool, re.search(r"\d[\w.]*", told)[0])
    return there


def table(rows, count):
    base = statistics.median(rows[0].times)
    lines = [
        "| command | files | median | fastest | a file | peak memory | times bottlec | runs |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        median = statistics.median(row.times)
        lines.append(
            f"| {row.name} | {row.kind} | {median * 1000:,.0f} ms | {min(row.times) * 1000:,.0f} ms "
            f"| {median / count * 1e6:,.0f} µs | {row.memory:,.0f} MB | {median / base:.2f} | {len(row.times)} |"
        )
    return "\n".join(lines)


def machine():
    model = "an unnamed processor"
    if os.path.exists("/proc/cpuinfo"):
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
        model = found[1] if found else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores ({model}), {os.uname().sysname}"


def quiet():
    """Waits until nothing else runs, for two minutes at most: the load from then on."""
    for _ in range(24):
        if os.getloadavg()[0] < 0.3:
            break
        time.sleep(5)
    return os.getloadavg()[0]


def fleet(directory, bottlec, tools, count, runs):
    work = directory / str(count)
    size = make(work / "kdl", count)
    make_others(work, count)

    def theirs(tool, words, kind, cwd):
        name = f"`{tool} {words[0]}`" if kind == "TOML" else f"`{tool}`"
        return Row(name, kind, [tools[tool][0], *words], cwd)

    rows = [Row("`bottlec check`", "KDL", [bottlec, "check"], work / "kdl")]
    if "taplo" in tools:
        rows.append(theirs("taplo", ["lint"], "TOML", work / "toml"))
    if "tombi" in tools:
        rows.append(theirs("tombi", ["lint", "--offline", "."], "TOML", work / "toml"))
    if "yamllint" in tools:
        rows.append(theirs("yamllint", ["."], "YAML", work / "yaml"))
    if "check-jsonschema" in tools:
        paths = sorted(path.relative_to(work) for path in (work / "yaml").rglob("*.yaml"))
        rows.append(theirs("check-jsonschema", ["--schemafile", "schema.json", *paths], "YAML", work))
    measure(rows, runs)
    return f"## {count:,} files, {size / 1e6:.1f} MB\n\n{table(rows, count)}\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=11)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--make", type=Path, metavar="DIR", help="write that many valid specs, and as many with mistakes")
    parser.add_argument("--out", type=Path, default=ROOT / "benches" / "fleet.md")
    arguments = parser.parse_args()
    if arguments.make:
        for count in arguments.sizes:
            make(arguments.make / f"valid-{count}", count)
            make(arguments.make / f"broken-{count}", count, broken=True)
        return
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    bottlec = ROOT / "target" / "release" / "bottlec"
    version = subprocess.run([bottlec, "--version"], capture_output=True, text=True).stdout.split()[1]
    with tempfile.TemporaryDirectory(prefix="bottlec-fleet-") as name:
        directory = Path(name)
        tools = install(directory)
        load = quiet()
        tables = [fleet(directory, bottlec, tools, count, arguments.runs) for count in arguments.sizes]
    versions = ", ".join([f"bottlec {version}", *(f"{tool} {told}" for tool, (_, told) in sorted(tools.items()))])
    missing = [tool for tool in TOOLS if tool not in tools]
    text = f"""# A fleet

Made by `python3 benches/fleet.py`. Each command checks a directory tree with that many files, a hundred in each
directory. The specs are the [examples](../examples) in turn, with names of their own; each TOML and YAML file has the
size of the spec in its place. All commands ran one after the other, and that again and again, with the files in the
page cache. Time is wall time of the whole process.

The checkers do not do the same: `taplo` and `tombi` have no schema here and look at TOML itself, `yamllint` at layout,
`check-jsonschema` at a small schema, and bottlec at everything for which `build` would
refuse a spec. Peak memory is what the kernel tells of the process; it is never less than that of the script that
started it, some 20 MB.

Machine: {machine()}; load {load:.1f} before the first run.
Versions: {versions}{"; not installed: " + ", ".join(missing) if missing else ""}.

"""
    arguments.out.write_text(text + "\n".join(tables))
    print(text + "\n".join(tables))


if __name__ == "__main__":
    main()
