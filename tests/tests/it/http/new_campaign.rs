//! A campaign that is made in a browser without scripts: from a contact file to its start.

use ringfence_domain::Scope;
use ringfence_domain::campaign::Missing;
use ringfence_tests::on_both_databases;
use ringfence_tests::web::{Sent, Web, config};

use super::pages::{get, log_in, post};

/// Four people who can be called, one twice, one who cannot.
const LIST: &str = "cust_id,full name,mobile,tz\nA1,Asha \"<b>\",9820000001,Asia/Kolkata\nA2,Ravi,9820000002,America/New_York\n\
    A3,Meera,9820000003,Asia/Kolkata\nA4,Kiran,9820000004,Asia/Kolkata\nA5,Twice,9820000004,Asia/Kolkata\nA6,Bad,12345,Asia/Kolkata\n";

/// The address that a step leads to.
async fn send(web: &Web, cookie: &str, list: &str) -> String {
    let body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"Spring List.csv\"\r\nContent-Type: text/csv\r\n\r\n{list}\r\n--cut--\r\n"
    );
    let sent = Sent::of("multipart/form-data; boundary=cut", body)
        .with("cookie", cookie)
        .with("origin", &web.base)
        .with("sec-fetch-site", "same-origin");
    web.send("POST", "/new", None, sent).await.expect(303).header("location").to_owned()
}

const CHOSEN: &str = "name=spring-list&lane=main&phone=mobile&country=IN&timezone=tz&id=cust_id&zone=contact";
const RULES: &str = "agent=agent-1&caller_ids=9876500000&hours=Mo-Su+10%3A00-18%3A00&canary=2&max_attempts=2";

on_both_databases! {
    async fn six_steps_lead_from_a_file_to_calls_and_each_is_an_address(database) {
        let store = &database.store;
        let web = Web::begin(store, config(database.folder())).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let list = send(&web, &cookie, LIST).await;
        let columns = get(&web, &list, &cookie).await.expect(200).text();
        for said in ["6 rows", "mobile (83% are numbers)", "value=\"spring-list\"", "value=\"IN\"", "&#60;b&#62;"] {
            assert!(columns.contains(said), "{said}: {columns}");
        }
        let verdict = get(&web, &format!("{list}/verdict?{CHOSEN}"), &cookie).await.expect(200).text();
        for said in ["<strong>4 people can be called</strong>", "1 rows cannot", "1 stood there before", "invalid number"] {
            assert!(verdict.contains(said), "{said}: {verdict}");
        }
        let rejects = get(&web, &format!("{list}/rejects.csv?{CHOSEN}"), &cookie).await.expect(200).text();
        assert!(rejects.starts_with("line,reason,cust_id") && rejects.contains("A6,Bad,12345"), "{rejects}");
        let rules = get(&web, &format!("{list}/rules?{CHOSEN}&{RULES}"), &cookie).await.expect(200).text();
        assert!(rules.contains("America/New_York") && rules.contains("4 people can be called"), "{rules}");
        assert_eq!(store.campaigns().await.expect("asked").len(), 0, "nothing was made yet");
        let made = post(&web, &format!("{list}/draft"), &cookie, format!("{CHOSEN}&{RULES}")).await.expect(303);
        assert_eq!(made.header("location"), "/campaigns/spring-list/try");
        let tried = get(&web, "/campaigns/spring-list/try", &cookie).await.expect(200).text();
        assert!(tried.contains("authorization: ***") && tried.contains("agent-1"), "{tried}");
        let start = get(&web, "/campaigns/spring-list/start", &cookie).await.expect(200).text();
        assert!(start.contains("4 people will be called") && start.contains("2 of them first"), "{start}");
        let _ = post(&web, "/campaigns/spring-list/start", &cookie, "people=5".to_owned()).await.expect(422);
        let campaign = || async { store.campaign("spring-list".into()).await.expect("asked").expect("there") };
        assert!(campaign().await.paused_by.is_some(), "it is a draft yet");
        let _ = post(&web, "/campaigns/spring-list/start", &cookie, "people=4".to_owned()).await.expect(303);
        let started = campaign().await;
        assert_eq!((started.paused_by, started.rules.safety.canary), (None, Some(2)));
        assert_eq!(started.rules.contacts.missing, Missing::Keep);
        let again = send(&web, &cookie, LIST).await;
        let known = get(&web, &format!("{again}?{CHOSEN}"), &cookie).await.expect(200).text();
        assert!(known.contains("import 1 of spring-list"), "{known}");
    }
}

#[tokio::test]
async fn the_law_follows_the_country_until_somebody_chooses_another() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, config(database.folder())).await;
    let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
    let list = send(&web, &cookie, LIST).await;
    let rules = async |query: &str| {
        let page = get(&web, &format!("{list}/verdict?{query}"), &cookie).await.expect(200).text();
        let field = page.split("name=\"rules\" value=\"").nth(1).expect("a field");
        field.split('"').next().expect("its value").to_owned()
    };
    let of_india = rules("lane=main").await;
    assert!(of_india.starts_with("in-"), "{of_india}");
    let chosen = "lane=main&phone=mobile&laws_of=mobile+IN&rules=in-trai-promotional";
    assert_eq!(rules(&format!("{chosen}&country=IN")).await, "in-trai-promotional");
    let of_britain = rules(&format!("{chosen}&country=GB")).await;
    assert!(!of_britain.contains("in-trai"), "{of_britain}");
    let own = rules("lane=main&phone=mobile&country=GB&laws_of=mobile+GB&rules=in-trai-promotional").await;
    assert_eq!(own, "in-trai-promotional", "somebody chose it for this country");
}

on_both_databases! {
    async fn mistakes_are_told_where_they_are_made(database) {
        let store = &database.store;
        let web = Web::begin(store, config(database.folder())).await;
        let cookie = log_in(&web, &web.token(Scope::Operator).await).await;
        let list = send(&web, &cookie, LIST).await;
        let rules = get(&web, &format!("{list}/rules?{CHOSEN}&{RULES}&busy=soon"), &cookie).await.expect(200).text();
        assert!(rules.contains("class=\"wrong\"") && rules.contains("soon"), "{rules}");
        let _ = post(&web, &format!("{list}/draft"), &cookie, format!("{CHOSEN}&hours=never&agent=a&caller_ids=1")).await.expect(422);
        let _ = get(&web, "/new/00000000000000000000000000000000", &cookie).await.expect(404);
        let _ = get(&web, "/new/..%2F..%2Fetc%2Fpasswd", &cookie).await.expect(404);
        let viewer = log_in(&web, &web.token(Scope::Viewer).await).await;
        let _ = get(&web, &list, &viewer).await.expect(403);
        let _ = post(&web, &format!("{list}/draft"), &viewer, CHOSEN.to_owned()).await.expect(403);
        assert_eq!(store.campaigns().await.expect("asked").len(), 0);
    }
}
