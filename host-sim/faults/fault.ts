// What can be wrong in a scenario, and with which devices from when on for how long.

import type { WrongCertificate } from './shown-certificate.ts';

/** A fault. */
export interface FaultTerms {
  readonly devices: readonly string[];
  readonly atMs: number;
  readonly forMs: number;
  readonly fault: Fault;
}

/** See the head of the file. */
export type Fault = NetworkFault | ClockFault | FlashFault | PowerFault | ReaderFault;

/** What goes wrong with requests, or their answers. */
export interface NetworkFault {
  readonly kind: 'network';
  readonly what: NetworkTrouble;
  /** The chance that a request is hit, up to 1. */
  readonly share: number;
  /** Left out: requests to anybody. */
  readonly to: 'authority' | 'operator' | undefined;
}

/** See `network-faults.ts` for what each does. */
export type NetworkTrouble =
  | { readonly kind: 'latency'; readonly ms: number }
  /** The request arrives, and its answer never does. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'corrupted' }
  /** An access point that wants a person to sign in, with its own page, or with a redirect to it. */
  | { readonly kind: 'captive-portal' }
  | { readonly kind: 'redirected' }
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  | { readonly kind: 'oversize'; readonly bytes: number }
  /** A cache that keeps the first answer it sees, and gives it for good. */
  | { readonly kind: 'stale' }
  /** Somebody answers with the oldest bundles that were ever on the air. */
  | { readonly kind: 'replayed' }
  /** Requests get what was asked for another merchant. */
  | { readonly kind: 'other-merchant'; readonly merchant: string }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** Whoever answers shows a certificate that is not the server's: see `shown-certificate.ts`. */
  | { readonly kind: 'wrong-certificate'; readonly how: WrongCertificate }
  /** Bundles signed by a stranger under the root's kid; or the true ones with a key put in. */
  | { readonly kind: 'forged'; readonly by: 'stranger' | 'altered' };

/** What goes wrong with a clock. */
export interface ClockFault {
  readonly kind: 'clock';
  readonly what: /** It jumps by so much: back, where that is below zero. */
    | { readonly kind: 'jump'; readonly byMs: number }
    /** It says 1970. */
    | { readonly kind: 'reset' }
    /** It gains so much in a million. */
    | { readonly kind: 'drift'; readonly ppm: number }
    /** Time servers lie by so much. */
    | { readonly kind: 'time-server'; readonly aheadMs: number }
    /** They say nothing. */
    | { readonly kind: 'no-time-server' };
}

/** What goes wrong with a partition. After it the device is started anew. */
export interface FlashFault {
  readonly kind: 'flash';
  readonly partition: 'ledger' | 'journal' | 'bundles';
  readonly what: 'reads-fail' | 'read-only' | 'bad-block';
  /** How many blocks are bad, as far as there are so many. */
  readonly blocks: number;
}

/** Power that goes at random, so often in an hour on average: between operations of flash, or in the middle of them. */
export interface PowerFault {
  readonly kind: 'power';
  readonly perHour: number;
  readonly offMs: number;
  readonly torn: boolean;
}

/** What goes wrong between a device and its reader: it decides, and its answer does not reach the payer. */
export interface ReaderFault {
  readonly kind: 'reader';
  readonly what: { readonly kind: 'answers-lost' };
  /** The chance that an answer is lost, up to 1. */
  readonly share: number;
}
