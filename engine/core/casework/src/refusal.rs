//! Why a rule said no: a stable code, the same through every door.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A refusal. `message` is a sentence for the person who was refused and holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    /// For `form-invalid`: field and sentence. For `not-erasable`: all that stands in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<(String, String)>,
}

/// Stable codes; their texts are API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    NotFound,
    SelfApproval,
    NotAssigned,
    AlreadyClaimed,
    NotClaimed,
    AlreadyDecided,
    StaleRevision,
    UnknownOutcome,
    FormInvalid,
    OverLimit,
    NotApproved,
    InsufficientFunds,
    /// Its days have not begun, or are over.
    FundClosed,
    NoBasis,
    UnsafeContact,
    UnknownFund,
    UnknownReservation,
    CurrencyMismatch,
    AmountInvalid,
    ReservationClosed,
    InvoiceInvalid,
    DuplicateInvoice,
    /// No payment, or not so much of one.
    NotReversible,
    OnHold,
    NotOnHold,
    NotHoldable,
    HoldInvalid,
    ReasonNeeded,
    OwnWall,
    /// A version of a plan that the family has not agreed to.
    NeedsAgreement,
    PlanInvalid,
    UnknownPlan,
    UnknownPerson,
    NotDelegable,
    HandoverInvalid,
    ActingOver,
    NotArranging,
    AbsenceInvalid,
    NotSkippable,
    CaseClosed,
    NotClosed,
    /// Other runs of the case, or money set aside in it.
    StillOpen,
    UnknownClosingReason,
    /// Something keeps the file.
    NotErasable,
    /// There is a request to erase it already.
    AlreadyAsked,
    /// Nobody asked for the erasure that is decided.
    NotAsked,
}

impl Code {
    /// As API and audit write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not-found",
            Self::SelfApproval => "self-approval",
            Self::NotAssigned => "not-assigned",
            Self::AlreadyClaimed => "already-claimed",
            Self::NotClaimed => "not-claimed",
            Self::AlreadyDecided => "already-decided",
            Self::StaleRevision => "stale-revision",
            Self::UnknownOutcome => "unknown-outcome",
            Self::FormInvalid => "form-invalid",
            Self::OverLimit => "over-limit",
            Self::NotApproved => "not-approved",
            Self::InsufficientFunds => "insufficient-funds",
            Self::FundClosed => "fund-closed",
            Self::NoBasis => "no-basis",
            Self::UnsafeContact => "unsafe-contact",
            Self::UnknownFund => "unknown-fund",
            Self::UnknownReservation => "unknown-reservation",
            Self::CurrencyMismatch => "currency-mismatch",
            Self::AmountInvalid => "amount-invalid",
            Self::ReservationClosed => "reservation-closed",
            Self::InvoiceInvalid => "invoice-invalid",
            Self::DuplicateInvoice => "duplicate-invoice",
            Self::NotReversible => "not-reversible",
            Self::OnHold => "on-hold",
            Self::NotOnHold => "not-on-hold",
            Self::NotHoldable => "not-holdable",
            Self::HoldInvalid => "hold-invalid",
            Self::ReasonNeeded => "reason-needed",
            Self::OwnWall => "own-wall",
            Self::NeedsAgreement => "needs-agreement",
            Self::PlanInvalid => "plan-invalid",
            Self::UnknownPlan => "unknown-plan",
            Self::UnknownPerson => "unknown-person",
            Self::NotDelegable => "not-delegable",
            Self::HandoverInvalid => "handover-invalid",
            Self::ActingOver => "acting-over",
            Self::NotArranging => "not-arranging",
            Self::AbsenceInvalid => "absence-invalid",
            Self::NotSkippable => "not-skippable",
            Self::CaseClosed => "case-closed",
            Self::NotClosed => "not-closed",
            Self::StillOpen => "still-open",
            Self::UnknownClosingReason => "unknown-closing-reason",
            Self::NotErasable => "not-erasable",
            Self::AlreadyAsked => "already-asked",
            Self::NotAsked => "not-asked",
        }
    }

    /// The status that HTTP gives for it.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotFound
            | Self::UnknownFund
            | Self::UnknownReservation
            | Self::UnknownPlan
            | Self::UnknownPerson => 404,
            Self::SelfApproval
            | Self::NotAssigned
            | Self::OverLimit
            | Self::NotApproved
            | Self::NotHoldable
            | Self::OwnWall
            | Self::NotDelegable
            | Self::NotArranging
            | Self::NotSkippable => 403,
            Self::AlreadyClaimed
            | Self::NotClaimed
            | Self::AlreadyDecided
            | Self::StaleRevision
            | Self::InsufficientFunds
            | Self::FundClosed
            | Self::NoBasis
            | Self::UnsafeContact
            | Self::ReservationClosed
            | Self::DuplicateInvoice
            | Self::NotReversible
            | Self::OnHold
            | Self::NotOnHold
            | Self::NeedsAgreement
            | Self::ActingOver
            | Self::CaseClosed
            | Self::NotClosed
            | Self::StillOpen
            | Self::NotErasable
            | Self::AlreadyAsked
            | Self::NotAsked => 409,
            Self::UnknownOutcome
            | Self::FormInvalid
            | Self::CurrencyMismatch
            | Self::AmountInvalid
            | Self::InvoiceInvalid
            | Self::HoldInvalid
            | Self::PlanInvalid
            | Self::UnknownClosingReason
            | Self::ReasonNeeded
            | Self::HandoverInvalid
            | Self::AbsenceInvalid => 422,
        }
    }
}

impl Refusal {
    /// Without fields.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// What somebody filled in is wrong: each field with its sentence.
    pub fn mistakes(fields: Vec<(String, String)>) -> Self {
        Self {
            code: Code::FormInvalid,
            message: "the form has mistakes".to_owned(),
            fields,
        }
    }

    /// One field alone is wrong.
    pub fn mistake(field: &str, sentence: impl Into<String>) -> Self {
        Self::mistakes(vec![(field.to_owned(), sentence.into())])
    }
}

/// Longest reason that one person writes for others, in characters.
pub(crate) const REASON_CHARS_MAX: usize = 1_000;

/// A reason without blanks around; people write for people here.
pub(crate) fn reasoned(reason: &str) -> Result<String, Refusal> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(Refusal::mistake("reason", "Say why, in a few words"));
    }
    if reason.chars().count() > REASON_CHARS_MAX {
        let sentence = format!("Use at most {REASON_CHARS_MAX} characters");
        return Err(Refusal::mistake("reason", sentence));
    }
    Ok(reason.to_owned())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
