//! `egress` scans: what pipelock is to look for, against the traffic that it can see.

use std::collections::BTreeMap;

use crate::diagnostic::{Applicability, Diagnostic, Diagnostics};
use crate::model::{Egress, Host, Spanned, Tls};
use crate::resolve::message::duplicate;
use crate::rule::catalogue::{
    MODEL_INTERCEPTED, PASSTHROUGH_MISSES_APEX, PASSTHROUGH_NOT_TRUSTED, SCAN_OVERRULED, SCAN_WITHOUT_TLS,
    TLS_WITHOUT_CA,
};
use crate::text::quote;
use crate::world::host::known::MODEL_APIS;
use crate::world::host::list::List;

/// Checks what a bottle has scanned.
pub fn check(egress: &Egress, diagnostics: &mut Diagnostics) {
    let mut first: BTreeMap<&str, &Spanned<String>> = BTreeMap::new();
    for pattern in &egress.patterns {
        if let Some(first) = first.insert(&pattern.name.value, &pattern.name) {
            diagnostics.push(duplicate("pattern", &pattern.name, first));
        }
    }
    for overruled in &egress.overruled {
        diagnostics.push(
            Diagnostic::new(
                &SCAN_OVERRULED,
                overruled.lenient,
                format!("`{}` stays as strict as a profile demands", overruled.node),
            )
            .label("has no effect")
            .related(overruled.strict, "demanded here")
            .help("loosen the profile, or take this one out"),
        );
    }
    match &egress.tls {
        Some(tls) => opened(tls, egress, diagnostics),
        None => closed(egress, diagnostics),
    }
}

/// Without interception a CONNECT is a pipe.
fn closed(egress: &Egress, diagnostics: &mut Diagnostics) {
    let asked = [
        ("dlp", egress.dlp),
        ("scan-bodies", egress.scan_bodies.map(|action| action.span)),
        ("scan-responses", egress.scan_responses.map(|action| action.span)),
    ];
    for (node, span) in asked {
        let Some(span) = span else { continue };
        diagnostics.push(
            Diagnostic::new(
                &SCAN_WITHOUT_TLS,
                span,
                format!("`{node}` sees plain HTTP only: HTTPS is not opened"),
            )
            .label("of HTTPS it sees the name of the host")
            .help(
                "have HTTPS opened with `tls { ca-cert …; ca-key … }`, or leave this out: it is on by itself",
            ),
        );
    }
}

fn opened(tls: &Tls, egress: &Egress, diagnostics: &mut Diagnostics) {
    let missing = match (&tls.ca_cert, &tls.ca_key) {
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some("ca-key"),
        (None, Some(_)) => Some("ca-cert"),
        (None, None) => Some("ca-cert` and `ca-key"),
    };
    if let Some(missing) = missing {
        diagnostics.push(
            Diagnostic::new(&TLS_WITHOUT_CA, tls.node, format!("`tls` has no `{missing}`"))
                .label("expected the files of an authority")
                .help("`pipelock tls init` makes both; a certificate and its key are given in one layer"),
        );
    }
    if let (Some(host), None) = (tls.passthrough.first(), &tls.trust) {
        diagnostics.push(
            Diagnostic::new(
                &PASSTHROUGH_NOT_TRUSTED,
                host.span,
                format!("most programs would not trust {}: they are told to trust your authority alone", quote(&host.value)),
            )
            .label("shows a certificate of a public authority")
            .related(tls.node, "HTTPS is opened here, without `trust`")
            .help("name a file that holds the public authorities and yours, as `cat /etc/ssl/certs/ca-certificates.crt ca.pem` makes it: `trust \"./trusted.pem\"`"),
        );
    }
    let list = |hosts| List::new(<[Host]>::iter(hosts).map(|host| (&host.value, host)));
    let (allow, deny) = (list(&egress.allow), list(&egress.deny));
    let passthrough = list(&tls.passthrough);
    for wildcard in &tls.passthrough {
        let Some(apex) = wildcard.value.below().filter(|apex| apex.contains('.')) else {
            continue;
        };
        let opened = allow.covering_all(apex, false).is_some() && deny.covering_all(apex, false).is_none();
        if opened && passthrough.passing(apex).is_none() {
            diagnostics.push(misses_apex(wildcard, apex));
        }
    }
    for (host, whose) in MODEL_APIS {
        // A wildcard over a top-level domain is spoken of as such.
        let named = |allow: &&Host| allow.value.below().is_none_or(|domain| domain.contains('.'));
        let Some(allow) = allow.covering_all(host, false).filter(named) else { continue };
        // Who denies a model does not call it.
        if deny.covering_all(host, false).is_some() || passthrough.passing(host).is_some() {
            continue;
        }
        diagnostics.push(
            Diagnostic::new(
                &MODEL_INTERCEPTED,
                allow.span,
                format!(
                    "`{host}`, {whose}'s model API, is opened: calls carry the key that pipelock looks for"
                ),
            )
            .label("allowed here")
            .related(tls.node, "HTTPS is opened here")
            .help(format!("leave it closed: `passthrough \"{host}\"`")),
        );
    }
}

/// In this list alone `*.x` does not stand for `x`.
fn misses_apex(wildcard: &Host, apex: &str) -> Diagnostic {
    Diagnostic::new(
        &PASSTHROUGH_MISSES_APEX,
        wildcard.span,
        format!("{} leaves `{apex}` opened, which is allowed, too", quote(&wildcard.value)),
    )
    .label("here it stands for the names below only")
    .replace(
        format!("pass `{apex}` through, too"),
        Applicability::Unsafe,
        wildcard.span,
        format!("\"{}\" \"{apex}\"", wildcard.value),
    )
}
