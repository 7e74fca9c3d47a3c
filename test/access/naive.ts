/**
 * The rules of access said again, from ACCESS-RULES alone and in another way: one question after the other, the functional
 * rights read from the file as it lies there. Nothing of src/access is used, so that the two can disagree.
 */
import type { AccessRequest, DocumentFacts, Policy, RecordFacts } from '../../src/access/types.ts'
import rights from '../../src/nomenclature/data/functional-rights.json' with { type: 'json' }

/** What is wrong with what is to be fed, known to whoever made it. */
export interface Wrong {
  readonly codes: boolean
  readonly confidentiality: 'none' | 'not-shareable' | 'combination' | 'minors'
}

const carers = ['professional', 'staff', 'structure']
const feeds = ['TD2.1', 'TD2.1b']
const consults = ['TD3.1a', 'TD3.2']
const changes = ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b', 'TD3.3c', 'TD3.3d']
const acts = ['choose', 'close', 'reopen', 'copy', 'rectify']
const inMatrix = [
  'TD0.2',
  'TD0.3.add',
  'TD0.3.remove',
  'TD0.4',
  'TD1.3a',
  'TD1.6',
  ...feeds,
  ...consults,
  'TD3.1b',
  ...changes,
]
const rowNames: Readonly<Record<string, string>> = {
  'TD2.1b': 'TD2.1',
  'TD3.1a': 'TD3.1.metadata',
  'TD3.1b': 'TD3.1.reference',
  'TD3.2': 'TD3.2.normal',
  'TD3.3d': 'TD3.3d.archive',
}

function columnOf({ caller }: AccessRequest, facts: RecordFacts | undefined): string | undefined {
  if (caller.kind === 'structure' || caller.authentication === 'indirect') return 'es_cert'
  if (caller.kind === 'staff') return caller.authentication === 'air' ? 'pe_non_ps' : 'cpe_non_ps'
  if (caller.person === undefined || caller.profession === undefined) return undefined
  const physician = caller.profession.code === '10'
  if (physician && caller.specialities.some(({ code }) => code === 'SM25' || code === 'FON-29'))
    return 'medecin_du_travail'
  if (facts?.treatingPhysician) return 'mt'
  return physician ? 'medecin' : 'ps_non_medecin'
}

/** The cell: `y`, `y8` …, or `n` where it is a no or does not exist. */
function cellOf(request: AccessRequest, column: string | undefined): string {
  const { operation, purpose, caller } = request
  if (column === undefined || (column === 'medecin_du_travail' && operation === 'TD3.1a')) return 'n'
  const matrix = caller.authentication === 'air' && column !== 'es_cert' ? rights.air : rights.direct
  const cpe = column === 'cpe_non_ps' || column === 'pe_non_ps'
  const row = cpe && feeds.includes(operation) ? 'TD2.2' : (rowNames[operation] ?? operation)
  const modes = { normal: 'normal', bris_de_glace: 'bris_de_glace', centre_15: 'regulation' }
  const mode = column === 'medecin_du_travail' && purpose === 'normal' ? 'sans_objet' : modes[purpose]
  const cells = matrix.rows.find(([td]) => td === row)?.slice(2)
  const at = matrix.columns.indexOf(`${column}.${mode}`)
  return at < 0 ? 'n' : (cells?.[at] ?? 'n')
}

function own({ caller }: AccessRequest, document: DocumentFacts, facts: RecordFacts): boolean {
  const patients = document.depositedBy === 'patient' || document.depositedBy === 'representative'
  switch (caller.kind) {
    case 'professional':
      return patients ? facts.treatingPhysician : document.authorPersons.includes(caller.person?.id ?? '-')
    case 'staff':
    case 'structure':
      return (
        document.feedingStructure === (caller.structure?.id ?? '-') &&
        ['structure', 'staff'].includes(document.depositedBy)
      )
    default:
      return patients
  }
}

