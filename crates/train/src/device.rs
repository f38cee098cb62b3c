//! Devices, with burn and without.

#[cfg(feature = "burn")]
pub use burn::tensor::Device;

#[cfg(feature = "burn")]
use burn::tensor::DeviceType;

/// Where something is computed. Without burn there is one device, the CPU; with it this type is burn's.
#[cfg(not(feature = "burn"))]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device(());

#[cfg(not(feature = "burn"))]
impl Device {
    /// The CPU.
    pub fn flex() -> Self {
        Self(())
    }
}

/// The name of a device: without burn there is one.
#[cfg(not(feature = "burn"))]
pub fn device_name(_: &Device) -> String {
    "flex".into()
}

/// The name of a device that results depend on: `flex`, `ndarray`, `libtorch` or `libtorch:cuda:N`.
#[cfg(feature = "burn")]
#[allow(deprecated)] // burn marks ndarray and libtorch so; they stay options while its line holds them
pub fn device_name(device: &Device) -> String {
    let of = |kind| Device::enumerate(kind).iter().position(|known| known == device);
    if of(DeviceType::Flex).is_some() {
        return "flex".into();
    }
    #[cfg(feature = "ndarray")]
    if of(DeviceType::NdArray).is_some() {
        return "ndarray".into();
    }
    #[cfg(feature = "tch")]
    if let Some(gpu) = of(DeviceType::LibTorch) {
        return format!("libtorch:cuda:{gpu}");
    }
    "libtorch".into()
}

/// Whether `device` computes in this process, in memory that others can read and write.
#[cfg(feature = "burn")]
pub(crate) fn in_process(device: &Device) -> bool {
    ["flex", "ndarray"].contains(&device_name(device).as_str())
}

#[cfg(all(test, feature = "burn"))]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_name_that_a_configuration_has_for_it() {
        assert_eq!(device_name(&Device::flex()), "flex");
        assert!(in_process(&Device::flex()));
    }
}
