//! The resource types of FHIR R4, and the tables of the few that are read.

use chorus_model::{Kind, Phase, Severity};

/// Every type of R4, to tell a record that is no safety event from one that is no FHIR.
#[rustfmt::skip]
const TYPES: &[&str] = &[
    "Account", "ActivityDefinition", "AdverseEvent", "AllergyIntolerance", "Appointment", "AppointmentResponse", "AuditEvent", "Basic",
    "Binary", "BiologicallyDerivedProduct", "BodyStructure", "Bundle", "CapabilityStatement", "CarePlan", "CareTeam", "CatalogEntry",
    "ChargeItem", "ChargeItemDefinition", "Claim", "ClaimResponse", "ClinicalImpression", "CodeSystem", "Communication",
    "CommunicationRequest", "CompartmentDefinition", "Composition", "ConceptMap", "Condition", "Consent", "Contract", "Coverage",
    "CoverageEligibilityRequest", "CoverageEligibilityResponse", "DetectedIssue", "Device", "DeviceDefinition", "DeviceMetric",
    "DeviceRequest", "DeviceUseStatement", "DiagnosticReport", "DocumentManifest", "DocumentReference", "EffectEvidenceSynthesis",
    "Encounter", "Endpoint", "EnrollmentRequest", "EnrollmentResponse", "EpisodeOfCare", "EventDefinition", "Evidence",
    "EvidenceVariable", "ExampleScenario", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag", "Goal", "GraphDefinition", "Group",
    "GuidanceResponse", "HealthcareService", "ImagingStudy", "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation",
    "ImplementationGuide", "InsurancePlan", "Invoice", "Library", "Linkage", "List", "Location", "Measure", "MeasureReport", "Media",
    "Medication", "MedicationAdministration", "MedicationDispense", "MedicationKnowledge", "MedicationRequest", "MedicationStatement",
    "MedicinalProduct", "MedicinalProductAuthorization", "MedicinalProductContraindication", "MedicinalProductIndication",
    "MedicinalProductIngredient", "MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged",
    "MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "MessageDefinition", "MessageHeader", "MolecularSequence",
    "NamingSystem", "NutritionOrder", "Observation", "ObservationDefinition", "OperationDefinition", "OperationOutcome",
    "Organization", "OrganizationAffiliation", "Parameters", "Patient", "PaymentNotice", "PaymentReconciliation", "Person",
    "PlanDefinition", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "Questionnaire", "QuestionnaireResponse",
    "RelatedPerson", "RequestGroup", "ResearchDefinition", "ResearchElementDefinition", "ResearchStudy", "ResearchSubject",
    "RiskAssessment", "RiskEvidenceSynthesis", "Schedule", "SearchParameter", "ServiceRequest", "Slot", "Specimen",
    "SpecimenDefinition", "StructureDefinition", "StructureMap", "Subscription", "SubscriptionStatus", "Substance",
    "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein", "SubstanceReferenceInformation", "SubstanceSourceMaterial",
    "SubstanceSpecification", "SupplyDelivery", "SupplyRequest", "Task", "TerminologyCapabilities", "TestReport", "TestScript",
    "ValueSet", "VerificationResult", "VisionPrescription",
];

/// Why a resource that is not read is no safety event; none for a type that is not of R4.
pub(super) fn other(name: &str) -> Option<&'static str> {
    Some(match name {
        "Observation" | "DiagnosticReport" => "observation",
        "OperationOutcome" => "answer",
        "MessageHeader" | "Subscription" => "system_message",
        _ if TYPES.contains(&name) => "clinical_record",
        _ => return None,
    })
}

/// What an encounter's status says of a bed: the remark, or why it is no event.
pub(super) fn encounter(status: &str) -> Option<Result<&'static str, &'static str>> {
    Some(match status {
        "arrived" => Ok("arrived"),
        "triaged" => Ok("triaged"),
        "in-progress" => Ok("admitted"),
        "onleave" => Ok("on_leave"),
        "finished" => Ok("discharged"),
        "planned" => Err("planned"),
        "cancelled" => Err("cancelled"),
        "entered-in-error" => Err("entered_in_error"),
        "unknown" => Err("unknown_state"),
        _ => return None,
    })
}

/// True for a class of encounter that fills no bed of a ward.
pub(super) fn is_outpatient(class: &str) -> bool {
    matches!(class, "AMB" | "HH" | "VR" | "FLD" | "PRENC")
}

/// The bed status of v2-0116.
pub(super) fn bed(code: &str) -> Option<&'static str> {
    Some(match code {
        "C" => "closed",
        "H" => "housekeeping",
        "I" => "isolated",
        "K" => "contaminated",
        "O" => "occupied",
        "U" => "unoccupied",
        _ => return None,
    })
}

/// What a device's state is: kind, phase and remark; or why it is no event.
pub(super) type State = Result<(Kind, Phase, Option<&'static str>), &'static str>;

/// What a device says of itself by its reason for a state; a state alone says less.
pub(super) fn device(status: &str, reason: &str) -> Option<State> {
    Some(match (status, reason) {
        ("entered-in-error", _) => Err("entered_in_error"),
        (_, "online") => Ok((Kind::DeviceOnline, Phase::Pulse, None)),
        (_, "offline") => Ok((Kind::DeviceOffline, Phase::Pulse, None)),
        (_, "off") => Ok((Kind::DeviceOffline, Phase::Pulse, Some("switched_off"))),
        (_, "hw-discon") => Ok((Kind::DeviceFault, Phase::Start, Some("hardware_disconnected"))),
        (_, "transduc-discon") => Ok((Kind::DeviceFault, Phase::Start, Some("transducer_disconnected"))),
        (_, "not-ready") => Ok((Kind::DeviceFault, Phase::Start, Some("not_ready"))),
        (_, "paused" | "standby") => Err("standby"),
        ("active", _) => Ok((Kind::DeviceOnline, Phase::Pulse, None)),
        ("inactive", _) => Ok((Kind::DeviceOffline, Phase::Pulse, None)),
        ("unknown", _) => Err("unknown_state"),
        ("", "") => Err("device_record"),
        _ => return None,
    })
}

/// What a device's channel says of itself.
pub(super) fn metric(status: &str) -> Option<State> {
    Some(match status {
        "on" => Ok((Kind::DeviceOnline, Phase::Pulse, None)),
        "off" => Ok((Kind::DeviceOffline, Phase::Pulse, None)),
        "standby" => Err("standby"),
        "entered-in-error" => Err("entered_in_error"),
        "" => Err("device_record"),
        _ => return None,
    })
}

/// The severity of a request's priority.
pub(super) fn priority(word: &str) -> Option<Severity> {
    Some(match word {
        "stat" => Severity::High,
        "asap" | "urgent" => Severity::Medium,
        "routine" => Severity::Low,
        _ => return None,
    })
}
