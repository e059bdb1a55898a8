//! Secret scanners of pushes.

/// A secret scanner.
#[derive(Debug, PartialEq, Eq)]
pub struct SecretScanner {
    /// Its name in a spec, which is its program's.
    pub name: &'static str,
    /// Its official image, which git-gate's own is made of: Alpine with git and ssh.
    pub image: &'static str,
}

/// The scanner of a bottle that names none.
pub const DEFAULT: &str = "gitleaks";

/// The scanners, the default first. The digest of gitleaks 8.30.1 is the one that many public projects pin it by. For
/// betterleaks the README of its version 2 names the tag, and no digest of it is published where we could read one;
/// what git-gate was run with is 2.0.0-rc.4. Releases before 2 have other flags, and git-gate refuses to start on them.
static SCANNERS: &[SecretScanner] = &[
    SecretScanner {
        name: DEFAULT,
        image: "ghcr.io/gitleaks/gitleaks:v8.30.1@sha256:c00b6bd0aeb3071cbcb79009cb16a60dd9e0a7c60e2be9ab65d25e6bc8abbb7f",
    },
    SecretScanner { name: "betterleaks", image: "ghcr.io/betterleaks/betterleaks:v2" },
];

/// The scanner of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static SecretScanner> {
    SCANNERS.iter().find(|scanner| scanner.name == name)
}

/// Every scanner's name.
pub fn names() -> impl Iterator<Item = &'static str> {
    SCANNERS.iter().map(|scanner| scanner.name)
}
