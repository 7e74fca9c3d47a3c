Profile: DmpDocumentReference
Parent: DocumentReference
Id: dmp-document-reference
Title: "Document of the DMP"
Description: "A DocumentEntry with the complete metadata of the DMP (CI-SIS, PDSm, MHD Comprehensive), as this gateway stores and serves it."
* extension contains
    IsArchived named isArchived 0..1 and
    DocumentStability named stability 0..1 and
    MetadataSlot named slot 0..*
* masterIdentifier 1..1
* masterIdentifier ^requirements = "Send the uniqueId of the document: system urn:ietf:rfc:3986, value urn:oid:…"
* type 1..1
* type from $typeCode (required)
* type ^requirements = "Send the type of the document: a code of JDV_J66."
* category 0..1
* category from $classCode (required)
* category ^requirements = "Send one category, that of the type (ASS_X16), or none."
* subject 1..1
* subject only Reference(Patient)
* subject ^requirements = "Send the patient: an identifier with the system of the INS (urn:oid:1.2.250.1.213.1.4.8) and its value."
* author 1..*
* author ^requirements = "Send at least one author, contained."
* authenticator MS
* securityLabel 1..4
* securityLabel from $confidentialityCode (required)
* securityLabel ^requirements = "Send N, and the visibility codes that apply: one CodeableConcept for each code."
* content 1..1
* content ^requirements = "Send one content: each document has a DocumentReference of its own."
* content.attachment.contentType 1..1
* content.attachment.contentType ^requirements = "Send the media type of the document: text/xml for a CDA."
* content.attachment.language 1..1
* content.attachment.language ^requirements = "Send the language of the document: fr-FR."
* content.attachment.title MS
* content.attachment.extension contains
    RepositoryUniqueId named repositoryUniqueId 0..1 and
    DocumentAvailability named documentAvailability 0..1 and
    DocumentUri named uri 0..1 and
    Size named size 0..1 and
    HomeCommunityId named homeCommunityId 0..1
* content.format 1..1
* content.format from $formatCode (required)
* content.format ^requirements = "Send the format of the document: a code of JDV_J60."
* relatesTo.extension contains
    AssociationType named associationType 0..1 and
    AssociationDocumentation named associationDocumentation 0..1
* context 1..1
* context ^requirements = "Send context.facilityType and context.practiceSetting."
* context.period MS
* context.facilityType 1..1
* context.facilityType from $facilityTypeCode (required)
* context.facilityType ^requirements = "Send the sector of activity: a code of JDV_J61."
* context.practiceSetting 1..1
* context.practiceSetting from $practiceSettingCode (required)
* context.practiceSetting ^requirements = "Send the setting of care: a code of JDV_J62."
* context.sourcePatientInfo only Reference(Patient)

Profile: DmpProvidedDocumentReference
Parent: DmpDocumentReference
Id: dmp-provided-document-reference
Title: "Document to feed, in a Bundle"
Description: "A DocumentReference of ITI-65: the document is a Binary of the same Bundle."
* status = #current
* status ^requirements = "Send status current: what is fed is in force."
* extension[isArchived] 0..0
* content.attachment.url 1..1
* content.attachment.url ^requirements = "Send the fullUrl of the Binary that holds the document."
* content.attachment.data 0..0
* content.attachment.data ^requirements = "Send the document as a Binary of the Bundle, and its fullUrl in attachment.url."
* context.sourcePatientInfo 1..1
* context.sourcePatientInfo ^requirements = "Send the patient as the source knows him: a contained Patient."

Profile: DmpSimplifiedPublish
Parent: DmpDocumentReference
Id: dmp-simplified-publish
Title: "Document to feed, alone"
Description: "A DocumentReference of ITI-105: the document comes inside."
* status = #current
* status ^requirements = "Send status current: what is fed is in force."
* extension[isArchived] 0..0
* content.attachment.data 1..1
* content.attachment.data ^requirements = "Send the bytes of the document in base64."
* content.attachment.url 0..0
* content.attachment.url ^requirements = "Leave attachment.url out: the document comes in attachment.data."
