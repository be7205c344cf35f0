// Certificates that a server shows, also where something is wrong with it, and whether a device takes them: by the rules of the firmware
// (device/network/server-certificate.ts), for one whose provisioned certificate has signed those of its servers.

/** What is wrong with a certificate. */
export const WRONG_CERTIFICATES = ['expired', 'not-yet-valid', 'self-signed', 'other-host'] as const;
export type WrongCertificate = (typeof WRONG_CERTIFICATES)[number];

/** What counts of a certificate. */
interface ShownCertificate {
  /** Whether the provisioned one has signed it. */
  readonly isSigned: boolean;
  readonly fromMs: number;
  readonly toMs: number;
  readonly host: string;
}

const DAY_MS = 86_400_000;
const LIFE_MS = 90 * DAY_MS;
/** By a clock that is wrong by as much no honest server's certificate is valid. */
export const CERTIFICATE_LEEWAY_MS = LIFE_MS / 2;

/**
 * Why a device does not go on with a server.
 *
 * @param how what is wrong with its certificate; undefined where nothing is
 * @param url whom it asks; in the clear nobody shows anything
 * @param trueMs what time it is
 * @param shownMs what the device's clock shows: by it a certificate is valid, or is not
 * @returns why the device asks nothing, undefined where it does
 */
export function certificateObjection(
  how: WrongCertificate | undefined,
  { protocol, hostname }: URL,
  trueMs: number,
  shownMs: number | undefined,
): string | undefined {
  if (protocol !== 'https:') return undefined;
  const { isSigned, fromMs, toMs, host } = shownFor(how, hostname, trueMs);
  const isValid = shownMs !== undefined && fromMs < shownMs && shownMs < toMs;
  return isSigned && isValid && host === hostname
    ? undefined
    : `the certificate of ${hostname} is not one that is provisioned, nor signed by it`;
}

function shownFor(how: WrongCertificate | undefined, hostname: string, trueMs: number): ShownCertificate {
  const good = {
    isSigned: true,
    fromMs: trueMs - CERTIFICATE_LEEWAY_MS,
    toMs: trueMs + CERTIFICATE_LEEWAY_MS,
    host: hostname,
  };
  switch (how) {
    case undefined:
      return good;
    case 'expired':
      return { ...good, fromMs: trueMs - LIFE_MS - DAY_MS, toMs: trueMs - DAY_MS };
    case 'not-yet-valid':
      return { ...good, fromMs: trueMs + DAY_MS, toMs: trueMs + LIFE_MS + DAY_MS };
    case 'self-signed':
      return { ...good, isSigned: false };
    case 'other-host':
      return { ...good, host: `not-${hostname}` };
  }
}
