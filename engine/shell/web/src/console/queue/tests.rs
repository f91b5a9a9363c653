//! The queue in its bands, and what hostile titles do to it: nothing.

use casewright_casework::principal::Kind;
use casewright_runtime::view::PersonView;
use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

fn member(roles: &[&str]) -> Member {
    Member {
        principal: Principal {
            id: "u-lee".into(),
            display_name: "Lee Tanaka".into(),
            agency: "ifs".into(),
            roles: roles.iter().map(|&role| role.to_owned()).collect(),
            kind: Kind::Staff,
        },
        secret: "secret-of-lee".into(),
        administers: false,
        reports: false,
        keeper: casewright_runtime::engine::Keeper {
            asks: false,
            decides: false,
            holds: false,
        },
    }
}

fn item(id: &str, title: &str, due: Option<&str>) -> WorkItemView {
    WorkItemView {
        id: id.into(),
        instance: "i-1".into(),
        case: "c-1".into(),
        case_number: "IFS-2026-00001".into(),
        task: "decision".into(),
        title: title.into(),
        state: "offered".into(),
        assigned: json!({"role": "team-leader"}),
        claimed_by: None,
        due: due.map(|due| due.parse().unwrap()),
        deadline: None,
        escalated_to: Vec::new(),
        reminded: None,
        hold: None,
        holdable: true,
        claimable: true,
        overdue: false,
        approval: true,
        outcomes: vec!["approve".into(), "decline".into()],
        form: None,
        show: json!({}),
        offered: "2026-11-20T00:00:00Z".parse().unwrap(),
        revision: 1,
        shown: String::new(),
        barred: None,
        decisions: Vec::new(),
        claimable_for: None,
        acting_for: None,
        acting_until: None,
        told: Vec::new(),
        delegable: true,
        arrangeable: false,
        skippable: None,
        skipped: false,
        moves: Vec::new(),
        attempt: 1,
        attempts: Vec::new(),
        answers: Vec::new(),
    }
}

fn draw(items: Vec<WorkItemView>, next: Option<&str>) -> String {
    let zone = TimeZone::get("Australia/Brisbane").unwrap();
    let wall = Wall::new(zone, "2026-11-23T02:00:00Z".parse().unwrap());
    let query = QueueQuery {
        role: Some("team-leader".into()),
        done: Some("<script>".into()),
        ..QueueQuery::default()
    };
    let list = Page {
        items,
        next: next.map(Into::into),
    };
    let counts = (Counts { mine: 0, team: 100 }, 4);
    let member = member(&["team-leader"]);
    QueuePage::new(&member, &query, View::Team, counts, list, &wall)
        .render()
        .unwrap()
}

