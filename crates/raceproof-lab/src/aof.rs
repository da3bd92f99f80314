//! A server's append-only file: how far it has been written, and what is left of it when the server goes down.
//!
//! Redis 7 keeps it in a folder: a base, files that were appended to since, and a manifest that names them in order. The
//! server writes to the last of them before it replies, so that its length after a reply is the length of what had been
//! executed then. A file that is cut there is what the server would have found if it had gone down before it wrote on.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::LabError;

/// Where a server keeps it, in its own folder.
const FOLDER: &str = "appendonlydir";
const MANIFEST: &str = "appendonly.aof.manifest";

/// How far a server had written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    file: PathBuf,
    bytes: u64,
}

/// How far the server whose folder this is has written; `None` if it keeps no append-only file.
pub(crate) fn end(server: &Path) -> Result<Option<End>, LabError> {
    let folder = server.join(FOLDER);
    let manifest = match fs::read_to_string(folder.join(MANIFEST)) {
        Ok(manifest) => manifest,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(LabError::io("cannot read the manifest of the append-only file")(cause)),
    };
    let Some(name) = last_of(&manifest) else { return Ok(None) };
    let file = folder.join(name);
    let length = fs::metadata(&file).map_err(LabError::io("cannot look at the append-only file"))?.len();
    Ok(Some(End { file, bytes: length }))
}

/// Leaves what had been written then. The server must not be running.
pub(crate) fn cut(server: &Path, end: &End) -> Result<(), LabError> {
    if self::end(server)?.is_none_or(|now| now.file != end.file || now.bytes < end.bytes) {
        let cause = std::io::Error::other("it has been rewritten since");
        return Err(LabError::Io { what: "cannot cut the append-only file".into(), cause });
    }
    let file = File::options().write(true).open(&end.file);
    file.and_then(|file| file.set_len(end.bytes)).map_err(LabError::io("cannot cut the append-only file"))
}

/// Leaves nothing. The server must not be running.
pub(crate) fn remove(server: &Path) -> Result<(), LabError> {
    match fs::remove_dir_all(server.join(FOLDER)) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(LabError::io("cannot remove the append-only file")(cause))
        }
        _ => Ok(()),
    }
}

/// The file that is appended to: the last line `file NAME seq N type i`.
fn last_of(manifest: &str) -> Option<&str> {
    let appended = |line: &'_ str| line.split_whitespace().skip_while(|word| *word != "type").nth(1) == Some("i");
    let last = manifest.lines().filter(|line| appended(line)).next_back()?;
    last.split_whitespace().skip_while(|word| *word != "file").nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(manifest: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = folder.path().join(FOLDER);
        fs::create_dir(&inside).expect("a folder");
        fs::write(inside.join(MANIFEST), manifest).expect("a file");
        for (name, text) in files {
            fs::write(inside.join(name), text).expect("a file");
        }
        folder
    }

    #[test]
    fn the_last_file_that_is_appended_to_counts() {
        let manifest = "file b.rdb seq 2 type b\nfile i.1 seq 1 type h\nfile i.2 seq 2 type i\nfile i.3 seq 3 type i\n";
        let server = server(manifest, &[("i.3", "12345")]);
        let found = end(server.path()).expect("it can be read").expect("there is one");
        assert_eq!((found.file.file_name().and_then(|name| name.to_str()), found.bytes), (Some("i.3"), 5));
    }

    #[test]
    fn it_is_cut_where_it_ended_and_removed_whole() {
        let server = server("file i.1 seq 1 type i\n", &[("i.1", "12")]);
        let then = end(server.path()).expect("it can be read").expect("there is one");
        let path = server.path().join(FOLDER).join("i.1");
        fs::write(&path, "12345").expect("a file");
        cut(server.path(), &then).expect("it can be cut");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "12");
        remove(server.path()).expect("it can be removed");
        assert_eq!(end(server.path()).expect("that is no error"), None);
        remove(server.path()).expect("nothing is nothing");
    }

    #[test]
    fn another_file_or_a_shorter_one_is_not_cut() {
        let server = server("file i.2 seq 2 type i\n", &[("i.1", "12345"), ("i.2", "1")]);
        let inside = server.path().join(FOLDER);
        for end in [End { file: inside.join("i.1"), bytes: 2 }, End { file: inside.join("i.2"), bytes: 2 }] {
            let error = cut(server.path(), &end).unwrap_err().to_string();
            assert!(error.contains("rewritten since"), "{error}");
        }
    }
}
