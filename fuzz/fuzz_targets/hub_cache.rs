#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| manyview_properties::hub_cache(data));
