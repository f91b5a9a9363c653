//! The tables of rows. A row is what must be found by key: events are not rows.

/// Names are formats: never renamed, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Case id -> case.
    Case,
    /// Work item id -> work item.
    WorkItem,
    /// (agency, bucket, due, work item id) -> line of the queue. No personal data in keys.
    Queue,
    /// (time, instance, timer) -> nothing.
    Timer,
    /// (agency, fund) -> fund.
    Fund,
    /// (agency, hash) -> by what an invoice was paid; and the secret of those hashes. No personal
    /// data in keys.
    Invoice,
    /// (agency, fund, sequence) -> ledger entry.
    Ledger,
    /// (agency, reservation) -> what became of it; never forgotten, so that no key pays twice.
    Reservation,
    /// Instance id -> facts that lists need without the snapshot.
    Instance,
    /// (agency, case, instance) and other orders of lists.
    Index,
    /// Digest -> deployed pack with its files.
    Deployment,
    /// Agency -> digest now in force.
    InForce,
    /// User id -> user.
    User,
    /// (agency, sign-in name hash) -> user id.
    SignIn,
    /// Session hash -> session.
    Session,
    /// Token hash -> service token.
    Token,
    /// (principal, idempotency key) -> request hash and answer.
    Request,
    /// Blocks of case numbers and other counters.
    Counter,
    /// (work item, person) -> what they have typed and not sent.
    Draft,
    /// (case, person id) -> person.
    Person,
    /// (case, document id) -> document; which are arriving.
    Document,
    /// (case, document id, number) -> bytes of a document.
    DocumentPart,
    /// (case, consent id, revision) -> consent as it was then; never written over.
    Consent,
    /// (case, version) -> a version of the plan with what the family says to it.
    Plan,
    /// (case, id) -> that facts about people went out: to whom and on what, without content.
    Disclosure,
    /// (case, id) -> that a message was about to go out: to whom and how, without content.
    Message,
    /// (agency, day, case, episode) -> how an episode ended, without any content of the case.
    Episode,
    /// (case, note id) -> note.
    Note,
    /// (case) -> declared and lifted walls; (agency, staff, case) -> that there is one, which lists
    /// look at.
    Wall,
    /// (agency, type hash, value hash, instance) -> nothing; what such hashes are made with.
    Subscription,
    /// (agency, source and id hash) -> when an event was first seen.
    EventSeen,
    /// (time, number) -> an event on its way to instances.
    EventKept,
    /// Hash of a callback token -> a call that may be answered later.
    PendingCall,
    /// (hash of a callback token, number) -> an answer as it arrived; (agency) -> the key that
    /// tokens are made with.
    Callback,
    /// (agency, workflow) -> when it begins by itself next.
    Schedule,
    /// (agency, workflow, first event) -> events gathered for a workflow to begin with.
    Gathering,
    /// (agency, state, start, instance) -> line of the list of runs. No personal data in keys.
    Run,
    /// (agency, end, instance) -> what failed, without any content of the case.
    Failure,
    /// (agency, time-ordered id) -> that a pack was put in force, and by whom.
    Deployed,
    /// (agency, id) -> that somebody is or was away, and who stands in.
    Absence,
    /// (agency, number) -> that a run began, went on after a failure, or ended. No personal data.
    Lifecycle,
    /// (agency, calendar) -> which version counts for what is open, and what becomes of a change.
    Calendar,
    /// (agency, time, case) -> what stays of an erased case, without any content of it.
    Erased,
}

impl Table {
    pub const ALL: &[Self] = &[
        Self::Case,
        Self::WorkItem,
        Self::Queue,
        Self::Timer,
        Self::Fund,
        Self::Invoice,
        Self::Ledger,
        Self::Reservation,
        Self::Instance,
        Self::Index,
        Self::Deployment,
        Self::InForce,
        Self::User,
        Self::SignIn,
        Self::Session,
        Self::Token,
        Self::Request,
        Self::Counter,
        Self::Draft,
        Self::Person,
        Self::Document,
        Self::DocumentPart,
        Self::Consent,
        Self::Plan,
        Self::Disclosure,
        Self::Message,
        Self::Episode,
        Self::Note,
        Self::Wall,
        Self::Subscription,
        Self::EventSeen,
        Self::EventKept,
        Self::PendingCall,
        Self::Callback,
        Self::Schedule,
        Self::Gathering,
        Self::Run,
        Self::Failure,
        Self::Deployed,
        Self::Lifecycle,
        Self::Calendar,
        Self::Absence,
        Self::Erased,
    ];

    /// First byte of the keys of its rows, and part of their seals: a format.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Case => 1,
            Self::WorkItem => 2,
            Self::Queue => 3,
            Self::Timer => 4,
            Self::Fund => 5,
            Self::Invoice => 42,
            Self::Ledger => 6,
            Self::Reservation => 37,
            Self::Instance => 7,
            Self::Index => 8,
            Self::Deployment => 9,
            Self::InForce => 10,
            Self::User => 11,
            Self::SignIn => 12,
            Self::Session => 13,
            Self::Token => 14,
            Self::Request => 15,
            Self::Counter => 16,
            Self::Draft => 24,
            Self::Person => 17,
            Self::Document => 18,
            Self::DocumentPart => 19,
            Self::Consent => 40,
            Self::Plan => 36,
            Self::Disclosure => 41,
            Self::Message => 39,
            Self::Episode => 38,
            Self::Note => 20,
            Self::Wall => 35,
            Self::Subscription => 21,
            Self::EventSeen => 22,
            Self::EventKept => 27,
            Self::PendingCall => 25,
            Self::Callback => 26,
            Self::Schedule => 23,
            Self::Gathering => 32,
            Self::Run => 29,
            Self::Failure => 30,
            Self::Deployed => 31,
            Self::Lifecycle => 33,
            Self::Calendar => 43,
            Self::Absence => 34,
            Self::Erased => 44,
        }
    }
}
