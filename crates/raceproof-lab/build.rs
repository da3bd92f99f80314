//! Builds the clock that the lab gives to servers (`src/held_clock/hold.c`). It is a library of its own, which only the
//! servers load, and is carried in the binary as bytes: no bytes where clocks cannot be held.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "src/held_clock/hold.c";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    let library = Path::new(&env::var("OUT_DIR")?).join("hold.so");
    let is = |name, value| env::var(name).is_ok_and(|found| found == value);
    if !is("CARGO_CFG_TARGET_OS", "linux") || !is("CARGO_CFG_TARGET_POINTER_WIDTH", "64") {
        fs::write(library, [])?;
        return Ok(());
    }
    let compiler = cc::Build::new().opt_level(2).pic(true).try_get_compiler()?;
    let mut command = compiler.to_command();
    command.args(["-Wall", "-Wextra", "-fno-stack-protector", "-shared", "-nostdlib", "-o"]).arg(library).arg(SOURCE);
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
