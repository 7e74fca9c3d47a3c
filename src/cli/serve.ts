/** `npm start`: runs the gateway until SIGTERM or SIGINT. Prints `listening on URL` once it answers. */
import { parseArgs } from 'node:util'
import { startGateway } from '../main.ts'
import { ConfigError, loadConfig } from '../server/config.ts'

const usage = 'usage: npm start -- [--config FILE] [--port PORT] [--host HOST] [--data FOLDER]'

async function serve(): Promise<void> {
  const { values } = parseArgs({
    options: {
      config: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      data: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    return
  }
  const config = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { 'server.port': values.port, 'server.host': values.host, data: values.data },
  })
  const gateway = await startGateway(config)
  console.log(`listening on ${gateway.url}`)
  console.log(`  FHIR            ${gateway.url}/fhir`)
  console.log(`  XDS registry    ${gateway.url}/xds/registry`)
  console.log(`  XDS repository  ${gateway.url}/xds/repository`)
  console.log(`  description     ${gateway.url}/docs`)
  console.log(`  health          ${gateway.url}/health/ready`)

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    try {
      await gateway.close()
      process.exit(0)
    } catch {
      process.exit(1)
    }
  }
  process.on('SIGHUP', () => void gateway.reload())
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

try {
  await serve()
} catch (error) {
  const known = error instanceof ConfigError || (error instanceof TypeError && 'code' in error)
  const text = error instanceof Error ? error.message : String(error)
  console.error(known ? `${text}\n${usage}` : `cannot start: ${text}`)
  process.exit(1)
}
