#!/usr/bin/env python3
"""Holds the language server against real clients, and what `editors/` ships against real readers.

    tests/editors/judge.py target/debug/bottlec

Four parts: sessions of hostile clients over bare pipes (hostile.py); sessions through pytest-lsp with the capabilities of
real editors (client/); a person's session in each Neovim that can be had (nvim.lua); and the extension for VS Code, which
is tested and packed from its lock file. The packages are those of requirements.txt and editors/vscode/package-lock.json,
under target/. Where they cannot be had the script says so loudly and ends well; a verdict is never skipped.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as xml
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

import judging
from judging import ROOT, TOOLS, skipped, verdict, virtual_environment
from judging import told as check

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
EXTENSION = ROOT / "editors/vscode"
CLIENTS = TOOLS / "editors/python"


def report(line):
    print(f"    {line}", flush=True)


def run(*command, **options):
    """What a program says on either stream is one text."""
    return judging.run(*command, stderr=subprocess.STDOUT, **{"cwd": ROOT, "timeout": 300} | options)


# ---------------------------------------------------------------------------------------------------------------------
# Clients


def judge_clients(bottlec, directory):
    results = directory / "clients.xml"
    done = run(
        *[CLIENTS / "bin/python", "-m", "pytest", "--quiet", "--no-header", "--tb=short", "-p", "no:cacheprovider"],
        *["-c", HERE / "client/pytest.ini", "--rootdir", HERE / "client", "--junit-xml", results, HERE / "client"],
        env={**os.environ, "BOTTLEC": str(bottlec), "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=600,
    )
    if not results.exists():
        check("pytest-lsp runs", False, done.stdout)
        return
    cases = list(xml.parse(results).getroot().iter("testcase"))
    check("pytest-lsp has sessions", len(cases) > 100, done.stdout)
    for case in cases:
        problems = [it for it in case if it.tag in ("failure", "error", "skipped")]
        name = f"{case.get('classname')}: {case.get('name')}"
        check(name, not problems, "\n".join((it.get("message") or "") + "\n" + (it.text or "")[-1500:] for it in problems))


# ---------------------------------------------------------------------------------------------------------------------
# Neovim


def neovims():
    """Each Neovim that is here: that of the system, and that of the requirements."""
    found = {}
    for candidate in (shutil.which("nvim"), CLIENTS / "bin/nvim"):
        if candidate and Path(candidate).exists():
            version = run(candidate, "--version").stdout.split("\n")[0].removeprefix("NVIM ")
            found.setdefault(version, candidate)
    return found


def judge_neovim(bottlec, directory):
    found = neovims()
    if not found:
        skipped("there is no Neovim here")
    for version, program in found.items():
        place = directory / f"nvim-{version}"
        (place / "home").mkdir(parents=True)
        folder = place / "a folder"
        folder.mkdir()
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(place / "home"),
            "BOTTLEC": str(bottlec),
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }
        run("git", "init", "--quiet", ".", cwd=folder, env=env)
        script = str(HERE / "nvim.lua").replace(" ", "\\ ")
        add = str(ROOT / "editors/nvim").replace(" ", "\\ ").replace(",", "\\,")
        done = run(
            *[program, "--headless", "--clean", "--cmd", f"set runtimepath^={add}", "-c", f"luafile {script}"],
            cwd=folder,
            env=env,
            timeout=300,
        )
        verdicts = re.split(r"(?m)^(?=ok: |FAILED: )", done.stdout)
        lines = [verdict for verdict in verdicts if verdict.startswith(("ok: ", "FAILED: "))]
        check(f"Neovim {version}: the session has an end", len(lines) >= 20, done.stdout[-2000:])
        for line in lines:
            head, _, detail = line.partition("\n")
            verdict, _, what = head.partition(": ")
            check(f"Neovim {version}: {what}", verdict == "ok", detail.strip())


# ---------------------------------------------------------------------------------------------------------------------
# What is shipped


def packed_extension():
    """The extension with its packages, or None where they cannot be had."""

    def install(place):
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(EXTENSION / name, place / name)
        return judging.ran("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=place)

    place = judging.made(TOOLS / "editors/vscode", (EXTENSION / "package-lock.json").read_text(), install)
    if place is not None:
        # It is packed from what git has, not from what lies around.
        tracked = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=EXTENSION).stdout
        for name in filter(None, tracked.split("\0")):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(EXTENSION / name, place / name)
    return place


def judge_extension(directory):
    lock = json.loads((EXTENSION / "package-lock.json").read_text())
    manifest = json.loads((EXTENSION / "package.json").read_text())
    check("vscode: the lock file names no registry", not any("resolved" in it for it in lock["packages"].values()))
    check("vscode: one dependency is packed", list(manifest["dependencies"]) == ["vscode-languageclient"])
    capabilities = manifest["capabilities"]["untrustedWorkspaces"]
    check("vscode: no untrusted folder names the program", capabilities["restrictedConfigurations"] == ["bottlec.path"])

    # The grammar knows the nodes of the language by name, those that the reference describes.
    grammar = json.loads((EXTENSION / "syntaxes/kdl.tmLanguage.json").read_text())
    known = re.search(r"\((accept\|[a-z|-]+)\)", grammar["repository"]["node"]["patterns"][0]["match"])[1].split("|")
    reference = (ROOT / "docs/language.md").read_text()
    described = sorted(set(re.findall(r"(?m)^\s*- \[`([^`]+)`\]", reference)))
    check("vscode: the grammar has every node and no other", known == described, set(known) ^ set(described))

    if not shutil.which("npm"):
        skipped("there is no npm here for the extension")
        return
    place = packed_extension()
    if place is None:
        skipped("the packages of editors/vscode/package-lock.json cannot be had")
        return
    bin = place / "node_modules/.bin"
    done = run(bin / "vscode-tmgrammar-test", "--grammar", "syntaxes/kdl.tmLanguage.json", "test/*.test.kdl", cwd=place)
    check("vscode: the grammar colours its fixture as it says", done.returncode == 0, done.stdout)
    broken = place / "test/broken.kdl"
    broken.write_text((place / "test/kdl.test.kdl").read_text().replace("keyword.other.node.bottlec", "keyword.other.node.other"))
    done = run(bin / "vscode-tmgrammar-test", "--grammar", "syntaxes/kdl.tmLanguage.json", "test/broken.kdl", cwd=place)
    check("vscode: the reader of the fixture finds what is wrong", done.returncode != 0, done.stdout)
    broken.unlink()
    done = run("node", "--test", "test/", cwd=place)
    count = re.search(r"(?m)^# pass (\d+)$", done.stdout)
    check("vscode: the extension does what its tests say", done.returncode == 0 and int(count[1]) > 10, done.stdout[-3000:])

    package = directory / "bottlec.vsix"
    done = run(bin / "vsce", "package", "--allow-missing-repository", "--skip-license", "--out", package, cwd=place)
    check("vscode: vsce packs it", done.returncode == 0 and package.exists(), done.stdout)
    if not package.exists():
        return
    with zipfile.ZipFile(package) as it:
        names = [name.removeprefix("extension/") for name in it.namelist() if name.startswith("extension/")]
    own = sorted(name for name in names if not name.startswith("node_modules/"))
    # vsce renames the read-me.
    expected = "extension.js icon.png language-configuration.json package.json readme.md".split()
    expected += [f"syntaxes/{name}.tmLanguage.json" for name in ("kdl", "other")]
    expected += [f"walkthrough/{name}.md" for name in ("artifacts", "check", "install", "launch", "write")]
    check("vscode: it packs what it needs, and no program", sorted(map(str.lower, own)) == sorted(map(str.lower, expected)), own)
    packages = {name.split("/")[1] for name in names if name.startswith("node_modules/")}
    check("vscode: no tool is packed", "vscode-languageclient" in packages and not {"@vscode", "vscode-textmate"} & packages, packages)
    size = package.stat().st_size
    check("vscode: it is small", size < 2_000_000, size)


def judge_configurations():
    import tomllib

    helix = tomllib.loads((ROOT / "editors/helix/languages.toml").read_text())
    check("helix: the server is that of the command line", helix["language-server"]["bottlec"] == {"command": "bottlec", "args": ["lsp"]})
    [language] = helix["language"]
    # By Helix's page of languages.toml.
    check("helix: the keys are those that it has", set(language) <= {"name", "language-servers", "indent"}, set(language))
    check("helix: the language starts that server", (language["name"], language["language-servers"]) == ("kdl", ["bottlec"]))
    zed = tomllib.loads((ROOT / "editors/zed/extension.toml").read_text())
    check("zed: the server is for KDL", zed["language_servers"]["bottlec"]["languages"] == ["KDL"])
    page = (ROOT / "docs/editors.md").read_text()
    blocks = re.findall(r"(?s)```toml\n(.*?)```", page)
    check("the page's TOML says the same", [tomllib.loads(it)["language-server"] for it in blocks] == [helix["language-server"]])
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page) if "://" not in link]
    check("what the page links to is there", links and all((ROOT / "docs" / link).exists() for link in links), links)


def main():
    bottlec = Path(sys.argv[1]).resolve()
    import hostile

    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory).resolve()
        judge_configurations()
        # Mostly they wait, for the server's patience and for packages.
        beside = threading.Thread(target=lambda: guarded("hostile", hostile.judge, bottlec, check, report))
        beside.start()
        if virtual_environment("editors/python", REQUIREMENTS):
            guarded("clients", judge_clients, bottlec, directory)
        else:
            skipped("the packages of tests/editors/requirements.txt cannot be had")
        guarded("neovim", judge_neovim, bottlec, directory)
        guarded("vscode", judge_extension, directory)
        beside.join()
    return verdict("editors")


def guarded(what, part, *arguments):
    """A part that falls over has failed, and the others go on."""
    try:
        part(*arguments)
    except Exception as error:
        check(f"{what}: the judge goes through", False, repr(error))


if __name__ == "__main__":
    sys.exit(main())
