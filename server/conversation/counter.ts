/** Counter: 1, 2, 3 … for turns and segments. */
export const counter =
  (last = 0) =>
  () =>
    ++last
