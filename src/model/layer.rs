//! A layer: the settings of a profile or of a bottle's own block, and how one is merged over another.

use super::{
    Accept, Agent, Backend, Boot, Credential, Egress, Engine, Expectation, Git, Limits, Lint, Machine, Name,
    Pipelock, Sidecar, Spanned, Supervise, Variable, arguments, children, first_argument, text_property,
};
use crate::source::Span;
use crate::syntax::{Node, Value};
use crate::world::{builtin, secret};

/// A text that holds a credential, wherever it stands. Its value is not kept.
#[derive(Clone, Copy, Debug)]
pub struct WrittenSecret {
    /// What it is: "a GitHub access token".
    pub what: &'static str,
    /// Where the text stands.
    pub span: Span,
    /// Whether it has the shape of a known provider's; what is only likely may be another thing.
    pub is_certain: bool,
}

/// The settings of a built-in sidecar.
#[derive(Clone, Debug)]
pub struct BuiltinNeeds {
    /// Which one.
    pub name: Spanned<&'static str>,
    /// What must run before it.
    pub needs: Vec<Spanned<Name>>,
    /// What it may have of the host.
    pub limits: Limits,
}

/// The settings of one profile or bottle, or of several laid over each other.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// What runs the bottle.
    pub backend: Option<Backend>,
    /// What the stage is compiled for.
    pub engine: Option<Engine>,
    /// What the agent boots from; a valid layer has at most one.
    pub boots: Vec<Boot>,
    /// What its machine has of the host.
    pub machine: Machine,
    /// The program that works in it.
    pub agent: Option<Agent>,
    /// The agent's variables.
    pub env: Vec<Variable>,
    /// What the agent may reach.
    pub egress: Egress,
    /// Its repositories.
    pub git: Git,
    /// Whether it may ask a human, and how.
    pub supervise: Option<Supervise>,
    /// pipelock itself.
    pub pipelock: Pipelock,
    /// What the built-in sidecars need.
    pub builtins: Vec<BuiltinNeeds>,
    /// The user's own sidecars.
    pub sidecars: Vec<Sidecar>,
    /// The credentials of its broker.
    pub credentials: Vec<Credential>,
    /// The image of the broker.
    pub broker_image: Option<Spanned<String>>,
    /// What runs the containers.
    pub container_engine: Option<Spanned<String>>,
    /// What it answers for.
    pub accepts: Vec<Accept>,
    /// What must come out.
    pub expectations: Vec<Expectation>,
    /// The blocks that it was written in, with the levels that each sets.
    pub lints: Vec<Lint>,
    /// The credentials that stand in its text.
    pub written_secrets: Vec<WrittenSecret>,
}

impl Layer {
    pub(super) fn decode(node: Node<'_>) -> Self {
        let mut layer = Self {
            lints: vec![Lint::of(node)],
            written_secrets: written_secrets(node).collect(),
            machine: Machine::of(node),
            ..Self::default()
        };
        for node in node.children() {
            match node.name() {
                "backend" => layer.backend = layer.backend.take().or_else(|| Backend::decode(node)),
                "engine" => layer.engine = layer.engine.take().or_else(|| Engine::decode(node)),
                "artifact" | "image" | "rootfs" => {
                    // The same node twice is reported as that; here it counts once.
                    let boot = Boot::decode(node);
                    layer.boots.extend(boot.filter(|boot| layer.boots.iter().all(|b| b.kind != boot.kind)));
                }
                "container-engine" => {
                    layer.container_engine = layer.container_engine.take().or_else(|| first_argument(node));
                }
                "accept" => layer.accepts.extend(Accept::decode(node)),
                "expect" => layer.expectations.extend(Expectation::decode(node)),
                "agent" => layer.agent = layer.agent.take().or_else(|| Some(Agent::decode(node))),
                "env" => layer.env.extend(Variable::decode_all(node)),
                "egress" => layer.egress.decode_into(node),
                "git" => layer.git.decode_into(node),
                "sidecar" => layer.sidecars.extend(Sidecar::decode(node)),
                "credential" => layer.credentials.extend(Credential::decode(node)),
                name => {
                    let Some(builtin) = builtin::find(name) else { continue };
                    if layer.builtins.iter().any(|node| node.name.value == builtin.name) {
                        continue;
                    }
                    if builtin.name == builtin::GIT_GATE {
                        layer.git.decode_gate(node);
                    }
                    if builtin.name == builtin::PIPELOCK {
                        layer.pipelock = Pipelock::decode(node);
                    }
                    if builtin.name == builtin::BROKER {
                        layer.broker_image = text_property(node, "image");
                    }
                    if builtin.name == builtin::SUPERVISE {
                        layer.supervise = Some(Supervise::decode(node));
                    }
                    layer.builtins.push(BuiltinNeeds {
                        name: Spanned { value: builtin.name, span: node.name_span() },
                        needs: children(node, "needs").flat_map(arguments).collect(),
                        limits: Limits::of(node),
                    });
                }
            }
        }
        layer
    }

