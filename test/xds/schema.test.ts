import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ns } from '../../src/xds/namespaces.ts'
import { createSchemaCheck, withSchemaIssues } from '../../src/xds/schema/index.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { loadSchema } from '../../src/xml/schema.ts'
import { serialize } from '../../src/xml/serialize.ts'
import type { XmlElement } from '../../src/xml/tree.ts'
import { aSubmission } from '../mothers/metadata.ts'
import { provideAndRegister, submitObjects } from './support.ts'

const check = createSchemaCheck()
const violations = (xml: string) => check(parseXml(xml)).map(({ location }) => location)

const query = `<q:AdhocQueryRequest xmlns:q="${ns.query}" xmlns:rim="${ns.rim}"><q:ResponseOption returnComposedObjects="true" returnType="LeafClass"/><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList><rim:Value>('a','b')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></q:AdhocQueryRequest>`
const retrieve = `<x:RetrieveDocumentSetRequest xmlns:x="${ns.xdsb}"><x:DocumentRequest><x:RepositoryUniqueId>1.2.3</x:RepositoryUniqueId><x:DocumentUniqueId>1.2.3.4</x:DocumentUniqueId></x:DocumentRequest></x:RetrieveDocumentSetRequest>`
const remove = `<l:RemoveObjectsRequest xmlns:l="${ns.lcm}" xmlns:rim="${ns.rim}"><rim:ObjectRefList><rim:ObjectRef id="urn:uuid:0d8f0f5e-0000-4000-8000-00000000000a"/></rim:ObjectRefList></l:RemoveObjectsRequest>`

describe('the XML Schema of the requests', () => {
  const submission = aSubmission()
  const [entry] = submission.entries
  const id = entry?.entryUuid ?? ''
  const submit = submitObjects(submission)
  const provide = provideAndRegister(submit, [{ id, bytes: Buffer.from('bonjour') }])

  it('takes what the gateway itself writes', () => {
    for (const message of [submit, provide, query, retrieve, remove]) assert.deepEqual(violations(message), [])
  })

  it('says in which object what is wrong, and where', () => {
    const wrong = submit
      .replace('<rim:Slot name="creationTime">', '<rim:Slot>')
      .replace(/<rim:VersionInfo[^>]*\/>/, '$&<rim:VersionInfo versionName="2"/>')
    assert.deepEqual(violations(wrong), [`${id}/Slot`, `${id}/VersionInfo`])
  })

  it('says nothing of the values of a message', () => {
    const wrong = submit.replace('lid="', 'isOpaque="secret" lid="')
    const [issue] = check(parseXml(wrong))
    assert.match(issue?.detail ?? '', /isOpaque/)
    assert.doesNotMatch(issue?.detail ?? '', /secret/)
  })

  it('stays silent about what the door has said itself', () => {
    const own = [{ code: 'XDSRegistryMetadataError', rule: 'C1', location: 'Document01/author' }] as const
    const found = (location: string) => ({ code: 'XDSRegistryMetadataError', rule: 'XSD', location }) as const
    const schema = [found('Document01/Classification'), found('Document02/Slot'), found('SubmitObjectsRequest')]
    assert.deepEqual(
      withSchemaIssues(own, schema).map(({ location }) => location),
      ['Document01/author', 'Document02/Slot'],
    )
    assert.deepEqual(withSchemaIssues([], schema), schema)
  })
})

