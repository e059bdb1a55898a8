#!/usr/bin/env python3
"""Holds what bottlec emits against the real engine.

Every example, compiled for each of several published engines, goes through that engine's own `machine create`, run
from the plan's argument vector in the stage's directory; that needs no virtualisation. Then the engine's store is
read: the policy, the resolver, the environment, the secret references and the image that it kept must be the plan's.

    tests/engine/judge.py target/debug/bottlec

The engines come from the Python wheel `smolmachines`, by `pip download` into target/engines/ (44 MB each). Where they
cannot be had the script says so loudly and ends well; a verdict is never skipped.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The first that takes secrets by flag, one that keeps the policy of a packed machine, and the newest.
VERSIONS = ["1.4.0", "1.8.3", "1.32.2"]
SPECS = sorted((ROOT / "examples").glob("*.kdl")) + [
    ROOT / "examples/fleet/fleet.kdl",
    ROOT / "tests/cases/build/nasty-values/main.kdl",
]

passed = 0
failed = 0


def check(what, holds, detail=""):
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}\n    {detail}")


def install(version):
    """The directory of an engine, or None where the package cannot be had."""
    place = ROOT / "target/engines" / version
    program = place / "smol/smol-vmm"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory]
            # The wheel is for Linux on x86-64, whatever Python this is.
            command += ["--only-binary=:all:", f"smolmachines=={version}"]
            if subprocess.run(command, timeout=600).returncode != 0:
                return None
            for wheel in Path(directory).glob("*.whl"):
                zipfile.ZipFile(wheel).extractall(place)
        if not program.exists():
            return None
        program.chmod(0o755)
    return place


class Engine:
    def __init__(self, version, place, home):
        self.version, self.home = version, home
        bin = home / "bin"
        bin.mkdir(parents=True)
        # The plan's vectors begin with `smolvm`.
        (bin / "smolvm").symlink_to(place / "smol/smol-vmm")
        self.env = {
            "PATH": f"{bin}:/usr/bin:/bin",
            "HOME": str(home),
            "SMOLVM_LIB_DIR": str(place / "smol"),
            "SMOLVM_VM_UID_DROP": "off",
        }

    def run(self, command, directory):
        return subprocess.run(
            command, cwd=directory, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
        )

    def stored(self, name):
        """What the engine keeps of a machine."""
        for store in self.home.rglob("smolvm.db"):
            with sqlite3.connect(store) as db:
                row = db.execute("select data from vms where name = ?", (name,)).fetchone()
            return json.loads(row[0]) if row else None
        return None


def compile_for(bottlec, spec, version, directory):
    """The stages of a spec compiled for a version, or the rules that refuse it."""
    for file in {spec, *spec.parent.glob("*.kdl")} if spec.parent.name == "fleet" else {spec}:
        text = re.sub(r'^ *engine "smolvm".*$', "", file.read_text(), flags=re.M)
        text = re.sub(r'^bottle ("[^"]+") \{', rf'bottle \1 {{\n    engine "smolvm" version="{version}"', text, flags=re.M)
        (directory / file.name).write_text(text)
    result = subprocess.run(
        [bottlec, "build", "--format", "concise", spec.name], cwd=directory, capture_output=True, text=True
    )
    if result.returncode == 1:
        return None, sorted(set(re.findall(r"error\[([a-z-]+)\]", result.stderr)))
    assert result.returncode == 0, result.stderr
    return sorted((directory / "stage").iterdir()), []


def judge(engine, stage):
    plan = json.loads((stage / "plan.json").read_text())
    name, bundle = plan["resources"]["machine"], plan["bundle_ip"]
    what = f"{engine.version} {name}"
    create = plan["commands"]["create"]
    boot = plan["boot"] or {}
    if boot.get("kind") == "rootfs":
        (stage / boot["source"]).mkdir(parents=True, exist_ok=True)
    if boot.get("kind") == "artifact":
        # A pack cannot be made without booting one. With a path to nothing the engine must get as far as looking for
        # it; without the path every other flag must be taken, and kept.
        result = engine.run(create, stage)
        at = create.index("--from")
        missing = "not found" in result.stderr and Path(create[at + 1]).name in result.stderr
        check(f"{what}: every flag is known beside --from", result.returncode != 0 and missing, result.stderr)
        create = create[:at] + create[at + 2 :]
    result = engine.run(create, stage)
    check(f"{what}: the engine takes the plan's vector", result.returncode == 0, f"{create}\n    {result.stderr}")
    kept = engine.stored(name)
    if kept is None:
        check(f"{what}: the machine is in the store", False)
        return
    check(f"{what}: the list is the one address", kept["allowed_cidrs"] == [f"{bundle}/32"], kept["allowed_cidrs"])
    check(f"{what}: networking is on", kept["network"] is True, kept["network"])
    # 1.4.0 takes --dns and keeps it; the key is absent only when nothing was asked for.
    check(f"{what}: names go to the bundle", kept.get("dns") == bundle, kept.get("dns"))
    literals = {key: value["value"] for key, value in plan["agent_env"].items() if "value" in value}
    check(f"{what}: the environment is the plan's", dict(kept["env"]) == literals, kept["env"])
    check(f"{what}: no variable is there twice", len(kept["env"]) == len(literals), kept["env"])
    secrets = {
        key: {source: value[source] for source in ("from_env", "from_file") if source in value}
        for key, value in plan["agent_env"].items()
        if "value" not in value
    }
    found = {key: {k: v for k, v in ref.items() if v is not None} for key, ref in kept.get("secret_refs", {}).items()}
    check(f"{what}: secrets are the plan's references", found == secrets, found)
    for key in ("ports", "mounts"):
        check(f"{what}: no {key}", kept[key] == [], kept[key])
    # Undone as the plan says; a machine that was never started cannot be stopped, which is no failure.
    for command in plan["commands"]["cleanup"]:
        if command[0] == "smolvm":
            result = engine.run(command, stage)
    check(f"{what}: the cleanup removes it", engine.stored(name) is None, result.stderr)


def controls(engine, directory):
    """That the judge can say no: each of these must be noticed."""
    bad = directory / "bad"
    bad.mkdir()
    (bad / "smolfile.toml").write_text('env = []\nunixgram = "x"\n')
    result = engine.run(["smolvm", "machine", "create", "--name", "bad", "--smolfile", "smolfile.toml"], bad)
    check(f"{engine.version}: an unknown key is refused", result.returncode != 0, result.stdout)
    (bad / "smolfile.toml").write_text('[network]\nallow_cidrs = ["192.168.0.0/16"]\n')
    result = engine.run(["smolvm", "machine", "create", "--name", "wide", "--smolfile", "smolfile.toml"], bad)
    kept = engine.stored("wide")
    wide = result.returncode == 0 and kept["allowed_cidrs"] == ["192.168.0.0/16"] and not kept.get("dns")
    check(f"{engine.version}: a wide list is seen as one", wide, kept)


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    judged = 0
    for version in VERSIONS:
        place = install(version)
        if place is None:
            print(f"SKIPPED, NOT JUDGED: engine {version} cannot be had here")
            continue
        with tempfile.TemporaryDirectory() as directory:
            directory = Path(directory)
            engine = Engine(version, place, directory / "home")
            controls(engine, directory)
            for number, spec in enumerate(SPECS):
                workspace = directory / f"spec-{number}"
                workspace.mkdir()
                stages, refused = compile_for(bottlec, spec, version, workspace)
                if stages is None:
                    # Only what the engine is known to drop may be refused.
                    expected = version == "1.4.0" and refused == ["policy-dropped"]
                    check(f"{version} {spec.name}: refused for a reason", expected, refused)
                    continue
                for stage in stages:
                    if stage.is_dir() and not stage.name.startswith("."):
                        judge(engine, stage)
                        judged += 1
    print(f"{judged} machines judged")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
