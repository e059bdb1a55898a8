//! Gaps of a cluster: where what confines a bottle there is not the stage's to hold, each with where it is said.

/// How a row of the ledger is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What a cluster does or leaves open.
    pub claim: &'static str,
    /// Where that is said, and when it was read.
    pub evidence: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

/// One condition under which a bottle's promise holds in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gap {
    /// A network plugin may ignore policies.
    Plugin,
    /// A pod runs for a moment before its policies apply.
    Delay,
    /// A Pod and its node reach each other.
    Node,
    /// An administrator's policies come first.
    Administrator,
    /// Pods on the host's network are bound by no policy.
    HostNetwork,
    /// A name server of the node's is no pod.
    NodeDns,
    /// Who may debug a pod is in its network.
    Debug,
    /// Who may read Secrets of the namespace.
    Secrets,
    /// The number of processes is the kubelet's matter.
    Processes,
    /// The shim of smolvm reads no policy of its own.
    Shim,
}

impl Gap {
    /// Every one, the worst first; the last one counts for one RuntimeClass alone.
    pub const ALL: [Self; 10] = [
        Self::Plugin,
        Self::Node,
        Self::Administrator,
        Self::Delay,
        Self::HostNetwork,
        Self::NodeDns,
        Self::Debug,
        Self::Secrets,
        Self::Processes,
        Self::Shim,
    ];

    /// Returns the gaps of a bottle whose agent runs under a RuntimeClass.
    pub fn of(runtime_class: &str) -> impl Iterator<Item = Self> {
        let is_shim = runtime_class == super::SMOLVM_CLASS;
        Self::ALL.into_iter().filter(move |gap| *gap != Self::Shim || is_shim)
    }

    /// What it does to the promise, in words: "only where the cluster's network enforces policies".
    #[must_use]
    pub fn but(self) -> &'static str {
        match self {
            Self::Plugin => "only where the cluster's network enforces policies",
            Self::Administrator => "an administrator's policies come before those of the namespace",
            Self::Delay => "not before the policies apply to a new pod",
            Self::HostNetwork => "no policy binds a pod on its node's network",
            Self::NodeDns => "a name server of the node's may be reached past the policies",
            Self::Node => "a Pod and the node that it runs on reach each other, whatever the policies say",
            Self::Debug => "who may debug its pods is in their network",
            Self::Secrets => "who may read the namespace's Secrets has its keys",
            Self::Processes => "the number of processes is bounded by the kubelet alone",
            Self::Shim => "smolvm's shim has no list of its own, and a machine of a fixed size",
        }
    }

    /// Its row in the ledger.
    #[must_use]
    pub fn known(self) -> Known {
        let (claim, evidence, help) = match self {
            Self::Plugin => (
                "a NetworkPolicy has no effect where the network plugin does not implement it, and nothing says so",
                "kubernetes.io, Network Policies, \"Prerequisites\"; read November 2026",
                "use a plugin that enforces egress as well; the agent's Pod starts only after it was refused what the \
                 policies refuse",
            ),
            Self::Administrator => (
                "an AdminNetworkPolicy is evaluated before every NetworkPolicy, and may allow what these refuse",
                "network-policy-api.sigs.k8s.io, API Specification, AdminNetworkPolicy; read November 2026",
                "list them: `kubectl get adminnetworkpolicies,clusternetworkpolicies`",
            ),
            Self::Delay => (
                "a pod may start before its policies are applied: an implementation should not let it, and may",
                "kubernetes.io, Network Policies, \"Pod lifecycle\"; read November 2026",
                "the policies are applied before any pod, and the agent waits until it is refused",
            ),
            Self::HostNetwork => (
                "for a pod with hostNetwork a policy is undefined: mostly its traffic is that of the node",
                "kubernetes.io, Network Policies, \"NetworkPolicy and hostNetwork pods\"; read November 2026",
                "the stage has no such pod, and no namespace of the level `restricted` or `baseline` admits one; keep others off \
                 the nodes of bottles",
            ),
            Self::NodeDns => (
                "NodeLocal DNSCache answers at an address of the node's, which is outside of policies under some plugins",
                "kubernetes, cluster/addons/dns/nodelocaldns/README.md; read November 2026",
                "the agent's name server is its bundle, where nothing answers; see what the plugin says of link-local addresses",
            ),
            Self::Node => (
                "traffic between a Pod and the node that it runs on is always allowed, whatever the policies say",
                "kubernetes.io, Network Policies, of the identifiers of peers and of pod isolation; read November 2026",
                "the agent may reach what listens on its node, and the node the bundle: give bottles nodes of their own, with \
                 a firewall on each",
            ),
            Self::Debug => (
                "`kubectl debug` adds a container to a pod, with its network, labels and address, past the stage",
                "kubernetes.io, Ephemeral Containers; read November 2026",
                "give nobody `pods/ephemeralcontainers`, `pods/exec` and `pods/portforward` in the namespace who is not to have it",
            ),
            Self::Secrets => (
                "whoever may read Secrets, or create a pod, in a namespace reads all of them; etcd holds them as they are, \
                 unless the cluster encrypts it",
                "kubernetes.io, Secrets, \"Information security for Secrets\"; read November 2026",
                "bind roles of the namespace to who launches it alone, and encrypt Secrets at rest",
            ),
            Self::Processes => (
                "no field of a pod bounds its processes, but for an alpha one of Kubernetes 1.37: the kubelet's `podPidsLimit` does",
                "kubernetes.io, Process ID Limits And Reservations; KEP-6063; read November 2026",
                "set `podPidsLimit` on the nodes of bottles",
            ),
            Self::Shim => (
                "smolvm's shim reads no Smolfile and no annotation, so no list of the engine's is beside the policies; its \
                 machine has 2 processors and 1024 MiB whatever is asked, and is given Secrets and ConfigMaps once",
                "smolvm's source, io.containerd.smolvm.v2; read November 2026, not run",
                "use `kata`, or another RuntimeClass whose sandbox keeps to what a pod asks",
            ),
        };
        Known { claim, evidence, help }
    }
}
