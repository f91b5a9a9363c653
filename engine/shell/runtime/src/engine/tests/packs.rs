//! A pack that an administrator brings: who may, what stays as it was, and what a start makes of
//! it.

use std::collections::BTreeMap;

use casewright_casework::Code;
use serde_json::json;

use super::world::{World, aud, pack, request, staff, start_of, worker};
use crate::engine::{NotDeployed, Refused};

fn administrator() -> casewright_casework::Principal {
    staff("u-alex", &["administrator"])
}

/// The brokerage pack with an administrator, and this title.
fn titled(title: &str) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let text = files.remove("pack.yaml").unwrap();
    let roles = "roles:\n  administrator: { title: Administrator, administers: true }";
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    for line in &mut lines {
        if line.starts_with("title: ") {
            *line = format!("title: {title}");
        } else if line == "roles:" {
            roles.clone_into(line);
        }
    }
    files.insert("pack.yaml".to_owned(), lines.join("\n"));
    files
}

async fn world() -> World {
    let world = World::new().await;
    configured(&world, titled("From the folder")).await;
    world
}

async fn configured(world: &World, files: BTreeMap<String, String>) {
    world.engine.deploy_configured(files).await.unwrap();
}

fn title(world: &World) -> String {
    world.engine.pack(&administrator()).unwrap().title
}

fn code(refused: NotDeployed) -> String {
    match refused {
        NotDeployed::Refused(Refused::Rule(refusal)) => refusal.code.as_str().to_owned(),
        NotDeployed::Refused(Refused::Invalid { code, .. }) => code.to_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_puts_a_pack_in_force_and_runs_under_way_keep_theirs() {
    let world = world().await;
    let before = world.start("brokerage", json!({})).await;
    let mut files = titled("By Alex");
    let later = files["brokerage.yaml"].replace("version: '1.0.0'", "version: '1.1.0'");
    assert_ne!(later, files["brokerage.yaml"]);
    files.insert("brokerage.yaml".to_owned(), later);
    let alex = administrator();
    let deployed = world
        .engine
        .deploy_pack(&alex, files.clone(), Some(request("d")));
    let deployed = deployed.await.unwrap();
    assert_eq!(
        (deployed.title.as_str(), deployed.by.as_deref()),
        ("By Alex", Some("u-alex"))
    );
    let again = world.engine.deploy_pack(&alex, files, Some(request("d")));
    assert_eq!(
        again.await.unwrap().deployed,
        deployed.deployed,
        "one request, one answer"
    );
    let version =
        async |world: &World, id: &str| world.engine.instance(&worker(), id).await.unwrap().version;
    let after = world.start("brokerage", json!({})).await;
    assert_eq!(version(&world, &after.id).await, "1.1.0");
    let world = world.crash().await;
    assert_eq!(title(&world), "By Alex");
    assert_eq!(version(&world, &before.id).await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_administer_changes_nothing() {
    let world = world().await;
    let (worker, leader) = (worker(), super::world::leader());
    let stranger = casewright_casework::Principal {
        agency: "elsewhere".to_owned(),
        ..administrator()
    };
    for who in [&worker, &leader, &stranger] {
        let deployed = world.engine.deploy_pack(who, titled("Mine"), None).await;
        assert_eq!(code(deployed.unwrap_err()), Code::NotAssigned.as_str());
        assert!(world.engine.pack(who).is_err());
    }
    assert_eq!(title(&world), "From the folder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pack_with_mistakes_or_without_its_administrator_changes_nothing() {
    let world = world().await;
    let alex = administrator();
    let mut broken = titled("Broken");
    broken.insert("brokerage.yaml".to_owned(), "document: 7\n".to_owned());
    broken.insert("pay.yaml".to_owned(), "do: nothing\n".to_owned());
    match world.engine.deploy_pack(&alex, broken, None).await {
        Err(NotDeployed::Mistakes(found)) => {
            let of = |file: &str| found.iter().any(|one| one.file == file);
            assert!(of("brokerage.yaml") && of("pay.yaml"), "{found:#?}");
        }
        other => panic!("{other:?}"),
    }
    // The pack of the other tests has nobody who administers.
    let shut_out = world.engine.deploy_pack(&alex, pack("100000"), None).await;
    assert_eq!(code(shut_out.unwrap_err()), "pack-invalid");
    let mut foreign = titled("Foreign");
    for text in foreign.values_mut() {
        *text = text.replace("namespace: family-support", "namespace: elsewhere");
    }
    let foreign = world.engine.deploy_pack(&alex, foreign, None).await;
    assert_eq!(code(foreign.unwrap_err()), "pack-invalid");
    assert_eq!(title(&world), "From the folder");
    let still = start_of("grab", aud(100));
    assert!(world.engine.start(&worker(), still, None).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deployed_stands_until_the_folder_changes() {
    let world = world().await;
    let alex = administrator();
    let deployed = world.engine.deploy_pack(&alex, titled("By Alex"), None);
    deployed.await.unwrap();
    let world = world.crash().await;
    configured(&world, titled("From the folder")).await;
    assert_eq!(title(&world), "By Alex", "a start takes nothing back");
    configured(&world, titled("A new folder")).await;
    assert_eq!(title(&world), "A new folder");
    assert_eq!(world.engine.pack(&alex).unwrap().by, None);
    let world = world.crash().await;
    configured(&world, titled("From the folder")).await;
    assert_eq!(
        title(&world),
        "From the folder",
        "back to what it was is a change"
    );
}
