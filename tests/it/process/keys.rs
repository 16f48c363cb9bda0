//! `keys` and a service behind them, from outside.

use serde_json::{Value, json};

use axum::http::Method;
use local::remote::Remote;

use super::program::{Ended, Process, Server, run};
use super::{assert_refused, folder};

const SECRET: usize = 55;

/// A secret that was printed alone on its line.
fn secret(made: &Ended) -> String {
    assert_eq!(made.code, Some(0), "{made:?}");
    let secret = made.stdout.strip_suffix('\n').unwrap();
    assert!(
        secret.starts_with("hm_") && secret.len() == SECRET,
        "{made:?}"
    );
    assert!(!made.stderr.contains(secret), "said once: {made:?}");
    secret.to_owned()
}

async fn get(server: &Server, key: Option<&str>, path: &str) -> (u16, Value) {
    let remote = Remote::parse(&format!("http://{}", server.address), key).unwrap();
    remote.call(Method::GET, path, None).await.unwrap()
}

#[tokio::test]
async fn nobody_is_served_beyond_loopback_before_there_is_an_admins_key() {
    let folder = folder();
    for (arguments, part) in [
        (
            vec!["--listen", "0.0.0.0", "--in-memory"],
            " --offline, and give",
        ),
        (
            vec!["--listen", "::", "--in-memory"],
            " --offline, and give",
        ),
        (
            vec!["--require-keys", "--data-dir", "a/b"],
            " --data-dir a/b",
        ),
        (vec!["--require-keys"], ""),
    ] {
        let mut all = vec!["serve", "--port", "0"];
        all.extend(arguments);
        let ended = run(folder.path(), &all).await;
        let part = format!("create one first: harvestman keys create --admin{part}");
        assert_refused(&ended, &part);
    }
    // A customer's key opens nothing for others.
    let made = run(folder.path(), &["keys", "create", "--customer", "a"]).await;
    secret(&made);
    let ended = run(folder.path(), &["serve", "--port", "0", "--require-keys"]).await;
    assert_refused(&ended, "harvestman keys create --admin");
}

