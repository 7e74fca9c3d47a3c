/** Parameters of a FHIR operation: each once, of the type asked for; one that is not known is refused. */
import type { IncomingMessage } from 'node:http'
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { readResource } from './body.ts'
import type { Exchange } from './parts.ts'

export type ParameterMap = ReadonlyMap<string, readonly ParametersParameter[]>

/**
 * The Parameters of the body by name; none where there is no body. Throws GatewayError for what is not in `known`.
 * @param main the parameter that an operation is about: one of another name, if there is just one, is taken for it
 */
export async function readParameters(
  { request, parts }: Exchange,
  known: readonly string[],
  main?: string,
): Promise<ParameterMap> {
  if (isEmpty(request)) return new Map()
  const body = await readResource(request, parts)
  try {
    const { resource } = body
    if (!isParameters(resource))
      throw new GatewayError({ code: 'malformed', location: resource.resourceType, detail: 'Send Parameters.' })
    const given = resource.parameter ?? []
    const [strange, ...others] = given.filter(({ name }) => !known.includes(name))
    const isMain = main !== undefined && others.length === 0 && !given.some(({ name }) => name === main)
    const found = Map.groupBy(given, (each) => (isMain && each === strange ? main : each.name))
    for (const name of found.keys())
      if (!known.includes(name))
        throw wrong(
          /^[\w-]{1,40}$/.test(name) ? name : '…',
          `is not a parameter here. Known: ${known.join(', ') || 'none'}.`,
        )
    return found
  } finally {
    await body.dispose()
  }
}

function isEmpty({ headers }: IncomingMessage): boolean {
  return (
    headers['content-length'] === '0' ||
    (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
  )
}

function isParameters(resource: { readonly resourceType: string }): resource is Parameters {
  return resource.resourceType === 'Parameters'
}

/** Throws GatewayError `profile-violation`. */
export function flagOf(parameters: ParameterMap, name: string): boolean | undefined {
  const parameter = once(parameters, name)
  if (parameter === undefined) return undefined
  if (parameter.valueBoolean === undefined) throw wrong(name, 'is a yes or no: send valueBoolean.')
  return parameter.valueBoolean
}

/** The text of a string, code, token or URI; the value of an identifier. Throws GatewayError `profile-violation`. */
export function textOf(parameters: ParameterMap, name: string): string | undefined {
  const parameter = once(parameters, name)
  return parameter === undefined ? undefined : asText(parameter)
}

export function textsOf(parameters: ParameterMap, name: string): readonly string[] {
  return (parameters.get(name) ?? []).map(asText)
}

const longest = 1000

function asText(parameter: ParametersParameter): string {
  const { name, valueString, valueCode, valueIdentifier, valueReference, valueUri, valueCoding } = parameter
  const text =
    valueString ??
    valueCode ??
    valueUri ??
    valueCoding?.code ??
    valueIdentifier?.value ??
    valueReference?.identifier?.value
  if (text === undefined || text.trim() === '')
    throw wrong(name, 'is a text: send valueString, valueCode or valueIdentifier.')
  if (text.length > longest || /\p{Cc}/u.test(text))
    throw wrong(name, `is up to ${longest} characters, none of them a control character.`)
  return text
}

function once(parameters: ParameterMap, name: string): ParametersParameter | undefined {
  const [parameter, ...others] = parameters.get(name) ?? []
  if (others.length > 0) throw wrong(name, 'is there several times: send it once.')
  return parameter
}

export function wrong(name: string, what: string): GatewayError {
  return new GatewayError({ code: 'profile-violation', location: 'Parameters.parameter', detail: `${name} ${what}` })
}
