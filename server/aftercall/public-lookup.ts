/**
 * Public lookup: name resolution for requests that settings ask for. The address is checked when the connection is made,
 * not when the name is looked up first, so that a name cannot change in between.
 */
import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** The address may not be sent to; trying again changes nothing. */
export class RefusedAddress extends Error {}

/** An address in the URL itself is never looked up, so it is checked here. @throws RefusedAddress */
export function refusePrivateHost(url: URL): void {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && !isPublicAddress(host)) {
    throw new RefusedAddress(`${host} is not a public address`)
  }
}

/** Hands out a name's addresses only when all of them are public. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, '', 0)
    const wrong = addresses.find(({ address }) => !isPublicAddress(address))
    const first = addresses[0]
    if (wrong || !first) {
      const at = wrong?.address ?? 'no address'
      return done(new RefusedAddress(`${hostname} leads to ${at}, which is not public`), '', 0)
    }
    if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
