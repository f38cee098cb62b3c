use std::io;

/// Makes a file that meets the limit of the process on sizes an ordinary error, in place of a silent end by SIGXFSZ.
#[cfg(unix)]
pub(crate) fn tell_of_limits() -> io::Result<()> {
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Default::default()).map(drop)
}

#[cfg(not(unix))]
pub(crate) fn tell_of_limits() -> io::Result<()> {
    Ok(())
}
