//! The dashboard over https.

use ringfence_domain::Scope;
use ringfence_intake::config::TlsFiles;
use ringfence_intake::{Config, Http};
use ringfence_tests::TestDatabase;
use ringfence_tests::browser::Setup;
use ringfence_tests::web::Web;

use super::session::Session;

/// A browser keeps a cookie of such a name only when it came over https, for every path and for this
/// host alone: that the login holds shows all three.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_https_a_login_holds_by_a_cookie_that_no_other_site_can_set() {
    let database = TestDatabase::sqlite().await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let mut config = Config::default();
    config.http = Http { tls: Some(TlsFiles { certificate, key }), ..Http::default() };
    let web = Web::begin(&database.store, config).await;
    assert!(web.base.starts_with("https://"), "{}", web.base);
    let setup = Setup { trusts_every_certificate: true, ..Setup::default() };
    let session = Session::log_in(web, Scope::Operator, setup).await;
    let cookies = session.browser.get_all_cookies().await.expect("its cookies");
    let kept: Vec<_> = cookies.iter().map(|cookie| (cookie.name(), cookie.secure(), cookie.http_only())).collect();
    assert_eq!(kept, [("__Host-rf", Some(true), Some(true))]);
    session.until_there("#pulse[data-state=live]").await;
    session.go("/settings").await;
    session.until_there("#live").await;
    session.end().await;
}
