//! Access without a person: client credentials and signed statements.

use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::login::Sign;

use super::*;

#[derive(Debug)]
struct Signed(&'static str);

impl Sign for Signed {
    fn assertion(&self, _: DateTime<Utc>) -> Result<Secret, Error> {
        Ok(Secret::new(self.0))
    }
}

fn http(world: &World, grant: Grant) -> Http {
    let mut service = world.service();
    service.grant = grant;
    service.authorize_url = String::new();
    let mut options = Options::new(NAME, world.server.base(), &API);
    options.access = Some(login::oauth(NAME, service, &world.platform).unwrap());
    Http::new(options, &world.platform).unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_again_when_it_ends() {
    let world = World::start().await;
    let client = Grant::Client {
        extra: vec![("box_subject_type", "enterprise".to_owned())],
    };
    for grant in [client, Grant::Assertion(Arc::new(Signed("signed")))] {
        world.server.forget_requests();
        let http = http(&world, grant);
        for _ in 0..3 {
            me(&http).await.unwrap();
        }
        world.clock.advance(Duration::from_hours(1));
        me(&http).await.unwrap();
        let requests = world.server.requests();
        let asked: Vec<_> = requests.iter().filter(|it| it.path == "/token").collect();
        assert_eq!(asked.len(), 2);
        // A refused token is asked for anew, too.
        world.provider.end_access();
        me(&http).await.unwrap();
    }
    assert!(
        world.logins.load(NAME).unwrap().is_none(),
        "nothing is kept"
    );
}

#[tokio::test]
async fn the_parameters_of_the_service_are_sent() {
    let world = World::start().await;
    let extra = vec![("box_subject_type", "user".to_owned())];
    me(&http(&world, Grant::Client { extra })).await.unwrap();
    let sent = String::from_utf8(world.server.requests()[0].body.clone()).unwrap();
    for part in [
        "grant_type=client_credentials",
        "box_subject_type=user",
        "scope=files.read",
    ] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
}

#[tokio::test]
async fn a_wrong_signature_needs_a_person_who_is_not_told_to_log_in() {
    let world = World::start().await;
    let http = http(&world, Grant::Assertion(Arc::new(Signed("forged"))));
    let error = me(&http).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Auth, "{error}");
    assert!(error.advice().unwrap().contains("clock"), "{error:?}");
}
