//! The rules of the schema table: what a node may hold. `schema/` checks them.

use crate::rule::rule;

rule!(DUPLICATE_NODE, "duplicate-node", Error, "0.1.0", "a node that may stand once stands again");
rule!(DUPLICATE_PROPERTY, "duplicate-property", Error, "0.1.0", "a property is given twice");
rule!(
    EGRESS_NEVER_MATCHES,
    "egress-never-matches",
    Error,
    "0.1.0",
    "an egress entry that pipelock would load and never match"
);
rule!(
    ENV_VALUE_ALTERED,
    "env-value-altered",
    Error,
    "0.1.0",
    "a value that would not reach the agent as it is written"
);
rule!(INVALID_NAME, "invalid-name", Error, "0.1.0", "a name has characters that names do not have");
rule!(INVALID_VALUE, "invalid-value", Error, "0.1.0", "a value is of the right type and still not allowed");
rule!(MISSING_ARGUMENT, "missing-argument", Error, "0.1.0", "a node lacks an argument");
rule!(MISSING_NODE, "missing-node", Error, "0.1.0", "a block lacks a node");
rule!(MISSING_PROPERTY, "missing-property", Error, "0.1.0", "a node lacks a property");
rule!(RETIRED_NODE, "retired-node", Error, "0.1.0", "a node of the retired gvproxy design");
rule!(
    UNEXPECTED_ANNOTATION,
    "unexpected-annotation",
    Error,
    "0.1.0",
    "a type annotation stands where none has a meaning"
);
rule!(UNEXPECTED_ARGUMENT, "unexpected-argument", Error, "0.1.0", "a node has more arguments than it takes");
rule!(UNEXPECTED_BLOCK, "unexpected-block", Error, "0.1.0", "a node has a block and takes none");
rule!(UNKNOWN_BACKEND, "unknown-backend", Error, "0.1.0", "a backend that is not in the registry");
rule!(UNKNOWN_ENGINE, "unknown-engine", Error, "0.1.0", "an engine that the compiler does not know");
rule!(UNKNOWN_NODE, "unknown-node", Error, "0.1.0", "a node that the language does not have at this place");
rule!(UNKNOWN_PROPERTY, "unknown-property", Error, "0.1.0", "a property that the node does not have");
rule!(WRONG_TYPE, "wrong-type", Error, "0.1.0", "a string where a number belongs, or the other way round");
