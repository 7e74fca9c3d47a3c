/** The words of a patient's choice as a Consent (FHIR R4; INTERFACE, Patient's choices). */
import type { ChoiceName } from '../access/types.ts'

export const systems = {
  scope: 'http://terminology.hl7.org/CodeSystem/consentscope',
  loinc: 'http://loinc.org',
  reason: 'http://terminology.hl7.org/CodeSystem/v3-ActReason',
  participation: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType',
  action: 'http://terminology.hl7.org/CodeSystem/consentaction',
} as const

/** LOINC: consent. */
export const category = '59284-0'
export const scope = 'patient-privacy'
/** Information recipient: the professional that a choice is about. */
export const recipient = 'IRCP'

/** What a provision without an actor is about. */
export interface ChoiceShape {
  /** The last part of the Consent's id. */
  readonly key: string
  readonly choice: ChoiceName
  /** Value of the choice where the provision says `permit`; `deny` is the other. */
  readonly permits: boolean
  readonly purpose?: 'BTG' | 'ETREAT' | 'TREAT'
  readonly action?: 'access' | 'collect'
  readonly masked?: true
}

export const shapes: readonly ChoiceShape[] = [
  { key: 'break-glass', choice: 'breakGlassPermitted', permits: true, purpose: 'BTG' },
  { key: 'regulation', choice: 'regulationPermitted', permits: true, purpose: 'ETREAT' },
  { key: 'masked-in-emergency', choice: 'maskedInEmergencyPermitted', permits: true, purpose: 'BTG', masked: true },
  { key: 'consultation', choice: 'consultationOpposed', permits: false, action: 'access' },
  { key: 'feeding', choice: 'feedOpposed', permits: false, action: 'collect' },
  // New documents visible to professionals, or masked to them: the same as $mask-by-default.
  { key: 'mask-by-default', choice: 'maskByDefault', permits: false, action: 'collect', masked: true },
  { key: 'initial-consent', choice: 'initialConsent', permits: true, purpose: 'TREAT' },
]
