//! The world outside, as far as it is known: engines and what each version does, pipelock and what each version of it does, host patterns, what
//! credentials look like, which variables programs read, what listens at which port, SSH keys, images, addresses, clusters, MCP clients, what comes with every bundle, what the broker of credentials takes, and the catalogue of agents.

pub mod backend;
pub mod broker;
pub mod builtin;
pub mod catalogue;
pub mod cluster;
pub mod container;
pub mod engine;
pub mod folding;
pub mod forge;
pub mod handed_over;
pub mod host;
pub mod host_key;
pub mod images;
pub mod issuers;
pub mod machine;
pub mod mcp;
pub mod network;
pub mod pipelock;
pub mod ports;
pub mod punycode;
pub mod secret;
pub mod secret_scanner;
pub mod upstream;
pub mod variables;
