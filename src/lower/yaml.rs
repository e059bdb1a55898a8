//! YAML that readers of YAML 1.1 and 1.2 read alike.

use erased_serde::Serialize;

/// Writes a value as one YAML document, with a newline at its end.
///
/// Every string value stands in quotes, so that no reader takes `no`, `1e3`, `~` or a date for anything else: the rules
/// for bare words differ between YAML 1.1, 1.2 and their readers. A key is quoted where one of them would need it.
pub(super) fn write(value: &dyn Serialize) -> Vec<u8> {
    let mut text = String::new();
    let options = serde_saphyr::ser_options! { quote_all: true };
    // Structs, lists, text, whole numbers and booleans: YAML holds each. An empty file would mean allow-all to pipelock,
    // so what could not be written becomes a document that no reader takes.
    if serde_saphyr::to_fmt_writer_with_options(&mut text, &value, options).is_err() {
        "%\n".clone_into(&mut text);
    }
    text.into_bytes()
}
