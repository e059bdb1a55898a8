//! The argument vectors of `plan.json`.

use std::collections::BTreeMap;

use super::Decisions;
use super::cause::{Causes, all, itself, nth, or_default};
use super::compose::Bundle;
use crate::lower::commands::{self, Command, Commands};
use crate::lower::names;
use crate::world::builtin::{self, BUNDLE};
use crate::world::engine::SMOLVM;

/// The causes of each word of each argument vector.
pub(super) struct Vectors {
    bundle: Vec<Vec<Causes>>,
    create: Vec<Causes>,
    start: Vec<Causes>,
    exec: Vec<Causes>,
    attach: Vec<Causes>,
    denials: Vec<Causes>,
    cleanup: Vec<Vec<Causes>>,
    /// What decides whether the engine can list what it refused, and which variables it heeds.
    version: Causes,
}

impl Vectors {
    pub(super) fn of(decisions: &Decisions<'_>, bundle: &Bundle<'_>) -> Self {
        // Taken apart whole, so that a new vector cannot be forgotten here.
        let Commands { bundle: made, create, start, exec, attach, denials, unset: _, cleanup } =
            commands::lower(decisions.plan);
        let words = Words { decisions, hosts: hosts(decisions, bundle) };
        let list = |vectors: &[Command]| vectors.iter().map(|vector| words.causes(vector)).collect();
        Self {
            bundle: list(&made),
            create: words.causes(&create),
            start: words.causes(&start),
            exec: words.causes(&exec),
            attach: words.causes(&attach),
            denials: denials.map(|vector| words.causes(&vector)).unwrap_or_default(),
            cleanup: list(&cleanup),
            version: all([decisions.version(), itself()]),
        }
    }

    pub(super) fn causes(&self, path: &[&str]) -> Causes {
        let list = |vectors: &[Vec<Causes>], n: &str, at: &str| {
            nth(vectors, n).and_then(|words| nth(words, at)).cloned().unwrap_or_default()
        };
        let word = |words: &[Causes], at: &str| nth(words, at).cloned().unwrap_or_default();
        match path {
            ["bundle", n, at] => list(&self.bundle, n, at),
            ["cleanup", n, at] => list(&self.cleanup, n, at),
            ["create", at] => word(&self.create, at),
            ["start", at] => word(&self.start, at),
            ["exec", at] => word(&self.exec, at),
            ["attach", at] => word(&self.attach, at),
            ["denials", at] => word(&self.denials, at),
            ["denials"] | ["unset", ..] => self.version.clone(),
            [] | ["bundle" | "create" | "start" | "exec" | "attach" | "cleanup", ..] => itself(),
            _ => Causes::new(),
        }
    }
}

/// What is made on the host, by name.
fn hosts(decisions: &Decisions<'_>, bundle: &Bundle<'_>) -> BTreeMap<String, Causes> {
    let plan = decisions.plan;
    let mut hosts = BTreeMap::from([
        (names::network(plan), decisions.slug()),
        (names::project(plan), decisions.slug()),
        (names::gate_image(plan), decisions.image(builtin::GIT_GATE)),
    ]);
    for name in plan.sidecars.iter().map(|sidecar| sidecar.name.as_str()).chain([BUNDLE]) {
        hosts.insert(names::container(plan, name), all([decisions.sidecar(name), decisions.slug()]));
    }
    for (volume, name) in names::volumes(plan) {
        hosts.insert(name, all([bundle.volume(&volume), decisions.slug()]));
    }
    hosts
}

struct Words<'a> {
    decisions: &'a Decisions<'a>,
    hosts: BTreeMap<String, Causes>,
}

impl Words<'_> {
    fn causes(&self, vector: &[String]) -> Vec<Causes> {
        let decisions = self.decisions;
        if vector.first().is_none_or(|program| program != SMOLVM) {
            return self.of_bundle(vector);
        }
        let slug = names::machine(decisions.plan);
        // The program, `machine`, and what is done to it.
        let mut causes = vec![decisions.engine(), itself(), itself()];
        let mut words = vector.iter().skip(causes.len()).peekable();
        while let Some(word) = words.next() {
            let value = words.peek().map(|value| value.as_str());
            let (flag, of_value) = match (word.as_str(), value) {
                // Engines differ in how they take the name.
                ("--name", Some(_)) => (decisions.version(), decisions.slug()),
                ("--from" | "--image", Some(_)) => (decisions.boot(), decisions.boot()),
                ("--allow-cidr", Some(_)) => (itself(), decisions.addresses()),
                ("--dns", Some(_)) => (decisions.version(), decisions.addresses()),
                ("--smolfile", Some(_)) => (itself(), itself()),
                ("--env" | "--secret-env" | "--secret-file", Some(entry)) => {
                    let variable = decisions.variable(entry.split('=').next().unwrap_or_default());
                    (variable.clone(), variable)
                }
                ("--net", _) => {
                    causes.push(all([decisions.boot(), decisions.version()]));
                    continue;
                }
                (word, _) => {
                    causes.push(if word == slug { decisions.slug() } else { itself() });
                    continue;
                }
            };
            causes.extend([flag, of_value]);
            words.next();
        }
        causes
    }

    /// A vector of the container engine, or the one that makes supervise's queue.
    fn of_bundle(&self, vector: &[String]) -> Vec<Causes> {
        let decisions = self.decisions;
        let is_engine =
            vector.first().is_some_and(|program| program == decisions.plan.container_engine.program());
        if !is_engine {
            return vec![decisions.supervise(); vector.len()];
        }
        let rest = vector.iter().skip(1);
        let rest = rest.map(|word| self.hosts.get(word).cloned().unwrap_or_else(itself));
        [or_default(decisions.places.container_engine)].into_iter().chain(rest).collect()
    }
}
