/** rs:RegistryResponse and its kin (ITI TF-3 4.2.4): status, and every error or warning with code, context and place. */
import { type ErrorCode, errorRow, type Issue } from '../../errors.ts'
import type { XmlWriter } from '../../xml/writer.ts'

/** The two kinds of actor have each their own name for the same fault (ITI TF-3 table 4.2.4.1-2). */
export type Actor = 'registry' | 'repository'

export type ResponseStatus = 'Success' | 'PartialSuccess' | 'Failure'

export const responseStatusUrns: Readonly<Record<ResponseStatus, string>> = {
  Success: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success',
  PartialSuccess: 'urn:ihe:iti:2007:ResponseStatusType:PartialSuccess',
  Failure: 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure',
}

const severityUrn = 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:'

/**
 * Codes that name the actor. XDSRegistryMetadataError is not among them: a repository relays what the registry finds in
 * the metadata, and says XDSRepositoryMetadataError of what it finds itself (hash, size), as rules D5 and ITI TF-2 3.41.
 */
const repositoryCodes: Readonly<Record<string, string>> = {
  XDSRegistryError: 'XDSRepositoryError',
  XDSRegistryBusy: 'XDSRepositoryBusy',
  XDSRegistryOutOfResources: 'XDSRepositoryOutOfResources',
  XDSRegistryDuplicateUniqueIdInMessage: 'XDSRepositoryDuplicateUniqueIdInMessage',
}

/** RegistryError/@errorCode of an issue. */
export function errorCodeOf(code: ErrorCode, actor: Actor): string {
  const { xds } = errorRow(code)
  return (actor === 'repository' ? repositoryCodes[xds] : undefined) ?? xds
}

/**
 * RegistryError/@codeContext. An IHE code says itself: `D7: creationTime …`. One of ours (a refusal of access, an error
 * of the house) has no code in IHE, so it leads: `consent-missing CO3: La déclaration …`.
 */
export function codeContextOf({ code, foreign, rule, detail }: Issue): string {
  const { xds, fr } = errorRow(code)
  // The words of the DMP, under its own code
  if (foreign !== undefined) return detail ?? fr
  if (code === xds) return rule === undefined ? (detail ?? fr) : `${rule}: ${detail ?? fr}`
  const head = rule === undefined ? code : `${code} ${rule}`
  return detail === undefined ? `${head}: ${fr}` : `${head}: ${fr} ${detail}`
}

/** rs:RegistryErrorList; nothing when there are no issues. The prefix `rs` is declared by the caller. */
export function writeErrorList(xml: XmlWriter, issues: readonly Issue[], actor: Actor): void {
  if (issues.length === 0) return
  const worst = issues.some(({ severity }) => severity !== 'warning') ? 'Error' : 'Warning'
  xml.start('rs:RegistryErrorList', { highestSeverity: severityUrn + worst })
  for (const issue of issues)
    xml.element('rs:RegistryError', {
      errorCode: issue.foreign ?? errorCodeOf(issue.code, actor),
      codeContext: codeContextOf(issue),
      severity: severityUrn + (issue.severity === 'warning' ? 'Warning' : 'Error'),
      location: issue.location,
    })
  xml.end()
}
