/** The CapabilityStatement: what routes.ts has, and nothing else. */
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes'
import { sendResource } from './answer.ts'
import { mediaTypes } from './negotiate.ts'
import type { Exchange } from './parts.ts'
import { type Route, routes } from './routes.ts'

/** When what is declared here last changed. */
const date = '2026-11-21'

export async function sendCapabilities({ baseUrl, parts, response, format }: Exchange): Promise<void> {
  sendResource(response, 200, capabilities(routes, baseUrl, parts.profile), format)
}

export function capabilities(table: readonly Route[], url: string, profile: 'ci-sis' | 'ihe'): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    name: 'DmpGateway',
    title: 'dmp-gateway',
    status: 'active',
    date,
    description: 'FHIR door of a gateway to the DMP: IHE MHD 4.2 and PDSm 3.1.',
    kind: 'instance',
    instantiates: [
      'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Comprehensive',
      ...(profile === 'ihe'
        ? ['https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Minimal']
        : []),
      'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Generate',
      'https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder',
    ],
    software: { name: 'dmp-gateway' },
    implementation: { description: 'dmp-gateway', url },
    fhirVersion: '4.0.1',
    format: [mediaTypes.json, mediaTypes.xml],
    rest: [
      {
        mode: 'server',
        security: { description: 'Authorization: Bearer with a JWT (IHE IUA) or a base64url VIHF assertion.' },
        resource: resourcesOf(table),
        interaction: table.flatMap(({ declares }) =>
          declares && 'system' in declares ? [{ code: declares.system }] : [],
        ),
        operation: table.flatMap(({ declares }) =>
          declares && 'operation' in declares && declares.resource === undefined
            ? [{ name: declares.operation, definition: declares.definition }]
            : [],
        ),
      },
    ],
  }
}

function resourcesOf(table: readonly Route[]): CapabilityStatementRestResource[] {
  const resources = new Map<string, CapabilityStatementRestResource>()
  for (const { declares } of table) {
    if (declares === undefined || 'system' in declares || declares.resource === undefined) continue
    const type = declares.resource as CapabilityStatementRestResource['type']
    const resource = resources.get(declares.resource) ?? { type, versioning: 'versioned' as const }
    if ('operation' in declares) {
      const operation = { name: declares.operation, definition: declares.definition }
      resources.set(declares.resource, { ...resource, operation: [...(resource.operation ?? []), operation] })
      continue
    }
    resources.set(declares.resource, {
      ...resource,
      interaction: [...(resource.interaction ?? []), { code: declares.interaction }],
      ...(declares.conditional && declares.interaction === 'update'
        ? { conditionalUpdate: true, updateCreate: true }
        : {}),
      ...(declares.parameters
        ? {
            searchParam: Object.entries(declares.parameters).map(([name, { type, documentation }]) => ({
              name,
              type,
              documentation,
            })),
          }
        : {}),
    })
  }
  return [...resources.values()]
}
