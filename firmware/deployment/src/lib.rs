//! What an analysis is used for, on whom, and whether that is lawful: one rule for the daemon and the host tools.
//!
//! In: a declaration, from a configuration or a command line. Out: the same, complete, or the reason why nothing starts.
//!
//! And the text that informs those who are listened to ([`DeploymentSection::notice`]).
//!
//! Regulation (EU) 2024/1689, Article 5(1)(f), prohibits inferring emotions of natural persons at the workplace and in
//! education institutions, except for medical or safety reasons. The declaration makes the operator say which case it is.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod notice;

use serde::{Deserialize, Serialize};

/// The longest purpose that is accepted, in characters.
const PURPOSE_LENGTH: usize = 100;
/// The purpose of a demonstration or a bench.
pub const EVALUATION: &str = "evaluation";

/// The purpose that promises to tell no emotions, and by which none are inferred.
pub const ACOUSTIC_ONLY: &str = "acoustic-only";

/// Who is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Subjects {
    /// People who know of the test and agreed to it.
    Volunteers,
    /// Customers and callers.
    Customers,
    /// Patients.
    Patients,
    /// People at home or in care.
    Residents,
    /// Whoever comes by.
    Public,
    /// People at their workplace.
    Employees,
    /// People in an education institution.
    Students,
}

impl Subjects {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Subjects::Volunteers => "volunteers",
            Subjects::Customers => "customers",
            Subjects::Patients => "patients",
            Subjects::Residents => "residents",
            Subjects::Public => "public",
            Subjects::Employees => "employees",
            Subjects::Students => "students",
        }
    }
}

/// Who speaks on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Nobody who may be analysed.
    Nobody,
    /// One of these.
    #[serde(untagged)]
    Of(Subjects),
}

impl Role {
    /// Who it is; `None` for nobody.
    pub fn subjects(self) -> Option<Subjects> {
        match self {
            Role::Nobody => None,
            Role::Of(subjects) => Some(subjects),
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        self.subjects().map_or("nobody", Subjects::name)
    }
}

/// On what ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LegalBasis {
    /// The subjects consented.
    Consent,
    /// A contract with the subjects.
    Contract,
    /// A legal obligation.
    LegalObligation,
    /// A task in the public interest.
    PublicTask,
    /// Legitimate interests.
    LegitimateInterests,
    /// Medical reasons.
    Medical,
    /// Safety reasons.
    Safety,
}

/// The `[deployment]` section, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentSection {
    /// What it is for, in the operator's words.
    pub purpose: Option<String>,
    /// Who is listened to.
    pub subjects: Option<Subjects>,
    /// On what ground.
    pub legal_basis: Option<LegalBasis>,
    /// Name and address of whoever is responsible, for the notice to those who are listened to.
    pub controller: Option<String>,
    /// Where they can turn to.
    pub contact: Option<String>,
}

/// A declaration that was found to be complete and not prohibited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// What it is for.
    pub purpose: String,
    /// Who is listened to.
    pub subjects: Subjects,
    /// On what ground.
    pub legal_basis: Option<LegalBasis>,
}