    /// Lays `over` on top: lists grow, of everything else the last one wins. Of several variables, repositories or
    /// sidecars with one name the last one is in force, which [`super::Bottle::assemble`] sees to, once for all layers.
    pub fn merge(&mut self, over: Self) {
        let Self {
            backend,
            engine,
            boots,
            machine,
            agent,
            env,
            egress,
            git,
            supervise,
            pipelock,
            builtins,
            sidecars,
            credentials,
            broker_image,
            container_engine,
            accepts,
            expectations,
            lints,
            // Spoken of where they stand.
            written_secrets: _,
        } = over;
        self.accepts.extend(accepts);
        self.expectations.extend(expectations);
        self.lints.extend(lints);
        self.pipelock.merge(pipelock);
        self.container_engine = container_engine.or(self.container_engine.take());
        self.backend = backend.or(self.backend.take());
        // A version belongs to the engine that it is given with: both are taken together.
        self.engine = engine.or(self.engine.take());
        if !boots.is_empty() {
            self.boots = boots;
        }
        self.machine.merge(machine);
        self.agent = match (self.agent.take(), agent) {
            (Some(under), Some(over)) => Some(under.merge(over)),
            (under, over) => under.or(over),
        };
        self.env.extend(env);
        self.egress.merge(egress);
        self.git.merge(git);
        self.supervise = match (self.supervise.take(), supervise) {
            (Some(under), Some(over)) => Some(under.merge(over)),
            (under, over) => under.or(over),
        };
        self.builtins.extend(builtins);
        self.sidecars.extend(sidecars);
        self.credentials.extend(credentials);
        self.broker_image = broker_image.or(self.broker_image.take());
    }

    /// How many nodes it is made of, more or less.
    #[must_use]
    pub fn weight(&self) -> usize {
        let Self {
            backend: _,
            engine: _,
            boots,
            machine,
            agent,
            env,
            egress,
            git,
            supervise: _,
            pipelock: _,
            builtins,
            sidecars,
            credentials,
            broker_image: _,
            container_engine: _,
            accepts,
            expectations,
            lints,
            written_secrets: _,
        } = self;
        let own =
            accepts.len() + expectations.len() + boots.len() + env.len() + egress.weight() + git.repos.len();
        let own = own + machine.weight() + agent.as_ref().map_or(0, Agent::weight);
        let needs = builtins.iter().map(|node| node.needs.len() + 1).sum::<usize>();
        let levels = lints.iter().map(|lint| lint.entries.len()).sum::<usize>();
        let credentials = credentials.iter().map(Credential::weight).sum::<usize>();
        own + needs + levels + credentials + sidecars.iter().map(Sidecar::weight).sum::<usize>()
    }
}

/// The options of command lines that take a password and are too short for a name.
const PASSWORD_OPTIONS: &[&str] = &["-a", "-p", "-w"];

/// The credentials in a node and all below it: in its texts, and in what an option or a property is given.
pub(super) fn written_secrets(node: Node<'_>) -> impl Iterator<Item = WrittenSecret> {
    node.descendants().flat_map(|node| {
        let mut option = None;
        node.entries().filter_map(move |entry| {
            let Value::String(text) = entry.value() else { return None };
            let key = entry.key().map(|(key, _)| key);
            let before = option.replace(text).filter(|it| it.starts_with('-'));
            let span = entry.value_span();
            WrittenSecret::certain(text, span).or_else(|| {
                let what = secret::likely(text).or_else(|| {
                    let attached = PASSWORD_OPTIONS.iter().find_map(|option| text.strip_prefix(option));
                    let before =
                        before.map(|it| if PASSWORD_OPTIONS.contains(&it) { "password" } else { it });
                    let looks = |name, text| secret::looks_secret(name, text).then_some(secret::LIKELY);
                    let given = key.or(before).and_then(|name| looks(name, text));
                    given.or_else(|| attached.and_then(|text| looks("password", text)))
                })?;
                Some(WrittenSecret { what, span, is_certain: false })
            })
        })
    })
}

impl WrittenSecret {
    /// One of a well-known shape in a text.
    fn certain(text: &str, span: Span) -> Option<Self> {
        let found = secret::known(text).into_iter().next()?;
        Some(Self { what: found.what, span, is_certain: true })
    }
}
