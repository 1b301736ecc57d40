/**
 * Errors of services, without the account's key: a server may quote it back in its explanation ("Incorrect API key
 * provided: …"), and an SDK's error carries the answer's whole body along. What reaches a log, an event or the dashboard is
 * the text alone, with the key taken out in every form in which it travels.
 */
import { ProviderError, errorText } from '../errors.ts'
import { SecretMask } from '../log.ts'

/** The same failure; of its cause only the text stays, so that no request, header or body hangs on it. `secret` null: there is none. */
export function errorWithoutSecret(error: ProviderError, secret: string | null): ProviderError {
  const { code, message, retryable, cause } = error
  const mask = new SecretMask(secret === null ? [] : [secret])
  const plain = cause === undefined ? undefined : new Error(mask.maskKnown(errorText(cause)))
  return new ProviderError(code, mask.maskKnown(message), { retryable, cause: plain })
}
