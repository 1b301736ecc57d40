/**
 * Errors of services, without the account's key: a server may quote it back in its explanation ("Incorrect API key
 * provided: …"), and an SDK's error carries the answer's whole body along. What reaches a log, an event or the dashboard is
 * the text alone, with the key taken out in every form in which it travels.
 */
import { ProviderError, errorText } from '../errors.ts'

const MASK = '***'
/** A shorter one is none, and would take letters out of words. */
const LEAST_CHARACTERS = 6

/** `secret` null: the text as it is. */
export function withoutSecret(text: string, secret: string | null): string {
  if (secret === null || secret.length < LEAST_CHARACTERS) return text
  const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
  return forms.reduce((clean, form) => clean.replaceAll(form, MASK), text)
}

/** The same failure; of its cause only the text stays, so that no request, header or body hangs on it. */
export function errorWithoutSecret(error: ProviderError, secret: string | null): ProviderError {
  const { code, message, retryable, cause } = error
  const plain = cause === undefined ? undefined : new Error(withoutSecret(errorText(cause), secret))
  return new ProviderError(code, withoutSecret(message, secret), { retryable, cause: plain })
}
