//! What `bottlec check` remembers from run to run: it changes how long a check takes, and never what it says.
#![cfg(unix)]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use crate::support::binary::{Call, mkfifo};
use crate::support::cache::{CLEAN, Place, caches, counts, set_time};

/// The same with a mistake, of the same size.
const BROKEN: &str = "bottle \"api\" { egres0 { allow \"a.test\"; }; }\n";

#[test]
fn what_was_clean_and_did_not_change_is_not_compiled_again() {
    let place = Place::new();
    place.write("x.kdl", CLEAN);
    let fancy = |args: &[&str]| place.call(&[&["check"], args].concat()).run();
    counts(fancy(&[]), 1);
    place.forge();
    counts(fancy(&[]), 7);
    // Other paths, options, another directory, or no cache: it is of this call only.
    counts(fancy(&["--no-cache"]), 1);
    counts(fancy(&["--strict"]), 1);
    counts(fancy(&["./."]), 1);
    counts(fancy(&["x.kdl"]), 1);
    counts(fancy(&["--fix"]), 1);
    assert_eq!(fancy(&["--diff"]).code(0).out, "");
    counts(place.call(&["check", "-"]).stdin(CLEAN).run(), 1);
    counts(fancy(&[]), 7);
    // Only who owns it may read it.
    let cache = place.caches().remove(0);
    assert_eq!(fs::metadata(&cache).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(cache.parent().unwrap()).unwrap().mode() & 0o777, 0o700);
    // Nothing is left of the one that was replaced, and nothing else is in the home.
    place.write("y.kdl", &CLEAN.replace("api", "web"));
    counts(fancy(&[]), 8);
    assert_eq!(place.caches().len(), 3, "{:?}", place.caches());
    assert_eq!(fs::read_dir(place.dir.at("home")).unwrap().count(), 1);
}

#[test]
fn every_change_is_seen() {
    let place = Place::new();
    let clean = || place.check(&["."]).code(0);
    let broken = || place.check(&["."]).code(1);
    place.write_old("x.kdl", CLEAN);
    clean();
    // Of the same size, in the same tick of the clock.
    for _ in 0..20 {
        place.write("x.kdl", BROKEN);
        broken();
        place.write("x.kdl", CLEAN);
        clean();
    }
    // Of the same size, with the time that it had before.
    let time = fs::metadata(place.at("x.kdl")).unwrap().modified().unwrap();
    place.write("x.kdl", BROKEN);
    set_time(&place.at("x.kdl"), time);
    broken();
    // Replaced by a file that is as old.
    place.write_old("x.kdl", CLEAN);
    clean();
    place.write_old("y.kdl", BROKEN);
    fs::rename(place.at("y.kdl"), place.at("x.kdl")).unwrap();
    broken();
    // A directory in the place of another, with files that nobody touched.
    fs::remove_file(place.at("x.kdl")).unwrap();
    place.write_old("now/x.kdl", CLEAN);
    place.write_old("then.d/x.txt", BROKEN);
    clean();
    fs::rename(place.at("then.d/x.txt"), place.at("then.d/x.kdl")).unwrap();
    fs::rename(place.at("then.d"), place.dir.at("then")).unwrap();
    fs::rename(place.at("now"), place.dir.at("before")).unwrap();
    fs::rename(place.dir.at("then"), place.at("now")).unwrap();
    broken();
    // A time that is yet to come tells nothing.
    fs::remove_dir_all(place.at("now")).unwrap();
    place.write("x.kdl", CLEAN);
    set_time(&place.at("x.kdl"), SystemTime::now() + Duration::from_hours(24));
    clean();
    clean();
    place.write("x.kdl", BROKEN);
    set_time(&place.at("x.kdl"), SystemTime::now() + Duration::from_hours(24));
    broken();
}

