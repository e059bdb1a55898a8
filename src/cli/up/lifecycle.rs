//! What comes after a launch: running another program, looking, stopping, removing.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bottlec::backend;
use bottlec::lower::plan_json::{HostPlan, PlanJson, ReadError};
use bottlec::report::cluster::Wanted;
use bottlec::text::{did_you_mean, one_line, quote, quote_path};
use bottlec::world::builtin;

use super::broker::Vault;
use super::bundle::{Bundle, Container, Differs, QUESTION, REMOVAL};
use super::launch::{bundle_removal, in_this_terminal, machine_removal};
use super::machine::Machine;
use super::runner::Runner;
use super::{Chosen, FAILED, UpError, choose};
use crate::cli::Outcome;
use crate::cli::args::{Bottle, Down, Exec, Logs, Which};
use crate::cli::elsewhere;
use crate::cli::error::{Error, reason};
use crate::cli::output::{Output, Stream};
use crate::cli::pull;
use crate::cli::state::{Place, State, peek};

/// A bottle that is asked after: what was launched of it, what its spec says, or both.
pub(super) struct Known {
    slug: String,
    launched: Option<State>,
    compiled: Option<Chosen>,
}

impl Known {
    /// Finds it: by its name alone when one was launched by that, or by the spec. Nothing when what is wrong with that was
    /// said.
    pub(super) fn find(spec: &Path, which: &Which, output: &Output) -> Result<Option<Self>, Error> {
        if let Some(slug) = &which.bottle
            && crate::cli::plans::is_slug(slug).is_ok()
            && let Some(launched) = peek(slug)?
        {
            return Ok(Some(Self { slug: slug.clone(), launched: Some(launched), compiled: None }));
        }
        let Some(compiled) = choose(spec, which, None, false, output)? else {
            output.complain(
                &"the spec does not compile; what was launched is found by its name, too: `--bottle SLUG`",
            );
            return Ok(None);
        };
        let slug = compiled.plan.slug.value.clone();
        let launched = peek(&slug)?;
        Ok(Some(Self { slug, launched, compiled: Some(compiled) }))
    }

    /// Sees that what was launched by this name is of the spec that was asked for.
    pub(super) fn of_this_spec(&self) -> Result<(), Error> {
        match (&self.launched, &self.compiled) {
            (Some(launched), Some(compiled)) if launched.spec != compiled.spec => Err(Error::Host(format!(
                "the bottle {} that is known here is of another spec, {}: name it with `--bottle` if it is meant",
                quote(&self.slug),
                quote_path(&launched.spec)
            ))),
            _ => Ok(()),
        }
    }

    /// The plan that was launched; of what never was, that of the spec.
    pub(super) fn plan(&self, wanted: Wanted) -> Result<HostPlan, Error> {
        if let (None, Some(compiled)) = (&self.launched, &self.compiled) {
            elsewhere::refuse(&compiled.plan, &compiled.out, wanted)?;
        }
        self.any_plan()?.try_into().map_err(|error: ReadError| Error::Host(error.to_string()))
    }

    /// The same, wherever the bottle runs.
    pub(super) fn any_plan(&self) -> Result<PlanJson<'static>, Error> {
        let json = match (&self.launched, &self.compiled) {
            (Some(launched), _) => serde_json::to_vec(&launched.plan).unwrap_or_default(),
            (None, Some(compiled)) => compiled.stage.plan().to_vec(),
            (None, None) => Vec::new(),
        };
        PlanJson::read(&json).map_err(|error| Error::Host(error.to_string()))
    }

    /// Where the plan's commands are run: in the stage, if that is still there.
    fn directory(&self) -> PathBuf {
        let launched = self.launched.as_ref().map(|launched| launched.stage.clone());
        launched.filter(|stage| stage.is_dir()).unwrap_or_else(env::temp_dir)
    }

    pub(super) fn runner(&self, plan: &HostPlan) -> Result<Runner, Error> {
        let runner = Runner::new(&self.directory(), &plan.commands);
        let mut runner = runner.map_err(|error| Error::Host(reason(&error)))?;
        for (name, value) in Vault::of(plan)?.iter().flat_map(Vault::variables) {
            runner.set(name, value);
        }
        Ok(runner)
    }

    /// Whether a bottle of this name was launched here.
    pub(super) fn is_launched(&self) -> bool {
        self.launched.is_some()
    }

    /// Whether the machine of this name was made by a launch.
    pub(super) fn has_machine(&self) -> bool {
        self.launched.as_ref().is_some_and(|launched| launched.machine.is_some())
    }
}

