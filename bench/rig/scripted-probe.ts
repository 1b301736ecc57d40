/** Scripted probe: a line at whose end a scripted user speaks, and an ear listens. */
import type { Ear } from './ear.ts'
import type { ScriptedUser } from './scripted-user.ts'
import type { LineProbe } from './simulated-call.ts'

/** `clears`: how often the agent's queue on this line has been cleared so far. The ear learns of it before the next frame, either way. */
export function scriptedProbe(user: ScriptedUser, ear: Ear, clears: () => number): LineProbe {
  let noted = 0
  const noteClears = (): void => {
    const seen = clears()
    if (seen !== noted) ear.clear(performance.now())
    noted = seen
  }
  return {
    frame: (_index, deadlineMs) => {
      noteClears()
      return user.frame(deadlineMs)
    },
    receive: (payload, nowMs) => {
      noteClears()
      ear.payload(payload, nowMs)
    },
  }
}
