//! Profile scopes: the profiles that a file sees, and the merge of a bottle with those that it extends.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{BottleDecl, File, Layer, Name, Profile, Spanned};
use crate::resolve::graph::{Graph, Need};
use crate::resolve::include::IncludeClosure;
use crate::resolve::message::{circle, duplicate};
use crate::rule::catalogue as rules;
use crate::source::{SourceId, Sources, Span};
use crate::text::{did_you_mean, one_of, quote};
use crate::world::catalogue::{self, BuiltIn};

/// The profiles of a file and of every file that it includes, by name.
#[derive(Debug)]
pub struct Scope<'a> {
    profiles: BTreeMap<&'a str, Entry<'a>>,
    /// Whether there may be more, in a file that could not be included.
    partial: bool,
}

#[derive(Debug)]
struct Entry<'a> {
    profile: &'a Profile,
    /// Whether it, or one below it, extends something that is not there or itself: nothing can be said of a bottle
    /// that extends it.
    broken: bool,
}

impl<'a> Scope<'a> {
    /// The scope of `file`, which reaches `reach` over its includes. Reports profiles of one
    /// name, names without a profile, and circles.
    pub fn new(
        file: SourceId,
        files: &'a BTreeMap<SourceId, File>,
        closure: &IncludeClosure,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let mut profiles: BTreeMap<&str, Entry<'a>> = BTreeMap::new();
        let profiles_in = closure.files.iter().filter_map(|id| files.get(id)).flat_map(|file| &file.profiles);
        for profile in profiles_in {
            // A spec's own of a built-in one's name is reported as that, and takes no place.
            if catalogue::place_of(&profile.name.value).is_some() && !sources.is_built_in(profile.name.span) {
                continue;
            }
            let entry = profiles.entry(&profile.name.value).or_insert(Entry { profile, broken: false });
            if entry.profile.name.span != profile.name.span {
                diagnostics.push(duplicate("profile", &profile.name, &entry.profile.name));
            }
        }
        let mut scope = Self { profiles, partial: closure.partial };
        scope.link(file, sources, diagnostics);
        scope
    }

    /// Looks at what each profile extends.
    fn link(&mut self, file: SourceId, sources: &Sources, diagnostics: &mut Diagnostics) {
        let names: Vec<&'a str> = self.profiles.keys().copied().collect();
        let mut needs = Vec::new();
        let mut broken = Vec::new();
        for (from, name) in names.iter().enumerate() {
            for parent in &self.profiles[name].profile.extends {
                if let Ok(to) = names.binary_search(&parent.value.as_str()) {
                    needs.push(Need { from, to, span: parent.span });
                } else {
                    broken.push(from);
                    // A profile of another file is looked at in that file's own scope.
                    if parent.span.source == file && !self.partial {
                        diagnostics.push_error_with(|| self.unknown(parent, sources));
                    }
                }
            }
        }
        if let Err(cycles) = Graph::new(names.len(), needs.iter().copied()).waves() {
            for cycle in cycles {
                diagnostics.push(profile_cycle(&cycle, &names));
                broken.extend(cycle.iter().map(|need| need.from));
            }
        }
        // What lies on a broken profile is broken, too.
        let mut above: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for need in &needs {
            above.entry(need.to).or_default().push(need.from);
        }
        while let Some(at) = broken.pop() {
            let Some(entry) = self.profiles.get_mut(names[at]) else { continue };
            if !entry.broken {
                entry.broken = true;
                broken.extend(above.get(&at).into_iter().flatten());
            }
        }
    }

