//! Sidecars that would not work: command lines in one word, images that lack what they need, volumes that nobody may
//! write to.

use std::collections::BTreeMap;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Bottle, MemberKind, Names, Service, Sidecar, Spanned, Volume, VolumeSource};
use crate::rule::Level;
use crate::rule::catalogue::{COMMAND_IN_ONE_WORD, IMAGE_CANNOT_RUN, VOLUME_NOT_WRITTEN};
use crate::source::{Sources, Span};
use crate::syntax::quoted_string;
use crate::text::{one_of, quote};
use crate::world::images::{self, CHANGES_USER};

/// The characters that mean something to a shell, and not to a program.
const SHELL: &[char] = &['|', '&', ';', '<', '>', '(', ')', '$', '`', '\\', '"', '\'', '*', '?', '~', '#'];

/// The words by which a shell joins commands.
const OPERATORS: &[&str] = &["&&", "||", "|", ";", "&", ">", ">>", "<"];

/// How many sidecars of one volume are named.
const SHOWN: usize = 4;

/// Checks a sidecar by itself.
pub fn check(sidecar: &Sidecar, sources: &Sources, diagnostics: &mut Diagnostics) {
    let Sidecar { name: _, port_node: _, needs: _, limits: _, service } = sidecar;
    if let Some(health) = &service.health {
        self::health(&health.command, sources, diagnostics);
    }
    if let [only] = service.command.as_slice()
        && only.value.trim().contains(char::is_whitespace)
    {
        let mut diagnostic = Diagnostic::new(
            &COMMAND_IN_ONE_WORD,
            only.span,
            format!("{} is one argument: nothing splits it", quote(&only.value)),
        )
        .label("expected each argument in quotes of its own");
        // A program may well take a sentence.
        diagnostic.level = Level::Warning;
        let split = split(&only.value);
        diagnostics.push(match split {
            Some(words) => {
                diagnostic.replace(format!("write `{words}`"), Applicability::Unsafe, only.span, words)
            }
            None => diagnostic
                .help("what a shell reads is given to one: `\"-c\"` and the text, where the image's entry point is a shell"),
        });
    }
    runs(service, diagnostics);
}

/// A health check that is no program with its arguments, and so is never well.
fn health(command: &[Spanned<String>], sources: &Sources, diagnostics: &mut Diagnostics) {
    let [program, arguments @ ..] = command else { return };
    let new = |span: Span, message: String| Diagnostic::new(&COMMAND_IN_ONE_WORD, span, message);
    let whole = Span { end: command.last().map_or(program.span.end, |last| last.span.end), ..program.span };
    let text = sources.get(whole.source).text();
    // Settings may stand between two words.
    let alone = |pair: &[Spanned<String>]| {
        text[pair[0].span.end as usize..pair[1].span.start as usize].trim().is_empty()
    };
    match (program.value.as_str(), arguments) {
        (word @ ("CMD" | "CMD-SHELL"), [first, ..]) => {
            let (run, title) = match word {
                "CMD" => ("", "take it out"),
                _ => ("\"sh\" \"-c\" ", "write `\"sh\" \"-c\"` for it"),
            };
            let place = Span { end: first.span.start, ..program.span };
            let diagnostic = new(program.span, format!("{} would be run as a program", quote(word)))
                .label("Compose's word for what follows");
            diagnostics.push(if alone(&[program.clone(), first.clone()]) {
                diagnostic.replace(title, Applicability::Safe, place, run)
            } else {
                diagnostic.help(title)
            });
        }
        ("NONE", []) => diagnostics.push(
            new(program.span, String::from("`NONE` would be run as a program"))
                .label("Compose's word for no check")
                .help("leave `health` out: without it the sidecar counts as ready when its container runs"),
        ),
        (text, _) if text.trim().contains(char::is_whitespace) => {
            let mut diagnostic = new(program.span, format!("no program is called {}", quote(text)))
                .label("expected the program and each argument in quotes of their own");
            let option = text.split_whitespace().any(|word| word.starts_with('-'));
            if text.starts_with('/') && !option {
                // A path may have a blank in it.
                diagnostic.level = Level::Warning;
                diagnostic.message = format!("{} is taken for the name of one program", quote(text));
            }
            let shell = || format!("\"sh\" \"-c\" {}", quoted_string(text.trim()));
            diagnostics.push(match split(text) {
                Some(words) => {
                    let sure = if diagnostic.level == Level::Error {
                        Applicability::Safe
                    } else {
                        Applicability::Unsafe
                    };
                    diagnostic.replace(format!("write `{words}`"), sure, program.span, words)
                }
                None if arguments.is_empty() => diagnostic
                    .help("nothing but a shell understands it, and the image may have none")
                    .replace(format!("write `{}`", shell()), Applicability::Unsafe, program.span, shell()),
                None => diagnostic,
            });
        }
        (_, arguments) => {
            let operator = arguments.iter().find(|word| OPERATORS.contains(&word.value.as_str()));
            let Some(operator) = operator else { return };
            let joined = command.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join(" ");
            let shell = format!("\"sh\" \"-c\" {}", quoted_string(&joined));
            let diagnostic = new(
                operator.span,
                format!("{} is an argument of {} here", quote(&operator.value), quote(&program.value)),
            )
            .label("no shell reads it")
            .help("nothing but a shell understands it, and the image may have none");
            diagnostics.push(if command.windows(2).all(alone) {
                diagnostic.replace(format!("write `{shell}`"), Applicability::Unsafe, whole, shell)
            } else {
                diagnostic.help(format!("write `{shell}`"))
            });
        }
    }
}

