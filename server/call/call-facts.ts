/** What a call is made of: the parts of the process that it uses, and what is known of it when its stream starts. */
import type { ProfileSettings } from '../agent-settings.ts'
import type { StreamStart } from '../carriers/carrier.ts'
import type { Wheel } from '../media/wheel.ts'
import type { Providers } from '../providers/select.ts'
import type { Agent } from '../store/agents.ts'
import type { HttpToolDeps } from '../tools/call-http-tool.ts'
import type { AudioPool } from '../../workers/pool.ts'
import type { RungIndex } from './load.ts'
import type { FrameTally } from './load-meter.ts'

export interface CallDeps {
  pool: AudioPool
  wheel: Wheel
  providers: Providers
  /** Every call is echoed instead of answered: for media benches. */
  echo: boolean
  httpTools: HttpToolDeps
  /** What this process gives up at the moment to carry its calls. */
  rung(): RungIndex
  /** Frames of all calls together, for the load meter. */
  tally: FrameTally
}

export interface CallFacts {
  id: string
  agent: Agent
  settings: ProfileSettings
  start: StreamStart
  recordingPath: string | null
}
