// A socket under TLS 1.2 with the server that a device's provisioning names, and with nobody else: what the firmware does on its SDK.
// Whoever opens one sends nothing before it is told who the server is.

import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { isServer } from './server-certificate.ts';

/** Where the server is, and by what it is known. */
export interface TlsServer {
  readonly host: string;
  readonly port: number;
  /** The provisioned certificate, in DER. */
  readonly certificate: Uint8Array;
  /** What the device's clock shows; undefined where it was never set. */
  readonly wallMs: () => number | undefined;
}

/** Suites that a device has: keys are exchanged by a curve, and the server signs with RSA. */
const CIPHERS = 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384';

/**
 * Opens one.
 *
 * @param shown is called once, when the server has shown its certificate: with why it is not the one that is known, or with undefined.
 * What comes to nothing before that is the socket's own to tell
 */
export function connectKnown(
  { host, port, certificate, wallMs }: TlsServer,
  shown: (refusal: string | undefined) => void,
): TLSSocket {
  const socket = connect({
    host,
    port,
    ...(isIP(host) === 0 && { servername: host }),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    // Whose a certificate is, is looked at here.
    rejectUnauthorized: false,
  });
  socket.once('secureConnect', () => {
    const own = socket.getPeerX509Certificate();
    const isKnown = own !== undefined && isServer(own, host, certificate, wallMs());
    shown(isKnown ? undefined : `the certificate of ${host} is not one that is provisioned, nor signed by it`);
  });
  return socket;
}