/** `permit`, or `rule code` of the first refusal. */
export function naive(request: AccessRequest, facts: RecordFacts | undefined, policy: Policy, wrong: Wrong): string {
  const { caller, operation, purpose, patient, declaration, target, change } = request
  const { kind } = caller
  const carer = carers.includes(kind)
  const holder = kind === 'patient' || kind === 'representative'
  const column = carer ? columnOf(request, facts) : undefined
  const cell = carer ? cellOf(request, column) : 'n'
  const is = (...operations: readonly string[]) => operations.includes(operation)
  const td3 = is(...consults, 'TD3.1b', ...changes)
  const professional = kind === 'professional'

  if (caller.proof === 'anonymous') return 'ID1 identity-missing'
  if (holder && caller.patient === undefined) return 'ID3 patient-mismatch'
  if (caller.patient !== undefined && patient !== undefined && patient !== caller.patient) return 'ID3 patient-mismatch'
  if (caller.patient !== undefined && target !== undefined && target.patient !== caller.patient)
    return 'ID3 patient-mismatch'
  const named = [patient, caller.patient, target?.patient]
  if (!policy.testPatients && named.some((key) => /^1\.2\.250\.1\.213\.1\.4\.1[01]\|/.test(key ?? '')))
    return 'ID4 test-patient'
  if (
    is(...inMatrix.filter((each) => each !== 'TD0.2' && each !== 'TD0.4'), ...acts, 'brain-death') &&
    facts === undefined
  )
    return 'ID2 dmp-unknown'
  const reachesClosed = is('TD0.2', 'TD0.4', 'reopen', 'copy', 'history', 'explain', 'destroy')
  if (facts?.status === 'closed' && !reachesClosed) return 'ID2 dmp-closed'

  if (carer && is(...inMatrix) && cell === 'n' && !(column === 'es_cert' && is(...changes) && !is('TD3.3c'))) {
    const someone = kind === 'staff' || (professional && column !== 'es_cert' && caller.person !== undefined)
    return is(...consults) && !someone ? 'FR1 nominative-identity-required' : 'FR1 not-permitted-for-role'
  }
  const outside = ['SA23', 'SA24', 'SA32', 'SA46', 'SA55'].includes(caller.sector ?? '')
  if (carer && outside && (td3 || is(...acts, 'TD0.4', 'TD1.6'))) return 'FR2 not-permitted-for-role'

  // A list of records is about no patient, and behind a certificate by date of authorisation only (note 3 of S526)
  if (carer && is('TD0.4') && caller.patient !== undefined) return 'LI1 patient-mismatch'
  if (carer && is('TD0.4') && column === 'es_cert' && request.by !== 'authorisation')
    return 'LI2 not-permitted-for-role'

  const blocked = facts !== undefined && (facts.blocked || facts.authorisation === 'INTERDIT')
  if (
    (professional || kind === 'staff') &&
    blocked &&
    (td3 || is('TD0.3.add', 'TD0.3.remove', 'TD1.6', ...acts, 'brain-death'))
  )
    return 'BL1 professional-blocked'
  if (professional && blocked && is(...feeds) && !policy.blockedMayFeed && column !== 'es_cert')
    return 'BL2 professional-blocked'
  const dead = facts?.brainDeath === true && policy.brainDeath === 'deny'
  if (carer && dead && (td3 || is(...feeds, 'TD0.3.add', 'choose', 'copy', 'rectify'))) return 'BD1 brain-death'
  if (carer && is('brain-death')) {
    const physician = professional && (column === 'medecin' || (column === 'mt' && caller.profession?.code === '10'))
    if (!physician) return 'BD2 not-permitted-for-role'
    if (change?.kind === 'brain-death' && change.value) {
      if (!request.reason?.trim()) return 'BD2 reason-required'
      if (!request.structureInvolved) return 'BD2 not-permitted-for-role'
    }
  }
  if (carer && td3 && purpose === 'bris_de_glace' && !(request.reason ?? caller.reason)?.trim())
    return 'EM1 reason-required'
  if (carer && td3 && purpose === 'bris_de_glace' && !facts?.choices.breakGlassPermitted)
    return 'EM2 emergency-refused-by-patient'
  if (carer && td3 && purpose === 'centre_15' && !facts?.choices.regulationPermitted)
    return 'EM2 emergency-refused-by-patient'
  const regulates = caller.regulation || policy.regulationCentres.includes(caller.structure?.id ?? '-')
  if (carer && td3 && purpose === 'centre_15' && !regulates) return 'EM3 not-a-regulation-centre'

  if (professional && purpose === 'normal' && is(...consults, 'copy') && facts?.choices.consultationOpposed)
    return 'CO1 consultation-opposed'
  if ((professional || kind === 'staff') && purpose === 'normal' && is(...consults, 'TD0.3.add')) {
    const stands = policy.authorisationSuffices && facts?.authorisation === 'VALIDE' && !is('TD0.3.add')
    const { basis, informed, episode, means } = declaration
    const told = informed === true && means !== 'poster'
    if (!stands && basis === undefined) return 'CO3 consent-missing'
    if (!stands && basis === 'explicit' && means === 'poster') return 'CO3 consent-missing'
    if (!stands && basis === 'care-team') {
      if (told && episode === undefined) return 'CO3 consent-missing'
      if (!told && !(episode !== undefined && facts?.informedEpisodes.includes(episode)))
        return 'CO3 patient-not-informed'
    }
  }
  if (professional && purpose === 'normal' && is(...consults) && policy.initialConsent)
    if (declaration.basis !== 'explicit' && !facts?.initialConsent) return 'CO4 initial-consent-missing'

  if (is(...feeds)) {
    if (carer && (declaration.opposition || facts?.choices.feedOpposed)) return 'FE1 feed-opposed'
    const told = declaration.informed === true && declaration.means !== 'poster'
    if (carer && !told && !facts?.informedOfFeeding) return 'FE2 patient-not-informed'
    if (policy.profile === 'ci-sis' && wrong.codes) return 'FE3 type-not-accepted'
    if (policy.profile === 'ci-sis') {
      if (wrong.confidentiality === 'not-shareable') return 'FE4 confidentiality-not-shareable'
      if (wrong.confidentiality === 'combination' && !policy.cumulativeMasking) return 'FE4 confidentiality-combination'
      if (wrong.confidentiality === 'minors' && facts?.minor !== true) return 'FE4 confidentiality-not-applicable'
    }
  }

  const mine = target !== undefined && facts !== undefined && own(request, target, facts)
  const patientsDocument = target?.depositedBy === 'patient' || target?.depositedBy === 'representative'
  if (is('TD3.3a.unmask') && (professional || kind === 'staff') && column !== 'es_cert' && cell !== 'y' && !mine)
    return 'UP2 not-the-author'
  if (is('TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b') && (carer || holder) && target && request.newConfidentiality) {
    const after = request.newConfidentiality
    const added = after.filter((code) => code.startsWith('INVISIBLE') && !target.confidentiality.includes(code))
    if (added.length > 0) return 'UP3 set-at-feeding'
    if (policy.profile === 'ci-sis') {
      if (after.includes('V')) return 'FE4 confidentiality-not-shareable'
      if (after.includes('MASQUE_PS') && after.includes('INVISIBLE_PATIENT') && !policy.cumulativeMasking)
        return 'FE4 confidentiality-combination'
    }
  }
  if (is('TD3.3c') && (carer || holder) && !mine) return 'UP4 not-the-author'
  if (is('TD3.3d') && (carer || holder) && column !== 'es_cert') {
    const open = cell === 'y' && !patientsDocument
    if (!mine && !(open && target !== undefined)) return 'UP5 not-the-author'
  }
  if (carer && column === 'es_cert' && is(...changes) && !is('TD3.3c')) return 'UP6 use-replacement'
  if (is('registry') && policy.profile === 'ci-sis') return 'UP7 not-a-dmp-operation'
  if (is('TD2.1b') && (carer || holder) && target !== undefined && !mine) return 'UP9 not-the-author'

  const local = kind === 'system' && caller.proof === 'local'
  if (
    kind === 'system' &&
    !(local && is('TD1.3a', 'TD1.6')) &&
    !is('TD0.2', 'open', 'choose', 'close', 'reopen', 'explain', 'destroy')
  )
    return 'SY1 not-permitted-for-role'
  if (carer && is(...acts) && !(column === 'mt' && purpose === 'normal')) return 'MT1 not-permitted-for-role'
  if (is('choose')) {
    const treating = change?.kind === 'designate' && change.role === 'treating'
    if (!local && treating !== (kind === 'system')) return 'CH1 not-permitted-for-role'
    const wantsMasked = change?.kind === 'choice' && change.choice === 'maskedInEmergencyPermitted' && change.value
    if (wantsMasked && !facts?.choices.breakGlassPermitted && !facts?.choices.regulationPermitted)
      return 'CH2 choice-contradictory'
  }
  if (is('history') && professional && (column === 'es_cert' || caller.person === undefined))
    return 'HI1 nominative-identity-required'
  if (holder && purpose !== 'normal') return 'PA1 not-permitted-for-role'
  if (holder && is(...feeds)) return 'PA1 not-permitted-for-role'
  const holds =
    is('TD0.2', 'TD1.3a', 'TD1.6', ...feeds, ...consults, 'TD3.1b', 'history', ...acts, ...changes) && !is('TD3.3b')
  if (kind === 'representative' && holds && facts?.minor !== true && !(is('TD0.2') && facts === undefined))
    return 'PA2 not-permitted-for-role'

  if (is('rectify')) {
    if (!request.reason?.trim()) return 'RC1 reason-required'
    if (patientsDocument) return 'RC1 not-permitted-for-role'
    const inForce = target === undefined || ['Approved', 'Archived'].includes(target.availabilityStatus)
    if (!inForce) return 'RC1 XDSRegistryDeprecatedDocumentError'
  }

  const opened = {
    professional: cell !== 'n' || is('history', ...acts, 'brain-death') || (is('registry') && policy.profile === 'ihe'),
    structure: cell !== 'n' || is('open') || (is('registry') && policy.profile === 'ihe'),
    staff: cell !== 'n',
    patient: holds,
    representative: holds,
    system: is('TD1.3a', 'TD1.6', 'TD0.2', 'open', 'choose', 'close', 'reopen', 'explain', 'destroy'),
    tester: false,
  }[kind]
  return opened ? 'permit' : 'DEFAULT not-permitted-for-role'
}
