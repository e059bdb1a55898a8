//! What is known of the world outside: each table is in order, and each reading is the one that it should be.

mod broker;
mod engine;
mod hosts;
mod pipelock;
mod secrets;
mod services;
mod spellings;
