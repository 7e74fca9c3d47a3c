/** A measure is a ratio against a limit or a peer taken in the same run: five interleaved rounds, their median, their spread. */

export const rounds = 5

export interface Measure {
  readonly name: string
  readonly floor: number
  readonly goal: number
  /** One a round. */
  readonly ratios: readonly number[]
  /** A cost: the smaller the better. */
  readonly atMost?: boolean
  /** What the ratio is of, in absolute figures of this machine: for a reader, never for a verdict. */
  readonly absolute?: string
}

export type Verdict = 'goal reached' | 'above floor' | 'BELOW FLOOR' | 'no verdict'

/** No verdict where the rounds disagree by more than a factor of two: the machine was busy with something else. */
export function verdictOf({ ratios, floor, goal, atMost = false }: Measure): Verdict {
  if (spreadOf(ratios) > 2) return 'no verdict'
  const value = median(ratios)
  const reaches = (limit: number): boolean => (atMost ? value <= limit : value >= limit)
  return reaches(goal) ? 'goal reached' : reaches(floor) ? 'above floor' : 'BELOW FLOOR'
}

export function spreadOf(ratios: readonly number[]): number {
  return Math.max(...ratios) / Math.min(...ratios)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

export function table(measures: readonly Measure[]): string {
  const head = ['', 'ratio', 'floor', 'goal', 'spread', 'verdict', 'on this machine']
  const rows = measures.map((measure) => {
    const { name, floor, goal, ratios, atMost, absolute = '' } = measure
    const bound = atMost ? '≤ ' : '≥ '
    return [
      name,
      figure(median(ratios)),
      bound + floor,
      bound + goal,
      `${spreadOf(ratios).toFixed(2)}×`,
      verdictOf(measure),
      absolute,
    ]
  })
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)))
  return [head, widths.map((width) => '─'.repeat(width)), ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3)
}
