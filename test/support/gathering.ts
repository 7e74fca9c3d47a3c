/** Calls that are answered only once several of them are there: what runs at the same time really does. */
export interface Gathering {
  /** Waits until as many calls wait as are held together; none are at first. */
  readonly pace: () => Promise<void>
  /** Runs `act` with calls held until `together` of them have arrived, over and over. */
  hold<T>(together: number, act: () => Promise<T>): Promise<T>
}

export function gathering(): Gathering {
  let wanted = 1
  let waiting: (() => void)[] = []
  const release = () => {
    const all = waiting
    waiting = []
    for (const go of all) go()
  }
  return {
    pace: () =>
      new Promise((resolve) => {
        waiting.push(resolve)
        if (waiting.length >= wanted) release()
      }),
    async hold(together, act) {
      wanted = together
      try {
        return await act()
      } finally {
        wanted = 1
        release()
      }
    },
  }
}
