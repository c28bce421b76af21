//! The text that is shown to those who are listened to.

use crate::{ACOUSTIC_ONLY, Deployment, DeploymentError, DeploymentSection, LegalBasis, Subjects};

/// The longest name or address, in characters.
const LENGTH: usize = 200;

impl DeploymentSection {
    /// The information that Article 50(3) of Regulation (EU) 2024/1689 requires deployers to give to the natural persons
    /// exposed to an emotion recognition system, with what Article 13 of Regulation (EU) 2016/679 asks for as far as it can
    /// be known here: plain text in English, for a sign, a web page or an announcement.
    ///
    /// # Errors
    /// What [`DeploymentSection::check`] says, and a controller or a contact that is missing or no line of text.
    pub fn notice(&self) -> Result<String, DeploymentError> {
        let deployment = self.clone().check()?;
        let controller = line("controller", self.controller.as_deref())?;
        let contact = line("contact", self.contact.as_deref())?;
        let text = if deployment.purpose == ACOUSTIC_ONLY {
            acoustic(&deployment)
        } else {
            emotions(&deployment)
        };
        Ok(format!(
            "{text}\n\
             Who is responsible: {controller}.\n\
             Questions, access, objection, erasure: {contact}.\n\
             You may also complain to your data protection authority.\n"
        ))
    }
}

fn emotions(deployment: &Deployment) -> String {
    format!(
        "NOTICE: EMOTION RECOGNITION IN USE\n\n\
         An automatic system listens here and estimates how voices sound: which emotion the voice expresses.\n\
         (Notice according to Article 50(3) of Regulation (EU) 2024/1689.)\n\n\
         Whom it listens to: {who}.\n\
         What for: {purpose}.\n\
         Legal basis: {basis}.\n\
         What happens to your voice: it is analysed on the device itself, at once. The sound is not stored and not sent \
         anywhere. What leaves the analysis are estimates: a label such as \"neutral\" or \"angry\", how sure it is, and when \
         it was.\n\
         What it cannot do: it does not know what you feel, and it is often wrong. It was trained on acted speech. No decision \
         about you should rest on it alone.\n\
         How to avoid it: ask the person responsible for another way, or for the microphone to be muted; muting closes the \
         microphone.\n",
        who = who(deployment.subjects),
        purpose = sentence(&deployment.purpose),
        basis = basis(deployment.legal_basis),
    )
}

fn acoustic(deployment: &Deployment) -> String {
    format!(
        "NOTICE: SOUND LEVEL MEASUREMENT IN USE\n\n\
         An automatic system measures here how loud it is, how much is spoken, and whether a voice is raised. It does not \
         estimate emotions and does not recognise words or persons.\n\n\
         Whom it listens to: {who}.\n\
         Legal basis: {basis}.\n\
         What happens to your voice: it is measured on the device itself, at once. The sound is not stored and not sent \
         anywhere.\n",
        who = who(deployment.subjects),
        basis = basis(deployment.legal_basis),
    )
}

fn line<'a>(field: &'static str, text: Option<&'a str>) -> Result<&'a str, DeploymentError> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or(DeploymentError::NotSaid(field))?;
    if text.chars().count() > LENGTH || text.chars().any(char::is_control) {
        return Err(DeploymentError::NoLine(field, text.to_owned()));
    }
    Ok(text.trim_end_matches('.'))
}

/// Without the full stop that a purpose may end with.
fn sentence(purpose: &str) -> &str {
    purpose.trim_end_matches('.')
}

fn who(subjects: Subjects) -> &'static str {
    match subjects {
        Subjects::Volunteers => "people who know of this test and agreed to it",
        Subjects::Customers => "customers and callers",
        Subjects::Patients => "patients",
        Subjects::Residents => "residents",
        Subjects::Public => "everybody who comes by",
        Subjects::Employees => "people who work here",
        Subjects::Students => "people who learn here",
    }
}

fn basis(basis: Option<LegalBasis>) -> &'static str {
    match basis {
        None => "ask the person responsible",
        Some(LegalBasis::Consent) => "your consent, which you may withdraw at any time",
        Some(LegalBasis::Contract) => "a contract with you",
        Some(LegalBasis::LegalObligation) => "a legal obligation",
        Some(LegalBasis::PublicTask) => "a task in the public interest",
        Some(LegalBasis::LegitimateInterests) => {
            "legitimate interests, to which you may object at any time"
        }
        Some(LegalBasis::Medical) => "medical reasons",
        Some(LegalBasis::Safety) => "safety reasons",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(purpose: &str) -> DeploymentSection {
        DeploymentSection {
            purpose: Some(purpose.into()),
            subjects: Some(Subjects::Customers),
            legal_basis: Some(LegalBasis::Consent),
            controller: Some("Example Ltd, 1 Main Street.".into()),
            contact: Some("privacy@example.com".into()),
        }
    }

    #[test]
    fn the_notice_says_that_emotions_are_recognised_by_whom_of_whom_what_for_and_whom_to_ask() {
        let text = section("call quality.").notice().unwrap();
        for part in [
            "EMOTION RECOGNITION IN USE",
            "Article 50(3) of Regulation (EU) 2024/1689",
            "customers and callers",
            "What for: call quality.\n",
            "your consent",
            "not stored and not sent",
            "Who is responsible: Example Ltd, 1 Main Street.\n",
            "privacy@example.com",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.lines().all(|line| !line.ends_with("..")), "{text}");
    }

    #[test]
    fn where_no_emotion_is_recognised_the_notice_does_not_say_so() {
        let text = section(ACOUSTIC_ONLY).notice().unwrap();
        assert!(text.contains("does not estimate emotions"), "{text}");
        assert!(!text.contains("EMOTION"), "{text}");
    }

    #[test]
    fn a_notice_that_names_nobody_is_none() {
        let nobody = DeploymentSection {
            controller: None,
            ..section("x")
        };
        assert_eq!(nobody.notice(), Err(DeploymentError::NotSaid("controller")));
        let lines = DeploymentSection {
            contact: Some("a\nb".into()),
            ..section("x")
        };
        let wrong = DeploymentError::NoLine("contact", "a\nb".into());
        assert_eq!(lines.notice(), Err(wrong));
        assert_eq!(
            DeploymentSection::default().notice(),
            Err(DeploymentError::NoPurpose)
        );
    }
}
