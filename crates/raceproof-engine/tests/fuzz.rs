//! What the fuzzer tries on bytes that it makes up (`fuzz/`), on the bytes that it starts from and on those that it once
//! failed on. Each file of `fuzz/` says what has to hold.

#[path = "fuzz/lua.rs"]
mod lua;
#[path = "fuzz/restore.rs"]
mod restore;

use std::path::Path;

/// Runs a body on every file of `fuzz/seeds/NAME`.
fn each_seed(name: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut seen = 0;
    for entry in std::fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display())) {
        let path = entry.expect("the folder can be read").path();
        println!("{}", path.display());
        body(&std::fs::read(path).expect("a seed can be read"));
        seen += 1;
    }
    assert!(seen > 0, "{} is empty", folder.display());
}

#[test]
fn seeds_of_lua() {
    each_seed("lua", lua::check);
}

#[test]
fn seeds_of_restore() {
    each_seed("restore", restore::check);
}

#[test]
fn a_payload_that_is_taken_is_told_from_one_that_is_not() {
    assert!(restore::is_taken(&[0, 1, b'x']), "a string of one byte");
    assert!(!restore::is_taken(&[0, 60, b'x']), "a string that is cut off");
}
