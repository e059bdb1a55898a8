"""What NetworkPolicies let through, from the API's own description of them and from nothing of bottlec's.

`networking.k8s.io/v1`: a Pod is isolated in a direction when a policy of its namespace selects it and has that direction
among its types; then it gets what the rules of all such policies allow, taken together, and nothing else. A connection is
let through when both its ends allow it. Policies see Pods, not Services: the address of a Service is that of a Pod behind it
before any policy is asked.
"""

import ipaddress
from dataclasses import dataclass, field
from functools import cache

# Each is read once: a judgement asks for the same ones many times.
ADDRESS = cache(ipaddress.ip_address)
NETWORK = cache(ipaddress.ip_network)


@dataclass(frozen=True)
class Pod:
    """A Pod, or something outside of the cluster: that is in no namespace."""

    address: str
    namespace: str | None = None
    labels: tuple = ()
    ports: tuple = ()  # (name, protocol, number)


@dataclass
class Cluster:
    """Namespaces with their labels, Pods, Services and policies, which stay as they are."""

    namespaces: dict = field(default_factory=dict)
    pods: list = field(default_factory=list)
    services: list = field(default_factory=list)
    policies: list = field(default_factory=list)
    # What was found out of two ends: of each pair of them every port is asked for.
    known: dict = field(default_factory=dict)

    def behind(self, address, port, protocol="TCP"):
        """Where a packet to an address ends: a Pod and its port, behind a Service if it is one's; or nowhere."""
        for service in self.services:
            spec = service["spec"]
            if spec.get("clusterIP") != address:
                continue
            for entry in spec.get("ports", []):
                if entry["port"] == port and entry.get("protocol", "TCP") == protocol:
                    namespace = service["metadata"].get("namespace")
                    for pod in self.pods:
                        if pod.namespace == namespace and matches_labels(spec.get("selector") or {}, pod):
                            return pod, entry.get("targetPort", port)
            return None, port
        for pod in self.pods:
            if pod.address == address:
                return pod, port
        return Pod(address), port

    def connects(self, source, address, port, protocol="TCP"):
        """Whether a Pod's connection to an address is let through."""
        target, port = self.behind(address, port, protocol)
        if target is None:
            return False
        return self.allows("Egress", source, target, port, protocol) and self.allows(
            "Ingress", target, source, port, protocol
        )

    def allows(self, direction, pod, other, port, protocol):
        """Whether the policies of one end allow what the other end is to it, on a port of the target's."""
        if pod.namespace is None:
            return True
        asked = direction, pod, other
        if asked not in self.known:
            self.known[asked] = self.allowed_ports(*asked)
        allowed = self.known[asked]
        if allowed is None:
            return True
        target = pod if direction == "Ingress" else other
        return any(not ports or any(is_port(entry, target, port, protocol) for entry in ports) for ports in allowed)

    def allowed_ports(self, direction, pod, other):
        """The ports of each rule that allows one end to the other, or None where no policy isolates that end."""
        isolating = [policy for policy in self.policies if self.isolates(policy, direction, pod)]
        if not isolating:
            return None
        key, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        found = []
        for policy in isolating:
            namespace = policy["metadata"].get("namespace", "default")
            for rule in policy["spec"].get(key) or []:
                allowed = rule.get(peers) or []
                if not allowed or any(self.is_peer(peer, namespace, other) for peer in allowed):
                    found.append(rule.get("ports") or [])
        return found

    def isolates(self, policy, direction, pod):
        spec = policy["spec"]
        if policy["metadata"].get("namespace", "default") != pod.namespace:
            return False
        types = spec.get("policyTypes") or (["Ingress"] + (["Egress"] if "egress" in spec else []))
        return direction in types and matches(spec.get("podSelector") or {}, dict(pod.labels))

    def is_peer(self, peer, namespace, other):
        block = peer.get("ipBlock")
        if block is not None:
            return is_in(other.address, block["cidr"]) and not any(
                is_in(other.address, outside) for outside in block.get("except") or []
            )
        if other.namespace is None:
            return False
        chosen = peer.get("namespaceSelector")
        if chosen is None:
            if other.namespace != namespace:
                return False
        elif not matches(chosen, self.namespaces.get(other.namespace, {})):
            return False
        pods = peer.get("podSelector")
        return pods is None or matches(pods, dict(other.labels))


def is_in(address, network):
    address, network = ADDRESS(address), NETWORK(network)
    return address.version == network.version and address in network


def matches_labels(wanted, pod):
    labels = dict(pod.labels)
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def matches(selector, labels):
    """A label selector: an empty one selects everything."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions") or []:
        key, operator, values = term["key"], term["operator"], term.get("values") or []
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[operator]
        if not holds:
            return False
    return True


def is_port(entry, target, port, protocol):
    """One entry of `ports`: TCP unless it says otherwise, each port of it unless it names one, or a range."""
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return (wanted, protocol, port) in target.ports
    return wanted <= port <= entry.get("endPort", wanted)
