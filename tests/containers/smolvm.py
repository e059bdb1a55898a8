#!/usr/bin/python3 -IS
"""Stands in for smolvm: machines are entries of a file, each with a root of its own for /etc and /work.

What it is asked to run, it runs beside the containers, in the host's network, with the machine's environment and nothing
else. It takes what `commands` of a plan holds, and refuses a flag that it does not know, as the engine does. Of
virtualisation there is nothing here: tests/engine has the real engine.
"""

import fcntl
import json
import os
import shutil
import sys
import tomllib
from pathlib import Path

HOME = Path("/var/lib/machines")
VERSION = "1.33.0"
# The flags of each verb: whether a value follows, and whether it may be there again.
FLAGS = {
    "create": "--name= --image= --from= --smolfile= --dns= --allow-cidr+ --env+ --secret-env+ --secret-file+ --net "
    "--cpus= --mem= --storage= --volume+ --port+",
    "start": "--name=",
    "stop": "--name=",
    "delete": "--name= --force",
    "exec": "--name= --workdir= --user= --env+ --secret-env+ --secret-file+ --interactive --tty --timeout=",
    "ls": "--json",
    "egress-events": "--name=",
    "cp": "",
}


def fail(text):
    sys.exit(f"Error: {text}")


def parsed(verb, words):
    """The flags, the other words, and what stands after `--`."""
    kinds = {flag.rstrip("=+"): flag[-1] for flag in FLAGS[verb].split()}
    flags, others = {}, []
    words = iter(words)
    for word in words:
        if word == "--":
            return flags, others, list(words)
        if not word.startswith("-"):
            others.append(word)
        elif word not in kinds:
            fail(f"unexpected argument '{word}' found")
        elif kinds[word] == "+":
            flags.setdefault(word, []).append(next(words))
        else:
            flags[word] = next(words) if kinds[word] == "=" else True
    return flags, others, []


class Store:
    """The machines, for one program at a time."""

    def __enter__(self):
        HOME.mkdir(parents=True, exist_ok=True)
        self.lock = open(HOME / "lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.file = HOME / "machines.json"
        self.machines = json.loads(self.file.read_text()) if self.file.exists() else {}
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.file.write_text(json.dumps(self.machines))
        self.lock.close()

    def find(self, name):
        return self.machines.get(name) or fail(f"machine not found: {name}")


def create(store, flags):
    name = flags["--name"]
    if name in store.machines:
        fail(f"machine already exists: {name}")
    machine = {"name": name, "state": "created", "image": flags.get("--image"), "env": flags.get("--env", [])}
    machine.update(allowed_cidrs=flags.get("--allow-cidr"), dns=flags.get("--dns"))
    if "--smolfile" in flags:
        smolfile = tomllib.loads(Path(flags["--smolfile"]).read_text())
        machine["env"] = smolfile.get("env", [])
        machine["allowed_cidrs"] = smolfile.get("network", {}).get("allow_cidrs")
    if not machine["allowed_cidrs"]:
        fail("a machine without a list: that is not what these tests are about")
    machine["network"] = True
    root = HOME / name
    shutil.copytree("/etc", root / "etc", symlinks=True)
    (root / "work").mkdir()
    store.machines[name] = machine


def execute(machine, flags, command):
    if machine["state"] != "running":
        fail(f"machine '{machine['name']}' is not running")
    env = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root", "TERM": "dumb"}
    env.update(entry.split("=", 1) for entry in [*machine["env"], *flags.get("--env", [])])
    for entry in flags.get("--secret-env", []):
        name, source = entry.split("=", 1)
        env[name] = os.environ.get(source) or fail(f"the secret {name} is not there")
    for entry in flags.get("--secret-file", []):
        name, source = entry.split("=", 1)
        env[name] = Path(source).read_text()
    root = HOME / machine["name"]
    script = 'mount --bind "$1/etc" /etc && mount --bind "$1/work" /work && cd "$2" && shift 2 && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", script, "sh", str(root), flags.get("--workdir", "/"), *command]
    os.execvpe(words[0], words, env)


def copy(store, source, target):
    name, _, path = target.partition(":")
    machine = store.find(name)
    if machine["state"] != "running":
        fail(f"machine '{name}' is not running")
    place = HOME / name / path.lstrip("/")
    if not place.parent.is_dir():
        fail(f"no such directory: {path}")
    shutil.copyfile(source, place)


def main():
    words = sys.argv[1:]
    if words == ["--version"]:
        return print(f"smolvm {VERSION}")
    if words[:1] != ["machine"] or words[1] not in FLAGS:
        fail(f"unrecognized subcommand '{' '.join(words[:2])}'")
    verb = words[1]
    flags, others, command = parsed(verb, words[2:])
    with Store() as store:
        if verb == "ls":
            return print(json.dumps(list(store.machines.values()), indent=2))
        if verb == "create":
            return create(store, flags)
        if verb == "cp":
            return copy(store, *others)
        machine = store.find(flags["--name"])
        if verb == "start":
            machine["state"] = "running"
        elif verb == "stop":
            machine["state"] = "stopped"
        elif verb == "delete":
            del store.machines[machine["name"]]
            shutil.rmtree(HOME / machine["name"])
        elif verb == "egress-events":
            print("[]")
    if verb == "exec":
        execute(machine, flags, command)


if __name__ == "__main__":
    main()
