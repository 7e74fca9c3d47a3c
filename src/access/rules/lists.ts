/** TD0.4, the list of the records that somebody is authorised to consult: LI1, LI2. It is about no patient. */
import { carers, type Rule, refusal } from '../rule.ts'

const boundToOne = refusal(
  'LI1',
  'patient-mismatch',
  'The list of authorised records is about no single patient: present an identity that is bound to none.',
)
const byAuthorisation = refusal(
  'LI2',
  'not-permitted-for-role',
  'Behind the certificate of a structure the list goes by the date of authorisation: send by=authorisation.',
)

export const listRules: readonly Rule[] = [
  {
    id: 'LI1',
    says: 'an identity that is bound to one patient does not list the records of others',
    source: 'design',
    operations: ['TD0.4'],
    kinds: carers,
    needs: 'request',
    uses: ['token.patient'],
    refuse: ({ request: { caller } }) => (caller.patient === undefined ? undefined : boundToOne),
  },
  {
    id: 'LI2',
    says: 'the certificate of a structure lists by the date of authorisation only',
    source: 'PDT-INF-526 note 3',
    operations: ['TD0.4'],
    kinds: carers,
    needs: 'request',
    uses: ['kind', 'authentication', 'by'],
    refuse: ({ request: { by }, column }) =>
      column === 'es_cert' && by !== 'authorisation' ? byAuthorisation : undefined,
  },
]
