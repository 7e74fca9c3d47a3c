/**
 * The trace on its way out: to Audit Record Repositories (ITI-20, syslog and FHIR) as DICOM audit messages and AuditEvents.
 * The records themselves lie with the DMP that keeps them, in one commit with what they are about, behind the ports
 * `Trace` and `TraceFeed`.
 */
export { writeAuditMessage } from './dicom.ts'
export { DeliveryError, type Destination, type Log, startExport, type TraceExport } from './export.ts'
export { fhirDestination } from './fhir-feed.ts'
export { syslogDestination } from './syslog.ts'
