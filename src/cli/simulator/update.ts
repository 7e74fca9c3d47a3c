/** TD3.3: ITI-57 as DMP-SERVICES §4.4 and §4.5 state it. */
import type { XmlElement } from '../../xml/tree.ts'
import { type Check, first, label, ns, of, slot } from './check.ts'
import { checkEntry, checkSubmissionSet } from './entry.ts'
import type { Asked } from './query.ts'

const hasMember = 'urn:oasis:names:tc:ebxml-regrep:AssociationType:HasMember'
const changeOfStatus = 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus'
const associationType = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association'
const entryUuid = /^urn:uuid:[0-9a-f-]{36}$/
const approved = 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'
const archived = 'urn:asip:ci-sis:2010:StatusType:Archived'
const deleted = 'urn:asip:ci-sis:2010:StatusType:Deleted'
/** §4.5. */
const transitions = new Set([
  `${approved} ${deleted}`,
  `${archived} ${deleted}`,
  `${approved} ${archived}`,
  `${archived} ${approved}`,
])
/** §4.4: all of the version in force comes back, these included. */
const ofTheRegistry = ['hash', 'size', 'repositoryUniqueId']

export function checkUpdate(body: XmlElement, check: Check): Asked {
  const objects = first(body, ns.rim, 'RegistryObjectList')?.children ?? []
  const more = { code: 'XDSMetadataUpdateError' }
  const sets = objects.filter(({ local }) => local === 'RegistryPackage')
  const setElement = check.one(sets, '§4.4 RegistryPackage', 'RegistryPackage', more)
  const set = setElement && checkSubmissionSet(setElement, check)
  const elements = objects.filter(({ local }) => local === 'ExtrinsicObject')
  const entries = elements.map((element) => {
    const id = of(element, 'id')
    const at = { ...more, location: id }
    check.that(entryUuid.test(of(element, 'lid')), '§4.4 lid', 'logicalId rendu par le registre', at)
    check.that(of(element, 'lid') !== id, '§4.4 id', 'un nouvel identifiant', at)
    check.that([approved, archived, ''].includes(of(element, 'status')), '§4.4 status', 'Approved', at)
    for (const name of ofTheRegistry)
      check.that(slot(element, name)?.length === 1, `§4.4 ${name}`, 'repris de la version en vigueur', at)
    check.that(!!label(element, 'Name'), '§4.4 Name', 'repris de la version en vigueur', at)
    return checkEntry(element, '§4.4', check)
  })
  const associations = objects.filter(({ local }) => local === 'Association')
  const members: string[] = []
  let deletions = 0
  for (const each of associations) {
    const at = { ...more, location: of(each, 'id') }
    const [type, source, target] = ['associationType', 'sourceObject', 'targetObject'].map((name) => of(each, name))
    check.that(of(each, 'objectType') === associationType, '§4.4 Association', 'objectType attendu', at)
    check.that(source === set?.id, '§4.4 Association', 'le lot pour source', at)
    if (type === hasMember) {
      members.push(target ?? '')
      check.that(slot(each, 'SubmissionSetStatus')?.join() === 'Original', '§4.4 SubmissionSetStatus', 'Original', at)
      check.that(
        /^[1-9]\d*$/.test(slot(each, 'PreviousVersion')?.join() ?? ''),
        '§4.4 PreviousVersion',
        'versionName actuel',
        at,
      )
    } else if (type === changeOfStatus) {
      check.that(entryUuid.test(target ?? ''), '§4.5 targetObject', 'entryUUID', at)
      const [from, to] = ['OriginalStatus', 'NewStatus'].map((name) => slot(each, name)?.join())
      check.that(transitions.has(`${from} ${to}`), '§4.5', 'changement de statut inconnu du DMP', at)
      if (to === deleted) deletions += 1
    } else check.that(false, '§4.4 Association', 'ni signs, ni RPLC, ni autre', at)
  }
  check.that(
    members.sort().join() ===
      entries
        .map(({ id }) => id)
        .sort()
        .join(),
    '§4.4 HasMember',
    'un par entrée',
    more,
  )
  const states = associations.length - members.length
  check.that(entries.length + states > 0, '§4.4', 'une nouvelle version ou un nouveau statut', more)
  check.that(entries.length === 0 || states === 0, '§4.4, §4.5', 'l’une ou l’autre', more)
  return {
    td: entries.length > 0 ? 'TD3.3a' : deletions === states ? 'TD3.3c' : 'TD3.3d',
    patients: [...(set ? [set] : []), ...entries].map(({ patient }) => patient),
  }
}
