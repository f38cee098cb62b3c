//! Manyview: encode a corpus once; see it under any instruction.
