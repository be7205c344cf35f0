// The conformance run: the published vectors pass with both implementations of the crypto port, and the run can fail.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import { admitStream } from '../../../core/trust/streamed-bundle.ts';
import { type BundleForm, createEngine } from '../../../host-sim/conformance/engine.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { runConformance } from '../../../tools/conform/run.ts';
import { flashBundle, readerOf } from '../../fixtures/stored-bundle.ts';

const interop = fileURLToPath(new URL('../../vectors/interop', import.meta.url));
const engine = createEngine(createNodeCrypto());
const folders: string[] = [];

/** A copy of the vectors with one file changed. */
function changed(name: string, change: (data: Record<string, unknown>) => unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-conform-'));
  folders.push(folder);
  cpSync(interop, folder, { recursive: true });
  const data = JSON.parse(readFileSync(join(interop, name), 'utf8'));
  writeFileSync(join(folder, name), JSON.stringify(change(data)));
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe('the published vectors', () => {
  it('pass with node:crypto', () => {
    expect(runConformance(interop, engine)).toMatchObject({ failed: 0, passed: 654, optional: 94 });
  });

  it("pass with the core's own crypto", () => {
    expect(runConformance(interop, createEngine(createPortableCrypto()))).toMatchObject({ failed: 0, passed: 654 });
  });

  it('pass with bundles that are read in pieces and held as a device holds them', () => {
    const crypto = createNodeCrypto();
    const inPieces: BundleForm = {
      admit(bundle, context) {
        const { reader, start, end } = readerOf(bundle, crypto);
        return admitStream(reader, start, end, context);
      },
      hold: (bundle) => flashBundle(bundle, crypto),
    };
    expect(runConformance(interop, createEngine(crypto, inPieces))).toMatchObject({ failed: 0, passed: 654 });
  });
});

describe('a conformance run', () => {
  it('fails a case whose published verdict is turned round', () => {
    const folder = changed('chains.json', (data) => {
      const cases = data.cases as { embedded: { ok: boolean } }[];
      (cases[0] as { embedded: { ok: boolean } }).embedded.ok = false;
      return data;
    });
    const report = runConformance(folder, engine);
    expect(report.failed).toBe(1);
    expect(report.files.flatMap((file) => file.results).find((result) => result.outcome === 'failed')?.id).toBe(
      'p-ch-01',
    );
  });

  it('knows files by their format, whatever they are called', () => {
    const folder = changed('policy-hash.json', (data) => data);
    cpSync(join(folder, 'chains.json'), join(folder, 'zebra.json'));
    expect(runConformance(folder, engine).passed).toBe(654 + 52);
  });

  for (const [what, change] of Object.entries({
    'an unknown format': (data: object) => ({ ...data, format: 'mpcp-interop/unheard-of/1' }),
    'another version of a format': (data: object) => ({ ...data, format: 'mpcp-interop/policy-hash/2' }),
    'no format': () => ({ cases: [] }),
    'no cases': (data: object) => ({ ...data, cases: [] }),
    'another shape': (data: object) => ({ ...data, cases: 5 }),
  })) {
    it(`counts a file with ${what} as failed, not as skipped`, () => {
      expect(runConformance(changed('policy-hash.json', change), engine).failed).toBe(1);
    });
  }

  it('counts a case that cannot be run as failed', () => {
    const folder = changed('policy-grants.json', (data) => {
      const cases = data.cases as { trustBundles: string[] }[];
      (cases[0] as { trustBundles: string[] }).trustBundles = ['nowhere'];
      return data;
    });
    expect(runConformance(folder, engine).failed).toBe(1);
  });

  it('counts optional cases apart, whichever way they go', () => {
    const folder = changed('chains.json', (data) => {
      const one = (data.cases as { id: string; embedded: { ok: boolean } }[]).find((each) => each.id === 'p-ch-40');
      if (one) one.embedded.ok = !one.embedded.ok;
      return data;
    });
    expect(runConformance(folder, engine)).toMatchObject({ failed: 0, optional: 94 });
  });

  it('fails a verifier that accepts a curve it does not have', () => {
    const lenient = { ...engine, grant: () => ({ ok: true }) as const };
    const failed = runConformance(interop, lenient).files.flatMap((file) =>
      file.results.filter((one) => one.outcome === 'failed'),
    );
    expect(failed.map((one) => one.id)).toContain('p-pg-46');
  });
});
