//! The only file that names a backend.

use crate::{Error, Result};
use manyview_encoder::Device;

/// The devices this build knows, by the names a configuration uses.
pub const DEVICES: &[&str] = &[
    "flex",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "tch")]
    "libtorch",
    #[cfg(feature = "tch")]
    "libtorch:cuda:N",
];

/// The device of a name such as `flex` or `libtorch:cuda:0`.
///
/// # Errors
/// [`Error::Setting`] for a name this build does not know, with the names it does.
#[allow(deprecated)] // burn marks ndarray and libtorch so; they stay options while its line holds them
pub fn device(name: &str) -> Result<Device> {
    #[cfg(feature = "tch")]
    if let Some(n) = name.strip_prefix("libtorch:cuda:").and_then(|n| n.parse::<usize>().ok()) {
        return match gpus() {
            there if n < there => Ok(Device::libtorch_cuda(n)),
            there => Err(Error::setting(
                "encoder.device",
                format!(
                    "expected a GPU that LibTorch can use, found `{name}` and {there} of them, counted from 0; does \
                     `nvidia-smi` list it, and was this built with a LibTorch for CUDA? (docs/guide/devices.md)"
                ),
            )),
        };
    }
    match name {
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "tch")]
        "libtorch" => Ok(Device::libtorch()),
        other => Err(Error::setting(
            "encoder.device",
            format!("unknown device `{other}`; this build has {}{}", DEVICES.join(", "), feature_hint(other)),
        )),
    }
}

/// GPUs that LibTorch can use.
#[cfg(feature = "tch")]
fn gpus() -> usize {
    Device::enumerate(burn::tensor::DeviceType::LibTorch).len()
}

/// The devices of this build and this machine, for people.
pub fn describe_devices() -> String {
    let all = DEVICES.join(", ");
    #[cfg(feature = "tch")]
    let all = format!("{all}; GPUs that LibTorch can use: {}", gpus());
    all
}

/// Tokens in a batch on the device of a name, where nothing else is said: a GPU has to be filled.
pub(crate) fn batch_tokens(name: &str) -> usize {
    if name.starts_with("libtorch:cuda") {
        16_384
    } else {
        manyview_encoder::EncoderConfig::default().batch_tokens
    }
}

/// Texts encoded between two writes to the store on the device of a name, where it is not the store's own number: some
/// batches, the next ones read meanwhile.
pub(crate) fn part_rows(name: &str) -> Option<usize> {
    name.starts_with("libtorch:cuda").then_some(4096)
}

/// Batches that run side by side on the device of a name: LibTorch has threads and streams of its own.
pub(crate) fn streams(name: &str) -> usize {
    if name.starts_with("libtorch") { 1 } else { manyview_encoder::EncoderConfig::default().streams }
}

fn feature_hint(name: &str) -> &'static str {
    if name.starts_with("libtorch") {
        "; build with `--features tch` for LibTorch (docs/guide/devices.md)"
    } else if name == "ndarray" {
        "; build with `--features ndarray`"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_device_is_refused_with_the_names_there_are() {
        let e = device("cuda").unwrap_err().to_string();
        assert!(e.contains("`cuda`") && e.contains("flex"), "{e}");
    }
}
