#!/usr/bin/env python3
"""Holds the emitted bundle against the tools that will read it.

Every example, and a spec of hostile texts, is built; its `compose.yaml` must be valid by the published schema of the
Compose Specification (as the package `check-jsonschema` carries it), and accepted by `docker-compose config` of Compose
2, which needs no daemon. What Compose then understands must be what the plan says: one container with the pinned
address, the others in its network namespace, nothing published, every literal as it was written, every secret what its
reference names.

    tests/bundle/judge.py target/debug/bottlec

Where a tool cannot be had the script says so loudly and ends well; a verdict is never skipped.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

# What is imported leaves nothing behind.
sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS), str(TESTS / "containers")]

from debian import Missing, prepared
from judging import ROOT, TOOLS, check, virtual_environment, run, skipped, verdict

SPECS = sorted((ROOT / "examples").glob("*.kdl")) + [
    ROOT / "examples/fleet/fleet.kdl",
    ROOT / "tests/cases/build/nasty-values/main.kdl",
    ROOT / "tests/cases/build/local-repo/main.kdl",
]
# What a launcher's environment holds for each reference, told apart by name.
SECRET = "the value of {} with $dollars and 'quotes'"

def compose_2(root):
    """Compose 2 of Debian 13, which this machine's own libraries may be too old for."""
    program = root / "usr/libexec/docker/cli-plugins/docker-compose"
    return [root / "usr/lib64/ld-linux-x86-64.so.2", "--library-path", root / "usr/lib/x86_64-linux-gnu", program]


def config(compose, stage, project, environment):
    """What Compose makes of the file, or its complaint."""
    command = [*compose, "--project-name", project, "--file", "compose.yaml", "config", "--format", "json"]
    return run(*command, cwd=stage, env=environment, timeout=120)


# What is kept of what a container prints.
LOG = {"driver": "json-file", "options": {"max-file": "3", "max-size": "10m"}}
# What stands in for podman: it writes down what it is asked for, and knows of no container, and of no network that it
# was not asked to make.
PODMAN = f"#!{sys.executable} -SIB" + """
import json, os, sys
words = sys.argv[1:]
with open(os.environ["ASKED"], "a+") as asked:
    asked.write(json.dumps(words) + "\\n")
    asked.seek(0)
    made = any(json.loads(line)[:2] == ["network", "create"] for line in asked)
if words[:2] == ["network", "exists"] and not made:
    sys.exit(1)
if "--version" in words:
    print("podman version 5.4.2")
elif "--format" in words and words[words.index("--format") + 1] == "json":
    print("[]")
"""


def bounds_of(plan):
    """Memory in MiB, processors and processes of each container."""
    limits = {sidecar["name"]: sidecar["limits"] for sidecar in plan["sidecars"]}
    found = {name: (it["memory_mib"], it["cpus"], it["processes"]) for name, it in limits.items()}
    return {"bundle": (64, 1, 16), **found}