/// Runs a program in a bottle that is up.
pub(in crate::cli) fn exec(command: &Exec, output: &Output) -> Outcome {
    let ended = || -> Result<u8, UpError> {
        let Some(known) = Known::find(&command.bottle.spec, &command.bottle.which, output)? else {
            return Ok(FAILED);
        };
        known.of_this_spec()?;
        let plan = known.plan(Wanted::Exec)?;
        if !known.has_machine() {
            return Err(UpError::Machine(format!(
                "the bottle {} is not up: `bottlec up`",
                quote(&known.slug)
            )));
        }
        let runner = known.runner(&plan)?;
        Ok(runner.attach(&in_this_terminal(&plan), &command.program)?)
    };
    Outcome::Code(ended().unwrap_or_else(|error| {
        output.complain(&error);
        FAILED
    }))
}

/// Shows what the bundle's containers said.
pub(in crate::cli) fn logs(command: &Logs, output: &Output) -> Result<Outcome, Error> {
    let Some(known) = Known::find(&command.spec, &command.which, output)? else {
        return Ok(Outcome::Findings);
    };
    let plan = known.plan(Wanted::Logs)?;
    let containers = &plan.resources.containers;
    let sidecars: Vec<&str> = match command.sidecars.as_slice() {
        [] => plan.sidecars.iter().map(|sidecar| sidecar.name.as_str()).collect(),
        named => named.iter().map(String::as_str).collect(),
    };
    if command.follow && sidecars.len() != 1 {
        return Err(Error::Usage(String::from("`--follow` goes on with one sidecar: name it")));
    }
    let runner = known.runner(&plan)?;
    let bundle = Bundle { runner: &runner, plan: &plan };
    for sidecar in &sidecars {
        let Some(container) = containers.get(*sidecar) else {
            let known = || containers.keys().map(String::as_str);
            let meant = did_you_mean(sidecar, known()).map(|meant| format!(": did you mean `{meant}`?"));
            let meant =
                meant.unwrap_or_else(|| format!(": there are {}", known().collect::<Vec<_>>().join(", ")));
            return Err(Error::Usage(format!("there is no sidecar {}{meant}", quote(sidecar))));
        };
        let tail = command.tail.to_string();
        let mut words = vec!["container", "logs", "--tail", &tail];
        words.extend(command.follow.then_some("--follow"));
        words.push(container);
        let vector = bundle.engine(&words);
        if command.follow {
            let code = runner.attach(&vector, &[])?;
            return Ok(Outcome::Code(code));
        }
        let said = runner.said(&vector, QUESTION)?;
        let mut text = String::new();
        for line in said.lines() {
            // What a container says may be the agent's.
            let line = one_line(line);
            let _ = if sidecars.len() > 1 {
                writeln!(text, "{sidecar} | {line}")
            } else {
                writeln!(text, "{line}")
            };
        }
        output.print(&text)?;
    }
    Ok(Outcome::Clean)
}

