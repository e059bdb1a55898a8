"""A container engine and a machine engine that keep their world in a file and write down each call.

Run under the name of the program that it stands in for: `docker` or `smolvm`. `WORLD` is a directory: what there is, what
was asked for (a line each), and what goes wrong lie in it as Python would write them. The engines' words and the shape of
their answers are those of Docker 26.1 with Compose 2.26 and of smolvm 1.32.2, as far as the launcher reads them.

A judgement runs this thousands of times: what most calls do not need is imported where it is needed.
"""

import fcntl
import os
import sys
import time
from _json import encode_basestring_ascii

WORLD = os.environ["WORLD"]
PROJECT = "com.docker.compose.project"


def there(name):
    """What a file of the world holds, or None."""
    try:
        with open(f"{WORLD}/{name}") as file:
            return file.read()
    except FileNotFoundError:
        return None


class world:
    """What there is, for one program at a time. What ends in a failure changes nothing."""

    def __enter__(self):
        self.lock = open(f"{WORLD}/lock", "w")
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        empty = {"containers": {}, "networks": {}, "volumes": [], "images": [], "machines": {}}
        self.before = there("world")
        self.state = eval(self.before) if self.before else empty
        return self.state

    def __exit__(self, kind, *_):
        after = repr(self.state)
        if kind is None and after != self.before:
            with open(f"{WORLD}/world.new", "w") as file:
                file.write(after)
            os.rename(f"{WORLD}/world.new", f"{WORLD}/world")
        self.lock.close()


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
    with open(f"{WORLD}/calls", "a") as log:
        log.write(ascii(call) + "\n")


def go_wrong(words):
    """The fault that is due for this call, if one is."""
    fault = eval(there("fault") or "None")
    if fault is None or fault["at"] not in " ".join(words):
        return
    how = fault["how"]
    print(f"{fault['at']} goes wrong\x1b[2J", file=sys.stderr, flush=True)
    if how == "fail":
        sys.exit(fault.get("code", 1))
    if how == "killed":
        end(os.getpid())
    if how == "hang":
        # It is waited for, and is there when it is written.
        with open(f"{WORLD}/hangs.new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(f"{WORLD}/hangs.new", f"{WORLD}/hangs")
        time.sleep(600)


def end(pid):
    import signal

    try:
        os.kill(int(pid), signal.SIGKILL)
    except (ProcessLookupError, TypeError, ValueError):
        pass


def as_json(value):
    """JSON, without Python's own module and all that it imports."""
    match value:
        case dict():
            return "{" + ", ".join(f"{as_json(name)}: {as_json(it)}" for name, it in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_json, value)) + "]"
        case str():
            return encode_basestring_ascii(value)
        case None:
            return "null"
        case _:
            return str(value).lower()


# ---------------------------------------------------------------------------------------------------------------------
# The container engine


def services(text):
    """The services of a compose.yaml as bottlec lays it out."""
    import re
    import zlib

    block = re.search(r"(?ms)^services:\n(.*?)^\S", text)[1]
    for part in re.split(r"(?m)^  (?=\S)", block)[1:]:
        name = part.split(":", 1)[0].strip("'")
        value = lambda key: (re.search(rf"(?m)^ +'?{re.escape(key)}'?: '?([^'\n]*)'?$", part) or [None, ""])[1]
        yield name, {
            "container": value("container_name"),
            "made_from": value("bottlec.made-from"),
            "config": zlib.crc32(part.encode()),
            "address": value("ipv4_address"),
            "health": "healthcheck:" in part,
        }


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() % 10**9:09d}".rstrip("0") + "Z"


def identity():
    return os.urandom(32).hex()


def spawn(*words):
    """Runs a program that says nothing."""
    silent = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    return os.waitpid(os.posix_spawnp(words[0], words, os.environ, file_actions=silent), 0)[1]


def address(verb, address):
    spawn("ip", "address", verb, f"{address}/32", "dev", "lo")


def listen(state, network):
    """A process that takes connections at the bundle's address."""
    import _socket

    address, ports = state["networks"][network]["address"], eval(there("ports"))
    if os.path.exists(f"{WORLD}/gate"):
        # What stands in for git-gate is git's own daemon, over what the judge put there.
        ports.remove(9418)
        gate = ["git", "daemon", "--export-all", "--reuseaddr", f"--base-path={WORLD}/gate", "--detach"]
        if spawn(*gate, f"--listen={address}", f"--pid-file={WORLD}/gate.pid", f"{WORLD}/gate") != 0:
            fail("git daemon does not run")
    child = os.fork()
    if child:
        state["networks"][network]["listener"] = child
        return
    os.setsid()
    # The world's lock among them.
    os.closerange(3, 256)
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    sockets = [_socket.socket() for _ in ports]
    for socket, port in zip(sockets, ports):
        socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        socket.bind((address, port))
        socket.listen()
    while sockets:
        time.sleep(3600)
    os._exit(0)


def compose_up(project, file):
    import re

    with open(file) as compose:
        text = compose.read()
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
        if sick := there("sick"):
            containers[sick]["health"] = "unhealthy"
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
            with open(f"{WORLD}/Dockerfile", "wb") as file:
                file.write(sys.stdin.buffer.read())
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
            print(as_json(found))
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
                print(as_json([{"IPAM": {"Config": [{"Subnet": state["networks"][name]["subnet"]}]}}]))
        case ["network", "rm", name]:
            with world() as state:
                if name not in state["networks"]:
                    fail(f"Error: network {name} not found")
                network = state["networks"].pop(name)
                end(network["listener"])
                end(there("gate.pid"))
                address("delete", network["address"])
        case ["volume" | "image" as kind, verb, *_, name]:
            with world() as state:
                names = state[kind + "s"]
                if name not in names and verb == "inspect":
                    fail(f"Error: no such {kind}: {name}")
                if verb == "rm" and name in names:
                    names.remove(name)
        case _:
            fail(f"docker: not understood: {words}", 125)


# ---------------------------------------------------------------------------------------------------------------------
# The machine engine


def kept(path):
    """Where a file of the machine is."""
    os.makedirs(f"{WORLD}/machine", exist_ok=True)
    return f"{WORLD}/machine/{path.replace('/', '_')}"


def smolvm(words):
    match words:
        case ["--version"]:
            print("smolvm 1.33.0")
        case ["machine", "ls", "--json"]:
            with world() as state:
                print(as_json([{"name": name} | it for name, it in state["machines"].items()]))
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
            with open(source, "rb") as file, open(kept(target), "wb") as copy:
                copy.write(file.read())
        case ["machine", "exec", *_]:
            end = words.index("--")
            name, program = words[words.index("--name") + 1], words[end + 1 :]
            with world() as state:
                if state["machines"].get(name, {}).get("state") != "running":
                    fail(f"Error: machine '{name}' is not running")
            match program:
                case ["test", "-e", path]:
                    sys.exit(0 if os.path.exists(kept(path)) else 1)
                case ["git", "clone", "--quiet", "--", url, path]:
                    with open(kept(path), "w") as file:
                        file.write(url)
                case ["mkdir" | "chmod", *_]:
                    pass
                case _:
                    # As the engine: an argument that begins with a dash is the program's.
                    os.execvp(program[0], program)
        case _:
            fail(f"smolvm: not understood: {words}", 125)


def main():
    name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
    code = 0
    try:
        record([name, *words])
        go_wrong([name, *words])
        {"docker": docker, "smolvm": smolvm}[name](words)
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    # Python would tidy up for as long as it has run.
    os._exit(code)
