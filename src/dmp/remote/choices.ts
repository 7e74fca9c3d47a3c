/** What a patient chose: the DMP keeps its own; the gateway keeps what a professional declared here, which the DMP does not know. */
import { GatewayError } from '../../errors.ts'
import type { Choices, StoredChange } from '../../operations/ports.ts'

/** Declared where care is given, and kept there (P4D td02, NB2): opposition to consultation or feeding, consent, brain death. */
function isOurs(change: StoredChange): boolean {
  if (change.kind === 'brain-death') return true
  const declared = ['consultationOpposed', 'feedOpposed', 'initialConsent']
  return change.kind === 'choice' && declared.includes(change.choice)
}

/** @param store the gateway's own */
export function localChoices(store: Choices): Choices {
  return {
    ...store,
    apply(patient, changes, record) {
      if (changes.every(isOurs)) return store.apply(patient, changes, record)
      return Promise.reject(
        new GatewayError('not-a-dmp-operation', {
          detail: 'The patient settles this in Mon espace santé: the DMP takes it from nobody else.',
        }),
      )
    },
  }
}
