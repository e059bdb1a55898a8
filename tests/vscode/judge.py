#!/usr/bin/env python3
"""Opens the packed extension in a real editor, and looks.

    tests/vscode/judge.py target/debug/bottlec [--screenshots DIRECTORY]

code-server is Visual Studio Code behind a page; Debian's Chromium shows it, and playwright-core clicks and types
(session.js). Nothing listens anywhere but on loopback, and nothing is asked of a marketplace. The packages are those of
package-lock.json, under target/. Where they, Chromium or ripgrep cannot be had the script says so loudly and ends well; a
verdict is never skipped.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(TESTS / "editors"), str(TESTS)]
import judge as editors
from judge import run
from judging import TOOLS, made, skipped, verdict
from judging import told as check

EDITOR = TOOLS / "vscode"


def install(place):
    """Whether the editor is there. Of what its packages would run when they are installed one thing is needed."""
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(HERE / name, place / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund"]
    inside = place / "node_modules/code-server/lib/vscode"
    for command, cwd in [
        (["npm", "ci", *quiet], place),
        # A native module, without which it does not start; the others are for terminals and logs.
        (["npm", "rebuild", "argon2"], place),
        (["npm", "install", "--omit=dev", *quiet], inside),
    ]:
        done = run(*command, cwd=cwd, timeout=900)
        if done.returncode != 0:
            print(done.stdout[-800:])
            return False
    (inside / "node_modules.asar").symlink_to("node_modules")
    ripgrep = inside / "node_modules/@vscode/ripgrep/bin"
    ripgrep.mkdir(parents=True, exist_ok=True)
    (ripgrep / "rg").symlink_to(shutil.which("rg"))
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=Path)
    parser.add_argument("--screenshots", type=Path)
    arguments = parser.parse_args()
    for program in ("node", "npm", "chromium", "rg"):
        if not shutil.which(program):
            skipped(f"there is no {program} here, so nobody has looked at the extension")
            return verdict("vscode")
    if made(EDITOR, (HERE / "package-lock.json").read_text(), install) is None:
        skipped("the packages of tests/vscode/package-lock.json cannot be had")
        return verdict("vscode")
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory).resolve()
        editors.judge_extension(directory)
        if not (directory / "bottlec.vsix").exists():
            check("vscode: there is an extension to look at", False)
            return verdict("vscode")
        env = os.environ | {
            "BOTTLEC": str(arguments.binary.resolve()),
            "EXTENSION": str(directory / "bottlec.vsix"),
            "PLACE": str(directory / "sessions"),
            "NODE_PATH": str(EDITOR / "node_modules"),
            "CHROMIUM": shutil.which("chromium"),
            "SCREENSHOTS": str(arguments.screenshots.resolve()) if arguments.screenshots else "",
        }
        done = run("node", HERE / "session.js", cwd=directory, env=env, timeout=1500)
        said = re.split(r"(?m)^(?=ok: |FAILED: )", done.stdout)
        lines = [line for line in said if line.startswith(("ok: ", "FAILED: "))]
        check("the sessions have an end", done.returncode == 0 and len(lines) > 30, done.stdout[-3000:])
        for line in lines:
            outcome, _, what = line.partition(": ")
            head, _, detail = what.partition("\n")
            check(head, outcome == "ok", detail.strip())
    return verdict("vscode")


if __name__ == "__main__":
    sys.exit(main())
