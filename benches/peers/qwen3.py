"""A Qwen3-Embedding-0.6B of random weights: its shape, sentence-transformers' layout, MiniLM's tokenizer.

Same ids on both sides, and as much work as the released model; what the vectors mean is not measured. Weights are bf16 in
the file, as released.
"""

import json
import math
import shutil

from safetensors.torch import save_file

HIDDEN, INNER, HEADS, KEY_HEADS, HEAD, VOCABULARY, LAYERS = 1024, 3072, 16, 8, 128, 151_669, 28


def config(layers):
    return {
        "architectures": ["Qwen3Model"], "model_type": "qwen3", "dtype": "bfloat16", "hidden_act": "silu",
        "attention_bias": False, "attention_dropout": 0.0, "initializer_range": 0.02, "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-6, "rope_theta": 1e6, "rope_parameters": {"rope_theta": 1e6, "rope_type": "default"},
        "sliding_window": None, "use_sliding_window": False, "tie_word_embeddings": True, "use_cache": False,
        "hidden_size": HIDDEN, "intermediate_size": INNER, "num_attention_heads": HEADS, "head_dim": HEAD,
        "num_key_value_heads": KEY_HEADS, "num_hidden_layers": layers, "vocab_size": VOCABULARY,
    }


def tensors(layers):
    """Names and shapes of all weights."""
    yield "embed_tokens.weight", (VOCABULARY, HIDDEN)
    yield "norm.weight", (HIDDEN,)
    for i in range(layers):
        for name, shape in {
            "input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,),
            "self_attn.q_norm": (HEAD,), "self_attn.k_norm": (HEAD,),
            "self_attn.q_proj": (HEADS * HEAD, HIDDEN), "self_attn.k_proj": (KEY_HEADS * HEAD, HIDDEN),
            "self_attn.v_proj": (KEY_HEADS * HEAD, HIDDEN), "self_attn.o_proj": (HIDDEN, HEADS * HEAD),
            "mlp.gate_proj": (INNER, HIDDEN), "mlp.up_proj": (INNER, HIDDEN), "mlp.down_proj": (HIDDEN, INNER),
        }.items():
            yield f"layers.{i}.{name}.weight", shape


def write(folder, small, layers=LAYERS):
    """Writes the model to `folder`, the tokenizer of the model at `small` with it."""
    import torch

    (folder / "1_Pooling").mkdir(parents=True)
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (small / file).is_file():
            shutil.copy(small / file, folder / file)
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
               for i, (path, kind) in enumerate(kinds)]
    pooling = {"word_embedding_dimension": HIDDEN, "pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False}
    for file, value in {"config.json": config(layers), "modules.json": modules, "1_Pooling/config.json": pooling,
                        "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": False}}.items():
        (folder / file).write_text(json.dumps(value, indent=1))
    random = torch.Generator().manual_seed(0)
    values = {}
    for name, shape in tensors(layers):
        values[name] = torch.empty(shape, dtype=torch.bfloat16)
        if len(shape) == 1:
            values[name].fill_(1.0)
        else:
            values[name].normal_(0.0, 0.02, generator=random)
    save_file(values, folder / "model.safetensors", metadata={"format": "pt"})


def products(layers):
    """Floating-point operations of the products with weights, a token."""
    return 2 * sum(math.prod(shape) for name, shape in tensors(layers) if "_proj" in name)
