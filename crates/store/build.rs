//! Says whether `strace` can trace here: the tests that need it are ignored where it cannot.
use std::process::{Command, Stdio};

pub(crate) fn main() {
    println!("cargo::rustc-check-cfg=cfg(strace)");
    println!("cargo::rerun-if-changed=build.rs");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-o", "/dev/null", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    if traced.status().is_ok_and(|status| status.success()) {
        println!("cargo::rustc-cfg=strace");
    }
}
