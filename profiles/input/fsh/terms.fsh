CodeSystem: GatewayTerms
Id: terms
Title: "Terms of the extensions"
Description: "Codes that extensions of this gateway carry."
* ^experimental = false
* ^caseSensitive = true
* #year
* #month
* #day
* #hour
* #minute
* #Online
* #Offline
* #on-demand
* #IsSnapshotOf

ValueSet: PrecisionCodes
Id: precision-codes
Title: "Precision of a time"
Description: "How much of a date or time is known."
* GatewayTerms#year
* GatewayTerms#month
* GatewayTerms#day
* GatewayTerms#hour
* GatewayTerms#minute

ValueSet: DocumentAvailabilityCodes
Id: document-availability-codes
Title: "documentAvailability"
Description: "Online or Offline (ITI TF-3 4.2.3.2.30)."
* GatewayTerms#Online
* GatewayTerms#Offline

ValueSet: DocumentStabilityCodes
Id: document-stability-codes
Title: "Stability"
Description: "What is not a stable document."
* GatewayTerms#on-demand

ValueSet: AssociationTypeCodes
Id: association-type-codes
Title: "Association types"
Description: "Types that relatesTo has no code for."
* GatewayTerms#IsSnapshotOf
