/**
 * The rules that are no refusal of the guard: what opens an operation, what the filter shows, what follows from a permission.
 * The refusals are `rules` in decide.ts; together they are docs/access-rules.md.
 */
export interface Statement {
  readonly id: string
  readonly says: string
  readonly source: string
}

/** What permits where no rule refuses (permission.ts). */
export const permissions: readonly Statement[] = [
  {
    id: 'FRM',
    says: 'a professional, staff or a structure does what a cell of the functional-rights matrix opens; its notes narrow it to own documents (6, 8, 9) or to the patient’s permission (7)',
    source: 'PDT-INF-526, PDT-INF-606',
  },
  {
    id: 'AD1',
    says: 'staff read the administrative part (TD0.2, TD1.3a) and feed; they read no document and no list of documents',
    source: 'SEED0, SEED3 Q11',
  },
  {
    id: 'PA1',
    says: 'the patient reads the own record, feeds own documents, masks, unmasks, deletes and archives, makes every choice, closes and reopens, reads the history, obtains a copy and asks authors for rectification',
    source: 'SEED0, SEED2, SEED3 Q8, Q9',
  },
  { id: 'PA2', says: 'the representative does the same for a minor', source: 'SEED3 Q14' },
  {
    id: 'MT1',
    says: 'the treating or administrator physician does the patient’s acts at the patient’s request, traced as such, and reads the whole history',
    source: 'SEED0, SEED3 Q6, Q10',
  },
  {
    id: 'UP1',
    says: 'any professional masks a document at the patient’s request, in the normal mode',
    source: 'PDT-INF-526',
  },
  {
    id: 'HI1',
    says: 'a named professional reads the history of own actions, and what patients ask to be rectified in own documents',
    source: 'SEED1, SEED3 Q9; PDT-INF-527 2.6',
  },
  { id: 'BD2', says: 'a physician declares and clears brain death', source: 'SEED1; design' },
  {
    id: 'SY1',
    says: 'the administrator opens, closes, reopens and destroys records, sets the treating physician and explains decisions; on the command line, the patient’s choices at the patient’s request',
    source: 'SEED3 Q13, Q16; design',
  },
  { id: 'OPEN', says: 'a structure opens a record and updates its demographics', source: 'SEED3 Q3, Q5; ITI-104' },
  { id: 'IHE', says: 'in conformance mode the tester does everything', source: 'design' },
  { id: 'DEFAULT', says: 'what no rule opens is refused', source: 'design' },
]

/** What the filter shows of a record that may be read (filter.ts, operations/view.ts, operations/complete.ts). */
export const filterRules: readonly Statement[] = [
  {
    id: 'DF0',
    says: 'staff and structures find the references of what their structure fed, masked or not, and nothing else; an author finds own documents by reference whatever their type',
    source: 'PDT-INF-526 notes 5, 8, 9',
  },
  {
    id: 'DF1',
    says: 'a professional sees the types that the habilitation matrix opens to the profession; a profession or a type that it does not know sees nothing',
    source: 'SEED0, SEED1; arrêté of 26 October 2023',
  },
  {
    id: 'DF2',
    says: 'a document masked to professionals is seen by its author, the treating or administrator physician in the normal mode, and the patient; in emergency by whom the matrix lets, if the patient permits it',
    source: 'SEED0, SEED3 Q5, Q10; PDT-INF-526 notes 6, 7',
  },
  {
    id: 'DF3',
    says: 'a document hidden from the patient becomes visible by itself one month after its deposit; the patient is told of it after two weeks',
    source: 'SEED0; R.1111-53 CSP',
  },
  {
    id: 'DF4',
    says: 'a document hidden from the representatives is seen by professionals and the minor',
    source: 'R.1111-50 CSP',
  },
  {
    id: 'DF5',
    says: 'current documents are Approved; Deprecated, Archived and Deleted ones are given where they are asked for and the matrix opens them',
    source: 'PDT-INF-526; PDSm',
  },
  {
    id: 'DF6',
    says: 'counts, totals, paging, ETags, errors, the own history and notices tell nothing of a hidden document: it is answered as an absent one',
    source: 'design',
  },
  {
    id: 'DF7',
    says: 'where the patient masks new documents by default, what is fed as plain N is stored masked, and the receipt says so',
    source: 'Mon espace santé',
  },
  {
    id: 'DF8',
    says: 'a link between documents is given where both ends may be seen; a lot or folder left without a visible document is absent',
    source: 'design',
  },
]

/** What is done beside the answer (permission.ts, operations/effects.ts, operations/update.ts). */
export const consequences: readonly Statement[] = [
  {
    id: 'FE5',
    says: 'a type that its author could not read back is fed, with a warning',
    source: 'DMP-FACTS 5.2',
  },
  {
    id: 'UP8',
    says: 'after feeding only the confidentiality codes and the status change; any other difference is refused by name',
    source: 'PDSm st_maj',
  },
  {
    id: 'TR1',
    says: 'every access, permitted or refused, is on durable record before the answer leaves',
    source: 'SEED1, SEED3 Q9, Q11',
  },
  {
    id: 'NO1',
    says: 'the patient is told of a first consultation, of emergency access (the treating physician too), of feeding and of changes of visibility; the author, of what the patient asks to be rectified',
    source: 'SEED1, SEED3 Q9; R.1111-48 CSP',
  },
  {
    id: 'AU1',
    says: 'an authorisation (TD0.3) is recorded only with a declared consent, and ends where it has an end',
    source: 'SEED3 Q6; DMP-FACTS 6.1',
  },
]
