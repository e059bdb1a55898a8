//! `lint`.

use super::{many, optional_property, required, required_property};
use crate::rule::Setting;
use crate::schema::{Children, Node, ValueType};

pub(super) static LINT: Node = Node {
    name: "lint",
    doc: "Sets the level of rules.\n\nAt the top of a file it counts for what is found in that file, in a `profile` or a \
          `bottle` for what is found in its block; in a `bottle` also for what is found of that bottle in the profiles that it \
          extends. The innermost counts: that of the bottle before that of the profile, and both before the file's. It is not \
          handed on by `extends` or `include`, but for one thing: what a profile denies is denied in all that extends it, \
          whatever is said there. What one bottle allows and another does not is shown.\n\nWarnings and advice can \
          be allowed, made warnings, or denied. An error is never lowered here: what leaves the agent unconfined is \
          answered for by [`accept`](#accept), everything else must be fixed. An entry that changes nothing is a warning \
          itself.\n\nWhat is allowed is counted in the summary, and the plan holds it with its reason. A run may overrule a \
          spec: `--deny` beats `allow` and `warn`, and `--ignore-lint` takes no level from specs at all.",
    arguments: &[],
    properties: &[],
    children: Children::Nodes(&[many(&ALLOW), many(&WARN), many(&DENY)]),
    example: "lint {\n    allow \"personal-path\" reason=\"the build hosts are all alike\"\n    deny \"image-not-pinned\"\n}",
};

static ALLOW: Node = Node {
    name: "allow",
    doc: "Does not show what breaks a rule.\n\nIt is counted, and the plan holds the reason.",
    arguments: &[required("rule", ValueType::Rule { set: Setting::Allow }, "the rule's name")],
    properties: &[required_property(
        "reason",
        ValueType::Text,
        "why, for whoever reviews the spec or the plan",
    )],
    children: Children::None,
    example: "allow \"personal-path\" reason=\"the build hosts are all alike\"",
};

static WARN: Node = Node {
    name: "warn",
    doc: "Makes a warning of what breaks a rule.\n\nOf advice, or of what an outer `lint` sets otherwise. An error that \
          may be accepted is a warning only where it is.",
    arguments: &[required("rule", ValueType::Rule { set: Setting::Warn }, "the rule's name")],
    properties: &[optional_property("reason", ValueType::Text, None, "why")],
    children: Children::None,
    example: "warn \"personal-path\"",
};

static DENY: Node = Node {
    name: "deny",
    doc: "Makes an error of what breaks a rule.\n\nAlso of an error that the spec accepts. In a profile it binds every \
          profile and bottle that extends it.",
    arguments: &[required("rule", ValueType::Rule { set: Setting::Deny }, "the rule's name")],
    properties: &[optional_property("reason", ValueType::Text, None, "why")],
    children: Children::None,
    example: "deny \"image-not-pinned\" reason=\"what runs is decided here\"",
};