#[test]
fn what_is_included_counts() {
    let place = Place::new();
    let clean = || place.check(&["specs"]).code(0);
    let spec = "include \"../team.kdl\"\nbottle \"api\" { extends \"team\"; }\n";
    place.write_old("specs/x.kdl", spec);
    place.write_old("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    clean();
    place.write_old("team.kdl", "profile \"team\" { egres0 { allow \"a.test\"; }; }\n");
    place.check(&["specs"]).code(1);
    place.write_old("team.kdl", "include \"more.kdl\"\nprofile \"team\" { extends \"more\"; }\n");
    place.write_old("more.kdl", "profile \"more\" {}\n");
    clean();
    fs::remove_file(place.at("more.kdl")).unwrap();
    place.check(&["specs"]).code(1).says("include-unreadable");
    place.write_old("more.kdl", "profile \"more\" {}\n");
    clean();
    // A link that leads out of the workspace to the very same file.
    fs::rename(place.at("more.kdl"), place.at("real.kdl")).unwrap();
    symlink("real.kdl", place.at("more.kdl")).unwrap();
    clean();
    fs::create_dir(place.at("inner")).unwrap();
    fs::rename(place.at("real.kdl"), place.at("inner/real.kdl")).unwrap();
    fs::remove_file(place.at("more.kdl")).unwrap();
    symlink("inner/real.kdl", place.at("more.kdl")).unwrap();
    clean();
    fs::rename(place.at("inner"), place.dir.at("outer")).unwrap();
    fs::remove_file(place.at("more.kdl")).unwrap();
    symlink("../outer/real.kdl", place.at("more.kdl")).unwrap();
    place.check(&["specs"]).code(1).says("leads out of the workspace");
}

#[test]
fn a_cache_that_is_not_ours_is_none() {
    let place = Place::new();
    place.write_old("x.kdl", CLEAN);
    let check = || place.call(&["check", "."]).run();
    let fresh = || {
        let _ = fs::remove_dir_all(place.dir.at("home/.cache"));
        counts(check(), 1);
        place.forge();
        counts(check(), 7);
        place.cache()
    };
    // Torn, changed, or of something else.
    let cache = fresh();
    let whole = fs::read(&cache).unwrap();
    for end in [0, 1, 64, 65, 66, whole.len() / 2, whole.len() - 1] {
        fs::write(&cache, &whole[..end]).unwrap();
        counts(check(), 1);
    }
    let other = String::from_utf8(whole.clone()).unwrap().replace(",7]]}", ",9]]}");
    let digest = |json: &str| format!("{}\n{json}", bottlec::digest::sha256_hex(json.as_bytes()));
    let of_nothing = digest("{\"files\":[],\"real\":[],\"units\":[[\"./x.kdl\",[4],9]]}");
    for text in [other, of_nothing, digest("[]"), digest("")] {
        fs::write(&cache, text).unwrap();
        counts(check(), 1);
    }
    // It is mended by that.
    place.forge();
    counts(check(), 7);
    // Huge.
    File::options().write(true).open(&cache).unwrap().set_len(1 << 40).unwrap();
    counts(check(), 1);
    // Open to others.
    let cache = fresh();
    fs::set_permissions(&cache, Permissions::from_mode(0o644)).unwrap();
    counts(check(), 1);
    fresh();
    let directory = place.dir.at("home/.cache/bottlec");
    fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    counts(check(), 1);
    // A link, a FIFO, a directory.
    let cache = fresh();
    fs::rename(&cache, place.dir.at("elsewhere")).unwrap();
    symlink(place.dir.at("elsewhere"), &cache).unwrap();
    counts(check(), 1);
    assert!(!fs::symlink_metadata(&cache).unwrap().is_symlink());
    let cache = fresh();
    fs::remove_file(&cache).unwrap();
    mkfifo(&cache);
    counts(check(), 1);
    let cache = fresh();
    fs::remove_file(&cache).unwrap();
    fs::create_dir(&cache).unwrap();
    counts(check(), 1);
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "").unwrap();
    counts(check(), 1);
    // Another directory of ours in its place.
    fs::remove_file(&directory).unwrap();
    fresh();
    fs::rename(&directory, place.dir.at("moved")).unwrap();
    symlink(place.dir.at("moved"), &directory).unwrap();
    counts(check(), 1);
}

