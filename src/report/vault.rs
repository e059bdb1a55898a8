//! What only the broker sees, made by hand: the commands of a POSIX shell that do what `bottlec up` does. Each succeeds or
//! fails as a whole, and none has a secret among its arguments: `printf` is the shell's own.

use crate::lower::shell;
use crate::model::Reference;
use crate::plan::{Plan, PlannedCredential, PlannedLogin};
use crate::world::broker::{DIRECTORY, TOKEN, TOKEN_FILE};

/// The commands for each shell: they make the directory and the launch's token, unless these are there. None where nothing is
/// brokered.
pub(super) fn token(plan: &Plan) -> Vec<String> {
    if plan.credentials.is_empty() {
        return Vec::new();
    }
    vec![
        format!("{DIRECTORY}=\"${{XDG_RUNTIME_DIR:?}}/bottlec/{}\"", *plan.slug),
        format!("export {DIRECTORY}"),
        format!("(umask 077 && mkdir -p \"${DIRECTORY}\")"),
        format!(
            "[ -s {0} ] || (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -dc 0-9a-f >{0})",
            file(TOKEN_FILE)
        ),
        format!("{TOKEN}=$(cat {})", file(TOKEN_FILE)),
        format!("[ ${{#{TOKEN}}} -eq 64 ]"),
        format!("export {TOKEN}"),
    ]
}

/// The commands that put the secrets there.
pub(super) fn secrets(plan: &Plan) -> Vec<String> {
    plan.credentials.iter().filter(|credential| credential.is_written()).flat_map(|it| put(it)).collect()
}

/// The command that removes it all.
pub(super) fn removal(plan: &Plan) -> Option<String> {
    (!plan.credentials.is_empty()).then(|| format!("rm -rf \"${{{DIRECTORY}:?}}\""))
}

/// The words of one of these commands, between which a line may end.
pub(super) fn words(command: &str) -> Vec<String> {
    let (mut words, mut is_quoted, mut is_escaped) = (vec![String::new()], false, false);
    for c in command.chars() {
        if c == ' ' && !is_quoted && !is_escaped {
            words.push(String::new());
            continue;
        }
        is_quoted ^= c == '\'' && !is_escaped;
        is_escaped = c == '\\' && !is_quoted && !is_escaped;
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words
}

fn file(name: &str) -> String {
    format!("\"${DIRECTORY}/{name}\"")
}

fn put(credential: &PlannedCredential) -> Vec<String> {
    let name = credential.name.as_str();
    let secret = match &*credential.secret {
        Reference::Env(variable) => format!("secret=\"${{{variable}:?}}\""),
        Reference::File(path) => format!("secret=$(cat {})", shell::from_home(path, shell::word)),
    };
    let there = format!("(umask 077 && {secret} && [ -n \"$secret\" ]");
    match &*credential.login {
        PlannedLogin::Basic(user) => {
            let user = shell::word(user);
            let of = |secret: &str, name: &str| {
                format!(
                    "login=$(printf '%s:%s' {user} \"{secret}\" | base64 | tr -d '\\n') && [ -n \"$login\" ] && rm -f {0} && \
                     printf %s \"$login\" >{0})",
                    file(name)
                )
            };
            vec![
                format!("{there} && {}", of("$secret", name)),
                format!("(umask 077 && {}", of(&format!("${TOKEN}"), &format!("{name}.token"))),
            ]
        }
        PlannedLogin::Header(_) | PlannedLogin::Bearer => {
            vec![format!("{there} && rm -f {0} && printf %s \"$secret\" >{0})", file(name))]
        }
    }
}
