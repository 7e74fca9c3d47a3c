/**
 * The one table of errors. A row gives an error its face on every door: the XDS error code (ITI TF-3 table 4.2.4.1-2),
 * the HTTP status and FHIR issue type of the OperationOutcome, and the text for a person, French first.
 * Both doors, the documentation and the tests read this table; nothing else maps errors.
 */

/** FHIR R4 issue types in use (http://hl7.org/fhir/issue-type). */
export type IssueType =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'expired'
  | 'forbidden'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-found'
  | 'deleted'
  | 'too-long'
  | 'code-invalid'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'throttled'
  | 'timeout'
  | 'exception'
  | 'too-costly'
  | 'informational'

export interface ErrorRow {
  /** RegistryError/@errorCode. */
  readonly xds: string
  readonly http: number
  readonly issue: IssueType
  readonly fr: string
  readonly en: string
}

function row(xds: string, http: number, issue: IssueType, fr: string, en: string): ErrorRow {
  return { xds, http, issue, fr, en }
}

/** A refusal by an access rule: XDS knows one code for all of them (ITI TF-3: LocalPolicyRestrictionError). */
function refusal(fr: string, en: string, http = 403, issue: IssueType = 'forbidden'): ErrorRow {
  return row('LocalPolicyRestrictionError', http, issue, fr, en)
}

const metadata = 'XDSRegistryMetadataError'
const repository = 'XDSRepositoryError'

