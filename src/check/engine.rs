//! Engine versions: gaps in the confinement are errors, unless the spec accepts them.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Boot, Bottle, Machine, Names, Variable, VariableValue};
use crate::rule::Rule;
use crate::rule::catalogue::{
    BUNDLE_REFUSED, DNS_OPEN, ENGINE_NEWER, ENGINE_TOO_OLD, IMAGE_NOT_PULLED, MACHINE_SETTING_DROPPED,
    PACK_REOPENS, POLICY_DROPPED, POLICY_NOT_ENFORCED, RESOLVER_ADDED,
};
use crate::source::Span;
use crate::text::quote;
use crate::world::engine::{BootKind, Capability, Gap, Ledger, SMOLVM, SecretRoute, Version};
use crate::world::machine::{DEFAULT_CPUS, Mebibytes};

/// The rule by which a gap is refused, and by whose name a spec accepts it.
#[must_use]
pub fn of(gap: Gap) -> &'static Rule {
    match gap {
        Gap::NotEnforced => &POLICY_NOT_ENFORCED,
        Gap::Dropped => &POLICY_DROPPED,
        Gap::PackReopens => &PACK_REOPENS,
        Gap::PublicResolver | Gap::HostResolver => &RESOLVER_ADDED,
        Gap::DnsOpen => &DNS_OPEN,
    }
}

/// A bottle's engine version, and where it is given: without one, the newest known version at the bottle's name.
struct Target<'a> {
    version: Version,
    span: Span,
    boot: Option<&'a Boot>,
}

/// Checks a bottle against the version that it is compiled for.
pub fn check(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    // No engine runs it in a cluster.
    if bottle.settings.cluster().is_some() {
        return;
    }
    let ledger = Ledger::smolvm();
    let (version, span) = match &bottle.settings.engine {
        // Another engine, or a version that is none, was spoken of.
        Some(engine) if engine.name.value != SMOLVM => return,
        Some(engine) => engine
            .version
            .as_ref()
            .map_or((ledger.newest, engine.name.span), |version| (version.value, version.span)),
        None => (ledger.newest, bottle.settings.slug.span),
    };
    if version > ledger.newest {
        let message =
            format!("smolvm {version} is newer than {}, the newest version that is known", ledger.newest);
        diagnostics.push(
            Diagnostic::new(&ENGINE_NEWER, span, message).label(format!("compiled as for {}", ledger.newest)),
        );
    }
    let target = Target { version, span, boot: bottle.settings.boot.as_ref() };
    if !ledger.has(Capability::CidrPolicy, version) {
        diagnostics.push(
            target
                .too_old(span, "knows no `[network] allow_cidrs`", Capability::CidrPolicy)
                .label("too old for any bottle"),
        );
        return;
    }
    target.confines(diagnostics);
    target.boots(diagnostics);
    target.passes_secrets(bottle, diagnostics);
    target.gives(&bottle.settings.machine, diagnostics);
}

