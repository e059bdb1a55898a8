//! A bottle of a cluster: the commands that make and undo it, as a POSIX shell reads them. `plan` shows them, `plan --format
//! sh` makes a script of them, and what cannot be done from here says to run them.

use crate::backend;
use crate::lower::plan_json::{ClusterCommands, ClusterResources, Command, InputLogin, InputSource};
use crate::lower::shell;
use crate::plan::Plan;
use crate::world::broker::TOKEN;

/// How a word is quoted: for a script, or for a person to paste.
type Quote = fn(&str) -> String;

/// What is made of a plan in a cluster; nothing where none runs it.
#[must_use]
pub fn launch(plan: &Plan) -> Option<(ClusterResources, ClusterCommands)> {
    (backend::of(plan).launch)(plan).in_cluster()
}

/// A command as a shell reads it.
pub(super) fn line(command: &Command, quote: Quote) -> String {
    command.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// The commands that make the launch's token; none where nobody asks for it.
pub(super) fn token(resources: &ClusterResources) -> Vec<String> {
    if !resources.inputs.iter().any(|input| uses_token(&input.from)) {
        return Vec::new();
    }
    vec![
        format!("{TOKEN}=$(od -An -N32 -tx1 /dev/urandom | tr -dc 0-9a-f)"),
        format!("[ ${{#{TOKEN}}} -eq 64 ]"),
    ]
}

fn uses_token(from: &InputSource) -> bool {
    match from {
        InputSource::Token => true,
        InputSource::Login(login) => uses_token(&login.password),
        InputSource::Env(_) | InputSource::File(_) | InputSource::Text(_) => false,
    }
}

/// The commands that make the Secrets and ConfigMaps, each with what it is. Each succeeds or fails as a whole, and none has a
/// secret among its arguments: `printf` is the shell's own. Where a step before it fails, the last one is given nothing, and
/// says so.
pub(super) fn inputs(
    resources: &ClusterResources,
    commands: &ClusterCommands,
    quote: Quote,
) -> Vec<(String, String)> {
    let take = line(&commands.take, quote);
    let made = resources.inputs.iter().zip(&commands.inputs).map(|(input, command)| {
        let print = line(command, quote);
        let shown = match &input.from {
            InputSource::File(path) => format!("({print} <{} | {take})", shell::from_home(path, quote)),
            from => {
                format!("({} && printf %s \"$value\" | {print} | {take})", value(from, quote))
            }
        };
        (input.what.clone(), shown)
    });
    made.collect()
}

/// The commands that put what a source gives into `value`, and fail where that is nothing.
fn value(from: &InputSource, quote: Quote) -> String {
    match from {
        InputSource::Env(variable) => format!("value=\"${{{variable}:?}}\""),
        InputSource::Token => format!("value=\"${{{TOKEN}:?}}\""),
        InputSource::Text(path) | InputSource::File(path) => {
            format!("value=$(cat {}) && [ -n \"$value\" ]", shell::from_home(path, quote))
        }
        InputSource::Login(InputLogin { user, password }) => format!(
            "{} && value=$(printf '%s:%s' {} \"$value\" | base64 | tr -d '\\n') && [ -n \"$value\" ]",
            value(password, quote),
            quote(user)
        ),
    }
}

/// What somebody wants of a bottle that this host does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Whether it could run.
    Check,
    /// That it runs.
    Up,
    /// To see what there is.
    Status,
    /// To see what it says.
    Logs,
    /// To run a program in it.
    Exec,
    /// That it stops.
    Stop,
    /// That it is gone; with what it keeps.
    Down(bool),
}

/// The commands to run instead, in the stage's directory: those that `plan` shows. None where no cluster runs the bottle.
#[must_use]
pub fn instead(plan: &Plan, wanted: Wanted) -> Vec<String> {
    let Some((resources, commands)) = launch(plan) else { return Vec::new() };
    let quote: Quote = shell::pasted;
    let lines = |commands: &[Command]| commands.iter().map(|it| line(it, quote)).collect::<Vec<_>>();
    match wanted {
        Wanted::Check => lines(&commands.check),
        Wanted::Up => {
            let inputs = inputs(&resources, &commands, quote).into_iter().map(|(_, command)| command);
            let launched = [commands.apply.as_slice(), &commands.wait].concat();
            lines(&commands.confine)
                .into_iter()
                .chain(token(&resources))
                .chain(inputs)
                .chain(lines(&launched))
                .collect()
        }
        Wanted::Status => lines(std::slice::from_ref(&commands.status)),
        Wanted::Logs => lines(std::slice::from_ref(&commands.logs)),
        Wanted::Exec => lines(std::slice::from_ref(&commands.attach)),
        Wanted::Stop => lines(&commands.stop),
        Wanted::Down(false) => lines(&commands.cleanup),
        Wanted::Down(true) => lines(&commands.purge),
    }
}
