// Extensions of this gateway: each keeps something of the XDS metadata for which FHIR R4 and MHD have no element.

Extension: Hl7v2Value
Id: hl7v2-value
Title: "HL7 v2 value"
Description: "The value as XDS carries it (CX, XCN, XON, XTN), where the elements beside it cannot say all of it. It must agree with them."
* insert On(Identifier)
* insert On(Practitioner)
* insert On(Patient)
* insert On(Device)
* insert On(Organization)
* insert On(ContactPoint)
* insert Simple(string)

Extension: Precision
Id: precision
Title: "Precision of a time"
Description: "How much of a date or time was known: FHIR has no time without seconds."
* insert On(dateTime)
* insert On(instant)
* insert Simple(code)
* value[x] from PrecisionCodes (required)
* value[x] ^requirements = "Send valueCode year, month, day, hour or minute."

Extension: MetadataSlot
Id: slot
Title: "Extra metadata attribute"
Description: "A metadata attribute outside the standard: a slot whose name begins with urn:, with its values in order."
* insert On(DocumentReference)
* insert On(List)
* extension ^slicing.rules = #closed
* extension contains
    name 1..1 and
    value 0..*
* extension[name].value[x] only string
* extension[name].value[x] 1..1
* extension[value].value[x] only string
* extension[value].value[x] 1..1
* value[x] 0..0

Extension: AuthorInstitution
Id: author-institution
Title: "Further institution of an author"
Description: "An institution of the author after the first."
* insert On(PractitionerRole)
* insert On(Device)
* insert On(Patient)
* insert Simple(Reference)
* value[x] only Reference(Organization)

Extension: AuthorRole
Id: author-role
Title: "Role of an author"
Description: "The role of an author that is a Device or a Patient, to which FHIR gives none."
* insert On(Device)
* insert On(Patient)
* insert Simple(CodeableConcept)

Extension: AuthorSpecialty
Id: author-specialty
Title: "Specialty of an author"
Description: "The specialty of an author that is a Device or a Patient, to which FHIR gives none."
* insert On(Device)
* insert On(Patient)
* insert Simple(CodeableConcept)

Extension: FurtherAuthor
Id: author
Title: "Further author"
Description: "An author of a SubmissionSet after the first."
* insert On(List)
* insert Simple(Reference)
* value[x] only Reference(Practitioner or PractitionerRole or Organization or Device or Patient)

Extension: SourcePatientInfo
Id: source-patient-info
Title: "Line of sourcePatientInfo"
Description: "A line PID-n|value as the source sent it, where the elements of the Patient cannot say it."
* insert On(Patient)
* insert Simple(string)

Extension: SourcePatientIdentifier
Id: source-patient-id
Title: "sourcePatientId"
Description: "The identifier of the patient at the source, as CX, where the identifiers of the Patient cannot say which it is."
* insert On(Patient)
* insert Simple(string)

Extension: RepositoryUniqueId
Id: repository-unique-id
Title: "repositoryUniqueId"
Description: "The repository that holds the document."
* insert On(Attachment)
* insert Simple(oid)

Extension: DocumentAvailability
Id: document-availability
Title: "documentAvailability"
Description: "Whether the document can be retrieved at once."
* insert On(Attachment)
* insert Simple(code)
* value[x] from DocumentAvailabilityCodes (required)
* value[x] ^requirements = "Send valueCode Online or Offline."

Extension: DocumentUri
Id: document-uri
Title: "URI of the document"
Description: "The URI attribute of the XDS metadata."
* insert On(Attachment)
* insert Simple(string)

Extension: Size
Id: size
Title: "Size of a large document"
Description: "Bytes in decimal, where unsignedInt of FHIR R4 ends."
* insert On(Attachment)
* insert Simple(string)

Extension: HomeCommunityId
Id: home-community-id
Title: "homeCommunityId"
Description: "The community the object is of, as urn:oid:."
* insert On(Attachment)
* insert On(List)
* insert Simple(uri)

Extension: DocumentStability
Id: document-stability
Title: "On-demand document"
Description: "The document is made on demand."
* insert On(DocumentReference)
* insert Simple(code)
* value[x] from DocumentStabilityCodes (required)

Extension: AssociationType
Id: association-type
Title: "Type of an association"
Description: "The type of the XDS association, where the code of relatesTo says less."
* insert On(DocumentReference.relatesTo)
* insert Simple(code)
* value[x] from AssociationTypeCodes (required)

Extension: AssociationDocumentation
Id: association-documentation
Title: "associationDocumentation"
Description: "Why the document relates to the other."
* insert On(DocumentReference.relatesTo)
* insert Simple(CodeableConcept)
