//! The limit itself, what rows are for and from when, and what counts together.

use super::*;
use crate::principal::tests::staff;

fn row(role: &str, minor: i64) -> Row {
    Row::new(role, Money::new(minor, "AUD"))
}

fn policy(rows: Vec<Row>) -> Policy {
    Policy::new("brokerage-limits", rows)
}

fn usual() -> Policy {
    policy(vec![
        row("team-leader", 200_000),
        row("service-manager", 1_000_000),
    ])
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn about(aspect: Aspect, told: &str) -> BTreeMap<Aspect, String> {
    BTreeMap::from([(aspect, told.to_owned())])
}

fn asked<'a>(money: &'a Money, aspects: &'a BTreeMap<Aspect, String>, on: &str) -> Asked<'a> {
    Asked {
        money,
        aspects,
        on: day(on),
        before: &[],
    }
}

fn permits(policy: &Policy, who: &Principal, money: &Money) -> Result<String, Refusal> {
    policy.permits(who, &asked(money, &BTreeMap::new(), "2026-11-26"))
}

#[test]
fn the_limit_itself_is_within_the_limit() {
    let leader = staff("lee", &["team-leader"]);
    let both = staff("sam", &["service-manager", "team-leader"]);
    let permits = |who, minor| permits(&usual(), who, &Money::new(minor, "AUD"));
    assert_eq!(permits(&leader, 200_000), Ok("team-leader".to_owned()));
    assert_eq!(permits(&leader, 200_001).unwrap_err().code, Code::OverLimit);
    assert_eq!(permits(&both, 200_000), Ok("team-leader".to_owned()));
    assert_eq!(permits(&both, 200_001), Ok("service-manager".to_owned()));
    assert_eq!(permits(&both, 1_000_001).unwrap_err().code, Code::OverLimit);
}

#[test]
fn other_currencies_zero_and_less_are_never_permitted() {
    let leader = staff("lee", &["team-leader"]);
    let refused = |money| permits(&usual(), &leader, &money).unwrap_err().code;
    assert_eq!(refused(Money::new(1, "USD")), Code::OverLimit);
    assert_eq!(refused(Money::new(0, "AUD")), Code::AmountInvalid);
    assert_eq!(refused(Money::new(i64::MIN, "AUD")), Code::AmountInvalid);
}

#[test]
fn a_category_that_a_row_names_is_for_that_row_alone() {
    let mut vehicles = row("director", 900_000);
    vehicles.category.insert("vehicle".to_owned());
    let policy = policy(vec![row("team-leader", 200_000), vehicles]);
    let (leader, director) = (staff("lee", &["team-leader"]), staff("dee", &["director"]));
    let one = Money::new(100, "AUD");
    let may = |who, category| {
        let about = about(Aspect::Category, category);
        policy.permits(who, &asked(&one, &about, "2026-11-26"))
    };
    assert_eq!(may(&director, "vehicle"), Ok("director".to_owned()));
    assert_eq!(may(&director, " vehicle "), Ok("director".to_owned()));
    assert_eq!(may(&leader, "vehicle").unwrap_err().code, Code::OverLimit);
    assert_eq!(may(&leader, "furniture"), Ok("team-leader".to_owned()));
    assert_eq!(
        may(&director, "furniture").unwrap_err().code,
        Code::OverLimit
    );
}

#[test]
fn a_fund_that_a_row_names_is_for_that_row_alone() {
    let mut winter = row("team-leader", 50_000);
    winter.fund.insert("winter".to_owned());
    let policy = policy(vec![row("team-leader", 200_000), winter]);
    let leader = staff("lee", &["team-leader"]);
    let money = Money::new(60_000, "AUD");
    let may = |fund| {
        let about = about(Aspect::Fund, fund);
        policy.permits(&leader, &asked(&money, &about, "2026-11-26"))
    };
    assert_eq!(may("winter").unwrap_err().code, Code::OverLimit);
    assert_eq!(may("brokerage"), Ok("team-leader".to_owned()));
}

#[test]
fn the_youngest_row_that_has_begun_is_in_force_whether_it_is_more_or_less() {
    let mut less = row("team-leader", 150_000);
    less.from = Some(day("2027-07-01"));
    let mut more = row("team-leader", 300_000);
    more.from = Some(day("2028-07-01"));
    let policy = policy(vec![more, row("team-leader", 200_000), less]);
    let leader = staff("lee", &["team-leader"]);
    let may = |minor, on| {
        let (money, nothing) = (Money::new(minor, "AUD"), BTreeMap::new());
        policy
            .permits(&leader, &asked(&money, &nothing, on))
            .is_ok()
    };
    assert!(may(200_000, "2027-06-30") && !may(200_001, "2027-06-30"));
    assert!(may(150_000, "2027-07-01") && !may(150_001, "2027-07-01"));
    assert!(may(300_000, "2028-07-01") && !may(300_001, "2028-07-01"));
}

#[test]
fn a_row_takes_the_place_of_its_own_kind_alone() {
    let later = |role, change: fn(&mut Row)| {
        let mut row = row(role, 50_000);
        row.from = Some(day("2026-07-01"));
        change(&mut row);
        row
    };
    let leader = staff("lee", &["team-leader"]);
    let money = Money::new(200_000, "AUD");
    for other in [
        later("director", |_| ()),
        later("team-leader", |row| {
            row.category = BTreeSet::from(["vehicle".to_owned()]);
        }),
        later("team-leader", |row| {
            row.fund = BTreeSet::from(["flood".to_owned()]);
        }),
        later("team-leader", |row| row.up_to = Money::new(50_000, "USD")),
    ] {
        let policy = policy(vec![row("team-leader", 200_000), other]);
        assert_eq!(
            permits(&policy, &leader, &money),
            Ok("team-leader".to_owned())
        );
    }
}

#[test]
fn two_halves_of_a_purchase_need_whoever_may_approve_the_whole() {
    let together = Together {
        by: [Aspect::Family, Aspect::Supplier].into(),
        days: 7,
    };
    let policy = Policy {
        together: vec![together],
        ..policy(vec![
            row("team-leader", 100_000),
            row("service-manager", 200_000),
        ])
    };
    let leader = staff("lee", &["team-leader"]);
    let manager = staff("sam", &["service-manager"]);
    let half = Money::new(90_000, "AUD");
    let may = |who, before| {
        let nothing = BTreeMap::new();
        let asked = asked(&half, &nothing, "2026-11-26");
        policy.permits(who, &Asked { before, ..asked })
    };
    assert_eq!(may(&leader, &[0]), Ok("team-leader".to_owned()));
    assert_eq!(may(&leader, &[10_000]), Ok("team-leader".to_owned()));
    let refusal = may(&leader, &[90_000]).unwrap_err();
    assert_eq!(refusal.code, Code::OverLimit);
    assert_eq!(
        refusal.message,
        "you may approve up to $1,000.00; this is $900.00, and $1,800.00 with what was approved \
         for the same family and supplier within 7 days"
    );
    assert_eq!(may(&manager, &[90_000]), Ok("service-manager".to_owned()));
    assert_eq!(
        may(&manager, &[i64::MAX]).unwrap_err().code,
        Code::OverLimit
    );
}

#[test]
fn what_counts_is_what_was_approved_lately_and_used() {
    let week = Together {
        by: [Aspect::Supplier].into(),
        days: 7,
    };
    let mut counted = Counted::default();
    let portion = |minor, currency, on| Portion {
        money: Money::new(minor, currency),
        on: day(on),
    };
    counted.count("a", portion(100, "AUD", "2026-11-01"), &week);
    counted.count("b", portion(30, "USD", "2026-11-02"), &week);
    counted.count("c", portion(50, "AUD", "2026-11-08"), &week);
    let sum = |counted: &Counted, on| counted.until(&week, day(on), "AUD");
    assert_eq!(sum(&counted, "2026-11-08"), 150);
    assert_eq!(sum(&counted, "2026-11-09"), 50);
    // Approved again, it counts once.
    counted.count("c", portion(60, "AUD", "2026-11-09"), &week);
    assert_eq!(sum(&counted, "2026-11-09"), 60);
    counted.settle("c", 40);
    assert_eq!(sum(&counted, "2026-11-09"), 40);
    counted.settle("c", 0);
    assert_eq!(sum(&counted, "2026-11-09"), 0);
    assert!(!serde_json::to_string(&counted).unwrap().contains("\"a\""));
}

#[test]
fn a_supplier_in_other_letters_is_the_same_and_one_unknown_is_none() {
    let together = Together {
        by: [Aspect::Family, Aspect::Supplier].into(),
        days: 7,
    };
    let set = |case, supplier| together.set("limits", case, &about(Aspect::Supplier, supplier));
    assert_eq!(set("c1", " Bed  World"), set("c1", "bed world "));
    assert_ne!(set("c1", "Bed World"), set("c2", "Bed World"));
    assert_ne!(set("c1", "Bed World"), set("c1", "Bedworld"));
    assert_eq!(together.set("limits", "c1", &BTreeMap::new()), None);
}
