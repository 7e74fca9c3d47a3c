Profile: DmpSubmissionSet
Parent: List
Id: dmp-submission-set
Title: "Submission to the DMP"
Description: "A SubmissionSet as a List: one patient, one author, the documents it submits."
* extension contains
    DesignationType named designationType 1..1 and
    SourceId named sourceId 1..1 and
    IntendedRecipient named intendedRecipient 0..* and
    FurtherAuthor named author 0..* and
    IsArchived named isArchived 0..1 and
    HomeCommunityId named homeCommunityId 0..1 and
    SourcePatient named sourcePatient 0..1 and
    MetadataSlot named slot 0..*
* extension[designationType] ^requirements = "Send ihe-designationType with a code of JDV_J59."
* extension[sourceId] ^requirements = "Send ihe-sourceId with the OID of the sending system."
* mode = #working
* code 1..1
* code = $listTypes#submissionset
* subject 1..1
* subject only Reference(Patient)
* subject ^requirements = "Send the patient of the documents."
* date 1..1
* date ^requirements = "Send the time of submission."
* source.extension contains AuthorOrganization named authorOrg 0..*

Profile: DmpProvidedSubmissionSet
Parent: DmpSubmissionSet
Id: dmp-provided-submission-set
Title: "Submission to feed"
Description: "The SubmissionSet of ITI-65: it links every document of the Bundle."
* status = #current
* extension[designationType].value[x] from $contentTypeCode (required)
* source 1..1
* source ^requirements = "Send the author of the submission, contained, or its organization in ihe-authorOrg."
* entry 1..*
* entry ^requirements = "Link each DocumentReference of the Bundle by its fullUrl."

Profile: IheFolder
Parent: List
Id: ihe-folder
Title: "Folder"
Description: "A Folder as a List. Only profile ihe has folders: the DMP has none."
* extension contains
    DesignationType named designationType 1..* and
    IsArchived named isArchived 0..1 and
    HomeCommunityId named homeCommunityId 0..1 and
    MetadataSlot named slot 0..*
* code 1..1
* code = $listTypes#folder
* subject 1..1
* subject only Reference(Patient)
* title 1..1
* title ^requirements = "Send the title of the folder."
