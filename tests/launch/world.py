#!/usr/bin/env python3
"""A container engine and a machine engine that keep their world in a file and write down each call.

Run under the name of the program that it stands in for: `docker` or `smolvm`. `WORLD` is a directory: world.json is what
there is, calls.jsonl what was asked for, faults.json what goes wrong. The engines' words and the shape of their answers
are those of Docker 26.1 with Compose 2.26 and of smolvm 1.32.2, as far as the launcher reads them.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

WORLD = Path(os.environ["WORLD"])
PROJECT = "com.docker.compose.project"


@contextlib.contextmanager
def world():
    with open(WORLD / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        path = WORLD / "world.json"
        empty = {"containers": {}, "networks": {}, "volumes": [], "images": [], "machines": {}}
        state = json.loads(path.read_text()) if path.exists() else empty
        yield state
        path.with_suffix(".new").write_text(json.dumps(state, indent=1))
        path.with_suffix(".new").rename(path)


def fail(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def record(words):
    kept = ("SMOLVM_", "SECRET", "BOTTLE_")
    call = {
        "argv": words,
        "cwd": os.getcwd(),
        "env": {name: value for name, value in os.environ.items() if name.startswith(kept)},
    }
    with open(WORLD / "calls.jsonl", "a") as log:
        log.write(json.dumps(call) + "\n")


def go_wrong(words):
    """The fault that is due for this call, if one is."""
    path = WORLD / "faults.json"
    if not path.exists():
        return
    fault = json.loads(path.read_text())
    if fault["at"] not in " ".join(words):
        return
    how = fault["how"]
    print(f"{fault['at']} goes wrong\x1b[2J", file=sys.stderr, flush=True)
    if how == "fail":
        sys.exit(fault.get("code", 1))
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang":
        (WORLD / "hangs").write_text(str(os.getpid()))
        time.sleep(600)


# ---------------------------------------------------------------------------------------------------------------------
# The container engine


def services(text):
    """The services of a compose.yaml as bottlec lays it out."""
    block = re.search(r"(?ms)^services:\n(.*?)^\S", text)[1]
    for part in re.split(r"(?m)^  (?=\S)", block)[1:]:
        name = part.split(":", 1)[0].strip("'")
        value = lambda key: (re.search(rf"(?m)^ +'?{re.escape(key)}'?: '?([^'\n]*)'?$", part) or [None, ""])[1]
        yield name, {
            "container": value("container_name"),
            "made_from": value("bottlec.made-from"),
            "config": hashlib.sha256(part.encode()).hexdigest(),
            "address": value("ipv4_address"),
            "health": "healthcheck:" in part,
        }


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}".rstrip("0") + "Z"


def identity():
    return os.urandom(32).hex()


def address(verb, address):
    import subprocess

    subprocess.run(["ip", "address", verb, f"{address}/32", "dev", "lo"], check=False, capture_output=True)


def listen(state, network):
    """A process that takes connections at the bundle's address."""
    import socket

    ports = json.loads((WORLD / "ports.json").read_text())
    if (WORLD / "gate").exists():
        # What stands in for git-gate is git's own daemon, over what the judge put there.
        ports.remove(9418)
        gate = ["git", "daemon", "--export-all", "--reuseaddr", f"--base-path={WORLD}/gate", "--detach"]
        gate += [f"--listen={state['networks'][network]['address']}", f"--pid-file={WORLD}/gate.pid", str(WORLD / "gate")]
        import subprocess

        subprocess.run(gate, check=True)
    child = os.fork()
    if child:
        state["networks"][network]["listener"] = child
        return
    os.setsid()
    # The world's lock among them.
    os.closerange(3, 256)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    sockets = [socket.create_server((state["networks"][network]["address"], port)) for port in ports]
    while sockets:
        time.sleep(3600)
    os._exit(0)


