//! A plan's commands, as they are pasted into a POSIX shell: what is said of them are comments.

use super::page::Page;
use crate::backend;
use crate::lower::plan_json::{Checkout, ClusterCommands, Command, Commands, Provision};
use crate::lower::shell;
use crate::plan::{Plan, Traced};
use crate::report::script::git_directory;
use crate::report::{cluster, vault};

impl Page {
    pub(super) fn commands(&mut self, plan: &Plan, directory: &str) {
        let launch = (backend::of(plan).launch)(plan);
        let provision = launch.provision.clone();
        match launch.on_host() {
            Some((_, commands)) => self.on_host(plan, directory, commands, provision),
            None => self.in_cluster(plan, directory),
        }
    }

    fn on_host(
        &mut self,
        plan: &Plan,
        directory: &str,
        commands: Commands,
        provision: Vec<Traced<Provision>>,
    ) {
        let Commands {
            bundle,
            // What a launcher asks in between, which changes nothing.
            inspect: _,
            containers: _,
            network: _,
            volumes: _,
            machines: _,
            create,
            start,
            provision: copy,
            checkouts,
            exec,
            attach,
            denials,
            unset,
            set,
            stop,
            cleanup,
            purge,
        } = commands;
        self.title("In each shell, before the rest");
        // Neither a flag nor looked for in `CDPATH`.
        let directory =
            if directory.starts_with('/') { directory.to_owned() } else { format!("./{directory}") };
        self.command([String::from("cd"), shell::pasted(&directory)]);
        if !unset.is_empty() {
            self.command(
                ["unset"].into_iter().map(str::to_owned).chain(unset.iter().map(|it| it.value.clone())),
            );
        }
        if !set.is_empty() {
            let set = set.iter().map(|(name, value)| format!("{name}={}", shell::pasted(value)));
            self.command(std::iter::once(String::from("export")).chain(set));
        }

        for command in vault::token(plan) {
            self.command(vault::words(&command));
        }

        self.title("Launch");
        for command in vault::secrets(plan) {
            self.command(vault::words(&command));
        }
        for local in plan.git.repos.iter().filter_map(|repo| repo.local()) {
            let mut ask = git_directory(shell::from_home(&local.path, shell::pasted));
            ask[0] = format!("{}=$({}", *local.variable, ask[0]);
            if let Some(last) = ask.last_mut() {
                last.push(')');
            }
            self.command(ask);
            self.command([String::from("export"), local.variable.value.clone()]);
        }
        for command in bundle.iter().chain([&create, &start]) {
            self.command(pasted(command));
        }
        for command in &copy {
            self.command(command.iter().map(|word| shell::from_home(word, shell::pasted)));
        }
        for Checkout { path, exists, clone, .. } in &checkouts {
            self.remark(&format!("unless {path} is there"));
            self.command(pasted(exists).chain([String::from("||")]));
            self.command(pasted(clone));
        }
        // An engine that copies nothing: by hand, then.
        if copy.is_empty() && !provision.is_empty() {
            self.title("Into the machine, before the agent runs");
            let rows = provision.into_iter().map(|file| {
                let file = file.value;
                vec![file.mode, file.source, file.target]
            });
            self.table(&rows.collect::<Vec<_>>());
        }

        self.title("In the machine");
        let program = || [String::from("PROGRAM")];
        self.remark("PROGRAM stands for a program and its arguments");
        self.command(pasted(&exec).chain(program()));
        self.remark("the same with this terminal");
        self.command(pasted(&attach).chain(program()));
        if let Some(denials) = &denials.value {
            self.remark("what the engine refused");
            self.command(pasted(denials));
        }
        for (title, commands) in [
            ("Stop (everything stays)", &stop),
            ("Undo (what the bundle keeps stays)", &cleanup),
            ("And what it keeps", &purge),
        ] {
            if !commands.is_empty() {
                self.title(title);
            }
            for command in commands {
                self.command(pasted(command));
            }
            if title.starts_with("Undo")
                && let Some(command) = vault::removal(plan)
            {
                self.command(vault::words(&command));
            }
        }
    }
}

impl Page {
    /// The commands of a bottle in a cluster, which whoever launches it runs: against the cluster that `kubectl` is set up
    /// for.
    fn in_cluster(&mut self, plan: &Plan, directory: &str) {
        let Some((resources, commands)) = cluster::launch(plan) else { return };
        let ClusterCommands {
            confine,
            inputs: _,
            // Behind each of those.
            take: _,
            apply,
            wait,
            exec,
            attach,
            check,
            logs,
            status,
            answer,
            restart,
            stop,
            cleanup,
            purge,
        } = &commands;
        self.title("In each shell, before the rest");
        let directory =
            if directory.starts_with('/') { directory.to_owned() } else { format!("./{directory}") };
        self.command([String::from("cd"), shell::pasted(&directory)]);
        self.title("What the cluster has: the RuntimeClass, the right to make a namespace, the address free");
        for command in check {
            self.command(pasted(command));
        }
        self.title("The namespace and its policies, before anything runs in it");
        for command in confine {
            self.command(pasted(command));
        }
        if !resources.inputs.is_empty() {
            self.title("Its Secrets and ConfigMaps, of what this host has");
        }
        for command in cluster::token(&resources) {
            self.command(vault::words(&command));
        }
        for (what, command) in cluster::inputs(&resources, &commands, shell::pasted) {
            self.remark(&what);
            self.command(vault::words(&command));
        }
        for (title, commands) in [
            ("Launch", [apply.as_slice(), wait].concat()),
            ("After a change of a Secret", restart.clone()),
            ("What there is, and what it says", vec![status.clone(), logs.clone()]),
            ("What the agent asks for", vec![answer.clone()]),
        ] {
            let commands: Vec<_> = commands.iter().filter(|command| !command.is_empty()).collect();
            if !commands.is_empty() {
                self.title(title);
            }
            for command in commands {
                let rest = (title == "What the agent asks for").then(|| String::from("list"));
                self.command(pasted(command).chain(rest));
            }
        }
        self.title("In the machine");
        let program = || [String::from("PROGRAM")];
        self.remark("PROGRAM stands for a program and its arguments");
        self.command(pasted(exec).chain(program()));
        self.remark("the same with this terminal");
        self.command(pasted(attach).chain(program()));
        for (title, commands) in [
            ("Stop (what is written to volumes stays)", stop),
            ("Undo (what the bundle keeps stays, and so do the policies)", cleanup),
            ("And what it keeps", purge),
        ] {
            self.title(title);
            for command in commands {
                self.command(pasted(command));
            }
        }
    }
}

fn pasted(command: &Command) -> impl Iterator<Item = String> {
    command.iter().map(|word| shell::pasted(word))
}
