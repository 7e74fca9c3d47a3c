/** What the DMP declares that it can do (CapabilityStatement), and what the gateway cannot do without. */
import { CapabilityTool } from 'fhir-kit-client'
import { GatewayError } from '../../errors.ts'
import { asCapabilities } from './answers.ts'
import type { FhirDmpOptions } from './options.ts'
import type { Wire } from './wire.ts'

type Interaction = 'read' | 'search-type' | 'create' | 'patch' | 'history-instance'

export interface Declared {
  can(type: string, interaction: Interaction): boolean
  /** A search parameter is known; also where the DMP declares none at all, which says nothing. */
  searches(type: string, parameter: string): boolean
}

export interface Capabilities {
  /** As last read. @throws GatewayError dmp-unavailable, dmp-answer-invalid */
  get(): Promise<Declared>
  /** Read anew. @throws GatewayError, dmp-answer-invalid naming what is missing */
  check(): Promise<void>
}

/** IHE MHD 4.2, Document Recipient and Responder; PDSm 3.1. */
const required: readonly (readonly [type: string, interaction: Interaction, transaction: string])[] = [
  ['DocumentReference', 'search-type', 'ITI-67'],
  ['Patient', 'search-type', 'TD0.2'],
]

export function createCapabilities(wire: Wire, { publish }: Pick<FhirDmpOptions, 'publish'>): Capabilities {
  let known: Promise<Declared> | undefined
  const read = async (): Promise<Declared> => {
    const statement = asCapabilities(await wire.client.capabilityStatement())
    const tool = new CapabilityTool(statement)
    const missing = required.flatMap(([type, interaction, name]) =>
      tool.resourceCan(type, interaction) ? [] : [`${name} (${type} ${interaction})`],
    )
    const takes = publish === 'ITI-65' ? tool.serverCan('transaction') : tool.resourceCan('DocumentReference', 'create')
    if (!takes) missing.push(publish)
    if (!statement.fhirVersion.startsWith('4.0')) missing.push('FHIR R4')
    if (missing.length > 0)
      throw new GatewayError('dmp-answer-invalid', {
        detail: `The DMP does not declare what the gateway needs: ${missing.join(', ')}.`,
      })
    return {
      can: (type, interaction) => tool.resourceCan(type, interaction),
      searches: (type, parameter) =>
        tool.resourceSearch(type, parameter) || !tool.supportFor({ resourceType: type, capabilityType: 'searchParam' }),
    }
  }
  /** What fails is not kept: asked again next time. */
  const keep = (reading: Promise<Declared>): Promise<Declared> => {
    reading.then(
      () => {
        known = reading
      },
      () => {
        if (known === reading) known = undefined
      },
    )
    return reading
  }
  return {
    get() {
      known ??= keep(read())
      return known
    },
    async check() {
      await keep(read())
    },
  }
}