#[test]
fn tasks_stand_in_bands_by_due_date() {
    let page = draw(
        vec![
            item("w-1", "Late", Some("2026-11-20T13:59:59Z")),
            item("w-2", "Now", Some("2026-11-23T13:59:59Z")),
            item("w-3", "Soon", Some("2026-11-27T13:59:59Z")),
            item("w-4", "Sometime", None),
        ],
        Some("abc+/="),
    );
    let order: Vec<usize> = [
        "Overdue",
        ">Late<",
        "Fri 20 Nov 2026",
        "Due today",
        ">Now<",
        "Due this week",
        ">Soon<",
        "Fri 27 Nov 2026",
        "No due date",
        ">Sometime<",
    ]
    .iter()
    .map(|text| {
        page.find(text)
            .unwrap_or_else(|| panic!("{text} is missing"))
    })
    .collect();
    assert!(order.is_sorted(), "{order:?}");
    assert!(page.contains("/tasks?view=team&#38;role=team-leader&#38;cursor=abc%2B/%3D"));
    assert!(page.contains(r#"<option value="team-leader" selected>Team leader</option>"#));
    assert!(page.contains(r#"id="count-team">100+<"#));
    assert!(page.contains("<caption>4 tasks, soonest due first"));
}

#[test]
fn only_what_can_be_taken_has_a_button() {
    let mut taken = item("w-1", "A", None);
    taken.claimed_by = Some(PersonView {
        id: "u-sam".into(),
        display_name: "Sam Rossi".into(),
    });
    taken.state = "claimed".into();
    taken.claimable = false;
    let mut barred = item("w-2", "B", None);
    barred.barred = Some(("self-approval".into(), "you asked for this".into()));
    barred.claimable = false;
    let page = draw(vec![taken, barred, item("w-3", "C", None)], None);
    assert!(page.contains("Sam Rossi"));
    for (id, live) in [("w-1", false), ("w-2", false), ("w-3", true)] {
        assert_eq!(page.contains(&format!("/tasks/{id}/claim")), live, "{id}");
    }
}

#[test]
fn what_time_did_stands_beside_a_task_in_words() {
    let mut late = item("w-1", "A", Some("2026-11-20T13:59:59Z"));
    late.overdue = true;
    late.escalated_to = vec![
        json!({"role": "service-manager"}),
        json!({"role": "team-leader"}),
    ];
    late.reminded = Some("2026-11-20T00:00:00Z".parse().unwrap());
    let page = draw(vec![late, item("w-2", "B", None)], None);
    for mark in ["Overdue", "Escalated", "Reminder"] {
        let drawn = format!(r#"<span class="mark">{mark}</span>"#);
        assert_eq!(page.matches(&drawn).count(), 1, "{mark}");
    }
    assert!(page.contains("Nobody yet (team leader or service manager)"));
}

#[test]
fn hostile_titles_stay_text_and_short() {
    let page = draw(
        vec![
            item("w-1", "<img src=x onerror=alert(1)>", None),
            item("w-2", &"long ".repeat(200_000), None),
            item("w-3", "pay \u{202e}000,1$", None),
        ],
        None,
    );
    assert!(!page.contains("<img") && !page.contains("<script>"));
    assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;"));
    assert!(!page.contains('\u{202e}'));
    assert!(page.len() < 20_000, "{}", page.len());
}

#[test]
fn an_address_says_what_is_shown_and_pages_keep_it() {
    let query = QueueQuery {
        mine: Some("1".into()),
        team: Some("north".into()),
        overdue: Some("true".into()),
        role: Some(String::new()),
        ..QueueQuery::default()
    };
    let view = view(&query);
    assert_eq!(view, View::Mine);
    let kim = member(&["case-worker", "team:north"]);
    let filter = filter(&query, view, &kim.principal);
    assert_eq!(
        filter.claimed_by.as_deref(),
        Some(kim.principal.id.as_str())
    );
    assert_eq!((filter.role, filter.team.as_deref()), (None, Some("north")));
    assert!(filter.overdue);
    let next = next_address(&query, view, "c");
    assert_eq!(next, "/tasks?view=mine&team=north&overdue=yes&cursor=c");
    for no in ["", "0", "false"] {
        assert!(!chosen(Some(&no.to_owned())), "{no}");
    }
}

#[test]
fn only_members_of_teams_choose_among_teams() {
    let drawn = |roles: &[&str]| {
        let zone = TimeZone::get("Australia/Brisbane").unwrap();
        let wall = Wall::new(zone, "2026-11-23T02:00:00Z".parse().unwrap());
        let list = Page {
            items: Vec::new(),
            next: None,
        };
        let counts = (Counts { mine: 0, team: 0 }, 0);
        let query = QueueQuery::default();
        QueuePage::new(&member(roles), &query, View::Team, counts, list, &wall)
            .render()
            .unwrap()
    };
    let page = drawn(&["case-worker", "team:north-side"]);
    assert!(page.contains(r#"<option value="north-side">North side</option>"#));
    assert!(!page.contains("team:north-side"));
    assert!(!drawn(&["case-worker"]).contains("for=\"team\""));
}