/// Shows what runs of a bottle.
pub(in crate::cli) fn status(command: &Bottle, output: &Output) -> Result<Outcome, Error> {
    let Some(known) = Known::find(&command.spec, &command.which, output)? else {
        return Ok(Outcome::Findings);
    };
    let plan = known.plan(Wanted::Status)?;
    let runner = known.runner(&plan)?;
    let mut text = format!("bottle {}\n", known.slug);
    let mut right = true;
    let mut line = |is_right: bool, what: &str| {
        right &= is_right;
        let mark = match (is_right, output.stdout.unicode) {
            (true, true) => "✓",
            (false, true) => "✗",
            (true, false) => "ok  ",
            (false, false) => "fail",
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{mark} {}", one_line(what));
    };
    match (&known.launched, &known.compiled) {
        (None, _) => line(false, "it was never launched here, or was taken down: `bottlec up`"),
        (Some(launched), Some(compiled)) if launched.spec != compiled.spec => {
            line(
                false,
                &format!("what was launched by this name is of another spec, {}", quote_path(&launched.spec)),
            );
        }
        (Some(launched), Some(compiled)) if launched.sha256 == compiled.stage.sha256() => {
            line(true, "what was launched is what the spec says");
        }
        (Some(_), Some(_)) => {
            line(false, "the spec has changed since it was launched: `bottlec up` takes it up");
        }
        (Some(launched), None) => line(true, &format!("launched from {}", quote_path(&launched.spec))),
    }
    if known.launched.is_some() {
        let bundle = Bundle { runner: &runner, plan: &plan };
        let containers = bundle.containers().map_err(into_error)?;
        let made_from = known
            .compiled
            .as_ref()
            .map(|compiled| (backend::of(&compiled.plan).made_from)(&compiled.plan, &compiled.stage.files));
        let differs = made_from.as_ref().map(|made_from| bundle.differences(&containers, made_from));
        let names: BTreeMap<&str, &str> = plan
            .resources
            .containers
            .iter()
            .map(|(sidecar, name)| (sidecar.as_str(), name.value.as_str()))
            .collect();
        for (sidecar, name) in names {
            let found = containers.get(name);
            let state = found.map_or("not there", |container| container.state());
            match differs.as_ref().and_then(|differs| differs.get(name)) {
                Some(Differs::Absent | Differs::NotReady(_)) => line(false, &format!("{sidecar}: {state}")),
                Some(differs) => line(false, &format!("{sidecar}: {state}, but it {}", differs.as_text())),
                None => line(found.is_some_and(Container::is_ready), &format!("{sidecar}: {state}")),
            }
        }
        match Machine::find(&runner, &plan).map_err(into_error)? {
            None => line(false, "machine: not there"),
            Some(machine) => match machine.confined(&plan) {
                Ok(()) => line(machine.runs(), &format!("machine: {}", machine.state())),
                Err(error) => line(false, &error.to_string()),
            },
        }
    }
    output.print(&text)?;
    Ok(if right { Outcome::Clean } else { Outcome::Findings })
}

/// Stops a bottle; everything stays.
pub(in crate::cli) fn stop(command: &Bottle, output: &Output) -> Result<Outcome, Error> {
    let Some(known) = Known::find(&command.spec, &command.which, output)? else {
        return Ok(Outcome::Findings);
    };
    known.of_this_spec()?;
    let _place = Place::take(&known.slug, || output.complain(&"waiting for a launch of this bottle to end"))?;
    let plan = known.plan(Wanted::Stop)?;
    let runner = known.runner(&plan)?;
    let bundle = Bundle { runner: &runner, plan: &plan };
    let found = bundle.found().map_err(into_error)?;
    let machine = if known.has_machine() { Machine::find(&runner, &plan).map_err(into_error)? } else { None };
    let mut stopped = 0;
    for command in &plan.commands.stop {
        let is_of_machine = command.first() == plan.commands.start.first();
        let is_there = if is_of_machine {
            machine.as_ref().is_some_and(Machine::runs)
        } else {
            command.last().and_then(|name| found.get(&name.value)).is_some_and(Container::runs)
        };
        if is_there {
            runner.run(command, REMOVAL)?;
            stopped += 1;
        }
    }
    let what = if stopped == 0 { "nothing runs" } else { "stopped; `bottlec up` goes on with it" };
    output.print(&format!("{}: {what}\n", known.slug))?;
    Ok(Outcome::Clean)
}

/// Sees that nothing is lost with the gate's volume.
fn nothing_is_lost(known: &Known, plan: &HostPlan, runs: bool) -> Result<(), Error> {
    let Some(gate) = pull::Gate::of_launched(plan) else { return Ok(()) };
    let force = "`bottlec down --volumes --force` removes it all the same";
    let stage = known.launched.as_ref().map(|launched| launched.stage.clone()).unwrap_or_default();
    let has_local = plan.git.repos.iter().any(|repo| repo.local().is_some() && *repo.writable);
    if !has_local {
        return Ok(());
    }
    if !runs {
        return Err(Error::Host(format!(
            "git-gate does not run, so nobody can tell whether it holds what was not pulled: `bottlec up` starts it; {force}"
        )));
    }
    let left = pull::unfetched(&gate, &plan.git, |path| pull::from_stage(&stage, path))
        .map_err(|why| Error::Host(format!("{why}; {force}")))?;
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::Host(format!("git-gate holds what was not pulled: {}; {force}", left.join(", "))))
}

