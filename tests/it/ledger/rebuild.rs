//! (unwritten)
