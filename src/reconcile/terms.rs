//! Whose work it is, and under which contract.

use super::WorkView;
use super::words::{About, listed, quoted};
use crate::billing::{
    Attribution, ContractAt, charges, contract_finding, entry_day, project_name, rate_at,
    rate_finding,
};
use crate::config::Client;
use crate::finding::{Finding, Kind, Severity};

/// What keeps the work from being billed to one client under one contract at one rate.
pub(super) fn belonging(
    about: &About<'_>,
    view: &WorkView<'_>,
    client: Option<&Client>,
) -> Vec<Finding> {
    match (view.client, client) {
        (Attribution::Clash(keys), _) => vec![clash(about, keys)],
        (Attribution::None, _) | (Attribution::Client(_), None) => vec![nobodys(about)],
        (Attribution::Client(_), Some(client)) => {
            let project = without_project(about, client);
            project.into_iter().chain(terms(about, view)).collect()
        }
    }
}

fn clash(about: &About<'_>, keys: &[String]) -> Finding {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    about.finding(
        Kind::ContractClash,
        Severity::Act,
        format!(
            "{} is claimed by {} clients ({}), so it is not billed.",
            about.entry(),
            keys.len(),
            listed(&keys)
        ),
        "Let only one client name the project or client under `sources` in the configuration."
            .to_owned(),
    )
}

/// No client: the project is missing, or nobody in the configuration names it.
fn nobodys(about: &About<'_>) -> Finding {
    let entry = &about.work.entry;
    let project = project_name(entry);
    let client = entry
        .client
        .as_ref()
        .and_then(|client| client.name.as_deref());
    if project.is_none() && client.is_none() {
        return about.finding(
            Kind::NoProject,
            Severity::Check,
            format!(
                "{} has no project, so nobody is billed for it.",
                about.entry()
            ),
            format!("Give it a project in {}.", about.source()),
        );
    }
    let mut names = Vec::new();
    names.extend(project.map(|name| format!("project {}", quoted(name))));
    names.extend(client.map(|name| format!("client {}", quoted(name))));
    about.finding(
        Kind::NoClient,
        Severity::Check,
        format!(
            "{} belongs to {}, which no client of the configuration names.",
            about.entry(),
            listed(&names)
        ),
        "If it is to be billed, add the name to a client's `sources` in the configuration."
            .to_owned(),
    )
}

fn without_project(about: &About<'_>, client: &Client) -> Option<Finding> {
    project_name(&about.work.entry).is_none().then(|| {
        about.finding(
            Kind::NoProject,
            Severity::Note,
            format!(
                "{} belongs to client `{}` and to none of its projects.",
                about.entry(),
                client.key
            ),
            format!("Give it a project in {}.", about.source()),
        )
    })
}

/// What is not charged anyway needs no rate.
fn terms(about: &About<'_>, view: &WorkView<'_>) -> Option<Finding> {
    let ContractAt::One(contract) = &view.contract else {
        return contract_finding(about, &view.contract);
    };
    if !charges(contract, &view.work.entry) || view.work.entry.worked.seconds() == Some(0) {
        return None;
    }
    let entry = &view.work.entry;
    let day = entry_day(entry, about.zone);
    let rate = rate_at(contract, entry, day, about.people);
    rate_finding(about, contract, &rate)
}
