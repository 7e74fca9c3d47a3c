/** Who counts what is asked of a remote DMP. For metrics: names of transactions only. */
export interface Observer {
  call(transaction: string, outcome: 'ok' | 'failed', seconds: number): void
  /** The calls that one request has cost. */
  request(transaction: string, calls: number): void
}
