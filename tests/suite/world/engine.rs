//! Versions of the engine.

use bottlec::world::engine::{Version, VersionError};
use proptest::prelude::*;

#[test]
fn versions_compare_as_numbers() {
    let version = |text: &str| text.parse::<Version>().unwrap();
    assert!(version("1.9.9") < version("1.10.0"));
    assert!(version("0.8.2") < version("1.0.0"));
    assert!(version("1.33.0") < version("1.33.1"));
    assert_eq!(version("0.0.4294967295"), Version::new(0, 0, u32::MAX));
}

#[test]
fn what_is_no_version_says_what_was_expected() {
    for (text, error) in [
        ("", VersionError::Parts),
        ("1.33", VersionError::Parts),
        ("1.33.0.1", VersionError::Parts),
        ("1..0", VersionError::NotANumber),
        ("1.+3.0", VersionError::NotANumber),
        ("1.33.0-rc.1", VersionError::Parts),
        ("1.33.0-rc1", VersionError::NotANumber),
        (" 1.33.0", VersionError::NotANumber),
        ("1.33.٣", VersionError::NotANumber),
        ("v1.33.0", VersionError::LeadingV),
        ("1.033.0", VersionError::LeadingZero),
        ("1.33.4294967296", VersionError::TooLarge),
    ] {
        assert_eq!(text.parse::<Version>(), Err(error), "{text:?}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_is_read(major: u32, minor: u32, patch: u32) {
        let version = Version::new(major, minor, patch);
        prop_assert_eq!(version.to_string().parse(), Ok(version));
    }

    #[test]
    fn what_is_read_is_shown(text in "[0-9v.+]{0,12}|.*") {
        if let Ok(version) = text.parse::<Version>() {
            prop_assert_eq!(version.to_string(), text);
        }
    }
}
