/** xds-b:DocumentRequest elements, as ITI-43 and ITI-86 send them (ITI TF-2 3.43.4.1.2). */
import { GatewayError, type Issue } from '../errors.ts'
import { child, children, type XmlElement } from '../xml/tree.ts'
import { defined } from './defined.ts'
import { ns } from './namespaces.ts'
import { withSchemaIssues } from './schema/index.ts'

export interface DocumentReferred {
  readonly repositoryUniqueId: string
  readonly documentUniqueId: string
  readonly homeCommunityId?: string
}

/**
 * A request must name something, and say of each document where and which.
 * @throws GatewayError with everything it does not say, and what the schema found beside
 */
export function readDocumentRequests(body: XmlElement, schemaIssues: readonly Issue[]): readonly DocumentReferred[] {
  const issues: Issue[] = []
  const elements = children(body, ns.xdsb, 'DocumentRequest')
  const report = (location: string, detail: string) =>
    issues.push({ code: 'XDSRepositoryError', rule: 'RD1', location, detail })
  if (elements.length === 0) report('DocumentRequest', 'No document is named: send DocumentRequest elements.')
  const documents = elements.map((element, index) => {
    const text = (local: string) => child(element, ns.xdsb, local)?.text.trim() || undefined
    const required = (local: string): string => {
      const value = text(local)
      if (value === undefined) report(`DocumentRequest[${index}]/${local}`, `${local} is missing: send it.`)
      return value ?? ''
    }
    return {
      repositoryUniqueId: required('RepositoryUniqueId'),
      documentUniqueId: required('DocumentUniqueId'),
      ...defined({ homeCommunityId: text('HomeCommunityId') }),
    }
  })
  const wrong = withSchemaIssues(issues, schemaIssues)
  if (wrong.length > 0) throw new GatewayError(wrong)
  return documents
}
