/**
 * One ebRIM object (ExtrinsicObject, RegistryPackage, Association) taken apart by its profile: slots, codes, authors,
 * identifiers. Whatever breaks a rule of ebRIM or of ITI TF-3 4.2.1 is reported with its place and left out.
 */

import type { Issue } from '../../errors.ts'
import { parseXcn, parseXon, parseXtn } from '../../metadata/hl7.ts'
import { isEntryUuid } from '../../metadata/identifiers.ts'
import type { Author, Code, Slot } from '../../metadata/model.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
import { ns } from '../namespaces.ts'
import { authorSlots, childOrder, type ObjectProfile } from './codes.ts'

/** Ids of the whole message: each one once, children included (ITI TF-3 4.2.1.1; rule C4). */
export type SeenIds = Set<string>

/** An empty value of these is a fault of its own (ITI TF-3 4.2.3.2.27, 4.2.3.3.7); of others it is like none. */
const notEmpty: ReadonlySet<string> = new Set(['URI', 'intendedRecipient'])

export class ObjectReader {
  readonly id: string
  readonly title: string | undefined
  readonly comments: string | undefined
  readonly authors: readonly Author[]
  readonly extra: readonly Slot[]
  readonly #profile: ObjectProfile
  readonly #issues: Issue[]
  readonly #slots: ReadonlyMap<string, readonly string[]>
  readonly #codes = new Map<string, Code[]>()
  readonly #identifiers = new Map<string, string>()
  readonly #nodes: Set<string>

  /** `outside`: classificationNodes given by Classifications that stand beside the object. */
  constructor(
    element: XmlElement,
    profile: ObjectProfile,
    context: { readonly issues: Issue[]; readonly ids: SeenIds; readonly outside?: ReadonlySet<string> },
  ) {
    this.#profile = profile
    this.#issues = context.issues
    this.id = attribute(element, 'id') ?? ''
    this.#nodes = new Set(context.outside)
    this.#checkChildren(element)
    this.#slots = this.#readSlots(element, '', profile.slots)
    this.title = this.#localized(element, 'Name', 'title')
    this.comments = this.#localized(element, 'Description', 'comments')
    this.extra = [...this.#slots].flatMap(([name, values]) => (name in profile.slots ? [] : [{ name, values }]))
    this.authors = this.#readClassifications(element, context.ids)
    this.#readIdentifiers(element, context.ids)
  }

  report(rule: string, where: string, detail: string, code: Issue['code'] = 'XDSRegistryMetadataError'): void {
    this.#issues.push({ code, rule, location: where === '' ? this.id : `${this.id}/${where}`, detail })
  }

  /** All values of a slot, as received. */
  values(name: string): readonly string[] {
    return this.#slots.get(name) ?? []
  }

  /** The value of a single-valued slot without the space around it; undefined when absent or empty. */
  value(name: string): string | undefined {
    return this.values(name)[0]?.trim() || undefined
  }

  /** A slot value through a conversion that throws RangeError: what does not convert is reported and left out. */
  convert<Result>(name: string, rule: string, conversion: (value: string) => Result): Result | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    try {
      return conversion(value)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.report(rule, name, error.message)
      return undefined
    }
  }

  codes(name: string): readonly Code[] {
    return this.#codes.get(name) ?? []
  }

  code(name: string): Code | undefined {
    return this.codes(name)[0]
  }

  identifier(name: string): string | undefined {
    return this.#identifiers.get(name)
  }

  /** An identifier the object cannot do without: reported when absent. */
  requiredIdentifier(name: string): string {
    const value = this.identifier(name)
    if (value === undefined) this.report('C9', name, `ExternalIdentifier ${name} is missing: send it.`)
    return value ?? ''
  }

  hasNode(node: string): boolean {
    return this.#nodes.has(node)
  }

