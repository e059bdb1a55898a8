//! The rules of KDL 2 itself; the front end in `syntax/` checks them.

use crate::rule::rule;

rule!(
    DISALLOWED_CHARACTER,
    "disallowed-character",
    Error,
    "0.1.0",
    "a code point that KDL forbids stands in the text"
);
rule!(INVALID_ESCAPE, "invalid-escape", Error, "0.1.0", "an escape in a string is none that KDL has");
rule!(
    INVALID_MULTI_LINE_STRING,
    "invalid-multi-line-string",
    Error,
    "0.1.0",
    "a string over several lines is not laid out as KDL demands"
);
rule!(INVALID_NUMBER, "invalid-number", Error, "0.1.0", "something that begins like a number is none");
rule!(INVALID_UTF8, "invalid-utf8", Error, "0.1.0", "the file is not UTF-8 text");
rule!(KDL_V1, "kdl-v1", Error, "0.1.0", "the file is written in KDL 1");
rule!(NESTING_TOO_DEEP, "nesting-too-deep", Error, "0.1.0", "blocks or comments are nested past the bound");
rule!(RESERVED_WORD, "reserved-word", Error, "0.1.0", "a word that KDL reserves is used as a plain string");
rule!(SOURCE_TOO_LARGE, "source-too-large", Error, "0.1.0", "the file is above the size limit");
rule!(SYNTAX_ERROR, "syntax-error", Error, "0.1.0", "the text is not KDL at this place");
rule!(UNCLOSED_BRACE, "unclosed-brace", Error, "0.1.0", "a `{` has no `}`");
rule!(UNCLOSED_COMMENT, "unclosed-comment", Error, "0.1.0", "a `/*` has no `*/`");
rule!(UNCLOSED_STRING, "unclosed-string", Error, "0.1.0", "a string has no closing quote");
rule!(UNMATCHED_BRACE, "unmatched-brace", Error, "0.1.0", "a `}` closes nothing");
