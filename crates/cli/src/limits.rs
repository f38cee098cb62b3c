use std::io;

/// Handles SIGXFSZ, so that reaching the file size limit is an ordinary error and not a silent exit.
#[cfg(unix)]
pub(crate) fn handle_file_size_signal() -> io::Result<()> {
    use std::sync::{Arc, atomic::AtomicBool};
    let noticed = Arc::new(AtomicBool::new(false)); // the failing write returns the error
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, noticed).map(drop)
}

#[cfg(not(unix))]
pub(crate) fn handle_file_size_signal() -> io::Result<()> {
    Ok(())
}
