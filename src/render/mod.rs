//! From a statement to bytes.
