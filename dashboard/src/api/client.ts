/**
 * The only place that calls the server. Every failure becomes an ApiError with the server's stable code; `status` 0
 * means that no answer came. The session cookie is httpOnly, so nothing here ever holds the key.
 */
import type {
  Agent,
  AgentSettings,
  AgentSummary,
  Bed,
  BedList,
  CallDetail,
  CallPage,
  CallQuery,
  MediaToken,
  Prices,
  PriceSheet,
  ServerStatus,
  VoiceInfo,
  VoiceSample,
} from './types.ts'

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  /** Path of the value that was refused, e.g. `settings.base.temperature`. */
  readonly field: string | null
  readonly hint: string | null

  constructor(status: number, body: ErrorBody) {
    super(body.message ?? 'request failed')
    this.name = 'ApiError'
    this.status = status
    this.code = body.code ?? 'UNKNOWN'
    this.field = body.field ?? null
    this.hint = body.hint ?? null
  }
}

interface ErrorBody {
  code?: string
  message?: string
  field?: string
  hint?: string
}

/** Told about every 401 outside sign-in, so that the page can ask for the key again. */
let onUnauthorized: () => void = () => undefined

export function whenUnauthorized(listener: () => void): void {
  onUnauthorized = listener
}

/** A file goes as it is. Browsers name WAV differently, or not at all. */
function typeOf(body: unknown): string {
  return body instanceof Blob ? 'audio/wav' : 'application/json'
}

async function request(method: string, path: string, body?: unknown): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: body === undefined ? {} : { 'content-type': typeOf(body) },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
    })
  } catch (cause) {
    throw new ApiError(0, { code: 'NETWORK', message: String(cause) })
  }
  if (response.ok) return response
  const error = new ApiError(response.status, await errorBody(response))
  if (error.status === 401 && path !== '/session') onUnauthorized()
  throw error
}

async function errorBody(response: Response): Promise<ErrorBody> {
  try {
    const body: unknown = await response.json()
    if (typeof body === 'object' && body !== null && 'error' in body) {
      return body.error as ErrorBody
    }
  } catch (cause) {
    return { message: `${response.statusText} (${String(cause)})` }
  }
  return { message: response.statusText }
}

async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await request(method, path, body)).json()) as T
}

export const api = {
  signIn: (key: string) => request('POST', '/session', { key }),
  signOut: () => request('DELETE', '/session'),
  session: () => json<{ signedIn: boolean }>('GET', '/session'),
  status: () => json<ServerStatus>('GET', '/status'),
  mediaToken: (agentId?: string) =>
    json<MediaToken>('POST', '/media-tokens', { client: 'browser', agentId }),
  agents: async () => (await json<{ items: AgentSummary[] }>('GET', '/agents')).items,
  agent: (id: string) => json<Agent>('GET', `/agents/${id}`),
  saveAgent: (id: string, body: { name: string; settings: AgentSettings; baseVersion: number }) =>
    json<Agent>('PUT', `/agents/${id}`, body),
  agentDefaults: () => json<AgentSettings>('GET', '/agent-defaults'),
  voices: async () => (await json<{ items: VoiceInfo[] }>('GET', '/voices')).items,
  models: async () => (await json<{ items: string[] }>('GET', '/models')).items,
  /** A WAV file. */
  previewVoice: async (sample: VoiceSample) =>
    (await request('POST', '/voices/preview', sample)).blob(),
  prices: () => json<PriceSheet>('GET', '/prices'),
  savePrices: (body: { prices: Prices; baseVersion: number }) =>
    json<PriceSheet>('PUT', '/prices', body),
  beds: () => json<BedList>('GET', '/beds'),
  uploadBed: (name: string, file: Blob) =>
    json<Bed>('POST', `/beds?name=${encodeURIComponent(name)}`, file),
  /** A WAV file. */
  bedAudio: async (name: string) =>
    (await request('GET', `/beds/${encodeURIComponent(name)}/audio`)).blob(),
  deleteBed: (name: string) => request('DELETE', `/beds/${encodeURIComponent(name)}`),
  calls: (query: CallQuery) => json<CallPage>('GET', `/calls?${callSearch(query)}`),
  call: (id: string) => json<CallDetail>('GET', `/calls/${id}`),
  dial: (order: { carrier: 'twilio' | 'telnyx'; to: string }) =>
    json<{ id: string }>('POST', '/calls', order),
  hangup: (id: string) => request('POST', `/calls/${id}/hangup`),
  deleteCalls: (ids: string[]) => json<{ deleted: number }>('DELETE', '/calls', { ids }),
}

/** Empty filters are left out: the server reads a missing one as "all". */
export function callSearch(query: CallQuery): string {
  const search = new URLSearchParams({ page: String(query.page), limit: String(query.limit) })
  if (query.carrier) search.set('carrier', query.carrier)
  if (query.status) search.set('status', query.status)
  if (query.search.trim()) search.set('search', query.search.trim())
  return search.toString()
}
