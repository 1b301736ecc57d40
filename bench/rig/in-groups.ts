/** Many calls, a few at a time. */

/** Runs `work(0 … count-1)`, `atOnce` at a time; the first failure stops the rest and is thrown. */
export async function inGroups(
  count: number,
  atOnce: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      try {
        await work(index)
      } catch (error) {
        next = count
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane))
}