#[tokio::test]
async fn keys_are_made_in_the_folder_and_outlive_the_process() {
    let folder = folder();
    let made = run(folder.path(), &["keys", "create", "--admin"]).await;
    let admin = secret(&made);
    let arguments = [
        "keys",
        "create",
        "--customer",
        "acme",
        "--label",
        "ci",
        "--json",
    ];
    let made = run(folder.path(), &arguments).await;
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(made["customerId"], "acme");
    let (customer, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());

    for _ in 0..2 {
        let server = Server::start_with(folder.path(), &["--require-keys"]).await;
        assert_eq!(get(&server, None, "/api/jobs").await.0, 401);
        assert_eq!(get(&server, None, "/api/v1/health").await.0, 200);
        assert_eq!(get(&server, Some(customer), "/api/jobs").await.0, 200);
        assert_eq!(get(&server, Some(customer), "/api/keys").await.0, 403);
        assert_eq!(get(&server, Some(&admin), "/api/keys").await.0, 200);
        server.process.kill();
    }

    let revoked = run(folder.path(), &["keys", "revoke", id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    assert!(revoked.stdout.contains("acme (ci), revoked"), "{revoked:?}");
    let list = run(folder.path(), &["keys", "list"]).await;
    let lines: Vec<_> = list.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{list:?}");
    assert!(lines[0].contains("customer acme (ci)") && lines[0].contains(", revoked "));
    assert!(lines[1].contains("of admin, created "), "{list:?}");
    let server = Server::start_with(folder.path(), &["--require-keys"]).await;
    assert_eq!(get(&server, Some(customer), "/api/jobs").await.0, 401);
}

#[tokio::test]
async fn a_running_service_is_asked_for_its_keys() {
    let folder = folder();
    let admin = secret(&run(folder.path(), &["keys", "create", "--admin"]).await);
    let server = Server::start_with(folder.path(), &["--require-keys"]).await;
    let url = format!("http://{}", server.address);
    let locked = run(folder.path(), &["keys", "list"]).await;
    assert_refused(&locked, "--server");

    let variables = [
        ("HARVESTMAN_URL", url.as_str()),
        ("HARVESTMAN_API_KEY", &admin),
    ];
    let create = ["keys", "create", "--customer", "acme"];
    let made = Process::start_with(folder.path(), &create, &variables);
    let customer = secret(&made.end().await);
    assert_eq!(get(&server, Some(&customer), "/api/jobs").await.0, 200);
    let list = ["keys", "list", "--server", &url, "--key", &admin, "--json"];
    let list = run(folder.path(), &list).await;
    let list: Value = serde_json::from_str(&list.stdout).unwrap();
    let id = list["keys"][0]["id"].as_str().unwrap();
    assert_eq!(list["keys"][0]["customerId"], json!("acme"));
    let revoke = ["keys", "revoke", id];
    let revoked = Process::start_with(folder.path(), &revoke, &variables);
    assert_eq!(revoked.end().await.code, Some(0));
    assert_eq!(
        get(&server, Some(&customer), "/api/jobs").await.0,
        401,
        "at once"
    );

    for (arguments, part) in [
        (vec!["keys", "list", "--server", &url], "Authorization"),
        (
            vec!["keys", "list", "--server", &url, "--key", &customer],
            "revoked",
        ),
        (
            vec![
                "keys",
                "revoke",
                "key_01hf7yat000000000000000007",
                "--server",
                &url,
                "--key",
                &admin,
            ],
            "No key found",
        ),
        (
            vec![
                "keys",
                "create",
                "--customer",
                "",
                "--server",
                &url,
                "--key",
                &admin,
            ],
            "customerId: ",
        ),
    ] {
        let ended = run(folder.path(), &arguments).await;
        assert_eq!(ended.code, Some(1), "{arguments:?} {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(ended.stderr.contains(part), "{arguments:?} {ended:?}");
    }
}

#[tokio::test]
async fn an_offline_key_opens_the_service_that_is_told_its_hash() {
    let folder = folder();
    let arguments = ["keys", "create", "--admin", "--offline", "--json"];
    let made = run(folder.path(), &arguments).await;
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    let made: Value = serde_json::from_str(&made.stdout).unwrap();
    let (key, hash) = (
        made["key"].as_str().unwrap(),
        made["hash"].as_str().unwrap(),
    );
    let arguments = ["--in-memory", "--require-keys", "--admin-key-hash", hash];
    let server = Server::start_with(folder.path(), &arguments).await;
    assert_eq!(get(&server, Some(key), "/api/keys").await.0, 200);
    assert_eq!(get(&server, Some(hash), "/api/keys").await.0, 401);
    secret(&run(folder.path(), &["keys", "create", "--admin", "--offline"]).await);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing is kept: {left:?}");

    // The variable of the functions holds here too, and for no other command.
    let variables = [("HARVESTMAN_ADMIN_KEY_HASH", hash)];
    let list = Process::start_with(folder.path(), &["keys", "list"], &variables);
    assert_refused(&list.end().await, "there is no data in .harvestman");
}

#[tokio::test]
async fn no_secret_is_logged_however_much_is() {
    let (folder, loud) = (folder(), [("RUST_LOG", "trace")]);
    let create = ["keys", "create", "--admin", "--json"];
    let made = Process::start_with(folder.path(), &create, &loud)
        .end()
        .await;
    let key: Value = serde_json::from_str(&made.stdout).unwrap();
    let admin = key["key"].as_str().unwrap();
    assert!(made.stderr.contains("key created"), "{}", made.stderr);
    assert!(!made.stderr.contains(&admin[3..]));

    let server = Server::start_in(folder.path(), &["--require-keys"], &loud).await;
    let url = format!("http://{}", server.address);
    let variables = [
        ("RUST_LOG", "trace"),
        ("HARVESTMAN_URL", url.as_str()),
        ("HARVESTMAN_API_KEY", admin),
    ];
    let create = ["keys", "create", "--customer", "acme", "--json"];
    let made = Process::start_with(folder.path(), &create, &variables);
    let made = made.end().await;
    let key: Value = serde_json::from_str(&made.stdout).unwrap();
    let customer = key["key"].as_str().unwrap();
    assert_eq!(get(&server, Some(customer), "/api/jobs").await.0, 200);
    server.process.signal("TERM");
    let ended = server.process.end().await;
    assert!(ended.stderr.contains("GetItem"), "{}", ended.stderr.len());
    for log in [made.stderr, ended.stderr] {
        assert!(!log.contains(&admin[3..]) && !log.contains(&customer[3..]));
    }
}

#[tokio::test]
async fn what_keys_cannot_be_asked_for_is_said_in_one_sentence() {
    let folder = folder();
    for (arguments, part) in [
        (vec!["keys", "list"], "there is no data in .harvestman"),
        (
            vec!["keys", "list", "--data-dir", "x"],
            "there is no data in x",
        ),
        (vec!["keys", "revoke", "hm_secret"], "looks like key_"),
        (
            vec!["serve", "--admin-key-hash", "hm_secret"],
            "64 hexadecimal digits",
        ),
        (
            vec!["keys", "list", "--server", "localhost:3000"],
            "no http or https address",
        ),
        (
            vec!["keys", "list", "--server", "http://127.0.0.1:1"],
            "127.0.0.1:1 cannot be asked",
        ),
    ] {
        let ended = run(folder.path(), &arguments).await;
        assert_refused(&ended, part);
        assert!(!ended.stderr.contains("hm_secret"), "{ended:?}");
    }
    for arguments in [
        vec!["keys"],
        vec!["keys", "create"],
        vec!["keys", "create", "--admin", "--customer", "a"],
        vec!["keys", "create", "--customer", "a", "--offline"],
        vec![
            "keys",
            "list",
            "--server",
            "http://127.0.0.1:1",
            "--data-dir",
            "x",
        ],
        vec!["serve", "--listen", "everywhere"],
    ] {
        let ended = run(folder.path(), &arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?} {ended:?}");
        assert_eq!(ended.stdout, "");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "nothing was started: {left:?}");
}