def compose_up(project, file):
    text = Path(file).read_text()
    for name in re.findall(r"\$\{(\w+):\?", text):
        if not os.environ.get(name):
            fail(f"required variable {name} is missing a value")
    subnet = re.search(r"subnet: '?([0-9./]+)", text)[1]
    made = False
    with world() as state:
        network = state["networks"].get(project)
        if network and network["subnet"] != subnet:
            fail("no configured subnet contains the address")
        wanted = dict(services(text))
        if not network:
            bundle = next(service["address"] for service in wanted.values() if service["address"])
            state["networks"][project] = {"subnet": subnet, "address": bundle}
            address("add", bundle)
            made = True
        for volume in re.findall(r"(?m)^    name: '?(bottle-[^'\n]*--[^'\n]*)'?$", text.split("\nvolumes:")[-1]):
            if "\nvolumes:" in text and volume not in state["volumes"]:
                state["volumes"].append(volume)
        containers = state["containers"]
        for name in [name for name, it in containers.items() if it["project"] == project]:
            if name not in [service["container"] for service in wanted.values()]:
                del containers[name]
        owner = wanted["bundle"]["container"]
        for service in [wanted.pop("bundle"), *wanted.values()]:
            old = containers.get(service["container"])
            if old and old["config"] == service["config"] and old["status"] == "running":
                continue
            fresh = old and old["config"] == service["config"]
            containers[service["container"]] = {
                "id": old["id"] if fresh else identity(),
                "project": project,
                "made_from": service["made_from"],
                "config": service["config"],
                "status": "running",
                "started": now(),
                "health": "healthy" if service["health"] else None,
                "network": "bottle" if service["container"] == owner else f"container:{containers[owner]['id']}",
                "made": (old or {}).get("made", 0) + (0 if fresh else 1),
            }
        sick = WORLD / "sick"
        if sick.exists():
            containers[sick.read_text()]["health"] = "unhealthy"
        if made:
            listen(state, project)


def show(name, it):
    state = {"Status": it["status"], "Running": it["status"] == "running", "ExitCode": 0, "StartedAt": it["started"]}
    if it["health"]:
        state["Health"] = {"Status": it["health"]}
    labels = {PROJECT: it["project"]}
    if it["made_from"]:
        labels["bottlec.made-from"] = it["made_from"]
    return {
        "Id": it["id"],
        "Name": f"/{name}",
        "RestartCount": 0,
        "State": state,
        "Config": {"Labels": labels},
        "HostConfig": {"NetworkMode": it["network"]},
    }


def docker(words):
    match words:
        case ["build", "--tag", _, "-"]:
            (WORLD / "Dockerfile").write_bytes(sys.stdin.buffer.read())
        case ["create", "--name", name, _]:
            print(name)
        case ["export", _]:
            # An archive with nothing in it.
            sys.stdout.buffer.write(bytes(10240))
        case ["rm", _]:
            pass
        case ["version", *_]:
            print("26.1.5")
        case ["compose", "version", *_]:
            print("Docker Compose version v2.26.1")
        case ["compose", "--project-name", project, "--file", file, "up", "--detach", "--remove-orphans"]:
            compose_up(project, file)
        case ["container", "inspect", "--format", _, *names]:
            with world() as state:
                found = [state["containers"].get(name) for name in names]
            print("\n".join(it["health"] or it["status"] for it in found if it))
            if None in found:
                fail("Error: No such container")
        case ["container", "inspect", *names]:
            with world() as state:
                found = [show(name, state["containers"][name]) for name in names if name in state["containers"]]
            print(json.dumps(found))
            if len(found) < len(names):
                fail("Error: No such container")
        case ["container", "ls", *flags]:
            project = flags[-1].rpartition("=")[2]
            with world() as state:
                print("\n".join(name for name, it in state["containers"].items() if it["project"] == project))
        case ["container", "logs", "--tail", _, name]:
            print(f"{name} says its last words")
            if name.endswith("--pipelock"):
                # As 2.3.0 writes it.
                print(
                    '{"level":"warn","component":"pipelock","event":"blocked","method":"CONNECT",'
                    '"target":"docs.example.com:443","client_ip":"192.168.42.1","request_id":"req-1",'
                    '"scanner":"allowlist","reason":"domain not in allowlist: docs.example.com","agent":"bottle",'
                    '"time":"2026-11-28T10:00:00Z","message":"request blocked"}'
                )
        case ["container", verb, *_, name] if verb in ("rm", "stop", "restart"):
            with world() as state:
                if name not in state["containers"]:
                    fail(f"Error: No such container: {name}")
                if verb == "rm":
                    del state["containers"][name]
                else:
                    status = {"stop": "exited", "restart": "running"}[verb]
                    state["containers"][name] |= {"status": status, "started": now()}
        case ["volume", "ls", "--format", "{{.Name}}", "--filter", label]:
            with world() as state:
                print("\n".join(name for name in state["volumes"] if name.startswith(label.rpartition("=")[2] + "--")))
        case ["network", "inspect", name]:
            with world() as state:
                if name not in state["networks"]:
                    print("[]")
                    fail(f"Error: network {name} not found")
                print(json.dumps([{"IPAM": {"Config": [{"Subnet": state["networks"][name]["subnet"]}]}}]))
        case ["network", "rm", name]:
            with world() as state:
                if name not in state["networks"]:
                    fail(f"Error: network {name} not found")
                network = state["networks"].pop(name)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(network["listener"], signal.SIGKILL)
                with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
                    os.kill(int((WORLD / "gate.pid").read_text()), signal.SIGKILL)
                address("delete", network["address"])
        case ["volume" | "image" as kind, verb, *_, name]:
            with world() as state:
                there = state[kind + "s"]
                if name not in there and verb == "inspect":
                    fail(f"Error: no such {kind}: {name}")
                if verb == "rm" and name in there:
                    there.remove(name)
        case _:
            fail(f"docker: not understood: {words}", 125)