impl Target<'_> {
    fn lacks(&self, capability: Capability) -> bool {
        !Ledger::smolvm().has(capability, self.version)
    }

    fn too_old(&self, at: Span, what: &str, capability: Capability) -> Diagnostic {
        let since = Ledger::smolvm().row(capability).since;
        let message = format!("smolvm {} {what}, it takes {since} or newer", self.version);
        Diagnostic::new(&ENGINE_TOO_OLD, at, message).help(newer(since))
    }

    /// Whether it keeps the agent to the bundle.
    fn confines(&self, diagnostics: &mut Diagnostics) {
        let boot = self.boot.map(|boot| boot.kind);
        let gaps = Gap::of(self.version, boot);
        for gap in &gaps {
            // Who can dial anything can look up anything: that is not a second cause.
            if *gap != Gap::DnsOpen || !gaps.contains(&Gap::NotEnforced) {
                diagnostics.push(self.gap(*gap));
            }
        }
        if !self.lacks(Capability::PrivateFloor) {
            let message =
                format!("smolvm {} may refuse the bundle: its address is a private one", self.version);
            diagnostics.push(
                Diagnostic::new(&BUNDLE_REFUSED, self.span, message)
                    .label("refused when the machine runs on virtio-net")
                    .help("set `SMOLVM_EGRESS_ALLOW_PRIVATE=1` where `smolvm` is run, or compile for 1.2.5 or newer"),
            );
        }
    }

    fn gap(&self, gap: Gap) -> Diagnostic {
        let Self { version, span, boot } = self;
        let row = Ledger::smolvm().row(gap.capability());
        let (message, label, since) = match gap {
            Gap::NotEnforced => (
                format!("smolvm {version} does not enforce the allow list: the agent would be unconfined"),
                format!("enforced from {} on", row.since),
                row.since,
            ),
            Gap::Dropped => (
                format!(
                    "smolvm {version} drops the allow list of a packed machine: the agent would be unconfined"
                ),
                format!("kept from {} on", row.since),
                row.since,
            ),
            Gap::PackReopens => (
                format!("smolvm {version} ignores the allow list when the image is a packed machine"),
                String::from("and takes no flag for it before 1.8.0"),
                Ledger::smolvm().row(Capability::HostPullsImage).since,
            ),
            Gap::PublicResolver => (
                format!(
                    "smolvm {version} adds 1.1.1.1 to the allow list: the agent could dial it on every port"
                ),
                format!("so do all of {}", row.versions()),
                Ledger::smolvm().row(Capability::EnforcesCidrPolicy).since,
            ),
            Gap::HostResolver => (
                format!(
                    "smolvm {version} adds the host's name server to the allow list: the agent could dial it on every port"
                ),
                format!("so do all of {}", row.versions()),
                Ledger::smolvm().row(Capability::EnforcesCidrPolicy).since,
            ),
            Gap::DnsOpen => (
                format!("smolvm {version} looks up any name for the agent: what it knows can leave in names"),
                format!("`--dns` sends them to the bundle from {} on", row.since),
                row.since,
            ),
        };
        let diagnostic = Diagnostic::new(of(gap), *span, message).label(label);
        let diagnostic = match (gap, boot) {
            (Gap::Dropped, Some(boot)) => {
                diagnostic.related(boot.node, "the bottle boots from a packed machine")
            }
            (Gap::PackReopens, Some(boot)) => {
                diagnostic.related(boot.node, "nobody can tell by its name whether it is one")
            }
            _ => diagnostic,
        };
        // Whoever moves to another version should not meet the next gap there.
        diagnostic.help(newer(since.max(Ledger::smolvm().row(Capability::DnsRedirect).since)))
    }

    /// Whether it boots what the bottle boots.
    fn boots(&self, diagnostics: &mut Diagnostics) {
        let Some(Boot { kind, node, source: _ }) = self.boot else { return };
        let (what, label, capability) = match kind {
            BootKind::Artifact => {
                ("makes no machine of a packed one", "not known to this version", Capability::FromFlag)
            }
            BootKind::Rootfs => {
                ("boots no unpacked root file system", "not known to this version", Capability::LocalImage)
            }
            BootKind::Image => {
                if self.lacks(Capability::HostPullsImage) {
                    diagnostics.push(self.not_pulled(*node));
                }
                return;
            }
        };
        if self.lacks(capability) {
            diagnostics.push(
                self.too_old(*node, what, capability)
                    .label(label)
                    .related(self.span, "the version is given here"),
            );
        }
    }

    /// Widening the list by the registry would be widening it for the agent, too.
    fn not_pulled(&self, node: Span) -> Diagnostic {
        let row = Ledger::smolvm().row(Capability::HostPullsImage);
        let message = format!(
            "smolvm {} fetches an image from inside the machine, where the allow list refuses it",
            self.version
        );
        Diagnostic::new(&IMAGE_NOT_PULLED, node, message)
            .label(format!("fetched by the host from {} on", row.since))
            .related(self.span, "the version is given here")
            .help(format!("boot an unpacked image: `rootfs \"./rootfs\"`, or {}", newer(row.since)))
    }

    /// A reference must stay one: an engine that cannot take it would need the value itself.
    fn passes_secrets(&self, bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
        let is_secret = |variable: &&Variable| matches!(variable.value(), Some(VariableValue::Secret(_)));
        let secret = bottle.settings.env.values().find(is_secret).map(|variable| &variable.name);
        // The launch's token goes the same way.
        let tokens = || bottle.settings.credentials.values().flat_map(|it| &it.placeholders);
        let secret = secret.or_else(|| tokens().next());
        let Some(secret) = secret else { return };
        let capability = match SecretRoute::of(self.version, self.boot.map(|boot| boot.kind)) {
            SecretRoute::Exec => Capability::ExecSecretFlags,
            // Whatever takes a packed machine for an image takes the flags as well.
            SecretRoute::Machine | SecretRoute::Both => Capability::SecretsSection,
        };
        if self.lacks(capability) {
            let since = Ledger::smolvm().row(capability).since;
            let message =
                format!("smolvm {} takes no secret by reference, it takes {since} or newer", self.version);
            diagnostics.push(
                Diagnostic::new(&ENGINE_TOO_OLD, secret.span, message)
                    .label(format!("{} is a reference", quote(&secret.value)))
                    .related(self.span, "the version is given here")
                    .help("the value itself is never written: compile for a newer version"),
            );
        }
    }

    /// Whether it gives the machine what the bottle asks for.
    fn gives(&self, machine: &Machine, diagnostics: &mut Diagnostics) {
        let mut lacks = |at: Span, what: &str, label: &str, capability| {
            if self.lacks(capability) {
                let too_old = self.too_old(at, what, capability).label(label);
                diagnostics.push(too_old.related(self.span, "the version is given here"));
            }
        };
        // One is enough: all of them are bound alike.
        if let Some(port) = machine.published.first() {
            lacks(
                port.guest.span,
                "may publish a port on every address of the host",
                "to be reached from the host's loopback alone",
                Capability::PublishLoopback,
            );
        }
        if let Some(gpu) = machine.gpu {
            lacks(gpu, "has no `--gpu`", "not known to this version", Capability::GpuFlag);
        }
        let Some(Boot { kind: BootKind::Artifact, node, source: _ }) = self.boot else { return };
        if !self.lacks(Capability::FromTakesUsual) {
            return;
        }
        let cpus = machine.cpus.filter(|cpus| cpus.value == DEFAULT_CPUS);
        let memory = machine.memory.filter(|memory| memory.value == Mebibytes::DEFAULT);
        let cpus = cpus.map(|cpus| (cpus.span, format!("--cpus {}", cpus.value)));
        let memory = memory.map(|memory| (memory.span, format!("--mem {}", memory.value.0)));
        for (place, flag) in cpus.into_iter().chain(memory) {
            let message = format!(
                "smolvm {} forgets `{flag}` beside a packed machine, and takes that machine's own number",
                self.version
            );
            let since = Ledger::smolvm().row(Capability::FromTakesUsual).since;
            diagnostics.push(
                Diagnostic::new(&MACHINE_SETTING_DROPPED, place, message)
                    .label("its own default, which it takes for nothing said")
                    .related(*node, "the bottle boots from a packed machine")
                    .help(format!("ask for a little more or less, or {}", newer(since))),
            );
        }
    }
}

fn newer(since: Version) -> String {
    format!("compile for smolvm {since} or newer, and run that")
}
