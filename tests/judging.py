"""What the judges have in common: how they count, how they run a program, and what they keep below target/.

A judge takes it from beside its own directory:

    sys.dont_write_bytecode = True
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from judging import check, run, verdict
"""

import fcntl
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "target/judges"
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]

counted = {"passed": 0, "failed": 0, "skipped": 0}
# Some judges do several things at once.
turn = threading.Lock()


def check(what, holds, detail="", said=False):
    """Counts whether something holds, and says what does not."""
    with turn:
        counted["passed" if holds else "failed"] += 1
        if not holds:
            print(f"FAILED: {what}\n    {str(detail)[:3000]}", flush=True)
        elif said:
            print(f"ok: {what}", flush=True)
    return holds


def told(what, holds, detail=""):
    """The same, and says what holds, too."""
    return check(what, holds, detail, said=True)


def skipped(what, why=""):
    """Says what is not judged here."""
    with turn:
        counted["skipped"] += 1
        print(f"SKIPPED, NOT JUDGED: {what}" + (f": {why}" if why else ""), flush=True)


def verdict(name=""):
    """Says how many checks passed and failed, and gives the exit code: that of a judge that did nothing is no success."""
    passed, failed = counted["passed"], counted["failed"]
    print(f"{name}: {passed} checks passed, {failed} failed" if name else f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not (passed or counted["skipped"]) else 0


def run(*command, **options):
    """Runs a program to its end. It has nothing to read, and what it says is kept."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8", "errors": "replace", "timeout": 600}
    if "input" not in options:
        how["stdin"] = subprocess.DEVNULL
    return subprocess.run([str(word) for word in command], **how | options)


def ran(*command, **options):
    """Whether a program that brings something here does its work; its last words are said where it does not."""
    try:
        done = run(*command, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(error, flush=True)
        return False
    if done.returncode != 0:
        print((done.stderr or done.stdout).strip()[-500:], flush=True)
    return done.returncode == 0


def made(place, wanted, make):
    """A directory that is made once, whole or not at all. What was wanted of it is written down beside it when it is done.
    None where `make` says that it cannot be had."""
    wanted = f"{wanted}\nat {place}\n"
    place.parent.mkdir(parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.made").open("a+") as note:
        # Two judges may ask for it.
        fcntl.flock(note, fcntl.LOCK_EX)
        note.seek(0)
        if note.read() != wanted or not place.is_dir():
            note.truncate(0)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            if make(place) is False:
                return None
            note.write(wanted)
    return place


def virtual_environment(name, *wanted):
    """A virtual environment with these packages and what they depend on, or with all that one file names; or None."""
    words = ["--no-deps", "-r", *wanted] if isinstance(wanted[0], Path) else wanted

    import venv

    def make(place):
        venv.create(place, symlinks=True)
        # By the pip that is here: one more in each environment costs more than what is installed.
        return ran(*PIP, "--python", place / "bin/python", "install", "--no-compile", *words)

    said = wanted[0].read_text() if isinstance(wanted[0], Path) else " ".join(wanted)
    return made(TOOLS / name, f"{said}\nfor {sys.executable} {sys.version}", make)


def importable(environment):
    """Lets this very process import what is in a virtual environment."""
    sys.path[:0] = map(str, environment.glob("lib/python*/site-packages"))


def downloaded(package, place, *words):
    """The files of a package without what it depends on, as they are published; none where it cannot be had."""
    got = ran(*PIP, "download", "--no-deps", "--dest", place, *words, package)
    return sorted(Path(place).iterdir()) if got else []


def packages_of_node(name, *wanted):
    """A directory with the packages in it, or None where they cannot be had. No script of theirs is run."""

    def make(place):
        (place / "package.json").write_text("{}")
        return ran("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted, cwd=place)

    return made(TOOLS / name, " ".join(wanted), make) if shutil.which("npm") else None


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
