//! The launch: the bundle, the machine, what goes into it, and the program. What this run made is undone when it fails.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Duration;

use bottlec::digest::sha256_hex;
use bottlec::lower::plan_json::{Checkout, Command as Vector, HostPlan};
use bottlec::lower::{Stage, shell};
use bottlec::stage::Hold;
use bottlec::text::{quote, quote_path, quote_whole};
use bottlec::world::builtin;

use super::UpError;
use super::broker::Vault;
use super::bundle::{Bundle, REMOVAL};
use super::home::home;
use super::machine::Machine;
use super::runner::{RunError, Runner};
use super::say::Progress;
use crate::cli::args::Up;
use crate::cli::error::{Error, reason};
use crate::cli::output::{Output, Stream};
use crate::cli::pull;
use crate::cli::regular;
use crate::cli::state::{Place, State};

/// How long making the bundle may take: its images may have to be fetched and built.
const BUNDLE: Duration = Duration::from_mins(30);
/// How long the engine may take to make a machine, and to start one, whose image it may have to fetch.
const MACHINE: Duration = Duration::from_mins(30);
/// How long it may take to copy a file, or to run one small program.
const SMALL: Duration = Duration::from_mins(2);
/// How long a clone may take.
const CLONE: Duration = Duration::from_mins(30);

/// A launch, all of whose parts are known.
pub(super) struct Launch<'a> {
    pub(super) command: &'a Up,
    pub(super) stage: &'a Stage,
    pub(super) spec: &'a Path,
    pub(super) directory: &'a Path,
    pub(super) made_from: BTreeMap<String, String>,
    /// Variables that the bundle's commands need besides the launcher's own.
    pub(super) variables: Vec<(String, OsString)>,
}

/// What this run made, and undoes when it fails.
#[derive(Default)]
struct Made {
    bundle: bool,
    /// How to remove the volumes and images that were not there before.
    kept: Vec<Vector>,
    machine: bool,
    started: bool,
}

/// Launches a bottle, and runs the program in it. `hold` keeps other writers out of the stage until the last is started.
pub(super) fn launch(launch: &Launch<'_>, hold: Hold, output: &Output) -> Result<u8, UpError> {
    let Launch { command, stage, spec, directory, .. } = launch;
    let plan = HostPlan::read(stage.plan())
        .map_err(|error| Error::Host(format!("the plan that was just written cannot be read: {error}")))?;
    let progress = Progress::new(output);
    // As long as it is waited for, Ctrl-C ends this process.
    let place =
        Place::take(&stage.slug, || progress.line("waiting for another launch of this bottle to end"))?;
    let mut runner = Runner::new(directory, &plan.commands).map_err(|error| Error::Host(reason(&error)))?;
    for (name, value) in &launch.variables {
        runner.set(name, value);
    }
    let mut state = match place.read()? {
        Some(state) if state.spec != *spec => {
            return Err(UpError::Bundle(format!(
                "a bottle {} of another spec, {}, was launched on this host: end it with `bottlec down --bottle {}`, or \
                 launch this one under another name with `--name`",
                quote(&stage.slug),
                quote_path(&state.spec),
                stage.slug,
            )));
        }
        Some(state)
            if state.plan.resources.container_engine.value != plan.resources.container_engine.value =>
        {
            return Err(UpError::Bundle(format!(
                "the bundle was launched with {}, which alone can remove it: `bottlec down`, and `up` makes it anew",
                quote(&state.plan.resources.container_engine.value)
            )));
        }
        Some(state) => state,
        None => {
            let plan = HostPlan::read(stage.plan()).map_err(|error| Error::Host(error.to_string()))?;
            State::new(spec.to_path_buf(), directory.to_path_buf(), stage.sha256(), plan)
        }
    };
    let vault = Vault::of(&plan)?;
    let mut new_token = false;
    if let Some(vault) = &vault {
        new_token = vault.fill(&plan, directory)?;
        for (name, value) in vault.variables() {
            runner.set(name, value);
        }
    }
    let mut made = Made::default();
    let vault = vault.as_ref();
    let run =
        Run { launch, plan: &plan, runner: &runner, progress: &progress, place: &place, vault, new_token };
    match run.bring_up(&mut state, &mut made) {
        Ok(()) => {}
        Err(error) => {
            if made.bundle || made.machine || made.started {
                progress.step("undoing what this run made");
            }
            runner.go_on();
            let left = run.undo(&made, &mut state);
            progress.end();
            for what in left {
                progress.line(&format!("not undone: {what}"));
            }
            return Err(error);
        }
    }
    progress.end();
    // Whoever is next finds it up.
    drop((place, hold));
    let program = match command.program.as_slice() {
        [] if !io::stdin().is_terminal() => {
            progress.line(&format!(
                "{} is up: `bottlec exec -- PROGRAM` runs a program in it",
                quote(&stage.slug)
            ));
            return Ok(0);
        }
        [] => match plan.agent.as_ref().as_ref().map(|agent| agent.program.as_slice()) {
            Some(words @ [_, ..]) => {
                progress.line(&format!(
                    "running the agent's program, {}: `bottlec exec -- sh -l` gives a shell beside it",
                    quote_whole(&shell::words(words.iter().map(|word| word.as_str())))
                ));
                words.iter().map(|word| OsString::from(word.as_str())).collect()
            }
            _ => vec!["/bin/sh".into(), "-l".into()],
        },
        program => program.to_vec(),
    };
    runner.go_on();
    let code = runner.attach(&in_this_terminal(&plan), &program)?;
    // What the agent pushed is at hand without another word; that it cannot be is said, and the program's code is passed on.
    pull::of_launched(&plan, directory, Stream::Stderr, output)?;
    Ok(code)
}

