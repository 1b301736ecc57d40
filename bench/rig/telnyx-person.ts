/**
 * A person at a telephone that the server has Telnyx ring during a call, to hand the user over to: picks up, is told who is
 * coming, is joined with the user, or declines. A leg without a media stream.
 */
import { randomUUID } from 'node:crypto'
import type { TelnyxCarrier, TelnyxLeg, TelnyxWebhookTarget } from './telnyx-carrier.ts'

export class TelnyxPerson implements TelnyxLeg {
  readonly callControlId = `v3:${randomUUID()}`
  /** What the server had said to them. */
  readonly announcements: string[] = []
  /** Commands of the server, in order. */
  readonly commands: string[] = []
  /** The call of the user they are joined with. */
  joinedWith: string | null = null
  isAnswered = false
  isOver = false
  readonly #carrier: TelnyxCarrier
  readonly #target: TelnyxWebhookTarget
  readonly #dialled: Record<string, unknown>

  /** `dialled`: the server's request. */
  constructor(
    carrier: TelnyxCarrier,
    target: TelnyxWebhookTarget,
    dialled: Record<string, unknown>,
  ) {
    this.#carrier = carrier
    this.#target = target
    this.#dialled = dialled
  }

  async pickUp(): Promise<void> {
    await this.#tell('call.initiated', { direction: 'outgoing', state: 'bridging' })
    this.isAnswered = true
    await this.#tell('call.answered')
  }

  async decline(): Promise<void> {
    this.isOver = true
    await this.#tell('call.hangup', { hangup_cause: 'user_busy', hangup_source: 'callee' })
  }

  command(action: string, body: Record<string, unknown>): void {
    this.commands.push(action)
    if (action === 'hangup') this.isOver = true
    if (action !== 'speak') return
    this.announcements.push(String(body['payload']))
    void this.#tell('call.speak.started').then(() => this.#tell('call.speak.ended'))
  }

  bridged(otherId: string): void {
    this.joinedWith = otherId
    void this.#tell('call.bridged')
  }

  #tell(type: string, payload: Record<string, unknown> = {}): Promise<number> {
    return this.#carrier.tell(this.#target, type, {
      call_control_id: this.callControlId,
      client_state: this.#dialled['client_state'] ?? null,
      from: this.#dialled['from'],
      to: this.#dialled['to'],
      ...payload,
    })
  }
}
