/**
 * Carrier lines: the REST side of every account, made when it is first asked for. An account that is not configured, or has
 * no way to be asked, is a line that only its socket can end.
 */
import type { TelnyxAccount, TwilioAccount } from '../carrier-accounts.ts'
import { SOCKET_ONLY_LINE, type LineControl } from './carrier.ts'
import { TelnyxLine } from './telnyx-line.ts'
import { telnyxRateHz } from './telnyx-media.ts'
import type { LegReport } from './telnyx-transfer.ts'
import { TwilioLine } from './twilio-line.ts'

export interface CarrierAccounts {
  twilio: readonly TwilioAccount[]
  telnyx: readonly TelnyxAccount[]
}

export class CarrierLines {
  readonly #accounts: CarrierAccounts
  readonly #baseUrl: () => string
  readonly #twilio = new Map<string, TwilioLine>()
  readonly #telnyx = new Map<string, TelnyxLine>()

  /** `baseUrl`: our address as the carriers reach it. */
  constructor(accounts: CarrierAccounts, baseUrl: () => string) {
    this.#accounts = accounts
    this.#baseUrl = baseUrl
  }

  /** Null asks for the first account. */
  for(carrier: 'twilio' | 'telnyx', account: string | null): LineControl {
    return (
      (carrier === 'twilio' ? this.#ofTwilio(account) : this.#ofTelnyx(account)) ?? SOCKET_ONLY_LINE
    )
  }

  /** The REST side of every account that has one. */
  all(carrier: 'twilio' | 'telnyx'): LineControl[] {
    const lines = this.#accounts[carrier].map(({ name }) => this.for(carrier, name))
    return lines.filter((line) => line !== SOCKET_ONLY_LINE)
  }

  legReported(account: string | null, report: LegReport): void {
    this.#ofTelnyx(account)?.legReported(report)
  }

  /** Of the line that a call of this account will have. */
  sampleRateHz(carrier: 'twilio' | 'telnyx', account: string | null): 8_000 | 16_000 {
    return carrier === 'twilio' ? 8_000 : telnyxRateHz(this.telnyxFormat(account).codec)
  }

  telnyxFormat(name: string | null): Pick<TelnyxAccount, 'codec' | 'l16ByteOrder'> {
    const { codec, l16ByteOrder } = named(this.#accounts.telnyx, name) ?? {
      codec: 'PCMU',
      l16ByteOrder: 'big',
    }
    return { codec, l16ByteOrder }
  }

  #ofTwilio(name: string | null): TwilioLine | null {
    const account = named(this.#accounts.twilio, name)
    if (!account || account.accountSid === null) return null
    const { accountSid } = account
    const line =
      this.#twilio.get(account.name) ??
      new TwilioLine({ account: { ...account, accountSid }, baseUrl: this.#baseUrl })
    this.#twilio.set(account.name, line)
    return line
  }

  #ofTelnyx(name: string | null): TelnyxLine | null {
    const account = named(this.#accounts.telnyx, name)
    if (!account) return null
    const line =
      this.#telnyx.get(account.name) ?? new TelnyxLine({ account, baseUrl: this.#baseUrl })
    this.#telnyx.set(account.name, line)
    return line
  }
}

function named<A extends { name: string }>(
  accounts: readonly A[],
  name: string | null,
): A | undefined {
  return name === null ? accounts[0] : accounts.find((account) => account.name === name)
}
