/**
 * The trace on its way out: to Audit Record Repositories (ITI-20, syslog and FHIR) as DICOM audit messages and AuditEvents,
 * and to people as notifications by e-mail or through another system. What is sent lies with the DMP that keeps it, in one
 * commit with what it is about, behind the ports `Trace`, `TraceFeed` and `Deliveries`.
 *
 *   export, syslog, dicom, fhir-feed   records to repositories
 *   alerts                             refused credentials, counted on their way into the trace
 *   notifier, email, webhook           notifications to people
 */
export { type AlertLog, startAlerts } from './alerts.ts'
export { writeAuditMessage } from './dicom.ts'
export { emailChannel } from './email.ts'
export { DeliveryError, type Destination, type Log, startExport, type TraceExport } from './export.ts'
export { fhirDestination } from './fhir-feed.ts'
export { type Channel, type Notice, type Notifier, startNotifier } from './notifier.ts'
export { syslogDestination } from './syslog.ts'
export { webhookChannel } from './webhook.ts'