/// The words of a command line, each in quotes; nothing of one that is a shell's.
fn split(text: &str) -> Option<String> {
    (!text.contains(SHELL)).then(|| text.split_whitespace().map(quoted_string).collect::<Vec<_>>().join(" "))
}

/// Whether a well-known image is given what it needs: it starts as root, without the rights that root has elsewhere.
fn runs(service: &Service, diagnostics: &mut Diagnostics) {
    let Some(reference) = &service.image else { return };
    let Some(image) = images::find(&reference.value) else { return };
    let first = service.command.first().map(|first| first.value.as_str());
    if !image.changes_user_for(first) {
        return;
    }
    let mut lacks = Vec::new();
    let mut help = Vec::new();
    let root = |user: &str| matches!(user.split(':').next(), Some("0" | "root"));
    let as_root = service.run_as.as_ref().is_none_or(|user| root(&user.value));
    let may_change =
        CHANGES_USER.iter().all(|it| service.capabilities.iter().any(|given| given.value == *it));
    if as_root && !may_change {
        lacks.push(String::from("may not change to its own user"));
        let user = image.user(&reference.value);
        help.push(format!("add `run-as \"{user}\"`: its own user, so that it needs no capability"));
    }
    let volumes = service.volumes.iter().filter(|volume| volume.writable.value).map(|volume| &volume.target);
    let writable: Vec<&str> = volumes.chain(&service.tmpfs).map(|path| path.value.as_str()).collect();
    for path in image.writes.iter().filter(|path| !writable.iter().any(|outer| images::lies_in(path, outer)))
    {
        lacks.push(format!("may not write to `{path}`"));
        help.push(format!("add `tmpfs \"{path}\"`: what it keeps there is made anew at each start"));
    }
    let outside = |volume: &&Volume| {
        let named = matches!(volume.source.value, VolumeSource::Named(_)) && volume.writable.value;
        let mut own = image.data.iter().chain(image.writes);
        named && !own.any(|own| images::lies_in(&volume.target.value, own))
    };
    if let Some(volume) = service.volumes.iter().find(outside).filter(|_| !as_root) {
        lacks.push(format!("may not write to {}, where a new volume is root's", quote(&volume.target.value)));
        help.push(format!(
            "what it keeps goes to {}, which is its own user's",
            one_of(image.data.iter().copied())
        ));
    }
    if lacks.is_empty() {
        return;
    }
    let message = format!("`{}` is not given what it needs: it {}", image.short(), lacks.join(", and it "));
    let mut diagnostic = Diagnostic::new(&IMAGE_CANNOT_RUN, reference.span, message)
        .label("runs without capabilities, and its root file system is read-only");
    diagnostic.help = help;
    diagnostics.push(diagnostic);
}

/// Checks the volumes of a bottle: one by name that no sidecar writes to stays empty.
pub fn check_bottle(bottle: &Bottle<Names>, diagnostics: &mut Diagnostics) {
    let mut by_name: BTreeMap<&str, Vec<&Volume>> = BTreeMap::new();
    for member in &bottle.members {
        let MemberKind::Custom(service) = &member.kind else { continue };
        for volume in &service.volumes {
            if let VolumeSource::Named(name) = &volume.source.value {
                by_name.entry(name).or_default().push(volume);
            }
        }
    }
    for (name, volumes) in by_name {
        if volumes.iter().any(|volume| volume.writable.value) {
            continue;
        }
        let Some((first, others)) = volumes.split_first() else { continue };
        let mut diagnostic = Diagnostic::new(
            &VOLUME_NOT_WRITTEN,
            first.source.span,
            format!("no sidecar may write to volume {}", quote(name)),
        )
        .label("read-only, unless it says otherwise");
        for other in others.iter().take(SHOWN) {
            diagnostic = diagnostic.related(other.source.span, "and here");
        }
        let writes = "access=\"read-write\"";
        diagnostics.push(if others.is_empty() {
            let said = first.writable.span != first.source.span;
            let (place, text) = if said {
                (first.writable.span, String::from("\"read-write\""))
            } else {
                (Span::at(first.target.span.source, first.target.span.end), format!(" {writes}"))
            };
            diagnostic.help("what the host has is shown by its path: `./seed`").replace(
                format!("write `{writes}`"),
                Applicability::Unsafe,
                place,
                text,
            )
        } else {
            diagnostic.help(format!("add `{writes}` to the one that fills it: {}", one_of(targets(&volumes))))
        });
    }
}

fn targets<'a>(volumes: &[&'a Volume]) -> Vec<&'a str> {
    let mut targets: Vec<&str> = volumes.iter().map(|volume| volume.target.value.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets.truncate(SHOWN);
    targets
}
