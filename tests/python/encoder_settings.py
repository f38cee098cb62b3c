"""Encoders with random but valid configurations and tokenizer settings, by sentence-transformers and by us.

Needs Python with torch, transformers and sentence-transformers. No network.

    cargo build --release --workspace --features train --examples
    python tests/python/encoder_settings.py [--rounds 300] [--seed 0] [--kinds roberta ...]
        [--program target/release/examples/throughput]

Each must be equal to 1e-5 in every component, or refused with the name of what is not computed. What
sentence-transformers itself cannot load or run may be refused or not. A failure prints its seed; `--rounds 1 --seed N`
makes it again.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "TQDM_DISABLE": "1"}
warnings.filterwarnings("ignore")

import numpy as np
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Dropout, LayerNorm, Normalize, Pooling
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "crates/encoder/tests/golden"))
import make
import settings

TOLERANCE = 1e-5
PIECES = [
    *settings.TEXTS,
    "Kent",
    "STONE",
    "école",
    "中",
    "雨",
    "[MASK]",
    "<mask>",
    "<s>",
    "rain  ",
    "\t",
    "a",
    "?!",
    "x" * 120,
    "ÀÉ",
    "e\u0301",
    "\u200b",
    "interest RATES",
    "[EXTRA]",
    "<|endoftext|>",
    "\u3000",
    "ﬁ",
    "İ",
]
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)



def gemma():
    return make.sentence_piece_bpe(settings.CORPUS, 340)


# Of each kind of encoder: its tokenizer, the class of that, and the classes of the model and of the model with heads.
FAMILIES = {
    "bert": (settings.word_piece, "BertTokenizer", "Bert"),
    "gemma3": (gemma, "GemmaTokenizer", "Gemma3Text"),
    "mpnet": (settings.mpnet_word_piece, "MPNetTokenizer", "MPNet"),
    "qwen2": (settings.qwen, "Qwen2Tokenizer", "Qwen2"),
    "qwen3": (settings.qwen, "Qwen2Tokenizer", "Qwen3"),
    "multilingual": (settings.unigram, "XLMRobertaTokenizer", "Bert"),
    "roberta": (settings.roberta_bpe, "RobertaTokenizer", "Roberta"),
    "xlm-roberta": (settings.unigram, "XLMRobertaTokenizer", "XLMRoberta"),
    "camembert": (settings.unigram, "CamembertTokenizer", "Camembert"),
    "distilbert": (settings.word_piece, "DistilBertTokenizer", "DistilBert"),
    "modernbert": (settings.word_piece, "PreTrainedTokenizerFast", "ModernBert"),
    "nomic_bert": (settings.word_piece, "BertTokenizer", "NomicBert"),
}
ROBERTA = ("roberta", "xlm-roberta", "camembert")
QWEN = ("qwen2", "qwen3")
# The classes of a model that fills in words.
MASKED = ("Model", "ForMaskedLM", "ForSequenceClassification")
LAYERS = ["full_attention", "sliding_attention"]


class Case:
    """One encoder in a directory, from one seed."""

    def __init__(self, seed, folder, kinds):
        self.random, self.folder, self.said = random.Random(seed), folder, []
        torch.manual_seed(seed)
        self.kind = self.random.choice(kinds)
        self.tokenizer()
        self.model()
        self.config()
        self.settings()
        self.layout()

    def some(self, **keys):
        """Of each key one of its values, or none at all."""
        found = {key: self.random.choice(values) for key, values in keys.items() if self.random.random() < 0.5}
        self.said.append(found)
        return found

    def chance(self, share):
        return self.random.random() < share

    def write(self, path, value):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(value if isinstance(value, str) else json.dumps(value))

    def tokenizer(self):
        if self.kind not in CACHE:
            CACHE[self.kind] = FAMILIES[self.kind][0]().to_str()
        made = json.loads(CACHE[self.kind])
        if made["normalizer"] and made["normalizer"]["type"] == "BertNormalizer":
            made["normalizer"] |= self.some(
                lowercase=[True, False], strip_accents=[None, True, False], handle_chinese_chars=[True, False]
            )
        if self.chance(0.1):
            made["normalizer"] = self.random.choice([None, {"type": "Lowercase"}, {"type": "NFKC"}])
        if self.chance(0.2):
            direction = self.random.choice(["Left", "Right"])
            made["truncation"] = {"direction": direction, "max_length": 12, "strategy": "LongestFirst", "stride": 0}
        if self.chance(0.1):
            made["padding"] = {
                "strategy": {"Fixed": 32},
                "direction": "Left",
                "pad_to_multiple_of": None,
                "pad_id": 0,
                "pad_type_id": 0,
                "pad_token": "[PAD]",
            }
        self.words = made["model"]["vocab"]
        self.write("tokenizer.json", made)
        if self.kind in ("bert", "mpnet", "distilbert", "nomic_bert") and self.chance(0.2):
            self.write(
                "vocab.txt", "".join(f"{word}\n" for word, _ in sorted(self.words.items(), key=lambda item: item[1]))
            )
            if self.chance(0.7):
                (self.folder / "tokenizer.json").unlink()

    def model(self):
        pick = self.random.choice
        ids = max(i for i in Tokenizer.from_str(CACHE[self.kind]).get_vocab().values()) + 1 + pick([0, 0, 3])
        heads, dim = pick([1, 2, 4]), pick([2, 4, 8])
        # sentence-transformers fails where a text has more tokens than RoBERTa has positions for
        self.positions = pick([40, 100, 150] if self.kind in ROBERTA else [18, 24, 40, 64])
        common = {
            "vocab_size": ids,
            "num_hidden_layers": pick([1, 2, 3]),
            "num_attention_heads": heads,
            "intermediate_size": pick([3, 8, 24, 33]),
            "initializer_range": pick([0.1, 0.3, 0.6] if self.kind in ("bert", "mpnet", "qwen3") else [0.1, 0.3]),
        }
        if self.kind in QWEN:
            own = {"head_dim": 2 * dim, "attention_bias": self.chance(0.3)}
            if self.kind == "qwen2":
                own = self.some(head_dim=[2 * dim])
            config = getattr(transformers, f"{FAMILIES[self.kind][2]}Config")(
                hidden_size=pick([8, 16, 20]),
                num_key_value_heads=pick([n for n in (1, 2, 4) if heads % n == 0]),
                max_position_embeddings=self.positions,
                **own,
                rms_norm_eps=pick([1e-6, 1e-5]),
                rope_parameters={"rope_type": "default", "rope_theta": pick([100.0, 1e4, 1e6])},
                **common,
            )
            classes = self.classes("Model", "ForCausalLM", "ForSequenceClassification")
        elif self.kind == "distilbert":
            config = transformers.DistilBertConfig(
                vocab_size=ids,
                dim=heads * dim,
                n_heads=heads,
                n_layers=common["num_hidden_layers"],
                hidden_dim=common["intermediate_size"],
                initializer_range=common["initializer_range"],
                max_position_embeddings=self.positions,
                activation=pick(["gelu", "gelu", "relu", "silu"]),
                sinusoidal_pos_embds=self.chance(0.2),
            )
            classes = self.classes(*MASKED)
        elif self.kind == "modernbert":
            config = transformers.ModernBertConfig(
                hidden_size=2 * heads * dim,
                max_position_embeddings=self.positions,
                hidden_activation=pick(["gelu", "gelu", "relu", "silu", "gelu_pytorch_tanh"]),
                norm_eps=pick([1e-5, 1e-6]),
                norm_bias=self.chance(0.3),
                attention_bias=self.chance(0.3),
                mlp_bias=self.chance(0.3),
                local_attention=pick([1, 2, 5, 8, 128]),
                layer_types=pick([None, [pick(LAYERS) for _ in range(common["num_hidden_layers"])]]),
                rope_parameters=pick(
                    [
                        None,
                        {kind: {"rope_type": "default", "rope_theta": pick([50.0, 1e3, 1e5])} for kind in LAYERS},
                    ]
                ),
                **dict.fromkeys(["pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"], 0),
                **common,
            )
            classes = self.classes(*MASKED)
        elif self.kind == "nomic_bert":
            config = transformers.NomicBertConfig(
                hidden_size=2 * heads * dim,
                head_dim=pick([None, None, 4, 8]),
                max_position_embeddings=self.positions,
                type_vocab_size=pick([1, 2]),
                layer_norm_eps=pick([1e-12, 1e-5]),
                hidden_act=pick(["silu", "silu", "gelu"]),
                rope_parameters={"rope_type": "default", "rope_theta": pick([100.0, 1e3, 1e4])},
                **common,
            )
            classes = self.classes(*MASKED)
        elif self.kind == "gemma3":
            config = transformers.Gemma3TextConfig(
                hidden_size=heads * pick([4, 8, 12]),
                head_dim=2 * dim,
                num_key_value_heads=pick([n for n in (1, 2, 4) if heads % n == 0]),
                max_position_embeddings=self.positions,
                attention_bias=self.chance(0.2),
                hidden_activation=pick(["gelu_pytorch_tanh"] * 9 + ["silu"]),
                query_pre_attn_scalar=pick([4, 8, 24, 256]),
                rms_norm_eps=pick([1e-6, 1e-5]),
                sliding_window=pick([1, 2, 3, 5, 8, 64]),
                layer_types=[pick(LAYERS) for _ in range(common["num_hidden_layers"])],
                use_bidirectional_attention=self.chance(0.6),
                rope_parameters={kind: {"rope_type": "default", "rope_theta": pick([50.0, 1e4, 1e6])} for kind in LAYERS},
                **common,
            )
            classes = [*self.classes("Model", "ForSequenceClassification"), transformers.Gemma3ForCausalLM]
        else:
            more = {
                "hidden_size": heads * dim,
                "hidden_act": pick(
                    ["gelu", "gelu", "relu", "gelu_new", "gelu_pytorch_tanh", "silu"] + ["mish"] * self.chance(0.2)
                ),
                "layer_norm_eps": pick([1e-12, 1e-12, 1e-5]),
            }
            if self.kind == "mpnet":
                config = transformers.MPNetConfig(max_position_embeddings=self.positions + 2, **more, **common)
                classes = [transformers.MPNetModel, transformers.MPNetForMaskedLM]
            elif self.kind in ROBERTA:
                padding = pick([1, 1, 1, ids - 1])
                config = getattr(transformers, f"{FAMILIES[self.kind][2]}Config")(
                    max_position_embeddings=self.positions + padding + 1,
                    pad_token_id=padding,
                    type_vocab_size=pick([1, 1, 2]),
                    **more,
                    **common,
                )
                classes = self.classes(*MASKED)
            else:
                config = transformers.BertConfig(
                    max_position_embeddings=self.positions, type_vocab_size=pick([1, 2, 3]), **more, **common
                )
                classes = [
                    transformers.BertModel,
                    transformers.BertForMaskedLM,
                    transformers.BertForSequenceClassification,
                ]
        model = settings.shaken(pick(classes)(config)).to(
            pick([torch.float32, torch.float32, torch.bfloat16, torch.float16])
        )
        model.save_pretrained(self.folder, max_shard_size=pick(["10MB", "10MB", "10KB"]))
        (self.folder / "generation_config.json").unlink(missing_ok=True)
        weights = self.folder / "model.safetensors"
        if self.chance(0.2) and weights.exists():
            old = lambda name: name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"
            )
            tensors = {old(name): value for name, value in settings.load_file(weights).items()}
            settings.save_file(tensors, weights, metadata={"format": "pt"})
            self.said.append("gamma and beta")

    def classes(self, *kinds):
        return [getattr(transformers, FAMILIES[self.kind][2] + kind) for kind in kinds]

    def old_rope(self, config):
        """The rotary positions of ModernBERT as older files say them."""
        ropes = config.get("rope_parameters") or {}
        theta = lambda kind, other: (ropes.get(kind) or {}).get("rope_theta", other)
        forms = [
            {},
            {"global_rope_theta": theta(LAYERS[0], 160000.0), "local_rope_theta": theta(LAYERS[1], 10000.0)},
            {"rope_scaling": {"rope_theta": 70.0}},
            {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
            {"rope_scaling": None},
            {"layer_norm_eps": 0.1, "position_embedding_type": "absolute"},
        ]
        form = self.random.choice(forms)
        if "global_rope_theta" in form and self.chance(0.7):
            config.pop("rope_parameters", None)
        if self.chance(0.3) and config.pop("layer_types", None):
            config |= self.some(global_attn_every_n_layers=[1, 2, 3])
        config |= form

    def old_gemma(self, config):
        """Windows and rotary positions as older files say them, and what is refused."""
        pick = self.random.choice
        if self.chance(0.4):
            ropes = config.pop("rope_parameters", {})
            theta = lambda kind: (ropes.get(kind) or {}).get("rope_theta", 1e4)
            forms = [
                {},
                {"rope_theta": theta(LAYERS[0]), "rope_local_base_freq": theta(LAYERS[1])},
                {"rope_parameters": ropes, "rope_theta": 7.0, "rope_local_base_freq": 9.0},
                {"rope_parameters": {LAYERS[0]: ropes.get(LAYERS[0])}, "rope_local_base_freq": 30.0},
                {"rope_scaling": {"rope_type": "default", "rope_theta": 500.0}, "rope_theta": 50.0},
                {"rope_scaling": {"rope_type": "default", "rope_theta": 500.0}, "rope_parameters": ropes},
                {"rope_scaling": {"rope_type": "linear", "factor": 2.0}},
                {"rope_scaling": None},
            ]
            config |= pick(forms)
        if self.chance(0.3) and config.pop("layer_types", None):
            config |= self.some(sliding_window_pattern=[1, 2, 3])
        config |= self.some(sliding_window=[1, 3, 4, 7]) if self.chance(0.4) else {}
        if self.chance(0.15):
            config |= pick([{"is_causal": True}, {"is_causal": False}, {"attn_logit_softcapping": 5.0}])

    def config(self):
        path = self.folder / "config.json"
        config = json.loads(path.read_text())
        default = type(transformers.AutoConfig.from_pretrained(self.folder))().to_dict()
        for key in [key for key in config if key != "model_type" and default.get(key, self) == config[key]]:
            if self.chance(0.3):
                del config[key]
                self.said.append(f"no {key}")
        config |= self.some(
            gradient_checkpointing=[False],
            output_attentions=[True],
            model_max_length=[None],
            torch_dtype=["float32"],
            num_labels=[4],
            chunk_size_feed_forward=[0, 1],
            tie_word_embeddings=[True, False],
        )
        if self.kind == "gemma3":
            self.old_gemma(config)
        if self.kind == "modernbert":
            self.old_rope(config)
        if self.kind == "distilbert" and self.chance(0.2):
            renamed = {"dim": "hidden_size", "n_heads": "num_attention_heads", "n_layers": "num_hidden_layers"}
            config = {renamed.get(key, key): value for key, value in config.items()}
        if self.kind in (*QWEN, "nomic_bert"):
            rope = config.pop("rope_parameters", {"rope_theta": 1e4})
            forms = [
                {"rope_parameters": rope},
                {"rope_theta": rope["rope_theta"]},
                {"rope_theta": 7.0, "rope_parameters": rope},
                {"rope_scaling": {"type": "default", "rope_type": "default"}, "rope_theta": 500.0},
                {"rope_scaling": {"type": "linear", "factor": 2.0, "rope_theta": 500.0}},
                {"rope_scaling": None, "rope_parameters": rope},
            ]
            config |= self.random.choice(forms)
            if self.kind == "qwen3" and self.chance(0.3):
                config["is_causal"] = self.random.choice([True, False])
            if self.kind == "qwen3" and self.chance(0.1):
                config |= {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0}
                config.pop("layer_types", None)
        elif self.chance(0.15):
            config |= self.random.choice(
                [{"is_decoder": True}, {"is_decoder": False}, {"pruned_heads": {}}, {"add_cross_attention": False}]
            )
        self.said.append({key: value for key, value in config.items() if default.get(key, self) != value})
        path.write_text(json.dumps(config))

    def settings(self):
        make, own, _ = FAMILIES[self.kind]
        pad = {settings.word_piece: "[PAD]", settings.qwen: "<|endoftext|>"}.get(make, "<pad>")
        kinds = [
            own,
            own,
            own.removesuffix("Fast") + "Fast",
            "PreTrainedTokenizerFast",
            "TokenizersBackend",
            "BertTokenizer",
            "RobertaTokenizer",
        ]
        words = [word for word in (w if isinstance(w, str) else w[0] for w in self.words) if word.isalpha()]
        token = lambda: {
            "content": self.random.choice(words),
            "lstrip": self.chance(0.5),
            "rstrip": self.chance(0.5),
            "normalized": self.chance(0.5),
            "single_word": self.chance(0.5),
            "special": self.chance(0.5),
        }
        if self.chance(0.07):
            return
        found = self.some(
            tokenizer_class=kinds,
            do_lower_case=[True, False],
            strip_accents=[None, True, False],
            tokenize_chinese_chars=[True, False],
            truncation_side=["left", "right"],
            model_max_length=[6, 9, 30, None, 10**30],
            add_prefix_space=[True, False],
            trim_offsets=[True, False],
            split_special_tokens=[True, False],
            mask_token=[self.random.choice(words)],
            clean_text=[False],
            padding_side=["left", "right"],
            extra_special_tokens=[[self.random.choice(words)], [], [token() | {"__type": "AddedToken"}]],
        )
        if self.chance(0.3):
            found["added_tokens_decoder"] = {str(i): token() for i in self.random.sample(range(5, 40), 3)}
        if self.chance(0.1):
            found["cls_token"] = self.random.choice(words)
        self.write("tokenizer_config.json", {"pad_token": pad} | found)
        self.said.append(found)
        if self.chance(0.2):
            self.write("special_tokens_map.json", {"mask_token": token(), "pad_token": pad})
        if self.chance(0.1):
            self.write("added_tokens.json", {self.random.choice(words): 11})

    def layout(self):
        if self.chance(0.2):
            return
        pools = [
            {"pooling_mode_mean_tokens": True},
            {"pooling_mode_cls_token": True},
            {"pooling_mode_lasttoken": True},
            {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True},
            {},
            {"pooling_mode": "lasttoken"},
            {"pooling_mode": self.random.sample(Pooling.POOLING_MODES, self.random.choice([1, 1, 2, 3]))},
        ]
        pool = self.random.choice(pools) | self.some(include_prompt=[True, True, False])
        self.write("1_Pooling/config.json", {"word_embedding_dimension": 8} | pool)
        modes = pool.get("pooling_mode", [key for key in pool if key.startswith("pooling_mode_")] or ["mean"])
        self.modules(1 if isinstance(modes, str) else len(modes))
        told = self.some(max_seq_length=[5, 8, 17, None], do_lower_case=[True, False])
        if self.chance(0.1):
            told["tokenizer_args"] = {"model_max_length": 7}
        if told or self.chance(0.5):
            self.write("sentence_bert_config.json", told)
        if self.chance(0.2):
            self.write(
                "config_sentence_transformers.json",
                {"prompts": {"q": "rain: ", "p": None}, "default_prompt_name": self.random.choice(["q", "p", None])},
            )
        self.said += [pool, told]

    def modules(self, modes):
        """What stands behind the pooling of so many modes."""
        if self.chance(0.7):
            self.write("modules.json", settings.MODULES)
            return
        config = json.loads((self.folder / "config.json").read_text())
        dim = modes * config.get("hidden_size", config.get("dim", 8))
        behind = []
        for _ in range(self.random.choice([1, 1, 2, 3])):
            kind = self.random.choice([Dense, Dense, LayerNorm, Dropout, Normalize])
            if kind is Dense:
                out = self.random.choice([dim, 5, 12])
                activation = self.random.choice(ACTIVATIONS)()
                more = {"bias": self.chance(0.7), "use_residual": self.chance(0.3)}
                behind.append(Dense(dim, out, activation_function=activation, **more))
                dim = out
            else:
                behind.append(kind(dim) if kind is LayerNorm else kind())
        named = settings.MODULES[:2]
        for module in behind:
            name = type(module).__name__
            path = f"{len(named)}_{name}"
            (self.folder / path).mkdir()
            # sentence-transformers rounds them to the type of the transformer as it loads them.
            module.to(getattr(torch, config.get("dtype") or "float32")).float().save(str(self.folder / path))
            number = len(named)
            named = [*named, MODULE | {"idx": number, "name": str(number), "path": path, "type": MODULE["type"] + name}]
        self.write("modules.json", named)
        self.said.append([type(module).__name__ for module in behind])

    def texts(self):
        return [
            self.random.choice(["", " "]).join(
                self.random.choice(PIECES) for _ in range(self.random.choice([1, 1, 2, 4]))
            )
            for _ in range(8)
        ]


CACHE = {}
MODULE = {"type": "sentence_transformers.models."}
ACTIVATIONS = [torch.nn.Identity, torch.nn.Tanh, torch.nn.ReLU, torch.nn.Sigmoid, torch.nn.GELU, torch.nn.SiLU]


def reference(folder, texts):
    # Not f32 after loading: Gemma's scale of embeddings is rounded to the type that a model is loaded in.
    model = SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs={"torch_dtype": torch.float32}
    ).float()
    return np.concatenate([model.encode([text], normalize_embeddings=True) for text in texts])


def ours(program, folder, texts, engine):
    file, out = folder.parent / "texts.jsonl", folder.parent / "vectors"
    file.write_text("".join(json.dumps(text) + "\n" for text in ["", *texts]))
    arguments = [program, str(folder), str(file), *(["engine=burn"] if engine == "burn" else [])]
    done = subprocess.run(arguments, input=f"vectors {out}\n", capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return np.frombuffer(out.read_bytes(), dtype=np.float32).reshape(len(texts), -1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--program", default=ROOT / "target/release/examples/throughput")
    options = parser.parse_args()
    count, reasons, wrong = collections.Counter(), collections.Counter(), []
    for seed in range(options.seed, options.seed + options.rounds):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            folder.mkdir()
            case = Case(seed, folder, options.kinds)
            texts = case.texts()
            try:
                expected = reference(folder, texts)
            except Exception as e:
                expected = f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"
            found = ours(str(options.program), folder, texts, case.random.choice(["own", "own", "burn"]))
        if isinstance(found, str) and "panicked" in found:
            wrong.append((seed, case.kind, found, case.said))
        elif isinstance(found, str):
            count["refused by both" if isinstance(expected, str) else "refused by us"] += 1
            theirs = f"; THEIRS {expected[:100]}" if isinstance(expected, str) else ""
            reasons[" ".join(found.replace(scratch, "").split())[:150] + theirs.replace(scratch, "")] += 1
        elif isinstance(expected, str):
            count["not run by sentence-transformers"] += 1
            reasons["THEIRS " + expected[:120]] += 1
        else:
            gap = float(np.abs(found - expected).max()) if found.shape == expected.shape else float("inf")
            count["equal" if gap <= TOLERANCE else "WRONG"] += 1
            if gap > TOLERANCE:
                rows = np.abs(found - expected).max(axis=1).round(4) if found.shape == expected.shape else found.shape
                wrong.append((seed, case.kind, f"{gap} apart: {rows}", case.said))
    for reason, times in reasons.most_common():
        print(f"{times:4} {reason}")
    for case in wrong:
        print("WRONG", *case, sep="\n    ")
    print(dict(count))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
