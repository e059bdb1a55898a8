#!/usr/bin/env python3
"""Holds what bottlec emits against the real engine.

Every example, compiled for each of several published engines, goes through that engine's own `machine create`, run
from the plan's argument vector in the stage's directory; that needs no virtualisation. Then the engine's store is
read: the policy, the resolver, the environment, the secret references and the image that it kept must be the plan's.
No machine is booted: the judge answers in place of the agent in it, and sees with which environment the plan's `exec`
and `attach` would run a program there.

    tests/engine/judge.py target/debug/bottlec

Machines are made with everything that a bottle can give them of the host, too, and the store must hold that; and what a
started one publishes must listen on the host's loopback alone.

Each engine is asked to start a machine, too, as far as it gets here: whether it has confined its own process by then, as
the plan's variables ask it to.

The engines come from the Python wheel `smolmachines`, by `pip download` into target/engines/ (44 MB each). Where they
cannot be had the script says so loudly and ends well; a verdict is never skipped.
"""

import contextlib
import hashlib
import http.server
import io
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import ROOT, check, downloaded, made, run, skipped, verdict

# The oldest that is published, one that keeps the policy of a packed machine, and the newest.
VERSIONS = ["1.4.0", "1.8.3", "1.32.2"]
ZSTD = shutil.which("zstd")
SPECS = sorted((ROOT / "examples").glob("*.kdl")) + [
    ROOT / "examples/fleet/fleet.kdl",
    ROOT / "tests/cases/build/nasty-values/main.kdl",
]


def install(version):
    """The directory of an engine, or None where the package cannot be had."""

    def make(place):
        with tempfile.TemporaryDirectory() as directory:
            # The wheel is for Linux on x86-64, whatever Python this is.
            for wheel in downloaded(f"smolmachines=={version}", directory, "--only-binary=:all:"):
                zipfile.ZipFile(wheel).extractall(place)
        if not (place / "smol/smol-vmm").exists():
            return False
        (place / "smol/smol-vmm").chmod(0o755)
        if ZSTD:
            unpack_disks(place / "smol")

    return made(ROOT / "target/engines" / version, f"{version}, disks by {ZSTD}", make)


def unpack_disks(directory):
    """The templates of a machine's disks, some 30 GiB with next to nothing in them. The engine would unpack them for the
    first packed machine, byte for byte, and on a busy host run into this judge's patience."""
    for packed in directory.glob("*-template.ext4.zst"):
        run(ZSTD, "--decompress", "--sparse", "--quiet", packed, "-o", packed.with_suffix(""), check=True)


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

    def run(self, command, directory, env=()):
        return run(*command, cwd=directory, env={**self.env, **dict(env)}, timeout=120)

    def start(self, command, directory, env):
        """A program that is not waited for."""
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        return subprocess.Popen(command, cwd=directory, env={**self.env, **env}, **silent)

    def listed(self, name):
        """What the engine says of a machine."""
        result = self.run(["smolvm", "machine", "ls", "--json"], self.home)
        machines = json.loads(result.stdout) if result.returncode == 0 else []
        return next((machine for machine in machines if machine["name"] == name), None)

    def stored(self, name):
        """What the engine keeps of a machine."""
        for store in self.home.rglob("smolvm.db"):
            with sqlite3.connect(store) as db:
                row = db.execute("select data from vms where name = ?", (name,)).fetchone()
            return json.loads(row[0]) if row else None
        return None

    def end_machines(self):
        """Ends what is on its way to be a machine of this engine's home: `machine stop` knows none that did not boot."""
        for line in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = line.read_bytes().split(b"\0")
                if b"_boot-vm" in words and any(str(self.home).encode() in word for word in words):
                    os.kill(int(line.parent.name), signal.SIGKILL)

    def place(self, name):
        """The directory of a machine."""
        return next(file.parent for file in self.home.glob(".cache/smolvm/vms/*/name") if file.read_text() == name)


