/** Whether a method inside the Speech SDK is the one that we know how to replace: it has this text in its source. */
export function hasText<M extends (this: never, ...args: never[]) => unknown>(
  method: unknown,
  text: string,
): method is M {
  return typeof method === 'function' && Function.prototype.toString.call(method).includes(text)
}
