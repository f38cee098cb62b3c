//! The adapter as an ONNX graph: `base` `[n, dim_in]`, of length 1 each, to `view` `[n, dim_out]`.
//!
//! Field numbers are those of `onnx.proto`; the operators are of opset 13, which every runtime of the last years has.
use super::protobuf::Message;
use crate::{Error, Result};
use manyview_adapter::{Card, Linear, Maps, Saved};
use std::path::Path;

pub(super) const FILE: &str = "adapter.onnx";
const IR_VERSION: u64 = 7;
const OPSET: u64 = 13;
const FLOAT: u64 = 1;
/// The most a protobuf message can hold, less some room for the rest of the graph.
const LARGEST: usize = (1 << 31) - (1 << 20);

pub(super) fn write(dir: &Path, saved: &Saved<Maps>) -> Result<()> {
    let linear = saved.linear()?;
    let bytes = linear.weight().len().saturating_mul(4);
    if bytes > LARGEST {
        let problem =
            format!("expected a weight of less than 2 GiB, found {bytes} bytes; export npy instead");
        return Err(Error::setting("--to onnx", problem));
    }
    super::write(&dir.join(FILE), &model(linear, &saved.card).into_bytes())
}

fn model(linear: &Linear, card: &Card) -> Message {
    let about = [
        ("encoder_fingerprint", card.encoder_fingerprint.as_str()),
        ("instruction", card.instruction()),
        ("teacher", card.teacher()),
    ];
    let about = about.map(|(key, value)| Message::default().text(1, key).text(2, value));
    Message::default()
        .int(1, IR_VERSION)
        .text(2, "manyview")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &graph(linear))
        .message(8, &Message::default().text(1, "").int(2, OPSET))
        .messages(14, about)
}

fn graph(linear: &Linear) -> Message {
    let (dim_in, dim_out) = (linear.dim_in() as u64, linear.dim_out() as u64);
    let bias = linear.bias().map(|bias| tensor("bias", &[dim_out], bias));
    let mut operands = vec!["base", "weight"];
    operands.extend(bias.as_ref().map(|_| "bias"));
    let axes = Message::default().text(1, "axes").int(8, 1).int(20, 7); // ints [1]: along each row
    let nodes = [
        node("Gemm", &operands, "mapped"),
        node("ReduceL2", &["mapped"], "norm").message(5, &axes),
        node("Div", &["mapped", "norm"], "view"),
    ];
    Message::default()
        .messages(1, nodes)
        .text(2, "adapter")
        .message(5, &tensor("weight", &[dim_in, dim_out], linear.weight()))
        .messages(5, bias)
        .message(11, &rows("base", dim_in))
        .message(12, &rows("view", dim_out))
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
    node.text(2, output).text(3, output).text(4, operator)
}

fn tensor(name: &str, shape: &[u64], values: &[f32]) -> Message {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let tensor = shape.iter().fold(Message::default(), |tensor, size| tensor.int(1, *size));
    tensor.int(2, FLOAT).text(8, name).bytes(9, &bytes)
}

/// A matrix with any number `n` of rows.
fn rows(name: &str, columns: u64) -> Message {
    let shape = [Message::default().text(2, "n"), Message::default().int(1, columns)];
    let matrix = Message::default().int(1, FLOAT).message(2, &Message::default().messages(1, shape));
    Message::default().text(1, name).message(2, &Message::default().message(1, &matrix))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The graph that `onnx.checker` passes and onnxruntime runs (`tests/python/export.py`), field by field.
    #[test]
    fn the_graph_maps_and_normalises() {
        let linear = Linear::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, Some(vec![7.0, 8.0, 9.0])).unwrap();
        let bytes = graph(&linear).into_bytes();
        let at = |part: &[u8]| bytes.windows(part.len()).position(|window| window == part);
        let operators = ["Gemm", "ReduceL2", "Div"].map(|name| at(name.as_bytes()).unwrap());
        assert!(operators.is_sorted(), "{operators:?}");
        let weight = tensor("weight", &[2, 3], linear.weight()).into_bytes();
        let bias = tensor("bias", &[3], &[7.0, 8.0, 9.0]).into_bytes();
        assert!(at(&weight).is_some() && at(&bias).is_some());
        assert_eq!(weight[..4], [0x08, 2, 0x08, 3], "dims, unpacked");
        let without = graph(&Linear::new(linear.weight().to_vec(), 2, None).unwrap()).into_bytes();
        assert!(!without.windows(4).any(|window| window == b"bias"));
    }
}
