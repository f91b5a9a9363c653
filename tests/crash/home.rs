//! The folder of an agency that is killed over and over: its pack, its configuration, its data.
//!
//! Two of its three funds can run out: `narrow` is held by at most [`PLACES`] runs at a time, and
//! `ending` pays [`PAYMENTS_AT_END`] times and never again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What every request is about, in cents.
pub(crate) const PRICE: i64 = 10_000;
/// Runs that can hold money of the fund `narrow` at the same time.
pub(crate) const PLACES: i64 = 2;
/// Payments that the fund `ending` has money for.
pub(crate) const PAYMENTS_AT_END: i64 = 20;
pub(crate) const NAMESPACE: &str = "crash-agency";

/// Id, role. Two of each who may race, and one who looks after the engine.
pub(crate) const STAFF: [(&str, &str); 5] = [
    ("u-casey", "case-worker"),
    ("u-cory", "case-worker"),
    ("u-lee", "team-leader"),
    ("u-lou", "team-leader"),
    ("u-ada", "administrator"),
];

const CALENDAR: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Casewright//tests//EN\r
BEGIN:VEVENT\r
UID:1@casewright.example\r
DTSTAMP:20260101T000000Z\r
DTSTART;VALUE=DATE:20261225\r
SUMMARY:Christmas Day\r
END:VEVENT\r
END:VCALENDAR\r
";

/// Reserved, decided by somebody else, paid once, and filed by a person.
const SPEND: &str = r#"
do:
  - reserve:
      try:
        - hold:
            call: fund.reserve
            with: { fund: '${ $workflow.input.fund }', money: '${ $workflow.input.money }' }
      catch:
        errors: { with: { type: urn:casewright:error:insufficient-funds } }
        do:
          - none:
              set: { outcome: refused }
              then: end
  - decision:
      call: approval
      with:
        title: May it be spent?
        assign: { role: team-leader }
  - route:
      switch:
        - approved:
            when: ${ $steps.decision.outcome == "approve" }
            then: pay
        - otherwise:
            then: giveBack
  - pay:
      call: payment-issue.pay
      with:
        payee: { name: Ridgeview Beds, accountHandle: sec:pay/ridgeview }
        money: ${ $workflow.input.money }
        reference: ${ $workflow.input.reference }
        purposeCode: household
  - settle:
      call: fund.commit
      with: { reservation: '${ $steps.reserve.reservation }', money: '${ $workflow.input.money }' }
  - receipt:
      call: human-task
      with:
        title: File the receipt
        assign: { role: case-worker }
  - paid:
      set: { outcome: paid }
      then: end
  - giveBack:
      call: fund.release
      with: { reservation: '${ $steps.reserve.reservation }' }
  - declined:
      set: { outcome: declined }
"#;

/// Paid at once, then a person confirms.
const ADVANCE: &str = r"
do:
  - pay:
      call: payment-issue.pay
      with:
        payee: { name: Ridgeview Beds, accountHandle: sec:pay/ridgeview }
        money: ${ $workflow.input.money }
        reference: ${ $workflow.input.reference }
        purposeCode: household
  - confirm:
      call: human-task
      with:
        title: Confirm that it arrived
        assign: { role: case-worker }
  - confirmed:
      set: { outcome: paid }
";

/// Holds money until a person lets it go.
const HOLD: &str = r"
do:
  - reserve:
      try:
        - hold:
            call: fund.reserve
            with: { fund: narrow, money: '${ $workflow.input.money }' }
      catch:
        errors: { with: { type: urn:casewright:error:insufficient-funds } }
        do:
          - none:
              set: { outcome: refused }
              then: end
  - keep:
      call: human-task
      with:
        title: Let it go
        assign: { role: case-worker }
  - giveBack:
      call: fund.release
      with: { reservation: '${ $steps.reserve.reservation }' }
  - released:
      set: { outcome: released }
";

/// Waits for an event, then for a person.
const ANSWER: &str = r"
do:
  - hear:
      listen:
        to:
          one:
            with:
              type: org.partner.answered
              subject: ${ $workflow.input.subject }
  - read:
      call: human-task
      with:
        title: Read the answer
        assign: { role: case-worker }
  - done:
      set: { outcome: read }
";

const WORKFLOWS: [(&str, &str); 4] = [
    ("spend", SPEND),
    ("advance", ADVANCE),
    ("hold", HOLD),
    ("answer", ANSWER),
];

