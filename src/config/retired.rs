//! Services that people still have in mind, or in an old configuration, and that are gone.

/// What to say about a connector that cannot exist, and what to use instead.
pub(super) fn find(connector: &str) -> Option<(&'static str, &'static str)> {
    let found = match connector {
        // Atlassian, July 2018: sold to Slack; end of service 2019-02-15.
        "stride" => (
            "Stride was shut down on 2019-02-15",
            "its users moved to Slack; there is nothing left to connect to, remove this table",
        ),
        // Microsoft, February 2025; Skype for Business Online went on 2021-07-31.
        "skype" => (
            "Skype was retired on 2025-05-05",
            "its users moved to Microsoft Teams; there is nothing left to connect to, \
             remove this table",
        ),
        // WeTransfer's developer pages: no new accounts; SDKs archived 2020-12-11.
        "wetransfer" => (
            "WeTransfer closed its public API in 2020",
            "use a `folder` connection for the directory into which its files are downloaded",
        ),
        // AWS, November 2022: Wickr Me ends 2023-12-31; the product line is AWS Wickr.
        "wickr-pro" | "wickr" | "wickr_pro" => (
            "Wickr Pro is no more: it became AWS Wickr, and Wickr Me was shut down on 2023-12-31",
            "AWS Wickr is reached only through a bot on a machine of your own, and there is no\n\
             connector for it; remove this table",
        ),
        _ => return None,
    };
    Some(found)
}
