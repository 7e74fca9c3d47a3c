/**
 * The FHIR door: IHE MHD and PDSm over HTTP. One file per transaction; routes.ts lists them, exchange.ts serves them,
 * mapping/ translates resources to metadata and back, structure/ knows the shape of FHIR R4.
 */
import { type ErrorRequestHandler, Router } from 'express'
import { GatewayError } from '../errors.ts'
import { drain } from './answer.ts'
import { Jobs } from './async/jobs.ts'
import { answerError, requestIdOf, serve, setCommonHeaders } from './exchange.ts'
import type { FhirParts } from './parts.ts'
import { createPatientIds } from './patient-id.ts'
import { routes } from './routes.ts'

export type { FhirParts } from './parts.ts'

/** Mount it before any body parser: bodies are read as they stream. */
export function createFhirDoor(parts: FhirParts): Router {
  const router = Router({ caseSensitive: true })
  const patientIds = createPatientIds(parts.profile, parts.patientIdKey)
  const jobs = parts.jobsDirectory === undefined ? undefined : new Jobs(parts, patientIds, parts.jobsDirectory)
  jobs?.recover().catch(() => {
    parts.log.error({}, 'submissions accepted earlier cannot be read: they wait for the next start')
  })
  for (const [path, onPath] of Map.groupBy(routes, (route) => route.path)) {
    const route = router.route(path)
    for (const each of onPath) route[each.method](serve(each, parts, { patientIds, jobs }))
    const allow = onPath
      .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
      .join(', ')
    route.all((request, response) => {
      setCommonHeaders(response, requestIdOf(request))
      response.setHeader('Allow', allow)
      answerError(request, response, new GatewayError('method-not-allowed', { detail: `Allowed here: ${allow}.` }))
      drain(request)
    })
  }
  router.use((request, response) => {
    setCommonHeaders(response, requestIdOf(request))
    answerError(request, response, new GatewayError('not-found', { detail: 'GET /fhir/metadata lists what is here.' }))
    drain(request)
  })
  // A path that is not percent-encoded UTF-8 never reaches a route
  const malformedPath: ErrorRequestHandler = (_error, request, response, _next) => {
    setCommonHeaders(response, requestIdOf(request))
    answerError(request, response, new GatewayError('malformed', { detail: 'The path of the URL is malformed.' }))
    drain(request)
  }
  router.use(malformedPath)
  return router
}