/// Why nothing starts as declared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeploymentError {
    /// Nobody said what it is for.
    #[error(
        "no purpose is declared, and without one nobody is listened to; for a demo or a bench use --purpose evaluation, \
         otherwise declare purpose and subjects: --purpose and --subjects, or [deployment] in the daemon's configuration"
    )]
    NoPurpose,
    /// The purpose is no short line of text.
    #[error(
        "deployment.purpose is {0:?}, but must be one line of 1 to {PURPOSE_LENGTH} characters"
    )]
    Purpose(String),
    /// Nobody said who is listened to.
    #[error(
        "the purpose {0:?} needs deployment.subjects (--subjects): volunteers, customers, patients, residents, public, \
         employees or students; only the purpose evaluation means volunteers by itself"
    )]
    NoSubjects(String),
    /// Emotion recognition at the workplace or in education, without the exception.
    #[error(
        "deployment.subjects is {name}: inferring emotions at the workplace and in education is prohibited by Regulation (EU) \
         2024/1689, Article 5(1)(f), except for medical or safety reasons; if yours is such a case, declare \
         deployment.legal_basis as medical or safety",
        name = .0.name()
    )]
    Prohibited(Subjects),
    /// A notice has to name somebody.
    #[error(
        "deployment.{0} is not declared, and a notice has to name it: one line of text (--{0})"
    )]
    NotSaid(&'static str),
    /// A name or an address is no short line of text.
    #[error("deployment.{0} is {1:?}, but must be one line of 1 to 200 characters")]
    NoLine(&'static str, String),
}

impl Deployment {
    /// True when no emotions may be inferred, and none told.
    pub fn is_acoustic_only(&self) -> bool {
        self.purpose == ACOUSTIC_ONLY
    }
}

impl DeploymentSection {
    /// Checks the declaration.
    ///
    /// # Errors
    /// What is missing or prohibited.
    pub fn check(self) -> Result<Deployment, DeploymentError> {
        let purpose = self
            .purpose
            .ok_or(DeploymentError::NoPurpose)?
            .trim()
            .to_owned();
        if purpose.is_empty()
            || purpose.chars().count() > PURPOSE_LENGTH
            || purpose.chars().any(char::is_control)
        {
            return Err(DeploymentError::Purpose(purpose));
        }
        let subjects = match self.subjects {
            Some(subjects) => subjects,
            None if purpose == EVALUATION => Subjects::Volunteers,
            None => return Err(DeploymentError::NoSubjects(purpose)),
        };
        // Recital 18: a raised voice by itself is no emotion, as long as none is inferred from it.
        let excepted = purpose == ACOUSTIC_ONLY
            || matches!(
                self.legal_basis,
                Some(LegalBasis::Medical | LegalBasis::Safety)
            );
        if matches!(subjects, Subjects::Employees | Subjects::Students) && !excepted {
            return Err(DeploymentError::Prohibited(subjects));
        }
        Ok(Deployment {
            purpose,
            subjects,
            legal_basis: self.legal_basis,
        })
    }
}

/// Where a TOML text is wrong and what is, without the line itself, which may hold a password.
///
/// For errors of syntax: what a typed reading adds may name values.
pub fn toml_fault(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else {
        return error.message().to_owned();
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|at| *at != '\n').count() + 1;
    format!("line {line}, column {column}: {}", error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        purpose: &str,
        subjects: Option<Subjects>,
        basis: Option<LegalBasis>,
    ) -> Result<Deployment, DeploymentError> {
        DeploymentSection {
            purpose: Some(purpose.into()),
            subjects,
            legal_basis: basis,
            ..DeploymentSection::default()
        }
        .check()
    }

    #[test]
    fn without_a_purpose_or_subjects_nothing_starts() {
        assert_eq!(
            DeploymentSection::default().check(),
            Err(DeploymentError::NoPurpose)
        );
        assert!(matches!(
            check("  ", None, None),
            Err(DeploymentError::Purpose(_))
        ));
        assert!(matches!(
            check("a\nb", None, None),
            Err(DeploymentError::Purpose(_))
        ));
        assert!(matches!(
            check("call quality", None, None),
            Err(DeploymentError::NoSubjects(_))
        ));
    }

    #[test]
    fn a_role_is_written_like_the_subjects_or_as_nobody() {
        #[derive(Deserialize)]
        struct Roles {
            roles: Vec<Role>,
        }
        let read = |text: &str| toml::from_str::<Roles>(text).map(|read| read.roles);
        assert_eq!(
            read("roles = [\"nobody\", \"customers\"]").unwrap(),
            [Role::Nobody, Role::Of(Subjects::Customers)]
        );
        assert!(read("roles = [\"agents\"]").is_err());
    }

    #[test]
    fn an_evaluation_is_of_volunteers() {
        assert_eq!(
            check("evaluation", None, None).unwrap().subjects,
            Subjects::Volunteers
        );
    }

    #[test]
    fn employees_and_students_are_refused_on_any_ground_but_medical_or_safety() {
        use LegalBasis::*;
        for subjects in [Subjects::Employees, Subjects::Students] {
            for basis in [
                None,
                Some(Consent),
                Some(Contract),
                Some(LegalObligation),
                Some(PublicTask),
                Some(LegitimateInterests),
            ] {
                for purpose in ["evaluation", "call quality"] {
                    assert_eq!(
                        check(purpose, Some(subjects), basis),
                        Err(DeploymentError::Prohibited(subjects))
                    );
                }
            }
            for basis in [Medical, Safety] {
                assert!(check("driver fatigue", Some(subjects), Some(basis)).is_ok());
            }
        }
        assert!(check("call quality", Some(Subjects::Customers), Some(Consent)).is_ok());
    }

    #[test]
    fn a_purpose_that_infers_no_emotions_is_prohibited_of_nobody() {
        let of = |subjects| check(ACOUSTIC_ONLY, Some(subjects), None).unwrap();
        assert!(of(Subjects::Employees).is_acoustic_only());
        assert!(!check("evaluation", None, None).unwrap().is_acoustic_only());
        assert!(matches!(
            check(ACOUSTIC_ONLY, None, None),
            Err(DeploymentError::NoSubjects(_))
        ));
    }
}