export const errorTable = {
  // Access refusals: the reason codes of docs/access-rules.md
  'dmp-unknown': row('XDSUnknownPatientId', 404, 'not-found', 'Aucun DMP n’existe pour ce patient.', 'No DMP exists for this patient.'),
  'dmp-closed': refusal('Le DMP de ce patient est fermé.', 'The DMP of this patient is closed.'),
  'test-patient': refusal('Un identifiant de test n’est pas accepté en production.', 'An identifier of a test authority is not accepted in production.'),
  'patient-mismatch': refusal('Le patient de la requête n’est pas celui de l’identité présentée.', 'The patient of the request is not the patient named by the token.'),
  'not-permitted-for-role': refusal('Cette action n’est pas ouverte à ce profil.', 'This action is not open to this role.'),
  'nominative-identity-required': refusal('La consultation exige une identité nominative (CPS, e-CPS ou authentification indirecte renforcée).', 'Consultation requires a named person (CPS, e-CPS or reinforced indirect authentication).'),
  'professional-blocked': refusal('Le patient a bloqué l’accès de ce professionnel.', 'The patient has blocked this professional.'),
  'brain-death': refusal('Le DMP n’est plus accessible : état de mort encéphalique.', 'The record is closed to access: brain death.'),
  'reason-required': refusal('Cette action exige un motif.', 'This action requires a reason.'),
  'emergency-refused-by-patient': refusal('Le patient a refusé ce mode d’accès en urgence.', 'The patient has refused this emergency access mode.'),
  'not-a-regulation-centre': refusal('Le mode centre 15 est réservé aux centres de régulation médicale.', 'The centre_15 mode is reserved for medical regulation centres.'),
  'consultation-opposed': refusal('Le patient s’est opposé à la consultation de son dossier.', 'The patient has opposed the consultation of the record.'),
  'consent-missing': refusal('La déclaration de consentement manque : envoyez DMP-Consent avec basis=care-team (équipe de soins) ou basis=explicit.', 'The declaration of consent is missing: send DMP-Consent with basis=care-team or basis=explicit.'),
  'patient-not-informed': refusal('Le patient n’a pas été informé : envoyez informed=?1 dans DMP-Consent une fois l’information donnée.', 'The patient has not been informed: send informed=?1 in DMP-Consent once the information is given.'),
  'initial-consent-missing': refusal('Le consentement initial du patient à l’accès de l’équipe de soins manque.', 'The initial consent of the patient to access by the care team is missing.'),
  'choice-contradictory': refusal('Ce choix en contredit un autre.', 'This choice contradicts another.', 422, 'business-rule'),
  'feed-opposed': refusal('Le patient s’est opposé à cette alimentation pour motif légitime : rien n’a été transmis.', 'The patient opposes this feeding for a legitimate reason: nothing was sent.'),
  'type-not-accepted': row(metadata, 422, 'code-invalid', 'Ce typeCode n’est pas accepté par le DMP (JDV_J66).', 'This typeCode is not accepted by the DMP (JDV_J66).'),
  'class-type-mismatch': row(metadata, 422, 'business-rule', 'classCode ne correspond pas à typeCode (ASS_X16).', 'classCode does not correspond to typeCode (ASS_X16).'),
  'code-not-accepted': row(metadata, 422, 'code-invalid', 'Ce code n’est pas dans le jeu de valeurs du DMP.', 'This code is not in the value set of the DMP.'),
  'confidentiality-not-shareable': refusal('Un document de confidentialité R ou V ne se partage pas dans le DMP.', 'A document of confidentiality R or V is not shared in the DMP.', 422, 'business-rule'),
  'confidentiality-combination': refusal('INVISIBLE_PATIENT et MASQUE_PS ne se cumulent pas.', 'INVISIBLE_PATIENT and MASQUE_PS do not combine.', 422, 'business-rule'),
  'confidentiality-not-applicable': refusal('Ce code de confidentialité ne s’applique pas à ce patient.', 'This confidentiality code does not apply to this patient.', 422, 'business-rule'),
  'author-cannot-read': row('XDSExtraMetadataNotSaved', 200, 'informational', 'La matrice d’habilitation ne permet pas à l’auteur de relire ce type de document.', 'The habilitation matrix does not let the author read this type of document back.'),
  'metadata-completed': row('XDSExtraMetadataNotSaved', 200, 'informational', 'Une métadonnée absente a été complétée.', 'A missing attribute was completed.'),
  'not-the-author': refusal('Seul l’auteur du document peut faire cette action.', 'Only the author of the document may do this.'),
  'set-at-feeding': refusal('Ce code de confidentialité ne se pose qu’à l’alimentation.', 'This confidentiality code can only be set when the document is fed.', 422, 'business-rule'),
  'use-replacement': refusal('Avec un certificat de structure, remplacez le document en portant la nouvelle confidentialité.', 'With a structure certificate, replace the document with the new confidentiality instead.'),
  'not-a-dmp-operation': refusal('Cette opération n’existe pas au DMP.', 'This operation does not exist in the DMP.'),
  'attribute-not-modifiable': row('UnmodifiableMetadataError', 422, 'business-rule', 'Cet attribut ne se modifie pas après l’alimentation.', 'This attribute cannot be changed once fed.'),

  // Identity
  'identity-missing': row('LocalPolicyRestrictionError', 401, 'login', 'Aucune identité présentée.', 'No identity was presented.'),
  'identity-invalid': row('LocalPolicyRestrictionError', 401, 'security', 'L’identité présentée n’est pas valable.', 'The identity presented is not valid.'),
  'identity-expired': row('LocalPolicyRestrictionError', 401, 'expired', 'L’identité présentée a expiré.', 'The identity presented has expired.'),
  'identity-provider-unavailable': row('XDSRegistryNotAvailable', 503, 'transient', 'Le fournisseur d’identité n’est pas joignable, réessayez.', 'The identity provider cannot be reached, try again.'),
  'header-invalid': row('XDSRegistryError', 400, 'invalid', 'Un en-tête est mal formé.', 'A header is malformed.'),

  // Messages
  malformed: row('XDSRegistryError', 400, 'structure', 'Le message est mal formé.', 'The message is malformed.'),
  'over-limit': row('XDSRegistryOutOfResources', 413, 'too-long', 'Une limite de taille ou de nombre est dépassée.', 'A limit on size or count is exceeded.'),
  'media-type': row('XDSRegistryError', 415, 'not-supported', 'Ce type de contenu n’est pas accepté ici.', 'This media type is not accepted here.'),
  'not-acceptable': row('XDSRegistryError', 406, 'not-supported', 'Aucune forme demandée n’est disponible.', 'None of the requested representations is available.'),
  'range-not-satisfiable': row('XDSRegistryError', 416, 'value', 'La plage d’octets demandée n’existe pas.', 'The range of bytes asked for does not exist.'),
  'invalid-parameter': row('XDSRegistryError', 400, 'value', 'Un paramètre n’est pas valable.', 'A parameter is not valid.'),
  'unknown-parameter': row('XDSRegistryError', 400, 'not-supported', 'Ce paramètre n’est pas connu.', 'This parameter is not known.'),
  'method-not-allowed': row('XDSRegistryError', 405, 'not-supported', 'Cette méthode n’est pas permise ici.', 'This method is not allowed here.'),
  'not-found': row('XDSDocumentUniqueIdError', 404, 'not-found', 'Ressource inconnue.', 'Unknown resource.'),
  'multiple-matches': row('XDSMetadataUpdateError', 412, 'multiple-matches', 'La condition désigne plusieurs ressources.', 'The condition names several resources.'),
  'patch-invalid': row('XDSMetadataUpdateError', 422, 'processing', 'Cette modification ne s’applique pas à la ressource.', 'The patch does not apply to the resource.'),
  'profile-violation': row(metadata, 422, 'invariant', 'Une règle du profil n’est pas respectée.', 'A rule of the profile is not respected.'),
  'version-conflict': row('XDSMetadataVersionError', 412, 'conflict', 'La version indiquée n’est plus la version courante.', 'The version named is not the current one.'),
  'shutting-down': row('XDSRegistryBusy', 503, 'transient', 'Le service s’arrête.', 'The service is stopping.'),
  busy: row('XDSRegistryBusy', 503, 'throttled', 'Le service est saturé, réessayez.', 'The service is busy, try again.'),
  'store-unavailable': row('XDSRegistryNotAvailable', 503, 'transient', 'Le stockage n’est pas disponible.', 'The store is not available.'),
  'trace-unavailable': row('XDSRegistryNotAvailable', 503, 'transient', 'La trace ne peut pas être écrite.', 'The trace cannot be written.'),
  'dmp-unavailable': row('XDSRegistryNotAvailable', 503, 'transient', 'Le DMP n’est pas joignable : rien n’a été transmis.', 'The DMP cannot be reached: nothing was sent.'),
  'dmp-outcome-unknown': row('XDSRegistryNotAvailable', 504, 'timeout', 'Le DMP n’a pas répondu : la demande a pu être traitée.', 'The DMP did not answer: the request may have been carried out.'),
  'dmp-answer-invalid': row('XDSRegistryError', 502, 'exception', 'La réponse du DMP n’est pas exploitable.', 'The answer of the DMP cannot be used.'),
  'dmp-refused': row('XDSRegistryError', 422, 'processing', 'Le DMP refuse la demande.', 'The DMP refuses the request.'),
  internal: row('XDSRegistryError', 500, 'exception', 'Erreur interne.', 'Internal error.'),

  // IHE codes, under their own names (ITI TF-3 table 4.2.4.1-2 and supplements)
  XDSMissingDocument: row('XDSMissingDocument', 422, 'required', 'Un DocumentEntry n’a pas de document.', 'A DocumentEntry has no document.'),
  XDSMissingDocumentMetadata: row('XDSMissingDocumentMetadata', 422, 'required', 'Un document n’a pas de DocumentEntry.', 'A document has no DocumentEntry.'),
  XDSRegistryNotAvailable: row('XDSRegistryNotAvailable', 503, 'transient', 'Le registre n’est pas disponible.', 'The registry is not available.'),
  XDSRegistryError: row('XDSRegistryError', 422, 'processing', 'Le registre refuse la requête.', 'The registry refuses the request.'),
  XDSRepositoryError: row(repository, 422, 'processing', 'L’entrepôt refuse la requête.', 'The repository refuses the request.'),
  XDSRegistryDuplicateUniqueIdInMessage: row('XDSRegistryDuplicateUniqueIdInMessage', 422, 'duplicate', 'Un uniqueId apparaît deux fois dans le message.', 'A uniqueId appears twice in the message.'),
  XDSRepositoryDuplicateUniqueIdInMessage: row('XDSRepositoryDuplicateUniqueIdInMessage', 422, 'duplicate', 'Un uniqueId apparaît deux fois dans le message.', 'A uniqueId appears twice in the message.'),
  XDSDuplicateUniqueIdInRegistry: row('XDSDuplicateUniqueIdInRegistry', 409, 'duplicate', 'Cet uniqueId est déjà enregistré.', 'This uniqueId is already registered.'),
  XDSNonIdenticalHash: row('XDSNonIdenticalHash', 409, 'duplicate', 'Cet uniqueId est déjà enregistré avec un autre contenu.', 'This uniqueId is already registered with other content.'),
  XDSNonIdenticalSize: row('XDSNonIdenticalSize', 409, 'duplicate', 'Cet uniqueId est déjà enregistré avec une autre taille.', 'This uniqueId is already registered with another size.'),
  XDSRegistryBusy: row('XDSRegistryBusy', 503, 'throttled', 'Le registre est saturé.', 'The registry is busy.'),
  XDSRepositoryBusy: row('XDSRepositoryBusy', 503, 'throttled', 'L’entrepôt est saturé.', 'The repository is busy.'),
  XDSRegistryOutOfResources: row('XDSRegistryOutOfResources', 413, 'too-long', 'Le registre manque de ressources pour cette requête.', 'The registry is out of resources for this request.'),
  XDSRepositoryOutOfResources: row('XDSRepositoryOutOfResources', 413, 'too-long', 'L’entrepôt manque de ressources pour cette requête.', 'The repository is out of resources for this request.'),
  XDSRegistryMetadataError: row(metadata, 422, 'invariant', 'Les métadonnées ne sont pas valables.', 'The metadata are not valid.'),
  XDSRepositoryMetadataError: row('XDSRepositoryMetadataError', 422, 'invariant', 'Les métadonnées ne sont pas valables.', 'The metadata are not valid.'),
  XDSTooManyResults: row('XDSTooManyResults', 422, 'too-costly', 'La requête donne trop de résultats.', 'The query gives too many results.'),
  XDSExtraMetadataNotSaved: row('XDSExtraMetadataNotSaved', 200, 'informational', 'Des métadonnées supplémentaires n’ont pas été gardées.', 'Extra metadata were not saved.'),
  XDSUnknownPatientId: row('XDSUnknownPatientId', 422, 'not-found', 'Ce patient n’est pas connu.', 'This patient is not known.'),
  XDSPatientIdDoesNotMatch: row('XDSPatientIdDoesNotMatch', 422, 'business-rule', 'Les identifiants de patient du message diffèrent.', 'The patient ids of the message differ.'),
  XDSUnknownStoredQuery: row('XDSUnknownStoredQuery', 400, 'not-supported', 'Cette requête stockée n’est pas connue.', 'This stored query is not known.'),
  XDSStoredQueryMissingParam: row('XDSStoredQueryMissingParam', 400, 'required', 'Un paramètre obligatoire manque.', 'A required parameter is missing.'),
  XDSStoredQueryParamNumber: row('XDSStoredQueryParamNumber', 400, 'value', 'Un paramètre à valeur unique en a plusieurs.', 'A single-valued parameter has several values.'),
  XDSRegistryDeprecatedDocumentError: row('XDSRegistryDeprecatedDocumentError', 409, 'conflict', 'Le document visé est déjà obsolète.', 'The document referred to is already deprecated.'),
  XDSUnknownRepositoryId: row('XDSUnknownRepositoryId', 404, 'not-found', 'Ce repositoryUniqueId n’est pas connu.', 'This repositoryUniqueId is not known.'),
  XDSDocumentUniqueIdError: row('XDSDocumentUniqueIdError', 404, 'not-found', 'Ce document n’est pas connu.', 'This document is not known.'),
  XDSResultNotSinglePatient: row('XDSResultNotSinglePatient', 422, 'business-rule', 'Le résultat concerne plusieurs patients.', 'The result concerns more than one patient.'),
  PartialFolderContentNotProcessed: row('PartialFolderContentNotProcessed', 200, 'informational', 'Le contenu du classeur n’a pas été traité.', 'Folder content was not processed.'),
  PartialReplaceContentNotProcessed: row('PartialReplaceContentNotProcessed', 200, 'informational', 'Le remplacement n’a pas été traité.', 'Replacement was not processed.'),
  PartialTransformNotProcessed: row('PartialTransformNotProcessed', 200, 'informational', 'La transformation n’a pas été traitée.', 'Transformation was not processed.'),
  PartialAppendContentNotProcessed: row('PartialAppendContentNotProcessed', 200, 'informational', 'L’ajout n’a pas été traité.', 'Append was not processed.'),
  PartialRelationshipContentNotProcessed: row('PartialRelationshipContentNotProcessed', 200, 'informational', 'La relation n’a pas été traitée.', 'Relationship was not processed.'),
  PartialTransformReplaceNotProcessed: row('PartialTransformReplaceNotProcessed', 200, 'informational', 'La transformation-remplacement n’a pas été traitée.', 'Transform-replace was not processed.'),
  DocumentQueued: row('DocumentQueued', 200, 'informational', 'Le document est en attente de traitement.', 'The document is queued.'),
  InvalidDocumentContent: row('InvalidDocumentContent', 422, 'invalid', 'Le contenu du document ne correspond pas aux métadonnées.', 'The document content does not match the metadata.'),
  XDSUnknownCommunity: row('XDSUnknownCommunity', 404, 'not-found', 'Cette communauté n’est pas connue.', 'This community is not known.'),
  XDSMissingHomeCommunityId: row('XDSMissingHomeCommunityId', 400, 'required', 'homeCommunityId manque.', 'homeCommunityId is missing.'),
  XDSUnavailableCommunity: row('XDSUnavailableCommunity', 503, 'transient', 'Cette communauté n’est pas joignable.', 'This community is not available.'),
  TranscodingError: row('TranscodingError', 422, 'processing', 'Le transcodage a échoué.', 'Transcoding failed.'),
  XDSMetadataUpdateError: row('XDSMetadataUpdateError', 422, 'processing', 'La mise à jour des métadonnées a échoué.', 'The metadata update failed.'),
  XDSPatientIDReconciliationError: row('XDSPatientIDReconciliationError', 422, 'business-rule', 'Le patient ne peut pas être changé ainsi.', 'The patient cannot be changed this way.'),
  XDSMetadataUpdateOperationError: row('XDSMetadataUpdateOperationError', 422, 'processing', 'Cette opération de mise à jour n’est pas possible.', 'This update operation is not possible.'),
  XDSMetadataVersionError: row('XDSMetadataVersionError', 409, 'conflict', 'La version indiquée n’est pas la version courante.', 'The version named is not the current one.'),
  XDSRemoveDocumentsError: row('XDSRemoveDocumentsError', 422, 'processing', 'La suppression a échoué.', 'The removal failed.'),
  UnresolvedReferenceException: row('UnresolvedReferenceException', 422, 'not-found', 'Une référence ne mène à aucun objet.', 'A reference does not resolve.'),
  ReferencesExistException: row('ReferencesExistException', 409, 'conflict', 'Des objets s’y réfèrent encore.', 'Objects still refer to it.'),
  XDSUnreferencedObjectException: row('XDSUnreferencedObjectException', 409, 'conflict', 'Un objet resterait sans référence.', 'An object would be left unreferenced.'),
  XDSReplaceFailed: row('XDSReplaceFailed', 422, 'processing', 'Le remplacement a échoué.', 'The replacement failed.'),
  XDSObjectTypeError: row('XDSObjectTypeError', 422, 'business-rule', 'Ce type d’objet n’est pas permis ici.', 'This object type is not allowed here.'),
  XDSMetadataIdentifierError: row('XDSMetadataIdentifierError', 422, 'business-rule', 'Un identifiant ne peut pas changer.', 'An identifier cannot change.'),
  XDSInvalidRequestException: row('XDSInvalidRequestException', 422, 'invalid', 'La requête n’est pas valable.', 'The request is not valid.'),
  UnmodifiableMetadataError: row('UnmodifiableMetadataError', 422, 'business-rule', 'Cet attribut ne peut pas être modifié.', 'This attribute cannot be modified.'),
  LocalPolicyRestrictionError: row('LocalPolicyRestrictionError', 403, 'forbidden', 'La politique d’accès ne le permet pas.', 'Local policy does not permit it.'),
  XDSMetadataAnnotationError: row('XDSMetadataAnnotationError', 422, 'invalid', 'Une association de mise à jour manque ou est fausse.', 'An update association is missing or wrong.'),
  UnknownRecipient: row('UnknownRecipient', 422, 'not-found', 'Ce destinataire n’est pas connu.', 'This recipient is not known.'),
  UnavailableRecipient: row('UnavailableRecipient', 503, 'transient', 'Ce destinataire n’est pas joignable.', 'This recipient is not available.'),
  FHIRDocumentNotSupported: row('FHIRDocumentNotSupported', 422, 'not-supported', 'Les documents FHIR ne sont pas acceptés.', 'FHIR documents are not supported.'),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof errorTable

export function errorRow(code: ErrorCode): ErrorRow {
  return errorTable[code]
}

/** One violation or refusal. All the violations of a message travel together in one GatewayError. */
export interface Issue {
  readonly code: ErrorCode
  /** The code under which a DMP said it, where that is none of this table: RegistryError/@errorCode, unchanged. */
  readonly foreign?: string
  readonly severity?: 'error' | 'warning'
  /** Rule id: of docs/access-rules.md (CO3) or docs/conformance.md (D5, T9, RM4_2). */
  readonly rule?: string
  /** Where: object id and attribute (`urn:uuid:…/creationTime`), or a FHIRPath expression (`Bundle.entry[1].resource.type`). */
  readonly location?: string
  /** A sentence that says what was found and what to send instead. Never personal data, never internals. */
  readonly detail?: string
}

/** The only error that carries an answer for the caller; anything else is an internal error and says nothing of itself. */
export class GatewayError extends Error {
  readonly issues: readonly [Issue, ...Issue[]]

  constructor(issues: ErrorCode | Issue | readonly Issue[], options: { detail?: string; cause?: unknown } = {}) {
    const list: Issue[] = typeof issues === 'string' ? [options.detail === undefined ? { code: issues } : { code: issues, detail: options.detail }] : Array.isArray(issues) ? [...(issues as readonly Issue[])] : [issues as Issue]
    const [first, ...rest] = list
    if (first === undefined) throw new RangeError('a GatewayError needs at least one issue')
    super(`${first.code}${first.rule ? ` ${first.rule}` : ''}`, { cause: options.cause })
    this.name = 'GatewayError'
    this.issues = [first, ...rest]
  }

  get code(): ErrorCode {
    return this.issues[0].code
  }

  /** HTTP status of the FHIR answer: that of the first error. */
  get http(): number {
    return errorRow(this.code).http
  }
}

/** Anything thrown, as a GatewayError: what is not one becomes `internal`, with the original as its cause for the log. */
export function toGatewayError(thrown: unknown): GatewayError {
  return thrown instanceof GatewayError ? thrown : new GatewayError('internal', { cause: thrown })
}
