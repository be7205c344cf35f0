// Stands for the SDK's name service: every name has an address but those that a test takes away.

const unknown = new Set<string>();

/** From now on a name has no address. */
export function forget(host: string): void {
  unknown.add(host);
}

/** Every name has one again. */
export function rememberAll(): void {
  unknown.clear();
}

/** The address that stands for a name. */
export function addressOf(host: string): string {
  return `10.0.0.${(host.length % 250) + 1}`;
}

export default {
  resolve(host: string, callback: (host: string, address: string | undefined) => void): void {
    callback(host, unknown.has(host) ? undefined : addressOf(host));
  },
};
