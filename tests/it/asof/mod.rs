//! What was known then: the history of the configuration, reports as of a moment, and what an
//! auditor gets.

mod audit;
mod commands;
mod configured;
mod procedure;
mod then;
