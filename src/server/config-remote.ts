/** What is configured alike for every connector to a remote DMP. */
import { z } from 'zod'

const MiB = 1024 * 1024
const seconds = (most: number) => z.coerce.number().positive().max(most)

export const text = z.string().min(1)
export const bytes = (otherwise: number) =>
  z.coerce
    .number()
    .int()
    .positive()
    .default(otherwise * MiB)

/** Fields of `dmp.national` and `dmp.fhir`. */
export const remoteFields = {
  statusSeconds: z.coerce.number().min(0).max(3600).default(60),
  connectSeconds: seconds(60).default(5),
  idleSeconds: seconds(600).default(60),
  exchangeSeconds: seconds(3600).default(300),
  answerBytes: bytes(32),
}

/** Milliseconds. */
export function timesOf(config: {
  readonly statusSeconds: number
  readonly connectSeconds: number
  readonly idleSeconds: number
  readonly exchangeSeconds: number
}) {
  return {
    timeouts: {
      connect: config.connectSeconds * 1000,
      idle: config.idleSeconds * 1000,
      exchange: config.exchangeSeconds * 1000,
    },
    statusAge: config.statusSeconds * 1000,
  }
}