#[test]
fn there_is_no_cache_in_a_repository_and_none_without_a_home() {
    let place = Place::new();
    place.write("specs/x.kdl", CLEAN);
    let check = |env: &[(&str, PathBuf)], directory: &str| {
        let call = Call::new(&place.at(directory), ["check", "."]);
        counts(env.iter().fold(call, |call, (name, value)| call.env(name, value)).run(), 1);
    };
    // Neither below the directory that is checked, nor anywhere else in its repository.
    check(&[("XDG_CACHE_HOME", place.at("specs/cache"))], "specs");
    check(&[("HOME", place.at("specs"))], "specs");
    fs::create_dir(place.at(".git")).unwrap();
    check(&[("XDG_CACHE_HOME", place.at("cache"))], "specs");
    symlink(place.at("cache"), place.dir.at("link")).unwrap();
    fs::create_dir(place.at("cache")).unwrap();
    check(&[("XDG_CACHE_HOME", place.dir.at("link"))], "specs");
    assert_eq!(caches(&place.at("cache")), Vec::<PathBuf>::new());
    assert_eq!(caches(&place.at("specs")), [place.at("specs/x.kdl")]);
    // Nor without a home, and no home is made.
    check(&[], "specs");
    check(&[("HOME", place.dir.at("nowhere"))], "specs");
    assert!(!place.dir.at("nowhere").exists());
    check(&[("HOME", PathBuf::from("relative")), ("XDG_CACHE_HOME", PathBuf::from("relative"))], "specs");
    assert_eq!(caches(&place.at("specs")), [place.at("specs/x.kdl")]);
    // What XDG says counts more than the home.
    check(&[("HOME", place.dir.at("home")), ("XDG_CACHE_HOME", place.dir.at("xdg/cache"))], "specs");
    assert_eq!(caches(&place.dir.at("xdg/cache/bottlec")).len(), 1);
    assert_eq!(caches(&place.dir.at("home")), Vec::<PathBuf>::new());
}

#[test]
fn it_does_not_grow_for_ever() {
    let place = Place::new();
    place.write("x.kdl", CLEAN);
    for n in 0..20 {
        fs::create_dir(place.at(&format!("{n}"))).unwrap();
        place.check(&[".", &format!("{n}")]).code(0);
    }
    assert_eq!(place.caches().len(), 16);
    let _ = fs::remove_dir_all(place.dir.at("home/.cache"));
    // What is not there any more is not remembered.
    for n in 0..50 {
        place.write(&format!("many/{n}.kdl"), &CLEAN.replace("api", &format!("api-{n}")));
    }
    place.check(&["."]).code(0);
    let many = fs::metadata(place.cache()).unwrap().len();
    fs::remove_dir_all(place.at("many")).unwrap();
    place.check(&["."]).code(0);
    let one = fs::metadata(place.cache()).unwrap().len();
    assert!(one * 20 < many, "{one} {many}");
}

#[test]
fn runs_at_the_same_time_are_safe() {
    let place = Place::new();
    for n in 0..50 {
        place.write(&format!("{n}.kdl"), &CLEAN.replace("api", &format!("api-{n}")));
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..6 {
                    // Each run has something to write.
                    place.write("0.kdl", &CLEAN.replace("api", &format!("web-{n}")));
                    place.call(&["check", "."]).run();
                }
            });
        }
    });
    // One whole cache is left, and no other file.
    counts(place.call(&["check", "."]).run(), 50);
    place.cache();
}

#[test]
fn reports_list_the_same_files() {
    let place = Place::new();
    place.write("a.kdl", "include \"team.kdl\"\nbottle \"a\" { extends \"team\"; }\n");
    place.write("b.kdl", "include \"team.kdl\"\nbottle \"b\" { extends \"team\"; egres; }\n");
    place.write("c.kdl", "include \"team.kdl\"\nbottle \"c\" { extends \"team\"; }\n");
    place.write("d.kdl", "keybinds {}\n");
    place.write("team.kdl", "profile \"team\" { egress { allow \"a.test\"; }; }\n");
    for format in ["junit", "sarif", "json", "gitlab", "checkstyle", "rdjson", "github", "concise", "fancy"] {
        let without = place.call(&["check", "--no-cache", "--format", format]).run().code(1);
        for _ in 0..2 {
            let with = place.call(&["check", "--format", format]).run().code(1);
            assert_eq!(with.out, without.out, "{format}");
        }
        if format == "junit" {
            // In the order in which they were found.
            let at = |name: &str| without.out.find(&format!("name=\"{name}\" tests")).unwrap();
            assert!(
                at("a.kdl") < at("team.kdl") && at("team.kdl") < at("b.kdl") && at("b.kdl") < at("c.kdl")
            );
            assert_eq!(without.out.matches("<testsuite ").count(), 4, "{}", without.out);
        }
    }
}

