//! A content-addressed store of vectors in Parquet parts, and an encoder that remembers.
