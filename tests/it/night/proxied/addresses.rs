//! Nights in which the service's address leads to nobody, or to somebody who cannot prove to be
//! the service.

use std::process::{Command, Output};

use super::*;
use crate::fakes::proxy::ClosedPort;
use crate::fakes::tls::{Authority, Face, Impostor};

/// One failing night at another address, for each of the services.
async fn elsewhere(base: &str, expected: &State) {
    for who in BOTH {
        let case = format!("{who:?} at {base}");
        let mut house = House::new(SMALL).await;
        house.clock.lose_patience_after(PATIENCE);
        let true_base = who.server(&house).base().to_owned();
        for number in 0..NIGHTS {
            begin(&house, number);
            match number {
                1 => readdress(&mut house, &true_base, base),
                2 => readdress(&mut house, base, &true_base),
                _ => {}
            }
            let report = house.night().await;
            hides(&case, &format!("{report:?}"));
            if number == 1 {
                assert_failed(&house, who, &report, Exit::ForNow, &case);
            }
            assert_nothing_invented(&house, &case);
        }
        assert_healed(&house, expected, 1, &case);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_there() {
    let expected = without_faults().await;
    let closed = ClosedPort::take();
    for base in [closed.base(), "https://stundenbuch.invalid"] {
        elsewhere(base, &expected).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_else_is_there_and_hears_nothing() {
    let expected = without_faults().await;
    let authority = Authority::new();
    for face in [
        Face::SelfSigned,
        Face::Expired,
        Face::OldVersion,
        Face::HangsUp,
        Face::Plain,
    ] {
        let impostor = Impostor::start(face, &authority, None).await;
        elsewhere(&impostor.base(), &expected).await;
        let heard = String::from_utf8_lossy(&impostor.heard()).into_owned();
        hides(&format!("what {face:?} heard"), &heard);
        for word in ["uthorization", "Basic", "OAuth", "/me"] {
            assert!(!heard.contains(word), "{face:?} heard {word}");
        }
    }
}

/// The program itself, with an authority that the machine trusts: a certificate is believed for
/// its host and its years, and only then does the credential go out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_good_for_its_host_and_its_years() {
    let house = House::new(SMALL).await;
    let authority = Authority::new();
    let trusted = house.dir.path().join("trusted.pem");
    std::fs::write(&trusted, authority.pem()).unwrap();
    let toml = std::fs::read_to_string(house.file()).unwrap();
    let mut running = Vec::new();
    for face in [
        Face::Good,
        Face::Expired,
        Face::NotYet,
        Face::OtherHost,
        Face::SelfSigned,
    ] {
        let behind = house.toggl.server.base();
        let impostor = Impostor::start(face, &authority, Some(behind)).await;
        let dir = house.dir.path().join(format!("{face:?}"));
        std::fs::create_dir(&dir).unwrap();
        let file = dir.join("stundenbuch.toml");
        std::fs::write(&file, toml.replace(behind, &impostor.base())).unwrap();
        let mut check = Command::new(env!("CARGO_BIN_EXE_stundenbuch"));
        check
            .args(["check", "toggl", "--config"])
            .arg(file)
            .env_clear()
            .envs(&house.environment.variables)
            .env("SSL_CERT_FILE", &trusted);
        let check = tokio::task::spawn_blocking(move || check.output());
        running.push((face, impostor, check));
    }
    for (face, impostor, check) in running {
        let Output {
            status,
            stdout,
            stderr,
        } = check.await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
        hides(&format!("{face:?}"), &said);
        let heard = String::from_utf8_lossy(&impostor.heard()).into_owned();
        if face == Face::Good {
            assert_eq!(status.code(), Some(0), "{said}");
            assert!(said.contains("Mara Lindgrün"), "{said}");
            assert!(heard.contains("authorization: Basic"), "{heard}");
        } else {
            assert_eq!(status.code(), Some(3), "{face:?}: {said}");
            assert!(said.contains("certificate"), "{face:?}: {said}");
            assert_eq!(heard, "", "{face:?}");
        }
    }
}
