//! The function that answers with chance is found by its name at run time, too.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol=getrandom");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
