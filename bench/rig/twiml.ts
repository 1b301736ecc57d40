/**
 * TwiML, read as Twilio reads it: XML that is not well formed, a stream URL with a query string, or
 * an unencrypted one to another machine ends the call instead of being forgiven.
 */

export interface XmlElement {
  name: string
  attributes: Record<string, string>
  children: XmlElement[]
  text: string
}

export type Verb =
  | { kind: 'stream'; url: string; parameters: Record<string, string> }
  | { kind: 'say'; text: string }
  | { kind: 'play'; digits: string }
  | { kind: 'hangup' }
  | { kind: 'reject'; reason: string }
  | { kind: 'other'; name: string }

const TOKEN =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*"[^"<]*")*)\s*(\/?)>|[^<]+/y
const ATTRIBUTE = /([\w:.-]+)\s*=\s*"([^"<]*)"/g
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The verbs of a TwiML document in order. @throws Error when Twilio would refuse it. */
export function parseTwiml(document: string): Verb[] {
  const root = parseXml(document)
  if (root.name !== 'Response') throw new Error(`TwiML root is <${root.name}>, not <Response>`)
  return root.children.map(toVerb)
}

/** One well-formed element (no DTD, no CDATA, double-quoted attributes: all that TwiML needs). */
export function parseXml(document: string): XmlElement {
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' }
  const open: XmlElement[] = [top]
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < document.length) {
    const at = TOKEN.lastIndex
    const token = TOKEN.exec(document)
    const parent = open.at(-1)
    if (token === null || parent === undefined) throw new Error(`malformed XML at character ${at}`)
    const [whole, closing, name, attributes, selfClosing] = token
    if (name === undefined) {
      if (!whole.startsWith('<')) parent.text += unescapeXml(whole)
    } else if (closing === '/') {
      if (parent.name !== name || parent === top) throw new Error(`</${name}> closes nothing`)
      open.pop()
    } else {
      const element = {
        name,
        attributes: parseAttributes(attributes ?? ''),
        children: [],
        text: '',
      }
      parent.children.push(element)
      if (selfClosing !== '/') open.push(element)
    }
  }
  const root = top.children[0]
  if (root === undefined || top.children.length !== 1 || open.length !== 1 || top.text.trim()) {
    throw new Error('TwiML is not one closed XML element')
  }
  return root
}

function toVerb(element: XmlElement): Verb {
  switch (element.name) {
    case 'Connect':
      return streamVerb(element)
    case 'Say':
      return { kind: 'say', text: element.text.trim() }
    case 'Play':
      return { kind: 'play', digits: element.attributes['digits'] ?? '' }
    case 'Hangup':
      return { kind: 'hangup' }
    case 'Reject':
      return { kind: 'reject', reason: element.attributes['reason'] ?? 'rejected' }
    default:
      return { kind: 'other', name: element.name }
  }
}

function streamVerb(connect: XmlElement): Verb {
  const stream = connect.children.find((child) => child.name === 'Stream')
  const url = stream?.attributes['url']
  if (stream === undefined || url === undefined) throw new Error('<Connect> without <Stream url>')
  const parsed = new URL(url)
  if (parsed.search !== '') throw new Error(`31920: <Stream> URL has a query string: ${url}`)
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(parsed.hostname)
  if (parsed.protocol !== 'wss:' && !(parsed.protocol === 'ws:' && loopback)) {
    throw new Error(`31920: <Stream> URL must be wss: (ws: on this machine only): ${url}`)
  }
  const parameters: Record<string, string> = {}
  for (const child of stream.children) {
    const name = child.attributes['name']
    if (child.name === 'Parameter' && name !== undefined) {
      parameters[name] = child.attributes['value'] ?? ''
    }
  }
  return { kind: 'stream', url, parameters }
}

function parseAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [, name, value] of text.matchAll(ATTRIBUTE)) {
    if (name === undefined || value === undefined) continue
    if (name in attributes) throw new Error(`attribute ${name} twice`)
    attributes[name] = unescapeXml(value)
  }
  return attributes
}

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#\d+|\w+);|&/g, (whole, entity: string | undefined) => {
    if (entity === undefined) throw new Error('bare & in XML')
    if (entity.startsWith('#x')) return String.fromCodePoint(parseInt(entity.slice(2), 16))
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)))
    const plain = ENTITIES[entity]
    if (plain === undefined) throw new Error(`unknown entity ${whole}`)
    return plain
  })
}