class Guest:
    """The agent in a machine, as far as the engine asks it to run something: what it was asked to run is kept."""

    def __init__(self, place):
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(place / "agent.sock"))
        self.listener.listen()

    def __enter__(self):
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def listen(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        # The engine hangs up whenever it has heard enough.
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            # A length of four bytes, then JSON; answers likewise.
            while len(head := stream.read(4)) == 4:
                request = json.loads(stream.read(int.from_bytes(head, "big")))
                for answer in self.answers(request):
                    answer = json.dumps(answer).encode()
                    connection.sendall(len(answer).to_bytes(4, "big") + answer)

    def answers(self, request):
        if request["method"] == "ping":
            return [{"status": "pong", "version": 1}]
        if request["method"] not in ("run", "vm_exec"):
            return [{"status": "ok"}]
        self.asked.append(request)
        if request["interactive"]:
            return [{"status": "started"}, {"status": "exited", "exit_code": 0}]
        return [{"status": "completed", "exit_code": 0, "stdout": "", "stderr": ""}]


# What each engine is known not to hold, of the examples.
REFUSED = {
    # What a spec expects to be refused is not, where the list is dropped.
    "1.4.0": [["policy-dropped"], ["expectation-failed", "policy-dropped"], ["image-not-pulled"]],
    "1.8.3": [["image-not-pulled"]],
    "1.32.2": [],
}


def compile_for(bottlec, spec, version, directory, accepted=()):
    """The stages of a spec compiled for a version, or the rules that refuse it."""
    acceptable = [rule for rule in accepted if rule != "expectation-failed"]
    accepts = "".join(f'\\n    accept "{rule}" reason="a test"' for rule in acceptable)
    for file in {spec, *spec.parent.glob("*.kdl")} if spec.parent.name == "fleet" else {spec}:
        text = re.sub(r'^ *engine "smolvm".*$', "", file.read_text(), flags=re.M)
        if accepted:
            text = re.sub(r"^ *expect \{.*?^ *\}\n", "", text, flags=re.M | re.S)
        # Whoever judges may not write where the examples' secrets are.
        text = text.replace('from-file="/', f'from-file="{directory}/host/')
        text = re.sub(r'^bottle ("[^"]+") \{', rf'bottle \1 {{\n    engine "smolvm" version="{version}"{accepts}', text, flags=re.M)
        (directory / file.name).write_text(text)
    result = run(bottlec, "build", "--format", "concise", spec.name, cwd=directory)
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
    packed = boot.get("kind") == "artifact"
    if packed:
        (stage / boot["source"]).write_bytes(pack())
    variables = plan["commands"]["set"]
    result = engine.run(create, stage, variables)
    check(f"{what}: the engine takes the plan's vector", result.returncode == 0, f"{create}\n    {result.stderr}")
    kept = engine.stored(name)
    if kept is None:
        check(f"{what}: the machine is in the store", False)
        return
    # That is what `policy-dropped` says of it, and what the spec accepts.
    policy = None if packed and engine.version == "1.4.0" else [f"{bundle}/32"]
    check(f"{what}: the list is the one address", kept["allowed_cidrs"] == policy, kept["allowed_cidrs"])
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
    found = references(kept)
    check(f"{what}: secrets are the plan's references", found == ({} if packed else secrets), found)
    listed = engine.listed(name)
    check(f"{what}: the engine lists the machine", listed is not None, listed)
    # Older engines keep the policy and do not print it.
    if listed and "allowed_cidrs" in listed:
        check(f"{what}: the listed policy is the plan's", listed["allowed_cidrs"] == [f"{bundle}/32"], listed)
        check(f"{what}: the listed resolver is the bundle", listed.get("dns") == bundle, listed)
    check(f"{what}: the newest engine prints the policy", engine.version != VERSIONS[-1] or "allowed_cidrs" in (listed or {}), listed)
    # A machine that was not started can run nothing; the engine must get as far as saying that.
    for use in ("exec", "attach"):
        result = engine.run(plan["commands"][use] + ["true"], stage, variables)
        words = result.stdout + result.stderr
        known = "unexpected argument" not in words and "Usage:" not in words and name in words
        check(f"{what}: the engine takes the vector of {use}", result.returncode != 0 and known, words)
    # Nor can anything be copied into it, or cloned; the engine gets as far as saying that, too.
    commands = plan["commands"]
    into = [*commands["provision"], *(checkout[key] for checkout in commands["checkouts"] for key in ("exists", "clone"))]
    check(f"{what}: files are copied", bool(commands["provision"]) == bool(plan["provision"]), commands["provision"])
    for vector in into:
        # What lies in a home is whoever's that launches.
        if "cp" in vector and vector[3].startswith("~/"):
            vector = [*vector[:3], "SHA256SUMS", *vector[4:]]
        result = engine.run(vector, stage, variables)
        words = result.stdout + result.stderr
        known = "unexpected argument" not in words and "Usage:" not in words and "running" in words
        check(f"{what}: the engine takes the vector {' '.join(vector[2:4])}", result.returncode != 0 and known, (vector, words))
    result = engine.run(commands["machines"], stage, variables)
    machines = json.loads(result.stdout)
    check(f"{what}: the machine is on the engine's list", [m["state"] for m in machines if m["name"] == name] == ["created"], machines)
    judge_programs(engine, plan, stage, what)
    denials = plan["commands"]["denials"]
    check(f"{what}: denials are asked for where they can be", (denials is None) == (engine.version == "1.4.0"), denials)
    if denials:
        result = engine.run(denials, stage, variables)
        words = result.stdout + result.stderr
        check(f"{what}: the engine takes the vector of denials", "Usage:" not in words and "unexpected" not in words, words)
    for key in ("ports", "mounts"):
        check(f"{what}: no {key}", kept[key] == [], kept[key])
    # Undone as the plan says; a machine that was never started cannot be stopped, which is no failure.
    for command in plan["commands"]["cleanup"]:
        if command[0] == "smolvm":
            result = engine.run(command, stage, variables)
    check(f"{what}: the cleanup removes it", engine.stored(name) is None, result.stderr)


def references(kept):
    """The references to secrets that the engine keeps of a machine."""
    refs = kept.get("secret_refs") or {}
    return {key: {k: v for k, v in ref.items() if v is not None} for key, ref in refs.items()}


def judge_programs(engine, plan, stage, what):
    """What `exec` and `attach` run has the plan's environment, secrets included; a secret that the host does not have
    stops it."""
    host, expected = dict(plan["commands"]["set"]), {}
    for key, value in plan["agent_env"].items():
        expected[key] = value.get("value", f"the secret {key}")
        if "from_env" in value:
            host[value["from_env"]] = expected[key]
        if "from_file" in value:
            file = Path(value["from_file"])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(expected[key])
    with Guest(engine.place(plan["resources"]["machine"])) as guest:
        for use in ("exec", "attach"):
            guest.asked.clear()
            result = engine.run([*plan["commands"][use], "program", "--flag"], stage, host)
            ran = [request["command"] for request in guest.asked]
            check(f"{what}: {use} runs the program", ran == [["program", "--flag"]], f"{ran} {result.stderr}")
            given = [tuple(entry) for request in guest.asked for entry in request["env"]]
            # The engine tells what it runs on a terminal which one that is.
            given = [entry for entry in given if entry != ("TERM", "xterm-256color") or "TERM" in expected]
            check(f"{what}: {use} gives it the plan's environment", set(given) == set(expected.items()), given)
        for name in host.keys() - plan["commands"]["set"]:
            guest.asked.clear()
            lacking = {key: value for key, value in host.items() if key != name}
            result = engine.run([*plan["commands"]["exec"], "program"], stage, lacking)
            stopped = result.returncode != 0 and not guest.asked and "resolve secret" in result.stderr
            check(f"{what}: nothing runs without {name}", stopped, f"{guest.asked} {result.stderr}")


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


def stored_zstd(data):
    """A zstd frame that holds its data as it is: a block must be smaller than 128 KiB."""
    assert len(data) < 128 * 1024
    return struct.pack("<IBI", 0xFD2FB528, 0xA0, len(data)) + (len(data) << 3 | 1).to_bytes(3, "little") + data


def pack(**more):
    """A packed machine that boots nothing: the file's layout and manifest, with empty archives in it. It says that it
    wants a network, what it starts by itself, and what else is given here."""
    empty = b"\0" * 10240
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("agent-rootfs.tar", "layers/layer.tar"):
            entry = tarfile.TarInfo(name)
            entry.size = len(empty)
            tar.addfile(entry, io.BytesIO(empty))
    assets = stored_zstd(archive.getvalue())
    layer = {"digest": "sha256:" + "2" * 64, "path": "layers/layer.tar", "size": len(empty)}
    manifest = {
        "mode": "container",
        "image": "packed:latest",
        "digest": "sha256:" + "1" * 64,
        "platform": "linux/amd64",
        "entrypoint": ["agent"],
        # The next three are 1.4.0's.
        "host_platform": "linux/amd64",
        "created": "2026-01-01T00:00:00Z",
        "smolvm_version": "1.4.0",
        "cpus": 1,
        "mem": 256,
        "network": True,
        "assets": {
            "libraries": [],
            "agent_rootfs": {"path": "agent-rootfs.tar", "size": len(empty)},
            "layers": [layer],
        },
        **more,
    }
    manifest = json.dumps(manifest).encode()
    sizes = (1, 0, 0, len(assets), len(assets), len(manifest), zlib.crc32(assets + manifest))
    return assets + manifest + b"SMOLPACK" + struct.pack("<IQQQQQI", *sizes) + bytes(8)


class Registry(http.server.ThreadingHTTPServer):
    """A registry on loopback in which every reference is the same packed machine."""

    def __init__(self):
        def named(data):
            return "sha256:" + hashlib.sha256(data).hexdigest()

        def described(kind, data):
            return {"mediaType": f"application/vnd.smolmachines.{kind}", "digest": named(data), "size": len(data)}

        kind, config, blob = "application/vnd.oci.image.manifest.v1+json", b"{}", pack()
        manifest = json.dumps({
            "schemaVersion": 2,
            "mediaType": kind,
            "config": described("machine.config.v1+json", config),
            "layers": [described("smolmachine.v1", blob)],
        }).encode()
        self.digest = named(manifest)
        self.blobs = {named(data): ("application/octet-stream", data) for data in (config, blob)}
        self.blobs[self.digest] = (kind, manifest)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                known = next((data for name, data in self.server.blobs.items() if self.path.endswith(name)), None)
                content, data = known or ("application/json", b"{}")
                self.send_response(200 if known or self.path == "/v2/" else 404)
                self.send_header("Content-Type", content)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Docker-Content-Digest", "sha256:" + hashlib.sha256(data).hexdigest())
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def reference(self):
        return f"127.0.0.1:{self.server_port}/acme/agent@{self.digest}"


def judge_pack(bottlec, engine, directory):
    """An image that turns out to be a packed machine: the engine forgets a Smolfile beside it, and must keep what the
    plan's vector says."""
    with Registry() as registry:
        directory.mkdir()
        spec = f'bottle "packed" {{\n    engine "smolvm" version="{engine.version}"\n    image "{registry.reference()}"\n'
        host = directory / "host-secret"
        spec += f'    env {{\n        OWN "value"\n        TOKEN from-env="HOST_TOKEN"\n        KEY from-file="{host}"\n    }}\n'
        spec += '    accept "image-not-pulled" reason="a pack is fetched by the host"\n}\n'
        (directory / "packed.kdl").write_text(spec)
        result = run(bottlec, "build", "packed.kdl", cwd=directory)
        check(f"{engine.version}: a pack by its reference is compiled", result.returncode == 0, result.stderr)
        stage = directory / "stage/packed"
        plan = json.loads((stage / "plan.json").read_text())
        create = plan["commands"]["create"]
        result = engine.run(create, stage, plan["commands"]["set"])
        kept = engine.stored("packed") or {}
        what = f"{engine.version}: a pack by its reference"
        check(f"{what} is fetched and made", kept.get("image") == "packed:latest", f"{kept} {result.stderr}")
        check(f"{what} keeps the list", kept.get("allowed_cidrs") == [f"{plan['bundle_ip']}/32"], kept)
        check(f"{what} keeps the resolver", kept.get("dns") == plan["bundle_ip"], kept)
        check(f"{what} keeps the environment", ["OWN", "value"] in kept.get("env", []), kept)
        # The flags are there for an image that is no pack.
        lost = "--secret-env" in create and "--secret-file" in create and references(kept) == {}
        check(f"{what} forgets the secrets that it is made with", lost, kept)
        judge_programs(engine, plan, stage, what)
        # The control, and why the plan does not do that.
        create = ["smolvm", "machine", "create", "--name", "open", "--image", registry.reference()]
        engine.run([*create, "--smolfile", "smolfile.toml"], stage)
        kept = engine.stored("open") or {}
        lost = kept.get("network") is True and not kept.get("allowed_cidrs")
        check(f"{what} loses a Smolfile's list", lost, kept)


def secrets_of_a_pack(bottlec, engine, directory):
    """The control of the plan's vectors, and why `create` has no secrets in it there: a packed machine that is made with
    them keeps none, and what is run in it without them has none. What such a machine starts by itself is what
    `preflight` says."""
    directory.mkdir()
    (directory / "agent.smolmachine").write_bytes(pack())
    (directory / "key").write_text("the secret")
    secrets = ["--secret-env", "TOKEN=HOST_TOKEN", "--secret-file", f"KEY={directory}/key"]
    create = ["smolvm", "machine", "create", "--name", "keyless", "--from", "agent.smolmachine"]
    result = engine.run([*create, *secrets], directory)
    kept = engine.stored("keyless")
    what = f"{engine.version}: a packed machine"
    check(f"{what} is made with secrets and keeps none", kept is not None and references(kept) == {}, f"{kept} {result.stderr}")
    spec = 'bottle "keyless" {\n    artifact "./agent.smolmachine"\n    env { TOKEN from-env="HOST_TOKEN"; }\n}\n'
    (directory / "keyless.kdl").write_text(spec)
    said = run(bottlec, "preflight", "keyless.kdl", cwd=directory).stdout
    known = kept is not None and kept["entrypoint"] == ["agent"] and "starts `agent` by itself" in said
    check(f"{what} starts what preflight says", known, f"{kept} {said}")
    with Guest(engine.place("keyless")) as guest:
        execute = ["smolvm", "machine", "exec", "--name", "keyless"]
        engine.run([*execute, "--", "true"], directory, {"HOST_TOKEN": "the secret"})
        engine.run([*execute, *secrets, "--", "true"], directory, {"HOST_TOKEN": "the secret"})
        given = [dict(request["env"]) for request in guest.asked]
    secret = {"KEY": "the secret", "TOKEN": "the secret"}
    check(f"{what} gives a program the secrets of its exec alone", given == [{}, secret], given)


SETTINGS = """resources cpus=3 memory="3GiB" storage="40GiB"
    volume "./data" "/work/data"
    volume "./out put" "/work/out" access="read-write"
    publish 3000 host=8080
    publish 9229
    gpu
    accept "gpu-shared" reason="a test"
"""


def given(bottlec, engine, directory, boot, settings):
    """The stage of a bottle with these settings, and what the engine keeps of its machine; or why there is none."""
    spec = f'bottle "given" {{\n    engine "smolvm" version="{engine.version}"\n    {boot}\n    {settings}\n'
    (directory / "given.kdl").write_text(spec + '    accept "policy-dropped" reason="a test"\n}\n')
    result = run(bottlec, "build", "--force", "given.kdl", cwd=directory)
    if result.returncode != 0:
        return None, result.stderr
    stage = directory / "stage/given"
    commands = json.loads((stage / "plan.json").read_text())["commands"]
    result = engine.run(commands["create"], stage, commands["set"])
    kept = engine.stored("given")
    for command in commands["cleanup"]:
        if command[0] == "smolvm":
            engine.run(command, stage, commands["set"])
    return (stage / "smolfile.toml").read_bytes(), kept or result.stderr


def judge_settings(bottlec, engine, directory):
    """What a bottle gives its machine of the host is what the engine keeps, and no word of it is in the Smolfile."""
    directory.mkdir()
    for name in ("data", "out put", "rootfs"):
        (directory / name).mkdir()
    (directory / "agent.smolmachine").write_bytes(pack())
    expected = {
        "cpus": 3,
        "mem": 3072,
        "storage_gb": 40,
        "ports": [[8080, 3000], [9229, 9229]],
        "mounts": [[str(directory / "data"), "/work/data", True], [str(directory / "out put"), "/work/out", False]],
    }
    for boot in ("", 'rootfs "./rootfs"', 'artifact "./agent.smolmachine"'):
        what = f"{engine.version}: a machine of `{boot}`"
        plain, _ = given(bottlec, engine, directory, boot, "")
        smolfile, kept = given(bottlec, engine, directory, boot, SETTINGS)
        if not isinstance(kept, dict):
            check(f"{what} is made with its settings", False, kept)
            continue
        check(f"{what} has no other Smolfile for its settings", smolfile == plain, smolfile)
        check(f"{what} keeps its settings", {key: kept.get(key) for key in expected} == expected, kept)
        # What the ledger says of `gpu-flag`.
        packed = boot.startswith("artifact")
        check(f"{what} keeps the flag of a graphics processor", kept.get("gpu") == (None if packed else True), kept)
        policy = None if packed and engine.version == "1.4.0" else 1
        check(f"{what} keeps its list beside them", policy is None or len(kept["allowed_cidrs"]) == policy, kept)
    # What the ledger says of `from-takes-usual`: refused where the engine would forget it, kept where it does not.
    smolfile, kept = given(bottlec, engine, directory, boot, 'resources cpus=4 memory="8GiB"')
    if engine.version == VERSIONS[-1]:
        check(f"{engine.version}: a packed machine takes usual numbers", (kept["cpus"], kept["mem"]) == (4, 8192), kept)
    else:
        check(f"{engine.version}: usual numbers are refused", "machine-setting-dropped" in str(kept), kept)
        create = ["smolvm", "machine", "create", "--name", "usual", "--from", "agent.smolmachine", "--cpus", "4"]
        result = engine.run(create, directory)
        kept = engine.stored("usual") or {}
        check(f"{engine.version}: and would be forgotten", kept.get("cpus") == 1, f"{kept} {result.stderr}")
    (directory / "agent.smolmachine").write_bytes(pack(gpu=True))
    smolfile, kept = given(bottlec, engine, directory, boot, "")
    said = run(bottlec, "preflight", "given.kdl", cwd=directory).stdout
    known = isinstance(kept, dict) and kept.get("gpu") is True and "of which the spec says nothing" in said
    check(f"{engine.version}: a pack's own graphics processor is there, and preflight says so", known, f"{kept} {said}")
    (directory / "data").rmdir()
    smolfile, kept = given(bottlec, engine, directory, "", 'volume "./data" "/srv/data"')
    check(f"{engine.version}: what is not there makes no machine", "not found" in str(kept), kept)


def listening(port):
    """The addresses of this host, in hexadecimal as the kernel shows them, on which something listens on a port."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                found.add(address)
    return found


def judge_published(bottlec, engine, directory):
    """A port is published on the host's loopback alone: the engine listens before its machine boots, which it may not do
    here."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        skipped(f"where engine {engine.version} publishes a port", "it takes /dev/kvm")
        return
    directory.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spec = f'bottle "published" {{\n    engine "smolvm" version="{engine.version}"\n    publish 3000 host={port}\n}}\n'
    (directory / "spec.kdl").write_text(spec)
    run(bottlec, "build", "spec.kdl", cwd=directory, check=True)
    stage = directory / "stage/published"
    commands = json.loads((stage / "plan.json").read_text())["commands"]
    engine.run(commands["create"], stage, commands["set"])
    start = engine.start(commands["start"], stage, commands["set"])
    seen, end = set(), time.monotonic() + 30
    while not seen and start.poll() is None and time.monotonic() < end:
        seen |= listening(port)
        time.sleep(0.1)
    # For what else it may listen on.
    time.sleep(1)
    seen |= listening(port)
    start.terminate()
    start.wait(60)
    engine.end_machines()
    for command in commands["cleanup"]:
        if command[0] == "smolvm":
            engine.run(command, stage)
    loopback = {"0100007F", "0" * 24 + "01000000"}
    # A host without IPv6 has the first one alone.
    check(f"{engine.version}: a port is published on loopback alone", "0100007F" in seen and seen <= loopback, seen)


def confinements(calls):
    """What the process that the machine will run in has confined itself by when it makes that, as its system calls say;
    none has made it yet."""
    before, made, _ = calls.read_text().partition("_boot-vm")[2].partition("KVM_CREATE_VM")
    if not made:
        return None
    calls = {"landlock": r"landlock_restrict_self\(.*= 0$", "seccomp": r"seccomp\(SECCOMP_SET_MODE_FILTER.*= 0$"}
    return {name for name, call in calls.items() if re.search(call, before, re.M)}


def judge_confined(bottlec, engine, directory):
    """The engine confines the process that the machine will run in, before it makes that, when the plan's variables are
    set, and not without them. What the machine then comes to is not judged: here it may not boot."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK) or not shutil.which("strace"):
        skipped(f"whether engine {engine.version} confines itself", "it takes strace and /dev/kvm")
        return
    directory.mkdir()
    (directory / "spec.kdl").write_text(f'bottle "confined" {{\n    engine "smolvm" version="{engine.version}"\n}}\n')
    run(bottlec, "build", "spec.kdl", cwd=directory, check=True)
    stage = directory / "stage/confined"
    commands = json.loads((stage / "plan.json").read_text())["commands"]
    engine.run(commands["create"], stage, commands["set"])
    seen = {}
    # On a busy machine the engine gives its own process up before that got so far: again, then.
    for variables in ({}, *[commands["set"]] * 3):
        if len(variables) in seen and seen[len(variables)] == {"landlock", "seccomp"}:
            break
        calls = directory / f"calls-{len(variables)}"
        calls.write_text("")
        watch = ["strace", "-f", "-o", calls, "-e", "trace=execve,landlock_restrict_self,seccomp,ioctl"]
        start = engine.start([*watch, *commands["start"]], stage, variables)
        end = time.monotonic() + 60
        while confinements(calls) is None and start.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        seen[len(variables)] = confinements(calls)
        # What it makes would run on, for nothing.
        engine.end_machines()
        start.terminate()
        start.wait(60)
    for command in commands["cleanup"]:
        if command[0] == "smolvm":
            engine.run(command, stage)
    what = f"{engine.version}: the engine confines itself as it is asked to, and only then"
    check(what, seen == {0: set(), 2: {"landlock", "seccomp"}}, seen)


def main():
    bottlec = str(Path(sys.argv[1]).resolve())
    judged = 0
    for version in VERSIONS:
        place = install(version)
        if place is None:
            skipped(f"engine {version}", "it cannot be had here")
            continue
        with tempfile.TemporaryDirectory() as directory:
            directory = Path(directory)
            engine = Engine(version, place, directory / "home")
            controls(engine, directory)
            judge_confined(bottlec, engine, directory / "confined")
            judge_published(bottlec, engine, directory / "published")
            judge_settings(bottlec, engine, directory / "settings")
            secrets_of_a_pack(bottlec, engine, directory / "keyless")
            # Older ones take no packed machine by an image's reference.
            if version != "1.4.0":
                judge_pack(bottlec, engine, directory / "pack")
            for number, spec in enumerate(SPECS):
                workspace = directory / f"spec-{number}"
                workspace.mkdir()
                stages, refused = compile_for(bottlec, spec, version, workspace)
                if stages is None:
                    check(f"{version} {spec.name}: refused for a reason", refused in REFUSED[version], refused)
                    # Accepted, it compiles to vectors that the engine takes all the same.
                    stages, refused = compile_for(bottlec, spec, version, workspace, refused)
                    check(f"{version} {spec.name}: accepted, it is compiled", stages is not None, refused)
                for stage in stages:
                    if stage.is_dir() and not stage.name.startswith("."):
                        judge(engine, stage)
                        judged += 1
    print(f"{judged} machines judged")
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
