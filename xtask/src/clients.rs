//! The client libraries of other languages that the examples in docs/any-language are run with: installed below
//! `target/clients`, in the versions that stand beside the examples.

use std::path::Path;

use crate::apt;
use crate::process::{Error, Task};

const EXAMPLES: &str = "docs/any-language";
const PYTHON: &str = "target/clients/python";
const NODE: &str = "target/clients/node";

/// Sees to it that the examples can be run.
pub(crate) fn setup() -> Result<(), Error> {
    python()?;
    node()
}

/// pytest and redis-py, in a virtual environment.
fn python() -> Result<(), Error> {
    let wanted = read(&format!("{EXAMPLES}/requirements.txt"))?;
    let installed = || Task::new(format!("{}/bin/pip", root(PYTHON))).args(["freeze"]).output().unwrap_or_default();
    let has_all = |installed: &str| wanted.lines().all(|line| installed.lines().any(|have| have == line));
    if !has_all(&installed()) {
        // Debian has the module, but not what it needs, in a package of its own.
        if !Task::new("python3").args(["-m", "venv", PYTHON]).succeeds() {
            package("python3-venv", "Python 3 with venv")?;
            Task::new("python3").args(["-m", "venv", PYTHON]).run()?;
        }
        let pip = format!("{}/bin/pip", root(PYTHON));
        let requirements = format!("{EXAMPLES}/requirements.txt");
        Task::new(pip).args(["install", "--quiet", "--disable-pip-version-check", "-r", &requirements]).run()?;
    }
    eprintln!("xtask: {}", wanted.split_whitespace().collect::<Vec<_>>().join(", "));
    Ok(())
}

/// ioredis.
fn node() -> Result<(), Error> {
    let wanted = read(&format!("{EXAMPLES}/package.json"))?;
    let package_file = format!("{}/package.json", root(NODE));
    let is_there = Path::new(&format!("{}/node_modules/ioredis", root(NODE))).exists();
    if !is_there || std::fs::read_to_string(&package_file).ok().as_ref() != Some(&wanted) {
        for (program, name) in [("node", "nodejs"), ("npm", "npm")] {
            if !Task::new(program).args(["--version"]).succeeds() {
                package(name, "Node.js with npm")?;
            }
        }
        std::fs::create_dir_all(root(NODE))
            .and_then(|()| std::fs::write(&package_file, &wanted))
            .map_err(|cause| Error::Setup(format!("{package_file} could not be written: {cause}")))?;
        let options = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", NODE];
        Task::new("npm").args(options).run()?;
    }
    eprintln!("xtask: ioredis for Node.js");
    Ok(())
}

fn package(name: &str, what: &str) -> Result<(), Error> {
    if apt::can_install() {
        return apt::install(name);
    }
    Err(Error::Setup(format!(
        "{what} is not installed; examples are tested with it\n  Debian, Ubuntu: sudo apt-get install {name}"
    )))
}

fn root(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
    root.join(path).to_string_lossy().into_owned()
}

fn read(path: &str) -> Result<String, Error> {
    std::fs::read_to_string(root(path)).map_err(|cause| Error::Setup(format!("{path} could not be read: {cause}")))
}
