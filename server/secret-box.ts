/**
 * Secret box: seals what must be stored and must not be read in the database or in a backup of it.
 *
 *   "Bearer abc" ─► seal() ─► "sealed:1:" base64( nonce 12 | AES-256-GCM | tag 16 ) ─► open() ─► "Bearer abc"
 *
 * The key comes from SECRETS_KEY, or from DATA_DIR/secrets.key: whoever has the database alone has no secret. Text that is
 * not sealed is of an older version and is opened as it is. Sealing the same text twice gives different results.
 *
 * Invariant: what was changed, or sealed with another key, is refused and never half read.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AndreaError } from './errors.ts'
import { loadKeyFile } from './key-file.ts'

const PREFIX = 'sealed:1:'
const NONCE_BYTES = 12
const TAG_BYTES = 16

export class SecretBox {
  readonly #key: Uint8Array

  /** `key`: 32 bytes. */
  constructor(key: Uint8Array) {
    this.#key = key
  }

  seal(plain: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce)
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
    return PREFIX + Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64')
  }

  /** @throws AndreaError SECRET_UNREADABLE for another key, or text that was changed */
  open(stored: string): string {
    if (!isSealed(stored)) return stored
    const bytes = Buffer.from(stored.slice(PREFIX.length), 'base64')
    const tagAt = Math.max(NONCE_BYTES, bytes.length - TAG_BYTES)
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAuthTag(bytes.subarray(tagAt))
      const body = decipher.update(bytes.subarray(NONCE_BYTES, tagAt))
      return Buffer.concat([body, decipher.final()]).toString('utf8')
    } catch (error) {
      throw new AndreaError(
        'SECRET_UNREADABLE',
        'A stored secret cannot be read with this SECRETS_KEY (or secrets.key); write it again.',
        { cause: error },
      )
    }
  }
}

export function isSealed(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** @throws ConfigError SECRETS_KEY_UNUSABLE when the key file cannot be read or written */
export async function openSecretBox(config: {
  dataDir: string
  secretsKey: string | null
}): Promise<SecretBox> {
  const file = { name: 'secrets.key', code: 'SECRETS_KEY_UNUSABLE' }
  if (config.secretsKey === null) return new SecretBox(await loadKeyFile(config.dataDir, file))
  return new SecretBox(Buffer.from(config.secretsKey, 'base64'))
}