  #checkChildren(element: XmlElement): void {
    let position = 0
    for (const each of element.children) {
      const at = each.ns === ns.rim ? childOrder.indexOf(each.local) : -1
      if (at === -1) this.report('R8', '', `<${each.local}> does not belong into an XDS ${this.#profile.kind}.`)
      else if (at < position)
        this.report('R8', '', `<${each.local}> stands too late: the order is ${childOrder.join(', ')}.`)
      else position = at
    }
  }

  #readSlots(
    element: XmlElement,
    where: string,
    known: Readonly<Record<string, 'one' | 'many'>>,
  ): ReadonlyMap<string, readonly string[]> {
    const slots = new Map<string, readonly string[]>()
    for (const slot of children(element, ns.rim, 'Slot')) {
      const name = attribute(slot, 'name') ?? ''
      const at = where + name
      const list = child(slot, ns.rim, 'ValueList')
      const values = list ? children(list, ns.rim, 'Value').map(({ text }) => text) : []
      if (name === '') this.report('C5', where, 'A Slot has no name.')
      else if (slots.has(name)) this.report('C5', at, `Slot ${name} appears twice: send one Slot with all its values.`)
      else if (!Object.hasOwn(known, name) && (where !== '' || !name.startsWith('urn:')))
        this.report('C5', at, `Slot ${name} is not known here: names of extra slots begin with urn:`)
      else {
        if (known[name] === 'one' && values.length > 1)
          this.report('C5', at, `Slot ${name} has ${values.length} values: it takes one.`)
        if (notEmpty.has(name) && values.some((value) => value.trim() === ''))
          this.report('C5', at, `A value of Slot ${name} is empty: send a value, or no Slot.`)
        slots.set(name, known[name] === undefined ? values : values.filter((value) => value.trim() !== ''))
      }
    }
    return slots
  }

  #localized(element: XmlElement, local: 'Name' | 'Description', where: string): string | undefined {
    const holder = child(element, ns.rim, local)
    if (holder === undefined) return undefined
    for (const string of children(holder, ns.rim, 'LocalizedString')) {
      const charset = attribute(string, 'charset') ?? 'UTF-8'
      if (!/^utf-?8$/i.test(charset))
        this.report('D7', where, `charset of ${where} is ${charset}: only UTF-8 is allowed.`)
      const value = attribute(string, 'value')
      if (value) return value
    }
    return undefined
  }

  #readClassifications(element: XmlElement, ids: SeenIds): readonly Author[] {
    const authors: Author[] = []
    for (const classification of children(element, ns.rim, 'Classification')) {
      const scheme = attribute(classification, 'classificationScheme')
      const node = attribute(classification, 'classificationNode') ?? scheme ?? ''
      const coded = scheme === undefined ? undefined : this.#profile.codes.get(scheme)
      if (scheme !== undefined && scheme === this.#profile.author) {
        this.#checkChild(classification, 'classifiedObject', 'author', ids)
        authors.push(this.#author(classification, `author[${authors.length}]/`))
      } else if (coded !== undefined) {
        this.#checkChild(classification, 'classifiedObject', coded.attribute, ids)
        this.#code(classification, coded.attribute, coded.repeats)
      } else if (this.#profile.nodes.has(node)) {
        this.#checkChild(classification, 'classifiedObject', 'classificationNode', ids)
        this.#nodes.add(node)
      } else this.report('C6', 'Classification', `classificationScheme ${node} is not one of ${this.#profile.kind}.`)
    }
    return authors
  }

  #checkChild(element: XmlElement, parent: 'classifiedObject' | 'registryObject', where: string, ids: SeenIds): void {
    checkId(element, ids, (rule, detail) => this.report(rule, where, detail))
    const owner = attribute(element, parent)
    if (owner !== this.id)
      this.report('C7', where, `${parent} is ${owner ?? 'absent'}: it must be the id of the object it stands in.`)
  }

  #code(element: XmlElement, name: string, repeats: boolean): void {
    const code = attribute(element, 'nodeRepresentation') ?? ''
    const systems = this.#readSlots(element, `${name}/`, { codingScheme: 'one' }).get('codingScheme') ?? []
    const [system] = systems
    const display = this.#localized(element, 'Name', name)
    if (code === '') this.report('C7', name, `${name} has no nodeRepresentation: send the code there.`)
    if (system === undefined) this.report('C7', name, `${name} has no Slot codingScheme: send the code system there.`)
    if (display === undefined) this.report('C7', name, `${name} has no Name: send the display name of the code there.`)
    const list = this.#codes.get(name)
    if (list && !repeats) this.report('C6', name, `${name} appears more than once.`)
    if (code === '' || system === undefined) return
    const read: Code = { code, system: system.trim(), ...defined({ display }) }
    if (list) list.push(read)
    else this.#codes.set(name, [read])
  }

  #author(element: XmlElement, where: string): Author {
    if (attribute(element, 'nodeRepresentation'))
      this.report('C8', where, 'nodeRepresentation of an author must be empty.')
    const slots = this.#readSlots(element, where, authorSlots)
    const all = (name: string) => slots.get(name) ?? []
    const [person] = all('authorPerson')
    return {
      ...defined({ person: person === undefined ? undefined : parseXcn(person) }),
      institutions: all('authorInstitution').map(parseXon),
      roles: all('authorRole'),
      specialties: all('authorSpecialty'),
      telecoms: all('authorTelecommunication').map(parseXtn),
    }
  }

  #readIdentifiers(element: XmlElement, ids: SeenIds): void {
    for (const external of children(element, ns.rim, 'ExternalIdentifier')) {
      const scheme = attribute(external, 'identificationScheme') ?? ''
      const name = this.#profile.identifiers.get(scheme)
      if (name === undefined) {
        this.report('C9', 'ExternalIdentifier', `identificationScheme ${scheme} is not one of ${this.#profile.kind}.`)
        continue
      }
      this.#checkChild(external, 'registryObject', name, ids)
      const value = attribute(external, 'value')?.trim()
      if (this.#localized(external, 'Name', name) === undefined)
        this.report('C9', name, `ExternalIdentifier ${name} has no Name: send ${this.#profile.prefix}.${name}.`)
      if (!value) this.report('C9', name, `${name} has no value.`)
      else if (this.#identifiers.has(name)) this.report('C9', name, `${name} appears more than once.`)
      else this.#identifiers.set(name, value)
    }
  }
}

/** Rules C1 and C4: an id is there, is a lower-case UUID when it is one at all, and is used once in the message. */
export function checkId(element: XmlElement, ids: SeenIds, report: (rule: string, detail: string) => void): void {
  const id = attribute(element, 'id') ?? ''
  if (id === '') report('C1', `<${element.local}> has no id.`)
  else if (/^urn:uuid:/i.test(id) && !isEntryUuid(id))
    report('C1', `id ${id.slice(0, 80)} is no urn:uuid: followed by a lower-case UUID.`)
  else if (ids.has(id)) report('C4', `id ${id.slice(0, 80)} is used twice in the message.`)
  ids.add(id)
}
