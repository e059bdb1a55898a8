//! The boot source: one of its kinds, and an image pinned by its digest.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Layer, Spanned};
use crate::rule::catalogue::{CONFLICTING_BOOT, IMAGE_NOT_PINNED};
use crate::schema::ValueType;
use crate::syntax::Value;
use crate::text::quote;
use crate::world::engine::BootKind;

/// Checks the images of a layer.
pub fn check(layer: &Layer, diagnostics: &mut Diagnostics) {
    if let [first, again, ..] = layer.boots.as_slice() {
        diagnostics.push(
            Diagnostic::new(
                &CONFLICTING_BOOT,
                again.node,
                format!("`{}` and `{}` are both given", first.kind.as_str(), again.kind.as_str()),
            )
            .label("a second thing to boot from")
            .related(first.node, "the first one is here")
            .help("keep at most one of `artifact`, `image` and `rootfs`"),
        );
    }
    let boots = layer.boots.iter().filter(|boot| boot.kind == BootKind::Image).map(|boot| &boot.source);
    let sidecars = layer.sidecars.iter().filter_map(|sidecar| sidecar.service.image.as_ref());
    let builtins = layer.supervise.iter().filter_map(|supervise| supervise.image.as_ref());
    for image in boots.chain(sidecars).chain(builtins).chain(&layer.git.image).chain(&layer.pipelock.image) {
        pinned(image, diagnostics);
    }
}

fn pinned(image: &Spanned<String>, diagnostics: &mut Diagnostics) {
    let reference = ValueType::Image.check(Value::String(&image.value));
    if reference.is_ok() && !image.value.contains('@') {
        diagnostics.push(
            Diagnostic::new(
                &IMAGE_NOT_PINNED,
                image.span,
                format!("image {} is not pinned by digest", quote(&image.value)),
            )
            .label("expected `@sha256:…` at its end")
            .help("whoever may push the tag decides what runs; `docker buildx imagetools inspect` prints the digest"),
        );
    }
}
