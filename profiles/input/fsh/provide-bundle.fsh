Profile: DmpProvideBundle
Parent: Bundle
Id: dmp-provide-bundle
Title: "Documents to feed"
Description: "The transaction of ITI-65 as the DMP takes it: one SubmissionSet, its documents and their Binaries, and the entries that set replaced documents to superseded."
* type = #transaction
* entry 1..*
* entry ^slicing.discriminator[0].type = #type
* entry ^slicing.discriminator[0].path = "resource"
* entry ^slicing.rules = #closed
* entry ^requirements = "Send List, DocumentReference, Binary, Parameters, and the people they refer to."
* entry.resource 1..1
* entry.request 1..1
* entry contains
    submissionSet 1..1 and
    document 1..* and
    content 1..* and
    patch 0..* and
    patient 0..* and
    practitioner 0..* and
    practitionerRole 0..* and
    organization 0..* and
    device 0..* and
    relatedPerson 0..*
* entry[submissionSet] ^requirements = "Send exactly one List of code submissionset."
* entry[submissionSet].resource only DmpProvidedSubmissionSet
* entry[document] ^requirements = "Send at least one DocumentReference."
* entry[document].resource only DmpProvidedDocumentReference
* entry[content] ^requirements = "Send a Binary for each DocumentReference."
* entry[content].resource only Binary
* entry[patch].resource only Parameters
* entry[patient].resource only Patient
* entry[practitioner].resource only Practitioner
* entry[practitionerRole].resource only PractitionerRole
* entry[organization].resource only Organization
* entry[device].resource only Device
* entry[relatedPerson].resource only RelatedPerson
