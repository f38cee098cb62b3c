//! The only crate that joins the layers: experiments, steps, run directories, devices.
