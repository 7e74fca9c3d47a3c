// Extensions of MHD 4.2 and PDSm 3.1, as far as this gateway reads and writes them. The definitions in force are those
// of their publishers, at these addresses; what stands here is in our words.

Extension: IsArchived
Id: pdsm-ext-is-archived
Title: "Archived (PDSm)"
Description: "The document is archived: TD3.3d."
* ^url = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived"
* insert On(DocumentReference)
* insert On(List)
* insert Simple(boolean)

Extension: DesignationType
Id: ihe-designationType
Title: "Type of content (MHD)"
Description: "contentTypeCode of a SubmissionSet, or a code of a Folder."
* ^url = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-designationType"
* insert On(List)
* insert Simple(CodeableConcept)

Extension: SourceId
Id: ihe-sourceId
Title: "Sending system (MHD)"
Description: "sourceId of a SubmissionSet: the OID of the system that sends."
* ^url = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourceId"
* insert On(List)
* insert Simple(Identifier)

Extension: IntendedRecipient
Id: ihe-intendedRecipient
Title: "Recipient (MHD)"
Description: "For whom the submission is meant; the DMP does not use it."
* ^url = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-intendedRecipient"
* insert On(List)
* insert Simple(Reference)
* value[x] only Reference(Patient or Practitioner or PractitionerRole or Organization or RelatedPerson or Device)

Extension: AuthorOrganization
Id: ihe-authorOrg
Title: "Organization of the source (MHD)"
Description: "An organization that is or belongs to the author of a SubmissionSet."
* ^url = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-authorOrg"
* insert On(List.source)
* insert Simple(Reference)
* value[x] only Reference(Organization)

Extension: SourcePatient
Id: ihe-sourcePatientId
Title: "Patient at the source (MHD)"
Description: "The patient as the source knows him; repeated from the documents and not read."
* ^url = "https://profiles.ihe.net/ITI/MHD/StructureDefinition/ihe-sourcePatientId"
* insert On(List)
* insert Simple(Reference)
