/**
 * Stages: where the server's CPU goes per frame, from V8's own sampling profiles of the main thread and of each worker.
 *
 *   node --cpu-prof ─► samples (1 ms) with their stacks ─► innermost frame that names a stage ─► µs per frame
 *
 * A sample belongs to the innermost function on its stack that a rule knows: Buffer code called by the media parser is
 * parsing, the same code called by a recorder is not. The profiler itself costs 5-10 %, so a profiled run is for shares,
 * not for coresPerCall (its settings say `profiled`). What is not JavaScript at all (idle, program) is left out.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { rounded } from './report.ts'

export const STAGES = ['receive', 'parse', 'dsp', 'pace', 'send', 'gc', 'other'] as const
export type Stage = (typeof STAGES)[number]

const profileSchema = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  startTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
})
export type CpuProfile = z.infer<typeof profileSchema>

/** First rule that matches wins; matched against `function url`. */
const RULES: readonly [RegExp, Stage | 'idle'][] = [
  [/^\((idle|program|root)\)/, 'idle'],
  [/^\(garbage collector\)/, 'gc'],
  [/ wasm:|dsp\/host\.ts|workers\/|node_modules\/piscina\//, 'dsp'],
  [/^(sendPayload|sendMark|writev?|writeGeneric|writeLatin1String|writeBuffer|_write\w*) /, 'send'],
  [/ws\/lib\/sender|media-writer/, 'send'],
  [/http\/media-wire/, 'receive'],
  [/carriers\/(twilio-media|base64|twilio|telnyx)/, 'parse'],
  [/media\/user-audio|dsp\/slot\.ts|audio-lane/, 'dsp'],
  [
    /ws\/lib\/(receiver|websocket)|stream_base_commons|internal\/streams|node:net|node:_http/,
    'receive',
  ],
  [/media\/(wheel|playout|line-clock|leg|segment-queue)|internal\/timers|call\/call\.ts/, 'pace'],
]

export function stageOf(functionName: string, url: string): Stage | 'idle' | null {
  const text = `${functionName} ${url}`
  return RULES.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** Self time by stage, µs, of the samples between two moments of the machine's monotonic clock. */
export function timeByStage(
  profile: CpuProfile,
  window: { fromUs: number; toUs: number },
): Record<Stage, number> {
  const stages = stagesOfNodes(profile)
  const total = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>
  let atUs = profile.startTime
  profile.samples.forEach((id, i) => {
    const deltaUs = profile.timeDeltas[i] ?? 0
    atUs += deltaUs
    if (atUs < window.fromUs || atUs > window.toUs) return
    const stage = stages.get(id) ?? 'other'
    if (stage !== 'idle') total[stage] += deltaUs
  })
  return total
}

function stagesOfNodes({ nodes }: CpuProfile): Map<number, Stage | 'idle'> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const stages = new Map<number, Stage | 'idle'>()
  // Parents come before their children in a profile, so a child can fall back on its parent's stage.
  for (const node of nodes) {
    const own = stageOf(node.callFrame.functionName, node.callFrame.url)
    const stage = own ?? stages.get(node.id) ?? 'other'
    stages.set(node.id, stage)
    const inherited = stage === 'idle' ? 'other' : stage
    for (const child of node.children ?? []) if (byId.has(child)) stages.set(child, inherited)
  }
  return stages
}

/** A directory for profiles, and the flags that make node write them there. */
export async function profileFlags(): Promise<{ dir: string; flags: string[] }> {
  const dir = await mkdtemp(join(tmpdir(), 'andrea-profile-'))
  return { dir, flags: ['--cpu-prof', `--cpu-prof-dir=${dir}`] }
}

/**
 * Reads and removes the profiles of all threads. Figures `usPerFrame…` by stage: a frame is one that came in and its
 * echo that went out.
 */
export async function stagesOf(
  dir: string,
  window: { fromUs: number; toUs: number },
  figures: Record<string, number>,
): Promise<Record<string, number>> {
  const sum = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>
  for (const name of await readdir(dir)) {
    const profile = profileSchema.parse(JSON.parse(await readFile(join(dir, name), 'utf8')))
    const each = timeByStage(profile, window)
    for (const stage of STAGES) sum[stage] += each[stage]
  }
  await rm(dir, { recursive: true, force: true })
  const frames = Math.max(1, figures['sentFrames'] ?? 0)
  return Object.fromEntries(
    STAGES.map((stage) => [
      `usPerFrame${stage[0]?.toUpperCase()}${stage.slice(1)}`,
      rounded(sum[stage] / frames, 2),
    ]),
  )
}