    fn unknown(&self, name: &Spanned<Name>, sources: &Sources) -> Diagnostic {
        let known = || self.profiles.keys().copied();
        if catalogue::place_of(&name.value).is_some() {
            return unknown_built_in(name);
        }
        let diagnostic = Diagnostic::new(
            &rules::UNKNOWN_PROFILE,
            name.span,
            format!("there is no profile {}", quote(&name.value)),
        );
        let place = quote(sources.get(name.span.source).name());
        let built_in = catalogue::of_word(&name.value).map(BuiltIn::name);
        match built_in.as_deref().or_else(|| did_you_mean(&name.value, known())) {
            Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")).replace(
                format!("write `{meant}`"),
                Applicability::Unsafe,
                name.span,
                crate::syntax::quoted_string(meant),
            ),
            None if self.profiles.is_empty() => diagnostic
                .label("not defined")
                .help(format!("{place} and the files that it includes define no profile")),
            None => diagnostic.label(format!("expected one of {}", one_of(known().take(12)))).help(format!(
                "a profile of another file is seen when {place} has an `include` of that file"
            )),
        }
    }

    /// The settings that a bottle extends: its profiles from left to right, each after its own. `None` when a profile
    /// is not known or broken. A profile that two others extend is laid once, at its first place: laying it
    /// again would undo what lies between.
    pub fn layer(
        &self,
        decl: &BottleDecl,
        sources: &Sources,
        diagnostics: &mut Diagnostics,
    ) -> Option<Layer> {
        let mut whole = true;
        for name in &decl.extends {
            if let Some(entry) = self.profiles.get(name.value.as_str()) {
                whole &= !entry.broken;
                continue;
            }
            whole = false;
            if !self.partial {
                diagnostics.push_error_with(|| self.unknown(name, sources));
            }
        }
        if !whole {
            return None;
        }
        let mut layer = Layer::default();
        for profile in self.order(&decl.extends) {
            layer.merge(profile.layer.clone());
        }
        Some(layer)
    }

    /// How many nodes of profiles and of its own a bottle is made of: the bound on work that a small file can ask for
    /// with many bottles on large profiles.
    #[must_use]
    pub fn weight(&self, decl: &BottleDecl) -> usize {
        let profiles = self.order(&decl.extends);
        profiles.iter().map(|profile| profile.layer.weight() + 1).sum::<usize>() + decl.layer.weight()
    }

    /// Where a bottle, or a profile under it, extends the built-in profile whose text is at that place.
    #[must_use]
    pub fn brought(&self, decl: &BottleDecl, place: &str) -> Option<Span> {
        let under = self.order(&decl.extends);
        let names = decl.extends.iter().chain(under.iter().flat_map(|profile| &profile.extends));
        let mut names = names.filter(|name| catalogue::place_of(&name.value).as_deref() == Some(place));
        names.next().map(|name| name.span)
    }

    /// The profiles, by name.
    pub fn profiles(&self) -> impl Iterator<Item = &'a Profile> {
        self.profiles.values().map(|entry| entry.profile)
    }

    /// Every profile, each behind those that it extends.
    #[must_use]
    pub fn all(&self) -> Vec<&'a Profile> {
        let names: Vec<Spanned<Name>> = self.profiles().map(|profile| profile.name.clone()).collect();
        self.order(&names)
    }

    /// Every profile at or below `extends`, each once, the ones that others lie on first. What is not there is left out,
    /// and a circle is walked once.
    #[must_use]
    pub fn order(&self, extends: &[Spanned<Name>]) -> Vec<&'a Profile> {
        enum Step<'s> {
            Enter(&'s str),
            Leave(&'s Profile),
        }
        let mut order = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let enter = |names: &'a [Spanned<Name>]| names.iter().rev().map(|name| Step::Enter(&name.value));
        let mut steps: Vec<Step<'_>> = extends.iter().rev().map(|name| Step::Enter(&name.value)).collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::Leave(profile) => order.push(profile.name.value.as_str()),
                Step::Enter(name) => {
                    let Some((name, entry)) = self.profiles.get_key_value(name) else { continue };
                    if seen.insert(name) {
                        steps.push(Step::Leave(entry.profile));
                        steps.extend(enter(&entry.profile.extends));
                    }
                }
            }
        }
        order.iter().filter_map(|name| self.profiles.get(name)).map(|entry| entry.profile).collect()
    }
}

fn unknown_built_in(name: &Spanned<Name>) -> Diagnostic {
    let message = format!("there is no built-in profile {}", quote(&name.value));
    let diagnostic = Diagnostic::new(&rules::UNKNOWN_PROFILE, name.span, message);
    let known: Vec<String> = catalogue::ALL.iter().map(BuiltIn::name).collect();
    let names = || known.iter().map(String::as_str);
    match did_you_mean(&name.value, names()) {
        Some(meant) => diagnostic.label(format!("did you mean `{meant}`?")).replace(
            format!("write `{meant}`"),
            Applicability::Unsafe,
            name.span,
            crate::syntax::quoted_string(meant),
        ),
        None => diagnostic.label(format!("expected one of {}", one_of(names()))).help(
            "for another agent, say what it is in a profile of your own, with `agent`, `env` and `egress`",
        ),
    }
}

fn profile_cycle(cycle: &[Need], names: &[&str]) -> Diagnostic {
    circle(&rules::PROFILE_CYCLE, cycle, "profiles extend each other", "extends", |at| names[at])
        .help(if cycle.len() == 1 { "take it out" } else { "take one of these out" })
}
