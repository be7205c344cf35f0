// What is found out about the keys of a bundle on flash has its places by the limit on keys, whatever that is.

import { describe, expect, it, vi } from 'vitest';
import { publicJwk } from '../../../host-sim/signing/keys.ts';
import { BUNDLE, changed, entry } from '../../fixtures/artifacts.ts';
import { crypto } from '../../fixtures/device.ts';
import { PA, pa, WALLET } from '../../fixtures/keys.ts';
import { flashBundle } from '../../fixtures/stored-bundle.ts';
import { jsonBytes } from '../../fixtures/text.ts';

const { keysPerIssuer } = vi.hoisted(() => ({ keysPerIssuer: 7 }));
vi.mock('../../../core/limits.ts', async (original) => ({
  ...(await original<typeof import('../../../core/limits.ts')>()),
  BUNDLE_KEYS_PER_ISSUER: keysPerIssuer,
}));

describe('with more keys per issuer than a byte has places', () => {
  it('no key is taken for another', () => {
    const good = (kid: string) => ({ ...publicJwk(pa), kid });
    const small = (kid: string) => ({ ...good(kid), x: Buffer.alloc(32).toString('base64url') });
    const kids = Array.from({ length: keysPerIssuer }, (_, i) => `k${i}`);
    const issuers = [entry(PA, ...kids.map(good)), entry(WALLET, ...kids.map(small))];
    const bytes = jsonBytes(changed(BUNDLE, { bundleKeyId: 'root-1', signature: 's', issuers }));
    const held = flashBundle(bytes, crypto);
    for (let i = 0; i < 2; i++) {
      for (const [issuer, usable] of [
        [PA, true],
        [WALLET, false],
      ] as const) {
        const keys = held.entry(issuer)?.keys ?? [];
        expect(keys.map((key) => held.usable(crypto, key))).toEqual(kids.map(() => usable));
      }
    }
  });
});
