//! Contracts and rates: who wins, on which day, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::matching::testing::{EntryBuilder, client, contract, day, person, rate};

fn rules(rules: Vec<RateRule>) -> Contract {
    let mut contract = contract("main");
    contract.model = Model::Hourly { rates: rules };
    contract
}

fn with(rate_text: &str, person: Option<&str>, project: Option<&str>) -> RateRule {
    RateRule {
        person: person.map(str::to_owned),
        project: project.map(str::to_owned),
        ..rate(rate_text)
    }
}

fn at(contract: &Contract, entry: EntryBuilder, on: &str) -> String {
    let people = [person("anna", "Anna Beispiel", &["anna@example.com"])];
    match rate_at(contract, &entry.build(), day(on), &people) {
        RateAt::One(_, rule) => rule.rate.to_string(),
        RateAt::None => "none".to_owned(),
        RateAt::Clash(one, other) => format!("{one}/{other}"),
    }
}

#[test]
fn the_most_specific_rule_wins_in_any_order() {
    let mut all = vec![
        with("40", None, None),
        with("50", None, Some("Website")),
        with("60", Some("anna"), None),
        with("70", Some("anna"), Some("Website")),
    ];
    for _ in 0..all.len() {
        all.rotate_left(1);
        let contract = rules(all.clone());
        let entry = || EntryBuilder::day("2026-10-14", 60);
        let on = "2026-10-14";
        assert_eq!(
            at(
                &contract,
                entry().by("anna@example.com").project("website"),
                on
            ),
            "70.00"
        );
        assert_eq!(
            at(&contract, entry().by("Anna Beispiel").project("Shop"), on),
            "60.00"
        );
        assert_eq!(
            at(&contract, entry().by("Ben").project("Website"), on),
            "50.00"
        );
        assert_eq!(at(&contract, entry(), on), "40.00");
    }
}

#[test]
fn both_days_of_a_rate_are_included() {
    let mut old = rate("59");
    old.until = Some(day("2026-06-30"));
    let mut new = rate("65");
    new.from = Some(day("2026-07-01"));
    let contract = rules(vec![old, new]);
    let entry = || EntryBuilder::day("2026-10-14", 60);
    assert_eq!(at(&contract, entry(), "2026-06-30"), "59.00");
    assert_eq!(at(&contract, entry(), "2026-07-01"), "65.00");
}

#[test]
fn a_person_under_two_names_may_not_have_two_rates() {
    let contract = rules(vec![
        with("40", None, None),
        with("60", Some("anna"), None),
        with("65", Some("Anna Beispiel"), None),
    ]);
    let entry = EntryBuilder::day("2026-10-14", 60).by("anna@example.com");
    assert_eq!(at(&contract, entry, "2026-10-14"), "1/2");
}

#[test]
fn no_rate_is_no_rate() {
    let contract = rules(vec![with("60", Some("anna"), None)]);
    assert_eq!(
        at(&contract, EntryBuilder::day("2026-10-14", 60), "2026-10-14"),
        "none"
    );
}

#[test]
fn rules_say_why() {
    let mut rule = with("65", Some("anna"), Some("Website"));
    rule.from = Some(day("2026-07-01"));
    assert_eq!(
        rule_text(1, &rule),
        "rates[1] config.toml:40: person anna, project Website, from 2026-07-01"
    );
    assert_eq!(
        rule_text(0, &rate("59")),
        "rates[0] config.toml:40: all work"
    );
}

#[test]
fn a_contract_for_the_project_goes_before_one_for_all() {
    let mut acme = client("acme");
    let mut special = contract("special");
    special.projects = vec!["Website".to_owned()];
    special.until = Some(day("2026-06-30"));
    acme.contracts = vec![contract("general"), special];
    let key = |entry: EntryBuilder| match contract_at(&acme, &entry.build()) {
        ContractAt::One(contract) => contract.key.clone(),
        ContractAt::None => "none".to_owned(),
        ContractAt::Clash(several) => several.len().to_string(),
    };
    assert_eq!(
        key(EntryBuilder::day("2026-06-30", 60).project("WEBSITE")),
        "special"
    );
    assert_eq!(
        key(EntryBuilder::day("2026-07-01", 60).project("Website")),
        "general"
    );
    assert_eq!(
        key(EntryBuilder::day("2026-06-30", 60).project("Shop")),
        "general"
    );
    assert_eq!(key(EntryBuilder::day("2025-12-31", 60)), "none");

    acme.contracts[1].projects.clear();
    let both = contract_at(&acme, &EntryBuilder::day("2026-06-30", 60).build());
    assert!(matches!(both, ContractAt::Clash(several) if several.len() == 2));
}

#[test]
fn the_day_is_that_of_the_start_in_the_clients_zone() {
    let mut acme = client("acme");
    acme.contracts = vec![contract("main")];
    acme.contracts[0].from = day("2026-11-01");
    let late = EntryBuilder::span("2026-10-31T22:59:59Z", 7200).build();
    let next = EntryBuilder::span("2026-10-31T23:00:00Z", 7200).build();
    assert_eq!(contract_at(&acme, &late), ContractAt::None);
    assert!(matches!(contract_at(&acme, &next), ContractAt::One(_)));
}

proptest! {
    /// Rules that the configuration accepts, because no two are equally specific for the same
    /// people and projects on one day, never tie.
    #[test]
    fn rules_without_equal_scopes_never_tie(
        scopes in prop::collection::btree_set((0usize..3, 0usize..3), 0..9),
        person in 0usize..3,
        project in 0usize..3,
    ) {
        let people = [None, Some("Anna"), Some("Ben")];
        let projects = [None, Some("Website"), Some("Shop")];
        let contract = rules(
            scopes
                .iter()
                .enumerate()
                .map(|(index, (who, what))| {
                    with(&(50 + index).to_string(), people[*who], projects[*what])
                })
                .collect(),
        );
        let mut entry = EntryBuilder::day("2026-10-14", 60);
        if let Some(name) = people[person] {
            entry = entry.by(name);
        }
        entry = entry.project(projects[project].unwrap_or(""));
        let found = rate_at(&contract, &entry.build(), day("2026-10-14"), &[]);
        let wanted = [(person, project), (person, 0), (0, project), (0, 0)]
            .into_iter()
            .find(|scope| scopes.contains(scope))
            .and_then(|scope| scopes.iter().position(|other| *other == scope));
        match found {
            RateAt::One(index, _) => prop_assert_eq!(Some(index), wanted),
            RateAt::None => prop_assert_eq!(None, wanted),
            RateAt::Clash(..) => prop_assert!(false, "a tie"),
        }
    }
}
