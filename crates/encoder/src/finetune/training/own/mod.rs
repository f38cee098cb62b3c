//! BERT on plain slices, forward and backward pass, with the matrix products of the encoder: the engine for
//! fine-tuning on the pure-Rust CPU, where it is faster than burn's autodiff. Every sum has a fixed order, so a run
//! gives the same bytes on any number of threads.

mod activation;
mod adamw;
mod attention;
mod bert;
mod checkpoint;
mod dropout;
mod layer;
mod lora;
mod norm;
mod parameters;
#[cfg(test)]
mod parity;
mod products;
mod sums;
mod training;

pub(super) use training::train;