def asked_of_podman(stage, plan, program, directory):
    """What podman-compose makes of the file: the words that podman gets for each container."""
    bin = directory / "bin"
    bin.mkdir(exist_ok=True)
    (bin / "podman").write_text(PODMAN)
    (bin / "podman").chmod(0o755)
    asked = directory / "asked"
    asked.write_text("")
    environment = {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": "/home/launcher", "ASKED": str(asked)}
    environment.update(where_they_are(plan))
    for sidecar in plan["sidecars"]:
        for variable in (sidecar["container"] or {}).get("env", {}).values():
            if "from_env" in variable:
                environment[variable["from_env"]] = SECRET.format(variable["from_env"])
    command = [program, "--file", "compose.yaml", "up", "--no-start"]
    done = run(*command, cwd=stage, env=environment, timeout=120)
    calls = [json.loads(line) for line in asked.read_text().splitlines()]
    networks = [words[2:] for words in calls if words[:2] == ["network", "create"]]
    return done, networks, {words[words.index("--name") + 1] if "--name" in words else next(
        word.removeprefix("--name=") for word in words if word.startswith("--name=")
    ): words for words in calls if words[:1] in (["create"], ["run"])}


def local_repos(plan):
    """The repositories of the host, and where a launcher says that each is."""
    return {repo["name"]: (repo, f"/srv/{repo['name']}/.git") for repo in plan["git"]["repos"] if "variable" in repo}


# Where a launcher keeps what the broker reads.
BROKER = "/run/user/1000/bottlec/demo"


def where_they_are(plan):
    repos = {repo["variable"]: directory for repo, directory in local_repos(plan).values()}
    return repos | ({"BOTTLE_BROKER": BROKER} if plan.get("credentials") else {})


def bounded_under_podman(stage, plan, program, directory):
    slug = plan["slug"]
    done, networks, containers = asked_of_podman(stage, plan, program, directory)
    named = plan["resources"]["containers"]
    [network] = networks or [[]]
    check(f"{slug}: podman-compose makes another network", network[-1:] == [plan["resources"]["network"]], networks)
    check(f"{slug}: its network is kept apart under podman", "--opt isolate=true" in " ".join(network), network)
    check(f"{slug}: podman-compose makes other containers", set(containers) == set(named.values()), done.stderr)
    for name, (memory, cpus, processes) in bounds_of(plan).items():
        words = containers.get(named[name])
        if words is None:
            continue
        joined = " ".join(words)
        who = f"{slug}/{name} under podman"
        check(f"{who}: its memory", f" -m {memory}m " in joined or f" --memory {memory}m " in joined, words)
        check(f"{who}: its processors", f"--cpus {float(cpus)}" in joined or f"--cpus={float(cpus)}" in joined, words)
        check(f"{who}: its processes", f"--pids-limit {processes} " in joined, words)
        check(f"{who}: its log", "--log-driver=json-file" in words and "--log-opt=max-size=10m" in words, words)
        if name != "bundle":
            check(f"{who}: its directories in memory", "--tmpfs /tmp:size=512m" in joined, words)


def understood(compose, stage, plan):
    slug = plan["slug"]
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/launcher"}
    references = [
        variable["from_env"]
        for sidecar in plan["sidecars"]
        for variable in (sidecar["container"] or {}).get("env", {}).values()
        if "from_env" in variable
    ] + list(where_they_are(plan))
    if references:
        refused = config(compose, stage, slug, environment)
        check(f"{slug}: Compose goes on without a secret", refused.returncode != 0)
        check(
            f"{slug}: the complaint does not name the secret",
            any(name in refused.stderr for name in references),
            refused.stderr,
        )
    environment.update({name: SECRET.format(name) for name in references}, **where_they_are(plan))
    done = config(compose, stage, slug, environment)
    check(f"{slug}: Compose refuses the file", done.returncode == 0, done.stderr)
    if done.returncode != 0:
        return
    # `config` writes each `$` twice, as a file that is read again needs it.
    seen = json.loads(done.stdout.replace("$$", "$"))
    services = seen["services"]
    names = {sidecar["name"] for sidecar in plan["sidecars"]} | {"bundle"}
    limits = bounds_of(plan)
    check(f"{slug}: other services than the plan's", set(services) == names, services.keys())
    [(network, owner)] = services["bundle"]["networks"].items()
    check(f"{slug}: the address", owner == {"ipv4_address": plan["bundle_ip"]}, owner)
    [ipam] = seen["networks"][network]["ipam"]["config"]
    expected = {"subnet": plan["bundle_subnet"], "gateway": plan["bundle_gateway"]}
    check(f"{slug}: the network", ipam == expected, ipam)
    check(f"{slug}: the network's name", seen["networks"][network]["name"] == plan["resources"]["network"])
    apart = seen["networks"][network].get("driver_opts")
    check(f"{slug}: its network is kept apart from others", apart == {"isolate": "true"}, apart)
    for name, service in services.items():
        who = f"{slug}/{name}"
        check(f"{who}: its name", service["container_name"] == plan["resources"]["containers"][name])
        check(f"{who}: a port is published", "ports" not in service)
        check(f"{who}: it may write to its root", service["read_only"] is True)
        check(f"{who}: it has capabilities", service["cap_drop"] == ["ALL"])
        check(f"{who}: it may gain privileges", service["security_opt"] == ["no-new-privileges:true"])
        memory, cpus, processes = limits[name]
        bounds = (int(service["mem_limit"]), int(service["memswap_limit"]), service["cpus"], service["pids_limit"])
        check(f"{who}: its bounds", bounds == (memory << 20, memory << 20, cpus, processes), bounds)
        often = service["healthcheck"].get("start_interval") if "healthcheck" in service else "500ms"
        check(f"{who}: how often its health is asked for at first", often == "500ms", often)
        check(f"{who}: what is kept of its log", service["logging"] == LOG, service["logging"])
        for key in ("privileged", "devices", "pid", "ipc", "userns_mode", "extra_hosts", "links"):
            check(f"{who}: `{key}`", key not in service)
        if name != "bundle":
            check(f"{who}: it has a network of its own", service.get("network_mode") == "service:bundle")
            check(f"{who}: it joins a network", "networks" not in service)
    mounts = {mount["target"]: mount for mount in services.get("git-gate", {}).get("volumes", [])}
    for name, (repo, directory) in local_repos(plan).items():
        mount = mounts.get(repo["mount"], {})
        expected = (directory, "bind", True)
        given = (mount.get("source"), mount.get("type"), mount.get("read_only"))
        check(f"{slug}: where git-gate sees {name}", given == expected, mount)
    if plan.get("credentials"):
        broker = services["broker"]
        mounts = {mount["target"]: (mount["type"], mount["source"], mount.get("read_only")) for mount in broker["volumes"]}
        check(f"{slug}: what the broker reads", mounts.get("/run/broker") == ("bind", BROKER, True), mounts)
        check(f"{slug}: nothing of the broker is writable", all(how[2] for how in mounts.values()), mounts)
        given = sorted(broker["cap_add"])
        check(f"{slug}: the broker's capabilities", given == ["DAC_OVERRIDE", "NET_BIND_SERVICE"], given)
        said = set(broker["environment"])
        check(f"{slug}: no secret in the broker's environment", said == {"XDG_CONFIG_HOME", "XDG_DATA_HOME"}, said)
    for sidecar in plan["sidecars"]:
        name, service = sidecar["name"], services[sidecar["name"]]
        who = f"{slug}/{name}"
        expected = {"bundle": "service_started"}
        for need in sidecar["needs"]:
            healthy = "healthcheck" in services[need]
            expected[need] = "service_healthy" if healthy else "service_started"
        waits = {need: how["condition"] for need, how in service["depends_on"].items()}
        check(f"{who}: what it waits for", waits == expected, waits)
        container = sidecar["container"]
        if container is None:
            continue
        values = {
            variable: given["value"] if "value" in given else SECRET.format(given["from_env"])
            for variable, given in container["env"].items()
        }
        check(f"{who}: its environment", service.get("environment", {}) == values, service.get("environment"))
        command = service.get("command") or []
        check(f"{who}: its arguments", command == container["command"], command)
        capabilities = service.get("cap_add", [])
        check(f"{who}: its capabilities", capabilities == container["capabilities"], capabilities)
        tmpfs = {f"{path}:size=512m" for path in ["/tmp", *container["tmpfs"]]}
        check(f"{who}: its directories in memory", set(service["tmpfs"]) == tmpfs, service["tmpfs"])
        mounts = {mount["target"]: mount for mount in service.get("volumes", [])}
        check(f"{who}: other mounts than the plan's", set(mounts) == {v["target"] for v in container["volumes"]})
        for volume in container["volumes"]:
            mount = mounts[volume["target"]]
            check(f"{who}: who may write", mount.get("read_only", False) is not volume["writable"], mount)
            if "name" in volume:
                source = seen["volumes"][mount["source"]]["name"]
                check(f"{who}: its volume", source == plan["resources"]["volumes"][volume["name"]], source)
            else:
                path = volume["path"].replace("~/", "/home/launcher/", 1)
                real = os.path.normpath(os.path.join(stage, path))
                check(f"{who}: its path", mount["source"] == real, f"{mount['source']} is not {real}")
        for secret, path in container["secrets"].items():
            [use] = [use for use in service["secrets"] if use["target"] == secret]
            path = os.path.normpath(os.path.join(stage, path.replace("~/", "/home/launcher/", 1)))
            check(f"{who}: its secret", seen["secrets"][use["source"]]["file"] == path)


def main():
    bottlec = Path(sys.argv[1]).resolve()
    packages = virtual_environment("bundle", "check-jsonschema", "pyyaml", "podman-compose==1.6.0")
    if packages is None:
        skipped("the packages check-jsonschema and podman-compose cannot be had")
    try:
        compose = compose_2(prepared(TOOLS / "containers"))
    except Missing as reason:
        compose = None
        skipped("Compose 2 cannot be had", reason)

    def schema(files):
        return run(packages / "bin/check-jsonschema", "--builtin-schema", "vendor.compose-spec", *files)

    with tempfile.TemporaryDirectory() as directory:
        stages = Path(directory)
        for spec in SPECS:
            run(bottlec, "build", "--out", stages, spec.relative_to(ROOT), cwd=ROOT, check=True)
        found = sorted(stages.glob("*/compose.yaml"))
        check("there are stages to judge", len(found) >= 8, found)
        if packages is not None:
            done = schema(found)
            check("the schema refuses a file", done.returncode == 0, done.stdout + done.stderr)
            broken = stages / "broken.yaml"
            broken.write_text(found[0].read_text().replace("read_only", "readonly"))
            check("the schema takes an unknown key", schema([broken]).returncode != 0)
        for file in found if compose else []:
            stage = file.parent
            understood(compose, stage, json.loads((stage / "plan.json").read_text()))
        for file in found if packages else []:
            stage = file.parent
            plan = json.loads((stage / "plan.json").read_text())
            bounded_under_podman(stage, plan, packages / "bin/podman-compose", stages)
    return verdict("bundle")


if __name__ == "__main__":
    sys.exit(main())
