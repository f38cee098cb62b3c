//! Text encoders on burn: Qwen3 and BERT in the sentence-transformers layout.
