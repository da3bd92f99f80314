//! Builds the catalogue (scenarios/**/*.lua) into the binary.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../scenarios");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    let mut named = Vec::with_capacity(files.len());
    for file in files {
        let parts: Option<Vec<&str>> = file.strip_prefix(&root)?.iter().map(|part| part.to_str()).collect();
        let parts = parts.ok_or_else(|| format!("{}: the name of a scenario must be UTF-8", file.display()))?;
        named.push((format!("scenarios/{}", parts.join("/")), fs::canonicalize(&file)?));
    }
    // By name, so that `a/b` stands before `a/b-c`, though `.` sorts after `-`.
    named.sort_by(|(a, _), (b, _)| a.trim_end_matches(".lua").cmp(b.trim_end_matches(".lua")));
    let mut table = String::from("pub(crate) static CATALOGUE: &[BuiltIn] = &[\n");
    for (name, file) in named {
        writeln!(table, "    BuiltIn {{ file: {name:?}, source: include_str!({file:?}) }},")?;
    }
    table.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("catalogue.rs"), table)?;
    Ok(())
}

/// The `.lua` files in a folder and its folders. Cargo watches a folder that it is told of with all that is in it.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "lua") {
            files.push(path);
        }
    }
    Ok(())
}
