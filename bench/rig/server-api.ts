/**
 * The server's HTTP API, as far as the rig reads it: what the server believes about a call that the
 * rig has made.
 */
import { z } from 'zod'
import { agentSettings, type profileOverride } from '../../server/agent-settings.ts'

type ProfileOverride = z.infer<typeof profileOverride>

const latency = z.object({
  endpointingMs: z.number(),
  sttMs: z.number().nullable(),
  llmFirstTokenMs: z.number().nullable(),
  firstSentenceMs: z.number().nullable(),
  ttsFirstAudioMs: z.number().nullable(),
  responseMs: z.number(),
  ownMs: z.number(),
})

const turn = z.object({
  turnId: z.number(),
  role: z.enum(['user', 'agent']),
  textSpoken: z.string(),
  textHeard: z.string(),
  truncated: z.boolean(),
  kind: z.string(),
  startMs: z.number(),
  endMs: z.number(),
  latency: latency.nullable(),
})
export type ApiTurn = z.infer<typeof turn>

const callRow = z.object({
  id: z.string(),
  carrier: z.string(),
  carrierCallId: z.string().nullable(),
  status: z.string(),
  endReason: z.string().nullable(),
  durationMs: z.number().nullable(),
})
export type ApiCall = z.infer<typeof callRow>

const callPage = z.object({
  call: callRow,
  turns: z.array(turn),
  events: z.array(z.unknown()),
  recording: z.object({ durationMs: z.number(), channels: z.number(), url: z.string() }).nullable(),
})
export type ApiCallPage = z.infer<typeof callPage>

/**
 * The journal writes behind the call; a finished call is on the page within a second or two. A carrier that is silent three
 * times keeps its call for 11 s, and other programs may keep the machine busy. Counted, not timed: a machine that stood still
 * in between has lost nothing.
 */
const SETTLE_POLLS = 110
// The API takes 600 requests a minute from one key, and several calls may be waited for.
const POLL_MS = 400

export class ServerApi {
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  /** @throws Error on any answer but 200. */
  async get(path: string): Promise<unknown> {
    return (await this.#fetch(path)).json()
  }

  async bytes(path: string): Promise<Buffer> {
    return Buffer.from(await (await this.#fetch(path)).arrayBuffer())
  }

  /**
   * Gives the default agent these settings in every profile. @throws Error when the server does not
   * take them.
   */
  async configureAgent(override: ProfileOverride): Promise<void> {
    const { items } = z
      .object({ items: z.array(z.object({ id: z.string() })).min(1) })
      .parse(await this.get('/api/v1/agents'))
    const path = `/api/v1/agents/${items[0]?.id ?? ''}`
    const agent = z
      .object({ version: z.number(), settings: agentSettings })
      .parse(await this.get(path))
    const { base, profiles } = agent.settings
    // What a profile says of its own would win over the base: it gets the same values.
    const settings = {
      base: { ...base, ...override },
      profiles: {
        browser: { ...profiles.browser, ...override },
        twilio: { ...profiles.twilio, ...override },
        telnyx: { ...profiles.telnyx, ...override },
      },
    }
    const body = JSON.stringify({ settings, baseVersion: agent.version })
    await this.#fetch(path, { method: 'PUT', body })
  }

  /** The live figures that Prometheus reads. */
  async metrics(): Promise<string> {
    return (await this.#fetch('/metrics')).text()
  }

  /** The calls with this carrier call id that are stored so far: none, or one. */
  async find(carrierCallId: string): Promise<ApiCall | null> {
    const page = await this.get(`/api/v1/calls?search=${carrierCallId}`)
    const { items } = z.object({ items: z.array(callRow) }).parse(page)
    return items.find((item) => item.carrierCallId === carrierCallId) ?? null
  }

  async page(id: string): Promise<ApiCallPage> {
    return callPage.parse(await this.get(`/api/v1/calls/${id}`))
  }

  /** Waits until the call is stored as ended. @throws Error after 110 looks, 44 s or more. */
  async finished(carrierCallId: string): Promise<ApiCallPage> {
    let last: ApiCall | null = null
    for (let polls = 0; polls < SETTLE_POLLS; polls++) {
      last = await this.find(carrierCallId)
      if (last?.status === 'ended') return this.page(last.id)
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    throw new Error(`call ${carrierCallId} is ${last?.status ?? 'not stored'} 44 s after its end`)
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { 'x-api-key': this.#key, 'content-type': 'application/json' }
    const response = await fetch(new URL(path, this.#url), { ...init, headers })
    if (response.status !== 200) {
      throw new Error(
        `${init.method ?? 'GET'} ${path}: ${response.status} ${(await response.text()).slice(0, 300)}`,
      )
    }
    return response
  }
}
