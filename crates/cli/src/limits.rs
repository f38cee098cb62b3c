use std::io;

/// Makes a file that meets the limit of the process on sizes an ordinary error, in place of a silent end by SIGXFSZ.
#[cfg(unix)]
pub(crate) fn tell_of_limits() -> io::Result<()> {
    use std::sync::{Arc, atomic::AtomicBool};
    let noticed = Arc::new(AtomicBool::new(false)); // the write that met the limit says the rest
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, noticed).map(drop)
}

#[cfg(not(unix))]
pub(crate) fn tell_of_limits() -> io::Result<()> {
    Ok(())
}
