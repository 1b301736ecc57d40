/**
 * Load control: the ladder of this process, with everything that it moves.
 *
 *   LoadMeter ─► ladder ─► live calls (bed, speculation)      room() ─► admission: new calls, refused before they have media
 *                  └─► metrics, log, /api/v1/status
 *
 * Switched off, the ladder still shows what it would do in `state`, and does nothing.
 */
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { LoadLadder, RUNGS, type RungIndex } from './load.ts'
import { FrameTally } from './load-meter.ts'
import type { CallRegistry } from './registry.ts'

export interface LoadControl {
  readonly ladder: LoadLadder
  readonly tally: FrameTally
  /** What is given up now; 0 when control is off. */
  rung(): RungIndex
  /** Whether one more call fits beside those that are live and those that ring. */
  room(live: number, ringing: number): boolean
}

export function openLoadControl(deps: {
  isOn: boolean
  registry: Pick<CallRegistry, 'size' | 'degradeAll'>
  metrics: Metrics
  log: Log
}): LoadControl {
  const { isOn, registry, metrics, log } = deps
  const effective = (rung: RungIndex): RungIndex => (isOn ? rung : 0)
  const ladder = new LoadLadder((rung) => {
    const { because } = ladder.state()
    metrics.degradationChanges.inc({ rung: RUNGS[rung] })
    log.warn({ rung: RUNGS[rung], because, calls: registry.size }, 'load ladder')
    registry.degradeAll(effective(rung))
  })
  metrics.watch('degradation_rung', 'What is given up: 0 nothing … 3 new calls', () =>
    effective(ladder.rung),
  )
  metrics.watch('event_loop_utilisation', 'Busy share of the event loop, 3 s', () => {
    return ladder.state().signals.loopUtilisation
  })
  return {
    ladder,
    tally: new FrameTally(),
    rung: () => effective(ladder.rung),
    room: (live, ringing) => !isOn || ladder.room(live, ringing),
  }
}
