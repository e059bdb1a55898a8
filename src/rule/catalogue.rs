//! The rule catalogue: one row per rule. The checks are in [`check`](mod@crate::check).

use super::{Group, Level, Rule};

/// Makes a row of each rule, by its id; its page is `docs/rules/<id>.md`.
macro_rules! catalogue {
    ($($name:ident = ($id:literal, $level:ident, $group:ident, $since:literal, $summary:literal $(,)?) $(.$mark:ident())*;)*) => {
        $(
            #[doc = concat!("`", $id, "`: ", $summary)]
            pub static $name: Rule = Rule {
                id: $id,
                level: Level::$level,
                group: Group::$group,
                since: $since,
                summary: $summary,
                page: include_str!(concat!("../../docs/rules/", $id, ".md")),
                acceptable: false,
                tag: None,
            }
            $(.$mark())*;
        )*

        /// Every rule, by id.
        pub static ALL: &[&Rule] = &[$(&$name),*];
    };
}

catalogue! {
    ACCEPT_UNUSED = (
        "accept-unused", Warning, Levels, "0.1.0",
        "something is accepted that nothing needs",
    ).unnecessary();
    ALLOW_DENIED = ("allow-denied", Warning, Hosts, "0.1.0", "a host is allowed that a `deny` refuses");
    ALLOW_DROP = (
        "allow-drop", Warning, Hosts, "0.1.0",
        "an allow list holds a paste, tunnel or webhook host",
    );
    ALLOW_SHADOWED = (
        "allow-shadowed", Advice, Hosts, "0.1.0",
        "a wider entry beside it allows a host already",
    ).unnecessary();
    ALLOW_SHARED = ("allow-shared", Warning, Hosts, "0.1.0", "a wildcard covers hosts that anybody can get");
    ALLOW_TOO_WIDE = (
        "allow-too-wide", Error, Hosts, "0.1.0",
        "a wildcard covers a whole top-level domain",
    ).acceptable();
    BROKERED_AND_ALLOWED = (
        "brokered-and-allowed", Warning, Hosts, "0.1.0",
        "a host of a credential is allowed past the broker as well",
    );
    BUNDLE_REFUSED = (
        "bundle-refused", Warning, Confinement, "0.1.0",
        "the engine may refuse the bundle's own address",
    );
    CLUSTER_LOSS = (
        "cluster-loss", Warning, Confinement, "0.1.0",
        "a cluster holds something otherwise than it is written",
    );
    CLUSTER_UNSUPPORTED = (
        "cluster-unsupported", Error, Machines, "0.1.0",
        "a bottle asks for what no cluster can give it",
    );
    COMMAND_IN_ONE_WORD = (
        "command-in-one-word", Error, Machines, "0.1.0",
        "a command line is written where a program's name belongs",
    );
    CONFLICTING_BOOT = ("conflicting-boot", Error, Machines, "0.1.0", "a bottle boots from two things");
    CONFLICTING_REPO = (
        "conflicting-repo", Error, Repositories, "0.1.0",
        "a repository is on this host and at an upstream",
    );
    CREDENTIAL_IN_MACHINE = (
        "credential-in-machine", Advice, Secrets, "0.1.0",
        "the agent is given a key that the broker could hold",
    );
    CREDENTIAL_INCOMPLETE = (
        "credential-incomplete", Error, Secrets, "0.1.0",
        "a part of a credential is missing, or there twice",
    );
    CREDENTIAL_INTERCEPTED = (
        "credential-intercepted", Warning, Hosts, "0.1.0",
        "a host is opened that the agent sends a credential to, and would refuse it",
    );
    CREDENTIAL_UNBOUNDED = (
        "credential-unbounded", Advice, Secrets, "0.1.0",
        "a credential is held to no list of requests, or its API hands it back",
    );
    DEPENDENCY_CYCLE = ("dependency-cycle", Error, Names, "0.1.0", "sidecars need each other in a circle");
    DISALLOWED_CHARACTER = (
        "disallowed-character", Error, Text, "0.1.0",
        "a code point that KDL forbids stands in the text",
    );
    DNS_OPEN = (
        "dns-open", Error, Confinement, "0.1.0",
        "the engine looks up any name for the agent, outside of the bundle",
    ).acceptable();
    DUPLICATE_NAME = (
        "duplicate-name", Error, Names, "0.1.0",
        "two things that must be told apart have one name",
    );
    DUPLICATE_NODE = ("duplicate-node", Error, Nodes, "0.1.0", "a node that may stand once stands again");
    DUPLICATE_PROPERTY = ("duplicate-property", Error, Nodes, "0.1.0", "a property is given twice");
    EGRESS_NEVER_MATCHES = (
        "egress-never-matches", Error, Nodes, "0.1.0",
        "an egress entry that pipelock would load and never match",
    );
    EMPTY_SPEC = (
        "empty-spec", Error, Names, "0.1.0",
        "nothing of what is compiled is a bottle or a profile",
    );
    ENGINE_NEWER = (
        "engine-newer", Advice, Confinement, "0.1.0",
        "the engine is newer than what the compiler knows",
    );
    ENGINE_TOO_OLD = (
        "engine-too-old", Error, Confinement, "0.1.0",
        "the engine version cannot do what the bottle asks for",
    );
    ENV_FROM_FILE = (
        "env-from-file", Error, Machines, "0.1.0",
        "a sidecar's variable is to hold what a file of the host holds",
    );
    ENV_IGNORED = (
        "env-ignored", Warning, Secrets, "0.1.0",
        "a variable that no program reads, or that leads out of the bottle",
    );
    ENV_INTERPOLATION = (
        "env-interpolation", Warning, Secrets, "0.1.0",
        "a literal looks like a reference that a shell would expand",
    );
    ENV_OWNED = ("env-owned", Error, Secrets, "0.1.0", "the spec sets a variable that the compiler computes");
    ENV_REPLACED = (
        "env-replaced", Advice, Secrets, "0.1.0",
        "the spec sets a variable by which the compiler would tell a program of the proxy or the certificates",
    );
    ENV_SOURCE = ("env-source", Error, Secrets, "0.1.0", "a variable has no source, or more than one");
    ENV_VALUE_ALTERED = (
        "env-value-altered", Error, Nodes, "0.1.0",
        "a value that would not reach the agent as it is written",
    );
    EXPANSION_TOO_LARGE = (
        "expansion-too-large", Error, Names, "0.1.0",
        "the spec holds more than the compiler takes",
    );
    EXPECTATION_FAILED = (
        "expectation-failed", Error, Hosts, "0.1.0",
        "what a spec expects of its policy does not hold",
    );
    EXPOSE_WITHOUT_LOGIN = (
        "expose-without-login", Warning, Secrets, "0.1.0",
        "the agent learns of a service with a password and is given none",
    );
    EXPOSE_WITHOUT_PORT = (
        "expose-without-port", Error, Secrets, "0.1.0",
        "a sidecar is exposed and listens nowhere",
    );
    GATE_BYPASSED = (
        "gate-bypassed", Warning, Hosts, "0.1.0",
        "the agent can reach the host of a repository past git-gate, or has a token for it",
    );
    GPU_SHARED = (
        "gpu-shared", Error, Confinement, "0.1.0",
        "the agent drives the host's graphics processor",
    ).acceptable();
    HOST_LIKE_CREDENTIAL = (
        "host-like-credential", Warning, Hosts, "0.1.0",
        "pipelock takes an allowed host's name for a credential",
    );
    HOST_LOOKS_RANDOM = (
        "host-looks-random", Advice, Hosts, "0.1.0",
        "an allowed host's name looks to pipelock like a leak",
    );
    HOST_PATH_EXPOSED = (
        "host-path-exposed", Error, Machines, "0.1.0",
        "a part of the host is handed over that controls it or holds its keys",
    ).acceptable();
    IDENTITY_IN_WORKSPACE = (
        "identity-in-workspace", Warning, Secrets, "0.1.0",
        "a private key lies beside the spec, where it is easily committed",
    );
    IMAGE_CANNOT_RUN = (
        "image-cannot-run", Warning, Machines, "0.1.0",
        "a well-known image is not given what it needs to start",
    );
    IMAGE_NOT_PINNED = (
        "image-not-pinned", Warning, Machines, "0.1.0",
        "an image is named without its digest",
    );
    IMAGE_NOT_PULLED = (
        "image-not-pulled", Error, Confinement, "0.1.0",
        "the engine cannot fetch an image from a registry under the allow list",
    ).acceptable();
    INCLUDE_CYCLE = ("include-cycle", Error, Names, "0.1.0", "files include each other in a circle");
    INCLUDE_ESCAPE = ("include-escape", Error, Names, "0.1.0", "an include leaves the workspace");
    INCLUDE_UNREADABLE = (
        "include-unreadable", Error, Names, "0.1.0",
        "a file that is included cannot be read",
    );
    INVALID_ESCAPE = ("invalid-escape", Error, Text, "0.1.0", "an escape in a string is none that KDL has");
    INVALID_MULTI_LINE_STRING = (
        "invalid-multi-line-string", Error, Text, "0.1.0",
        "a string over several lines is not laid out as KDL demands",
    );
    INVALID_NAME = ("invalid-name", Error, Nodes, "0.1.0", "a name has characters that names do not have");
    INVALID_NUMBER = ("invalid-number", Error, Text, "0.1.0", "something that begins like a number is none");
    INVALID_REGEX = ("invalid-regex", Error, Hosts, "0.1.0", "an expression that pipelock does not compile");
    INVALID_UTF8 = ("invalid-utf8", Error, Text, "0.1.0", "the file is not UTF-8 text");
    INVALID_VALUE = (
        "invalid-value", Error, Nodes, "0.1.0",
        "a value is of the right type and still not allowed",
    );
    KDL_V1 = ("kdl-v1", Error, Text, "0.1.0", "the file is written in KDL 1");
    LINT_CONFLICT = ("lint-conflict", Error, Levels, "0.1.0", "one `lint` sets the level of a rule twice");
    LINT_UNUSED = (
        "lint-unused", Warning, Levels, "0.1.0",
        "a `lint` sets a level that changes nothing",
    ).unnecessary();
    MACHINE_SETTING_DROPPED = (
        "machine-setting-dropped", Error, Machines, "0.1.0",
        "the engine forgets what a packed machine is asked to have",
    );
    MCP_UNUSABLE = (
        "mcp-unusable", Error, Machines, "0.1.0",
        "an MCP server that the agent's client could not find or dial",
    );
    MISSING_ARGUMENT = ("missing-argument", Error, Nodes, "0.1.0", "a node lacks an argument");
    MISSING_NODE = ("missing-node", Error, Nodes, "0.1.0", "a block lacks a node");
    MISSING_PROPERTY = ("missing-property", Error, Nodes, "0.1.0", "a node lacks a property");
    MODEL_INTERCEPTED = (
        "model-intercepted", Warning, Hosts, "0.1.0",
        "a model API is opened, and would refuse to work",
    );
    NESTING_TOO_DEEP = (
        "nesting-too-deep", Error, Text, "0.1.0",
        "blocks or comments are nested past the bound",
    );
    PACK_REOPENS = (
        "pack-reopens", Error, Confinement, "0.1.0",
        "the engine ignores the allow list when the image is a packed machine",
    ).acceptable();
    PASSTHROUGH_MISSES_APEX = (
        "passthrough-misses-apex", Warning, Hosts, "0.1.0",
        "a passthrough wildcard leaves out the domain itself",
    );
    PASSTHROUGH_NOT_TRUSTED = (
        "passthrough-not-trusted", Warning, Hosts, "0.1.0",
        "a host stays closed, and the agent trusts no public authority",
    );
    PATTERN_NEVER_MATCHES = (
        "pattern-never-matches", Error, Hosts, "0.1.0",
        "an expression for letters that pipelock folds before it looks for them",
    );
    PERSONAL_PATH = ("personal-path", Advice, Secrets, "0.1.0", "a path names one person's home directory");
    POLICY_DROPPED = (
        "policy-dropped", Error, Confinement, "0.1.0",
        "the engine drops the allow list on this route",
    ).acceptable();
    POLICY_NOT_ENFORCED = (
        "policy-not-enforced", Error, Confinement, "0.1.0",
        "the engine does not enforce the allow list",
    ).acceptable();
    PORT_TAKEN = ("port-taken", Error, Machines, "0.1.0", "two sidecars listen on one port");
    PRIVATE_NOT_ALLOWED = (
        "private-not-allowed", Error, Hosts, "0.1.0",
        "a host may be on a private network and is not allowed",
    );
    PRIVATE_NOT_TRUSTED = (
        "private-not-trusted", Error, Hosts, "0.1.0",
        "an allowed host is on a private network, which pipelock refuses",
    );
    PRIVATE_WITHOUT_ADDRESS = (
        "private-without-address", Error, Hosts, "0.1.0",
        "a host may be on a private network, and it is not said at which address",
    );
    PROFILE_CYCLE = ("profile-cycle", Error, Names, "0.1.0", "profiles extend each other in a circle");
    PUBLISH_TAKEN = (
        "publish-taken", Error, Machines, "0.1.0",
        "one port of the host is published on twice",
    );
    QUEUE_TAKEN = (
        "queue-taken", Error, Machines, "0.1.0",
        "two bottles put their proposals into one directory",
    );
    RATE_LIMIT_LOW = ("rate-limit-low", Warning, Hosts, "0.1.0", "a rate limit that ordinary work uses up");
    REPO_AMBIGUOUS = (
        "repo-ambiguous", Error, Repositories, "0.1.0",
        "two repositories cannot be told apart",
    );
    RESERVED_NAME = ("reserved-name", Error, Names, "0.1.0", "a sidecar has the name of a built-in one");
    RESERVED_WORD = (
        "reserved-word", Error, Text, "0.1.0",
        "a word that KDL reserves is used as a plain string",
    );
    RESOLVER_ADDED = (
        "resolver-added", Error, Confinement, "0.1.0",
        "the engine adds a name server to the allow list",
    ).acceptable();
    RETIRED_NODE = (
        "retired-node", Error, Nodes, "0.1.0",
        "a node of the retired gvproxy design",
    ).deprecated();
    RUNTIME_CLASS_MISSING = (
        "runtime-class-missing", Error, Confinement, "0.1.0",
        "a bottle of a cluster whose agent would be in no virtual machine",
    );
    RUNTIME_CLASS_OPEN = (
        "runtime-class-open", Error, Confinement, "0.1.0",
        "a RuntimeClass whose sandbox confines nothing by itself",
    ).acceptable();
    SCAN_COSTLY = (
        "scan-costly", Advice, Hosts, "0.1.0",
        "a host is opened whose answers take long to scan",
    );
    SCAN_OVERRULED = (
        "scan-overruled", Warning, Hosts, "0.1.0",
        "a layer asks for less than a profile under it demands",
    );
    SCAN_WITHOUT_TLS = ("scan-without-tls", Warning, Hosts, "0.1.0", "a scan that sees nothing of HTTPS");
    SCHEME_MISSING = (
        "scheme-missing", Warning, Secrets, "0.1.0",
        "a service that speaks no HTTP is exposed as `http://`",
    );
    SECRET_LITERAL = (
        "secret-literal", Error, Secrets, "0.1.0",
        "a spec holds a credential itself, not a reference to it",
    ).acceptable();
    SIDECAR_RELAYS = (
        "sidecar-relays", Error, Hosts, "0.1.0",
        "a sidecar may dial for the agent what is expected to be refused",
    );
    SOURCE_TOO_LARGE = ("source-too-large", Error, Text, "0.1.0", "the file is above the size limit");
    STRICTER_THAN_WRITTEN = (
        "stricter-than-written", Warning, Hosts, "0.1.0",
        "a part of a host is denied, and pipelock denies the whole host",
    );
    SUBNET_COLLISION = ("subnet-collision", Error, Names, "0.1.0", "two bottles get one subnet");
    SYNTAX_ERROR = ("syntax-error", Error, Text, "0.1.0", "the text is not KDL at this place");
    TLS_WITHOUT_CA = (
        "tls-without-ca", Error, Hosts, "0.1.0",
        "an authority is missing that HTTPS is to be opened with",
    );
    UNCLOSED_BRACE = ("unclosed-brace", Error, Text, "0.1.0", "a `{` has no `}`");
    UNCLOSED_COMMENT = ("unclosed-comment", Error, Text, "0.1.0", "a `/*` has no `*/`");
    UNCLOSED_STRING = ("unclosed-string", Error, Text, "0.1.0", "a string has no closing quote");
    UNEXPECTED_ANNOTATION = (
        "unexpected-annotation", Error, Nodes, "0.1.0",
        "a type annotation stands where none has a meaning",
    );
    UNEXPECTED_ARGUMENT = (
        "unexpected-argument", Error, Nodes, "0.1.0",
        "a node has more arguments than it takes",
    );
    UNEXPECTED_BLOCK = ("unexpected-block", Error, Nodes, "0.1.0", "a node has a block and takes none");
    UNKNOWN_BACKEND = ("unknown-backend", Error, Nodes, "0.1.0", "a backend that is not in the registry");
    UNKNOWN_ENGINE = ("unknown-engine", Error, Nodes, "0.1.0", "an engine that the compiler does not know");
    UNKNOWN_NODE = (
        "unknown-node", Error, Nodes, "0.1.0",
        "a node that the language does not have at this place",
    );
    UNKNOWN_PROFILE = ("unknown-profile", Error, Names, "0.1.0", "a profile that is extended is not defined");
    UNKNOWN_PROPERTY = ("unknown-property", Error, Nodes, "0.1.0", "a property that the node does not have");
    UNKNOWN_SIDECAR = (
        "unknown-sidecar", Error, Names, "0.1.0",
        "a sidecar that is needed is not part of the bottle",
    );
    UNMATCHED_BRACE = ("unmatched-brace", Error, Text, "0.1.0", "a `}` closes nothing");
    UNUSED_PROFILE = (
        "unused-profile", Advice, Names, "0.1.0",
        "a profile beside bottles, and none of them extends it",
    ).unnecessary();
    UNUSED_SIDECAR = (
        "unused-sidecar", Advice, Names, "0.1.0",
        "nothing can talk to a sidecar, and it has nothing to work on",
    ).unnecessary();
    UPSTREAM_NOT_TRUSTED = (
        "upstream-not-trusted", Error, Secrets, "0.1.0",
        "a credential would be sent to a place that is none, or is private",
    );
    VOLUME_NOT_WRITTEN = (
        "volume-not-written", Warning, Machines, "0.1.0",
        "no sidecar may write to a volume of the bottle",
    );
    WIDER_THAN_WRITTEN = (
        "wider-than-written", Warning, Hosts, "0.1.0",
        "a part of a host is allowed, and pipelock allows the whole host",
    );
    WRONG_TYPE = (
        "wrong-type", Error, Nodes, "0.1.0",
        "a string where a number belongs, or the other way round",
    );
}
