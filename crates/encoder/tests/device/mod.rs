//! Devices by the names a configuration uses, for what depends on this crate alone.

use manyview_encoder::Device;

/// The device of a name, if this build has it.
#[allow(deprecated)] // burn marks ndarray and libtorch so
pub(crate) fn device(name: &str) -> Option<Device> {
    match name {
        "flex" => Some(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Some(Device::ndarray()),
        #[cfg(feature = "tch")]
        "libtorch" => Some(Device::libtorch()),
        #[cfg(feature = "tch")]
        _ => name.strip_prefix("libtorch:cuda:")?.parse::<usize>().ok().map(Device::libtorch_cuda),
        #[cfg(not(feature = "tch"))]
        _ => None,
    }
}
