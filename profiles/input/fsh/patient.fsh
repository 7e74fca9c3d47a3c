// Names of the PDSm for the DMP draft, which publishes no addresses yet.

Extension: DmpFermeture
Id: dmp-fermeture
Title: "Closure of the record"
Description: "The record is closed: when and why, as far as the DMP says."
* insert On(Patient)
* extension ^slicing.rules = #closed
* extension contains
    dateFermeture 0..1 and
    motifFermeture 0..1 and
    raisonFermeture 0..1
* extension[dateFermeture].value[x] only dateTime
* extension[motifFermeture].value[x] only string
* extension[raisonFermeture].value[x] only string
* value[x] 0..0

Extension: DmpMedecinTraitant
Id: dmp-medecin-traitant
Title: "Treating physician"
Description: "The caller is the treating physician of the patient in the DMP."
* insert On(Patient)
* insert Simple(boolean)

Extension: DmpStatutAutorisation
Id: dmp-statut-autorisation
Title: "Authorisation to consult"
Description: "The status of the caller's authorisation to consult the record (TD0.2)."
* insert On(Patient)
* insert Simple(code)

Extension: DmpDernierAcces
Id: dmp-dernier-acces
Title: "Last access"
Description: "When the caller last fed or consulted the record (TD0.4)."
* insert On(Patient)
* insert Simple(dateTime)

Extension: DmpDerniereModification
Id: dmp-derniere-modification
Title: "Last change"
Description: "When a document that the caller may see last changed (TD0.4)."
* insert On(Patient)
* insert Simple(dateTime)

Extension: DmpDernierAjout
Id: dmp-dernier-ajout
Title: "Last document"
Description: "When a document that the caller may see last came into the record (TD0.4)."
* insert On(Patient)
* insert Simple(dateTime)

Extension: DmpRattachementMes
Id: dmp-rattachement-mes
Title: "Attached to Mon espace santé"
Description: "The record belongs to a profile of Mon espace santé."
* insert On(Patient)
* insert Simple(boolean)

Profile: DmpPatient
Parent: Patient
Id: dmp-patient
Title: "Record of a patient"
Description: "The record of a patient as TD0.2 tells of it; never a source of identity."
* extension contains
    DmpFermeture named fermeture 0..1 and
    DmpMedecinTraitant named medecinTraitant 0..1 and
    DmpStatutAutorisation named statutAutorisation 0..1 and
    DmpRattachementMes named rattachementMes 0..1 and
    DmpDernierAcces named dernierAcces 0..1 and
    DmpDerniereModification named derniereModification 0..1 and
    DmpDernierAjout named dernierAjout 0..1
* identifier 1..*
* active 1..1