/// The vector by which a program is run on this process's input and output.
pub(super) fn in_this_terminal(plan: &HostPlan) -> Vector {
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut vector = plan.commands.attach.clone();
    if !is_terminal {
        let end = vector.iter().position(|word| **word == "--").unwrap_or(vector.len());
        if let Some(at) = vector[..end].iter().position(|word| **word == "--tty") {
            vector.remove(at);
        }
    }
    vector
}

struct Run<'a> {
    launch: &'a Launch<'a>,
    plan: &'a HostPlan,
    runner: &'a Runner,
    progress: &'a Progress<'a>,
    place: &'a Place,
    /// What only the broker sees, if there is one.
    vault: Option<&'a Vault>,
    /// Whether the launch's token is another one than what runs knows.
    new_token: bool,
}

impl Run<'_> {
    fn bring_up(&self, state: &mut State, made: &mut Made) -> Result<(), UpError> {
        // Asked before anything is made: another's machine of this name is not touched, and a change that needs a new
        // machine stops the launch before the bundle is another one.
        let machine = Machine::find(self.runner, self.plan)?;
        let wanted = self.machine_digest();
        let recreate = match (&machine, &state.machine) {
            (Some(machine), None) => {
                return Err(UpError::Machine(format!(
                    "there is a machine {} ({}) that no launch of this bottle made: remove it yourself, or launch under \
                     another name with `--name`",
                    quote(&self.plan.resources.machine.value),
                    machine.state(),
                )));
            }
            (Some(machine), Some(from)) if *from == wanted && !self.launch.command.recreate => {
                machine.confined(self.plan)?;
                false
            }
            (Some(_), Some(_)) if self.launch.command.recreate => true,
            (Some(_), Some(_)) => {
                return Err(UpError::Machine(format!(
                    "the spec now needs another machine than {}, in which the agent's work is: have it pushed, then \
                     `bottlec up --recreate` removes the machine with all that is in it",
                    quote(&self.plan.resources.machine.value)
                )));
            }
            (None, _) => false,
        };
        self.bundle(made)?;
        self.machine(machine.as_ref().filter(|_| !recreate), recreate, &wanted, state, made)?;
        self.provision(state)?;
        for checkout in &self.plan.commands.checkouts {
            self.checkout(checkout)?;
        }
        state.sha256 = self.launch.stage.sha256();
        state.stage = self.launch.directory.to_path_buf();
        state.plan =
            HostPlan::read(self.launch.stage.plan()).map_err(|error| Error::Host(error.to_string()))?;
        self.place.write(state)?;
        Ok(())
    }

    fn bundle(&self, made: &mut Made) -> Result<(), UpError> {
        let bundle = Bundle { runner: self.runner, plan: self.plan };
        let mut found = bundle.found()?;
        let made_from = &self.launch.made_from;
        // What it is shown is a directory that is no more.
        let broker = self.plan.resources.containers.get(builtin::BROKER).filter(|_| self.new_token);
        if let Some(broker) = broker.filter(|name| found.contains_key(&name.value)) {
            bundle.remove(&broker.value)?;
            found.remove(&broker.value);
        }
        let is_up = found.keys().eq(made_from.keys()) && bundle.differences(&found, made_from).is_empty();
        if !is_up {
            if bundle.has_other_subnet()? {
                self.progress.step("removing the bundle of another subnet");
                bundle.remove_all(found.keys().map(String::as_str).collect())?;
                bundle.remove_network()?;
                found.clear();
            }
            made.bundle = found.is_empty();
            if made.bundle {
                for removal in &self.plan.commands.purge {
                    if !bundle.is_there(removal)? {
                        made.kept.push(removal.clone());
                    }
                }
            }
            bundle.remove_all(bundle.outdated(&found, made_from))?;
            self.progress.step("starting the bundle");
            for command in &self.plan.commands.bundle {
                self.runner.run(command, BUNDLE)?;
            }
            bundle.wait(made_from, &mut |waiting| self.progress.waiting(waiting))?;
        }
        bundle.ports()
    }

    fn machine(
        &self,
        existing: Option<&Machine>,
        recreate: bool,
        wanted: &str,
        state: &mut State,
        made: &mut Made,
    ) -> Result<(), UpError> {
        let commands = &self.plan.commands;
        if recreate {
            self.progress.step("removing the machine");
            // Those of the plan by which it was made: the engine may be another one now.
            for command in machine_removal(&state.plan) {
                self.runner.ask(command, REMOVAL)?;
            }
            if Machine::find(self.runner, self.plan)?.is_some() {
                return Err(UpError::Machine(String::from(
                    "the machine cannot be removed: see `smolvm machine ls`",
                )));
            }
            (state.machine, state.provisioned) = (None, None);
        }
        let mut runs = existing.is_some_and(Machine::runs);
        if runs && self.new_token {
            // It was started with another token.
            self.progress.step("stopping the machine, whose token is no longer known");
            for command in commands.stop.iter().take(1) {
                self.runner.run(command, REMOVAL)?;
            }
            runs = false;
        }
        if existing.is_none() {
            self.progress.step("making the machine");
            // Written first: should this end here, the next run knows whose the machine is.
            state.machine = Some(wanted.to_owned());
            state.provisioned = None;
            state.plan =
                HostPlan::read(self.launch.stage.plan()).map_err(|error| Error::Host(error.to_string()))?;
            self.place.write(state)?;
            made.machine = true;
            self.runner.run(&commands.create, MACHINE)?;
        }
        if runs {
            return Ok(());
        }
        self.progress.step("starting the machine");
        made.started = true;
        self.runner.run(&commands.start, MACHINE)?;
        let machine = Machine::find(self.runner, self.plan)?.filter(Machine::runs);
        let Some(machine) = machine else {
            return Err(UpError::Machine(format!(
                "the machine {} was started, and does not run: see `smolvm machine status --name {0}`",
                self.plan.resources.machine.value
            )));
        };
        machine.confined(self.plan)
    }

    /// Copies the plan's files, unless these very ones are there.
    fn provision(&self, state: &mut State) -> Result<(), UpError> {
        let commands = &self.plan.commands.provision;
        let wanted = self.provision_digest()?;
        if state.provisioned.as_deref() == Some(wanted.as_str()) {
            return Ok(());
        }
        if !commands.is_empty() {
            self.progress.step("copying files into the machine");
        }
        for command in commands {
            self.runner.run(&from_home(command)?, SMALL)?;
        }
        state.provisioned = Some(wanted);
        Ok(())
    }

    fn checkout(&self, checkout: &Checkout) -> Result<(), UpError> {
        if self.runner.ask(&checkout.exists, SMALL)?.status.success() {
            return Ok(());
        }
        self.progress.step(&format!("cloning {}", quote(&checkout.repo)));
        self.runner.run(&checkout.clone, CLONE)?;
        Ok(())
    }

    /// The digest of what a machine is made from: another one needs another machine.
    fn machine_digest(&self) -> String {
        let mut text =
            self.plan.commands.create.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join("\0");
        let smolfile = self.plan.smolfile_path.as_ref();
        if let Some(smolfile) = smolfile.and_then(|path| self.launch.stage.files.get(path)) {
            text.push_str(&smolfile.bytes.sha256());
        }
        sha256_hex(text.as_bytes())
    }

    /// The digest of what is copied into the machine, by the way in which it is copied.
    fn provision_digest(&self) -> Result<String, UpError> {
        let mut text = String::new();
        for command in &self.plan.commands.provision {
            text.extend(command.iter().flat_map(|word| [word.value.as_str(), "\0"]));
        }
        for file in &self.plan.provision {
            let path = self.launch.directory.join(home(&file.source)?);
            let bytes = regular::read(&path, MAX_PROVISION)
                .map_err(|reason| Error::Read { path: path.clone(), reason })?;
            text.push_str(&sha256_hex(&bytes));
        }
        Ok(sha256_hex(text.as_bytes()))
    }

    /// Undoes what this run made, and says what could not be.
    fn undo(&self, made: &Made, state: &mut State) -> Vec<String> {
        let mut left = Vec::new();
        let mut attempt = |command: &Vector| {
            if let Err(error) = self.runner.ask(command, REMOVAL) {
                left.push(error.to_string());
            }
        };
        if made.machine {
            machine_removal(self.plan).for_each(&mut attempt);
        } else if made.started {
            self.plan.commands.stop.iter().take(1).for_each(&mut attempt);
        }
        if made.bundle {
            bundle_removal(self.plan).for_each(&mut attempt);
            made.kept.iter().for_each(&mut attempt);
            let removed = self.vault.map_or(Ok(()), Vault::remove);
            left.extend(removed.err().map(|error| error.to_string()));
        }
        if made.machine {
            match Machine::find(self.runner, self.plan) {
                Ok(None) => {
                    (state.machine, state.provisioned) = (None, None);
                    let noted = if made.bundle { self.place.remove() } else { self.place.write(state) };
                    left.extend(noted.err().map(|error| error.to_string()));
                }
                // Its state stays, so that `down` knows it.
                Ok(Some(machine)) => left.push(format!("the machine is {}", machine.state())),
                Err(error) => left.push(error.to_string()),
            }
        }
        left
    }
}

/// The most that is read of a file that is copied into the machine.
const MAX_PROVISION: u64 = 16 << 20;

/// The steps of a plan's undoing that are the machine's.
pub(super) fn machine_removal(plan: &HostPlan) -> impl Iterator<Item = &Vector> {
    plan.commands.cleanup.iter().filter(|command| is_of_machine(plan, command))
}

/// The steps that are the bundle's.
pub(super) fn bundle_removal(plan: &HostPlan) -> impl Iterator<Item = &Vector> {
    plan.commands.cleanup.iter().filter(|command| !is_of_machine(plan, command))
}

fn is_of_machine(plan: &HostPlan, command: &Vector) -> bool {
    command.first() == plan.commands.start.first()
}

/// A vector whose words from `~/` on are seen from the home of who launches.
fn from_home(vector: &Vector) -> Result<Vector, Error> {
    vector.iter().map(|word| Ok(word.with(home(word)?))).collect()
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Self {
        Self::Host(error.to_string())
    }
}