/// One thing that somebody does to a directory of specs.
#[derive(Clone, Debug)]
enum Step {
    Write(usize, usize),
    Touch(usize),
    Age(usize),
    Delete(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Swap,
    Nothing,
}

const FILES: [&str; 6] = ["a/x.kdl", "a/y.kdl", "b/x.kdl", "b/team.kdl", "team.kdl", "b/ignored.kdl"];

const TEXTS: [&str; 10] = [
    CLEAN,
    BROKEN,
    "bottle \"web\" { image \"debian\"; }\n",
    "include \"../team.kdl\"\nbottle \"api\" { extends \"team\"; }\n",
    "include \"team.kdl\"\nbottle \"api\" { extends \"team\"; }\n",
    "profile \"team\" { egress { allow \"a.test\"; }; }\n",
    "profile \"team\" { egres0 { allow \"a.test\"; }; }\n",
    "include \"../b/team.kdl\"\nprofile \"more\" {}\n",
    "keybinds { normal; }\n",
    "",
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let file = || 0..FILES.len();
    let step = prop_oneof![
        5 => (file(), 0..TEXTS.len()).prop_map(|(file, text)| Step::Write(file, text)),
        1 => file().prop_map(Step::Touch),
        2 => file().prop_map(Step::Age),
        1 => file().prop_map(Step::Delete),
        2 => (file(), file()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (file(), file()).prop_map(|(from, to)| Step::Link(from, to)),
        1 => Just(Step::Swap),
        1 => Just(Step::Nothing),
    ];
    prop::collection::vec(step, 1..12)
}

impl Step {
    /// Does it, as far as it can be done.
    fn take(&self, place: &Place) {
        let at = |file: usize| place.at(FILES[file]);
        match *self {
            Self::Write(file, text) => {
                // Not through a link into another file.
                if at(file).is_symlink() {
                    fs::remove_file(at(file)).unwrap();
                }
                fs::write(at(file), TEXTS[text]).unwrap();
            }
            Self::Touch(file) if at(file).exists() => set_time(&at(file), SystemTime::now()),
            // Then only its other time tells that it is young.
            Self::Age(file) if at(file).exists() => {
                set_time(&at(file), SystemTime::now() - Duration::from_hours(1));
            }
            Self::Delete(file) => drop(fs::remove_file(at(file))),
            Self::Rename(from, to) => drop(fs::rename(at(from), at(to))),
            Self::Link(from, to) if from != to => {
                let _ = fs::remove_file(at(to));
                symlink(at(from), at(to)).unwrap();
            }
            Self::Swap => {
                fs::rename(place.at("a"), place.at("c")).unwrap();
                fs::rename(place.at("b"), place.at("a")).unwrap();
                fs::rename(place.at("c"), place.at("b")).unwrap();
            }
            Self::Touch(_) | Self::Age(_) | Self::Link(..) | Self::Nothing => {}
        }
    }
}

/// A place for the steps to begin at, checked once.
fn begun() -> Place {
    let place = Place::new();
    for directory in ["a", "b"] {
        fs::create_dir(place.at(directory)).unwrap();
    }
    place.write(".gitignore", "ignored.kdl\n");
    for (n, file) in FILES.iter().enumerate() {
        place.write(file, TEXTS[[3, 0, 4, 5, 5, 1][n]]);
    }
    place.check(&["."]);
    place
}

fn same_with_and_without(place: &Place, steps: &[Step]) -> Result<(), TestCaseError> {
    for step in steps {
        step.take(place);
        let without = place.check(&["--no-cache", "."]);
        let with = place.check(&["."]);
        prop_assert_eq!(&with.out, &without.out, "{:?}", step);
        prop_assert_eq!(&with.err, &without.err, "{:?}", step);
        prop_assert_eq!(with.code, without.code, "{:?}", step);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is done to the files between two checks, the second says what one without a cache says.
    #[test]
    fn it_never_changes_what_is_said(steps in steps()) {
        same_with_and_without(&begun(), &steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() })]

    /// The same of files that are known by their times, and not by their content: that takes files of some age.
    #[test]
    fn it_never_changes_what_is_said_of_old_files(all in prop::collection::vec(steps(), 16)) {
        let places: Vec<Place> = all.iter().map(|_| begun()).collect();
        std::thread::sleep(Duration::from_millis(2_100));
        for (place, steps) in places.iter().zip(&all) {
            place.check(&["."]);
            let cache = fs::read_to_string(place.cache()).unwrap();
            prop_assert!(cache.contains("\"digest\":null") && !cache.contains("\"digest\":\""), "{}", cache);
            same_with_and_without(place, steps)?;
        }
    }
}
