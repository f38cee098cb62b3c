//! With LibTorch, programs look for it where it was when they were built, and take its CUDA part along where there is one: a
//! linker leaves out a library of which nothing is called by name.
#![allow(clippy::print_stdout)] // how a build script speaks

use std::path::PathBuf;

pub(crate) fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let Some(libtorch) =
        std::env::var_os("LIBTORCH").filter(|_| std::env::var_os("CARGO_FEATURE_TCH").is_some())
    else {
        return;
    };
    let lib = PathBuf::from(libtorch).join("lib");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    let cuda = lib.join("libtorch_cuda.so");
    if cuda.exists() {
        println!("cargo:rustc-link-arg=-Wl,--no-as-needed");
        println!("cargo:rustc-link-arg={}", cuda.display());
        println!("cargo:rustc-link-arg=-Wl,--as-needed");
    }
}
