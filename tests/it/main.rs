//! The integration tests: one binary, so that Typst is linked once.

mod render;