describe('our XML Schema and the published ones', () => {
  const shared = path.resolve(import.meta.dirname, '..', '..', '..', 'shared')
  const published = path.join(shared, 'schemas', 'schema')
  const kit = path.join(shared, 'conformance', 'xds-replay', 'data')

  before(function () {
    if (!existsSync(published)) {
      console.log(`    skipped: ${published} is not there`)
      this.skip()
    }
  })

  /** A validator of the published schemas; a driver imports what a request can be. */
  function reference(): (xml: string) => boolean {
    const files = Object.fromEntries(
      readdirSync(published, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.xsd'))
        .map((name) => [name.replaceAll('\\', '/'), readFileSync(path.join(published, name))]),
    )
    const driver = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:import namespace="${ns.xdsb}" schemaLocation="IHE/IHEXDSB.xsd"/><xs:import namespace="${ns.query}" schemaLocation="ebRS30/query.xsd"/></xs:schema>`
    const schema = loadSchema({ ...files, 'driver.xsd': Buffer.from(driver) }, 'driver.xsd')
    return (xml) => schema.validate(xml).length === 0
  }

  const requests = new Set([
    'SubmitObjectsRequest',
    'RemoveObjectsRequest',
    'AdhocQueryRequest',
    'ProvideAndRegisterDocumentSetRequest',
    'RetrieveDocumentSetRequest',
  ])
  function messages(): readonly (readonly [string, XmlElement])[] {
    const folders = [path.join(shared, 'samples', 'xds'), kit].filter((folder) => existsSync(folder))
    return folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.xml'))
        .flatMap((name) => {
          const root = tryParse(readFileSync(path.join(folder, name)))
          const request = root && find(root)
          return request ? [[name, request] as const] : []
        }),
    )
  }
  function find(element: XmlElement): XmlElement | undefined {
    if (requests.has(element.local)) return element
    for (const each of element.children) {
      const found = find(each)
      if (found) return found
    }
    return undefined
  }

  it('agree on every published message', () => {
    const isValid = reference()
    const all = messages()
    assert.ok(all.length > 10)
    for (const [name, request] of all)
      assert.equal(
        check(request).length === 0,
        isValid(serialize(request).xml),
        `${name} ${JSON.stringify(check(request)[0])}`,
      )
  })

  it('agree on messages with one thing changed', function () {
    this.timeout(60_000)
    const isValid = reference()
    const submission = submitObjects(aSubmission())
    for (const message of [submission, query, retrieve, remove].map((xml) => parseXml(xml)))
      for (const [what, changed] of changes(message)) {
        const [ours, theirs] = [check(changed).length === 0, isValid(serialize(changed).xml)]
        assert.equal(ours, theirs, `${message.local}, ${what}: ours says ${ours}, theirs ${theirs}`)
      }
  })
})

function tryParse(bytes: Buffer): XmlElement | undefined {
  try {
    return parseXml(bytes)
  } catch {
    return undefined
  }
}

/** Every way of leaving out an attribute or an element, doubling or swapping elements, and adding what is unknown. */
function* changes(root: XmlElement): Generator<readonly [string, XmlElement]> {
  for (const where of places(root)) {
    const element = at(root, where)
    const here = `${element.local} ${where.join('.')}`
    for (const { local } of element.attributes)
      yield [
        `${here} without ${local}`,
        replace(root, where, { ...element, attributes: element.attributes.filter((each) => each.local !== local) }),
      ]
    yield [
      `${here} with an attribute`,
      replace(root, where, {
        ...element,
        attributes: [...element.attributes, { ns: '', local: 'unknown', value: 'x' }],
      }),
    ]
    yield [
      `${here} with an element`,
      replace(root, where, {
        ...element,
        children: [...element.children, { ...element, children: [], local: 'Unknown' }],
      }),
    ]
    for (const [index, child] of element.children.entries()) {
      const others = element.children.filter((_, position) => position !== index)
      yield [`${here} without ${child.local}`, replace(root, where, { ...element, children: others })]
      yield [`${here} with ${child.local} last`, replace(root, where, { ...element, children: [...others, child] })]
      yield [
        `${here} with ${child.local} twice`,
        replace(root, where, {
          ...element,
          children: [...element.children.slice(0, index), child, ...element.children.slice(index)],
        }),
      ]
    }
  }
}

/** The root and a few elements below it: the first of each name at each place. */
function places(element: XmlElement, above: readonly number[] = []): readonly (readonly number[])[] {
  const names = new Set<string>()
  const below = element.children.flatMap((child, index) => {
    if (names.has(child.local)) return []
    names.add(child.local)
    return places(child, [...above, index])
  })
  return [above, ...below]
}

function at(root: XmlElement, [index, ...rest]: readonly number[]): XmlElement {
  if (index === undefined) return root
  return at(root.children[index] ?? assert.fail('no such place'), rest)
}

function replace(root: XmlElement, [index, ...rest]: readonly number[], element: XmlElement): XmlElement {
  if (index === undefined) return element
  return {
    ...root,
    children: root.children.map((child, position) => (position === index ? replace(child, rest, element) : child)),
  }
}
