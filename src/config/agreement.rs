//! Whether a client's contracts agree with each other, and each with itself.

use super::contracts::{Rates, ReadContract, ReadRule};
use super::reader::Book;
use super::sections::fold;

/// Checks the contracts of one client.
pub(super) fn check(book: &Book<'_>, contracts: &[ReadContract]) {
    for (index, contract) in contracts.iter().enumerate() {
        for earlier in &contracts[..index] {
            check_pair(book, earlier, contract);
        }
        if let Some(rates) = &contract.rates {
            check_rates(book, contract, rates);
        }
    }
}

/// Work of one project on one day follows one contract, and what is valid at the same time
/// stands on one statement, which has one currency and one tax.
fn check_pair(book: &Book<'_>, earlier: &ReadContract, later: &ReadContract) {
    let (one, two) = (&earlier.contract, &later.contract);
    let first = earlier.spot.line();
    if one.key == two.key {
        let what = format!("has the same key `{}` as the contract at {first}", one.key);
        let fix = "give each a `key` of its own; without one, the first day is the key".to_owned();
        book.note_at(&later.spot, what, Some(fix));
    }
    let Some(common) = earlier.span().common(later.span()) else {
        return;
    };
    let shared = match (one.projects.is_empty(), two.projects.is_empty()) {
        (true, true) => Some("all projects".to_owned()),
        // The one without projects has what the other does not name.
        (true, false) | (false, true) => None,
        (false, false) => {
            let named = |name: &&String| two.projects.iter().any(|other| fold(other) == fold(name));
            one.projects
                .iter()
                .find(named)
                .map(|name| format!("project `{name}`"))
        }
    };
    if let Some(shared) = shared {
        let what = format!("is valid for {shared} {common}, and so is the contract at {first}");
        let fix = "end the earlier one with `until`, or part them with `projects`".to_owned();
        book.note_at(&later.spot, what, Some(fix));
    } else if one.currency != two.currency || one.vat != two.vat {
        let what = format!("has another `currency` or `vat` than the contract at {first}");
        let fix = format!("both are valid {common} and stand on one statement");
        book.note_at(&later.spot, what, Some(fix));
    }
}

fn check_rates(book: &Book<'_>, contract: &ReadContract, rates: &Rates) {
    let days = contract.span();
    for (index, rule) in rates.rules.iter().enumerate() {
        if rule.span().common(days).is_none() {
            let fix = format!("the contract is valid {days}");
            book.note_at(&rule.spot, "is valid on no day of the contract", Some(fix));
        }
        check_project(book, contract, rule);
        for earlier in &rates.rules[..index] {
            let equal = earlier.project == rule.project && earlier.person == rule.person;
            if let Some(common) = earlier.span().common(rule.span()).filter(|_| equal) {
                let first = earlier.spot.line();
                let what = format!("holds {common} for the same work as the rate at {first}");
                let fix = "end the earlier one with `until`, or say for whom each holds".to_owned();
                book.note_at(&rule.spot, what, Some(fix));
            }
        }
    }
    let free = rates.free_of_general_rules(days);
    if let Some((_, spot)) = &rates.base {
        if free.is_empty() {
            let fix = "leave it out, or end a rule with `until`".to_owned();
            let what = "is never used: rules for everybody hold on every day";
            book.note_at(spot, what, Some(fix));
        }
        return;
    }
    let bare = days.without(rates.rules.iter().map(ReadRule::span));
    if let Some(span) = bare.first() {
        let fix = "write rate = \"59.00\" in the contract: it holds where no rule does".to_owned();
        book.note_at(
            &contract.spot,
            format!("there is no rate {span}"),
            Some(fix),
        );
    }
}

/// A rate for a project that the contract is not about would never be used.
fn check_project(book: &Book<'_>, contract: &ReadContract, rule: &ReadRule) {
    let projects = &contract.contract.projects;
    let Some(project) = &rule.project else {
        return;
    };
    if projects.is_empty() || projects.iter().any(|name| fold(name) == *project) {
        return;
    }
    let name = rule.rule.project.as_deref().unwrap_or(project);
    let what = format!("`{name}` is none of the contract's projects");
    let fix = super::suggest::help(name, projects.iter().map(String::as_str));
    book.note_at(&rule.spot, what, fix);
}
