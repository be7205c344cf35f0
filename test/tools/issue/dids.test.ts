// DIDs: W3C syntax, and what did:key, did:xrpl and did:web say about their own part.

import { describe, expect, it } from 'vitest';
import { didProblem } from '../../../tools/issue/dids.ts';

const checked = { checkAddresses: true };

describe('a DID', () => {
  it.each([
    'did:example:123456789abcdefghi',
    'did:example:a:b:c',
    'did:example::b',
    'did:example:a%20b',
    'did:web:pa.example',
    'did:web:pa.example%3A8443:fleets:7',
    'did:xrpl:mainnet:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
    'did:xrpl:1:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh',
    'did:hedera:testnet:z6Mk_0.0.123',
    'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
    'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169',
    'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme',
  ])('%s is one', (did) => {
    expect(didProblem(did, checked)).toBeUndefined();
  });

  it.each([
    ['did:', 'not a DID'],
    ['did:web', 'not a DID'],
    ['did:web:', 'not a DID'],
    ['DID:web:pa.example', 'not a DID'],
    ['did:Web:pa.example', 'not a DID'],
    ['did:example:a:', 'not a DID'],
    ['did:example:a b', 'not a DID'],
    ['did:example:a%2', 'not a DID'],
    ['did:example:a#key-1', 'not a DID'],
    ['did:example:a/path', 'not a DID'],
    ['did:web:-pa.example', 'names no host'],
    ['did:web:pa..example', 'names no host'],
    ['did:xrpl:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh', 'not did:xrpl:{network}:{address}'],
    ['did:xrpl:mainnet:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyhT', 'its checksum is wrong'],
    ['did:xrpl:mainnet:rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh:x', 'not did:xrpl:{network}:{address}'],
    ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do', 'no public key'],
    ['did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2d0K', 'no public key'],
    ['did:key:alice', 'no public key'],
  ])('%s is none', (did, why) => {
    expect(didProblem(did, checked)).toContain(why);
  });

  it('may carry any address where addresses are not checked', () => {
    expect(didProblem('did:xrpl:test:rAlice', { checkAddresses: false })).toBeUndefined();
  });
});
