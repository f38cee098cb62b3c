//! Where LibTorch is, and whether `strace` can trace here.
#[path = "../encoder/libtorch.rs"]
mod libtorch;
#[path = "../store/build.rs"]
mod strace;

fn main() {
    println!("cargo::rerun-if-changed=../encoder/libtorch.rs");
    println!("cargo::rerun-if-changed=../store/build.rs");
    libtorch::main();
    strace::main();
}