# ---------------------------------------------------------------------------------------------------------------------
# The machine engine


def smolvm(words):
    match words:
        case ["--version"]:
            print("smolvm 1.33.0")
        case ["machine", "ls", "--json"]:
            with world() as state:
                print(json.dumps([{"name": name} | it for name, it in state["machines"].items()]))
        case ["machine", "egress-events", "--name", _]:
            # As 1.33.0 prints them.
            print(f"{'TIMESTAMP':<30} {'OP':<9} DESTINATION")
            print(f"{'2026-11-28T10:00:01Z':<30} {'connect':<9} 198.51.100.7:22")
        case ["machine", "create", *_]:
            name = words[words.index("--name") + 1]
            with world() as state:
                if name in state["machines"]:
                    fail(f"Error: machine '{name}' already exists")
                bundle = words[words.index("--dns") + 1]
                state["machines"][name] = {"state": "created", "allowed_cidrs": [f"{bundle}/32"], "dns": bundle}
        case ["machine", "start" | "stop" | "delete" as verb, *_]:
            name = words[-1]
            with world() as state:
                if name not in state["machines"]:
                    fail(f"Error: vm not found: {name}")
                if verb == "delete":
                    del state["machines"][name]
                else:
                    state["machines"][name]["state"] = {"start": "running", "stop": "stopped"}[verb]
        case ["machine", "cp", source, target]:
            bytes = Path(source).read_bytes()
            kept = WORLD / "machine" / target.replace("/", "_")
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(bytes)
        case ["machine", "exec", *_]:
            end = words.index("--")
            name, program = words[words.index("--name") + 1], words[end + 1 :]
            with world() as state:
                if state["machines"].get(name, {}).get("state") != "running":
                    fail(f"Error: machine '{name}' is not running")
            match program:
                case ["test", "-e", path]:
                    sys.exit(0 if (WORLD / "machine" / path.replace("/", "_")).exists() else 1)
                case ["git", "clone", "--quiet", "--", url, path]:
                    (WORLD / "machine").mkdir(exist_ok=True)
                    (WORLD / "machine" / path.replace("/", "_")).write_text(url)
                case ["mkdir" | "chmod", *_]:
                    pass
                case _:
                    # As the engine: an argument that begins with a dash is the program's.
                    os.execvp(program[0], program)
        case _:
            fail(f"smolvm: not understood: {words}", 125)


if __name__ == "__main__":
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    record([name, *words])
    go_wrong([name, *words])
    {"docker": docker, "smolvm": smolvm}[name](words)
