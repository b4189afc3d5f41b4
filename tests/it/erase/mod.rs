//! Erasing a client: nothing of it is left but what the law keeps, and everybody else's is as it
//! was.

mod command;
mod forged;
mod histories;
mod nights;
mod town;
mod traces;