/// Where an agency lives.
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    /// Makes the folder and everything in it but data and plugins.
    pub(crate) fn make(folder: &Path) -> Self {
        Self::with(folder, pack())
    }

    /// The same without what needs a plugin, which would be compiled by the first start.
    pub(crate) fn make_small(folder: &Path) -> Self {
        let mut files = pack();
        files.retain(|(path, text)| path == "pack.yaml" || !text.contains("payment-issue"));
        for (_, text) in &mut files {
            if let Some((before, _)) = text.split_once("plugins:\n") {
                *text = before.to_owned();
            }
        }
        Self::with(folder, files)
    }

    fn with(folder: &Path, files: Vec<(String, String)>) -> Self {
        fs::create_dir_all(folder.join("pack")).unwrap();
        fs::create_dir_all(folder.join("plugins")).unwrap();
        for (path, text) in files {
            fs::write(folder.join("pack").join(path), text).unwrap();
        }
        fs::write(folder.join("passphrase"), "a passphrase of the tests alone").unwrap();
        Self {
            folder: folder.to_path_buf(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// `first.toml` seeds the staff and their tokens; `later.toml` leaves both as they are, so
    /// that a start costs no hashing of passphrases.
    pub(crate) fn configure(&self, partner: &str) {
        let head = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"data\"\nkeys = \"keys/epoch.json\"\n\
             packs = [\"pack\"]\nplugins = [\"plugins\"]\n\n\
             [plugin.payment-issue]\nhosts = [\"{partner}\"]\n\
             config = {{ endpoint = \"{partner}\" }}\n"
        );
        fs::write(self.path("later.toml"), &head).unwrap();
        let staff = STAFF.map(|(id, role)| {
            format!(
                "\n[[staff]]\nagency = \"{NAMESPACE}\"\nid = \"{id}\"\nsign_in = \"{id}\"\n\
                 name = \"Example\"\nroles = [\"{role}\"]\npassphrase_file = \"passphrase\"\n\
                 token_file = \"{id}.json\"\n"
            )
        });
        fs::write(self.path("first.toml"), head + &staff.concat()).unwrap();
    }

    /// Builds the plugin that pays, unless it is built, and takes a copy.
    pub(crate) fn take_plugin(&self, binary: &Path) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let built = Command::new(binary)
            .current_dir(&root)
            .args(["plugin", "build", "payment-issue"])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&built.stderr).into_owned();
        assert!(built.status.success(), "the plugin cannot be built: {told}");
        let (from, to) = (
            root.join("target/plugins/payment-issue"),
            self.path("plugins/payment-issue"),
        );
        fs::create_dir_all(&to).unwrap();
        for file in ["plugin.toml", "payment-issue.wasm"] {
            fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }

    /// What the first start gave a member of staff.
    pub(crate) fn token(&self, id: &str) -> String {
        let text = fs::read_to_string(self.path(&format!("{id}.json"))).unwrap();
        let token: Value = serde_json::from_str(&text).unwrap();
        token["token"].as_str().unwrap().to_owned()
    }
}

/// The agency's pack, path to text.
pub(crate) fn pack() -> Vec<(String, String)> {
    let narrow = PLACES * PRICE;
    let ending = PAYMENTS_AT_END * PRICE;
    let pack = format!(
        "namespace: {NAMESPACE}\ntitle: Agency that is killed\ntimeZone: Australia/Brisbane\n\
         calendar: none\ncalendars: {{ none: none.ics }}\ncaseNumber: C-{{year}}-{{number:7}}\n\
         roles:\n  case-worker: {{ title: Case worker, starts: true }}\n  \
         team-leader: {{ title: Team leader }}\n  \
         administrator: {{ title: Administrator, administers: true }}\n\
         funds:\n  wide: {{ title: Wide, allocated: {{ minor: 900000000000, currency: AUD }} }}\n  \
         narrow: {{ title: Narrow, allocated: {{ minor: {narrow}, currency: AUD }} }}\n  \
         ending: {{ title: Ending, allocated: {{ minor: {ending}, currency: AUD }} }}\n\
         pettyCash: {{ minor: 900000000000, currency: AUD }}\n\
         plugins:\n  payment-issue:\n    config: {{ endpoint: 'https://payments.example' }}\n"
    );
    let mut files = vec![
        ("pack.yaml".to_owned(), pack),
        ("none.ics".to_owned(), CALENDAR.to_owned()),
    ];
    files.extend(WORKFLOWS.map(|(name, tasks)| {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: {NAMESPACE}, name: {name}, \
             version: '1.0.0' }}{tasks}"
        );
        (format!("{name}.yaml"), text)
    }));
    files
}