/// Removes a bottle.
pub(in crate::cli) fn down(command: &Down, output: &Output) -> Result<Outcome, Error> {
    let Some(known) = Known::find(&command.bottle.spec, &command.bottle.which, output)? else {
        return Ok(Outcome::Findings);
    };
    known.of_this_spec()?;
    let place = Place::take(&known.slug, || output.complain(&"waiting for a launch of this bottle to end"))?;
    let plan = known.plan(Wanted::Down(command.volumes))?;
    let runner = known.runner(&plan)?;
    let bundle = Bundle { runner: &runner, plan: &plan };
    let found = bundle.found().map_err(into_error)?;
    let gate = plan.resources.containers.get(builtin::GIT_GATE).and_then(|name| found.get(&name.value));
    let gate_runs = gate.is_some_and(Container::runs);
    if gate_runs && let Some(launched) = &known.launched {
        pull::of_launched(&plan, &launched.stage, Stream::Stdout, output)?;
    }
    if command.volumes && !command.force && !(found.is_empty() && known.launched.is_none()) {
        nothing_is_lost(&known, &plan, gate_runs)?;
    }
    if known.has_machine() {
        for command in machine_removal(&plan) {
            runner.ask(command, REMOVAL)?;
        }
        if let Some(machine) = Machine::find(&runner, &plan).map_err(into_error)? {
            return Err(Error::Host(format!("the machine is not removed, and is {}", machine.state())));
        }
    }
    // The plan's first, in the order in which they are stopped; then those of older plans.
    for command in bundle_removal(&plan) {
        runner.ask(command, REMOVAL)?;
    }
    let left = bundle.found().map_err(into_error)?;
    bundle.remove_all(left.keys().map(String::as_str).collect()).map_err(into_error)?;
    bundle.remove_network().map_err(into_error)?;
    if let Some(vault) = Vault::of(&plan)? {
        vault.remove()?;
    }
    if command.volumes {
        for command in &plan.commands.purge {
            runner.ask(command, REMOVAL)?;
        }
        bundle.remove_old_volumes().map_err(into_error)?;
    }
    for removal in plan.commands.purge.iter().filter(|_| command.volumes) {
        if bundle.is_there(removal).map_err(into_error)? {
            let name = removal.last().map_or("", |name| name.value.as_str());
            return Err(Error::Host(format!("{} is not removed: something else uses it", quote(name))));
        }
    }
    place.remove()?;
    let kept = if command.volumes || plan.commands.purge.is_empty() {
        ""
    } else {
        "; what the bundle keeps in volumes stays: `bottlec down --volumes` removes it"
    };
    output.print(&format!("{}: removed{kept}\n", known.slug))?;
    Ok(Outcome::Clean)
}

fn into_error(error: UpError) -> Error {
    match error {
        UpError::Tool(error) => error,
        error => Error::Host(error.to_string()),
    }
}
