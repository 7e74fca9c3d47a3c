/** openapi.yaml as the tests read it: operations with their references followed, and requests made from its examples. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'

export interface Example {
  readonly value: unknown
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly examples?: Readonly<Record<string, Example>>
}

interface Content {
  readonly examples?: Readonly<Record<string, Example>>
}

interface Answer {
  readonly content?: Readonly<Record<string, Content>>
}

export interface Operation {
  readonly path: string
  readonly method: string
  readonly operationId: string
  readonly parameters: readonly Parameter[]
  readonly open: boolean
  readonly body: Readonly<Record<string, Content>>
  readonly responses: Readonly<Record<string, Answer>>
}

type Tree = Readonly<Record<string, unknown>>

const file = new URL('../../openapi.yaml', import.meta.url)
const description: Tree = parse(readFileSync(file, 'utf8'))

export const descriptionFile = file

/** References are followed wherever they stand. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved)
  if (typeof value !== 'object' || value === null) return value
  const tree = value as Tree
  if (typeof tree.$ref === 'string') {
    let node: unknown = description
    for (const part of tree.$ref.slice(2).split('/')) node = (node as Tree)[part]
    if (node === undefined) throw new RangeError(`openapi.yaml has no ${tree.$ref}`)
    return resolved(node)
  }
  return Object.fromEntries(Object.entries(tree).map(([key, each]) => [key, resolved(each)]))
}

const methods = new Set(['get', 'post', 'put', 'patch', 'delete'])

export const operations: readonly Operation[] = Object.entries(resolved(description.paths) as Tree).flatMap(
  ([path, item]) => {
    const { parameters: shared = [], ...others } = item as Tree & { readonly parameters?: readonly Parameter[] }
    return Object.entries(others).flatMap(([method, each]) => {
      if (!methods.has(method)) return []
      const operation = each as Tree & Pick<Operation, 'operationId' | 'responses'>
      const own = (operation.parameters ?? []) as readonly Parameter[]
      return {
        path,
        method,
        operationId: operation.operationId,
        parameters: [...shared, ...own],
        open: Array.isArray(operation.security) && operation.security.length === 0,
        body: ((operation.requestBody as Tree | undefined)?.content ?? {}) as Operation['body'],
        responses: operation.responses,
      }
    })
  },
)

/** `POST /fhir/DocumentReference/{id}`, for comparisons. */
export function signature(method: string, path: string): string {
  return `${method.toUpperCase()} ${path}`
}

export interface Choices {
  /** Values of path parameters. */
  readonly path?: Readonly<Record<string, string>>
  /** Query parameters in place of the examples. */
  readonly query?: Readonly<Record<string, string>>
  /** Names of the examples to take, by header. */
  readonly headers?: Readonly<Record<string, string>>
  /** Name of the example of the body; the first otherwise. */
  readonly example?: string
}

export interface Request {
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** A request made of the examples of the description alone. */
export function requestOf({ path, parameters, body }: Operation, choices: Choices = {}): Request {
  const target = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = choices.path?.[name]
    if (value === undefined) throw new RangeError(`${path} needs a value for ${name}`)
    return encodeURIComponent(value)
  })
  const query = new URLSearchParams()
  const headers: Record<string, string> = {}
  for (const parameter of parameters) {
    const named = choices.headers?.[parameter.name]
    const [first] = Object.values(parameter.examples ?? {})
    if (parameter.in === 'header' && named !== undefined)
      headers[parameter.name] = String(parameter.examples?.[named]?.value)
    const value = choices.query?.[parameter.name] ?? first?.value
    if (parameter.in === 'query' && value !== undefined) query.append(parameter.name, String(value))
  }
  const all = Object.entries(body).flatMap(([type, content]) =>
    Object.entries(content.examples ?? {}).map(([name, { value }]) => ({ type, name, value })),
  )
  const example = choices.example === undefined ? all[0] : all.find(({ name }) => name === choices.example)
  return {
    // A parameter without a value is its name alone: `?wsdl`
    target: query.size > 0 ? `${target}?${query.toString().replace(/=(?=&|$)/g, '')}` : target,
    headers: { ...headers, ...(example && { 'Content-Type': example.type }) },
    ...(example && { body: written(example.type, example.value) }),
  }
}

function written(type: string, value: unknown): string {
  if (typeof value === 'string') return value
  return type === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(value as Record<string, string>).toString()
    : JSON.stringify(value)
}
