/** The shapes of answers, checked before anything in them is used: Bundles, single resources, the CapabilityStatement. */
import type { Consent, DocumentReference, List, Patient } from '@medplum/fhirtypes'
import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { checkStructure } from '../../fhir/structure/check.ts'

const resource = z.looseObject({ resourceType: z.string(), id: z.string().optional() })
const link = z.looseObject({ relation: z.string(), url: z.string() })

const bundleShape = z.looseObject({
  resourceType: z.literal('Bundle'),
  type: z.string(),
  link: z.array(link).optional(),
  entry: z
    .array(
      z.looseObject({
        resource: resource.optional(),
        search: z.looseObject({ mode: z.string().optional() }).optional(),
        response: z
          .looseObject({ status: z.string(), location: z.string().optional(), outcome: z.unknown().optional() })
          .optional(),
      }),
    )
    .optional(),
})
export type AnsweredBundle = z.infer<typeof bundleShape>
export type AnsweredResource = z.infer<typeof resource>

/** @throws GatewayError dmp-answer-invalid */
export function asBundle(body: unknown, type: 'searchset' | 'history' | 'transaction-response'): AnsweredBundle {
  const read = bundleShape.safeParse(body)
  if (!read.success || read.data.type !== type) throw invalid(`it is no Bundle of type ${type}`)
  return read.data
}

export interface Readable {
  readonly DocumentReference: DocumentReference
  readonly List: List
  readonly Patient: Patient
  readonly Consent: Consent
}

/**
 * A resource whose elements are all of the types that FHIR R4 gives them.
 * @throws GatewayError dmp-answer-invalid
 */
export function asResource<Type extends keyof Readable>(body: unknown, type: Type): Readable[Type] {
  const read = resource.safeParse(body)
  if (!read.success || read.data.resourceType !== type) throw invalid(`a ${type} is expected in it`)
  const [first] = checkStructure(body)
  if (first !== undefined)
    throw invalid(`a ${type} in it is no FHIR R4 (${first.location ?? ''} ${first.detail ?? ''})`)
  return body as Readable[Type]
}

const capabilityShape = z.looseObject({
  resourceType: z.literal('CapabilityStatement'),
  fhirVersion: z.string(),
  patchFormat: z.array(z.string()).optional(),
  rest: z
    .array(
      z.looseObject({
        mode: z.string(),
        interaction: z.array(z.looseObject({ code: z.string() })).optional(),
        resource: z
          .array(
            z.looseObject({
              type: z.string(),
              interaction: z.array(z.looseObject({ code: z.string() })).optional(),
              searchParam: z.array(z.looseObject({ name: z.string() })).optional(),
            }),
          )
          .optional(),
      }),
    )
    .min(1),
})
export type AnsweredCapabilities = z.infer<typeof capabilityShape>

/** @throws GatewayError dmp-answer-invalid */
export function asCapabilities(body: unknown): AnsweredCapabilities {
  const read = capabilityShape.safeParse(body)
  if (!read.success) throw invalid('it is no CapabilityStatement')
  return read.data
}

/** Of a question: nothing of the answer is used. */
export function invalid(what: string): GatewayError {
  return new GatewayError('dmp-answer-invalid', { detail: `The answer of the DMP cannot be used: ${what}.` })
}
