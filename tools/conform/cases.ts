// From vector files to cases: for each format, which configuration, which request, and what must come out (the table in
// test/vectors/README.md).

import type { PaymentRequest } from '../../core/chain/request.ts';
import type { Domain } from '../../core/hash/domains.ts';
import { AMOUNT_DIGITS, DEFAULT_DRIFT_MS } from '../../core/limits.ts';
import type { EngineResult, PinnedKeyData, SequenceStep, VerifierSetup } from '../../host-sim/conformance/engine.ts';
import type { ConformanceCase, Expected } from './case.ts';
import type { Fixtures, Json, VectorFile } from './vector-files.ts';

/** Formats that carry fixtures, not cases. */
export const FIXTURE_KINDS: readonly string[] = ['keys', 'bundles'];

type CaseMaker = (data: Json, fixtures: Fixtures, defaults: Configuration) => readonly ConformanceCase[];

/** The configuration members that vector files carry as `recommendedConfig`. */
export interface Configuration {
  readonly grantIssuers: readonly string[];
  readonly sbaIssuers: readonly string[];
  readonly clockDriftToleranceMs?: number;
}

const MAKERS: { readonly [kind: string]: CaseMaker } = {
  'canonical-json': canonicalCases,
  'policy-hash': policyHashCases,
  'intent-hashes': intentHashCases,
  'trust-bundles': trustBundleCases,
  'policy-grants': policyGrantCases,
  sbas: sbaCases,
  chains: chainCases,
  mutations: mutationCases,
  'spa-chains': spaChainCases,
  fpa: fleetPolicyCases,
  'merchant-sdk': merchantCases,
  stateful: statefulCases,
  'session-pop': sessionProofCases,
};

/** The cases of a file; undefined for a format this runner does not know. */
export function casesOf(
  file: VectorFile,
  fixtures: Fixtures,
  chains: Configuration,
): readonly ConformanceCase[] | undefined {
  const make = MAKERS[file.kind ?? ''];
  return make?.(file.data, fixtures, chains);
}

/** "chains' configuration": of the chains file in the folder, else what that file publishes. */
export function chainsConfiguration(files: readonly VectorFile[]): Configuration {
  const published = files.find((file) => file.kind === 'chains')?.data?.recommendedConfig;
  return (
    published ?? {
      grantIssuers: ['pa.volt-grid.example'],
      sbaIssuers: ['vehicle:rx-7.fleet.volt.example', 'pa.volt-grid.example'],
      clockDriftToleranceMs: DEFAULT_DRIFT_MS,
    }
  );
}

const encoder = new TextEncoder();

function bytesOf(value: Json): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** The verdict that counts: this project's where the case has one, else upstream's. */
function verdictOf(one: Json): Expected {
  const counts = one.embedded ?? one.expected;
  return { ok: counts.ok, code: counts.code };
}

function makeCase(one: Json, expected: readonly Expected[], run: ConformanceCase['run']): ConformanceCase {
  const counts = one.embedded ?? {};
  return { id: one.id, optional: counts.optional === true, requires: counts.requires, expected, run };
}

/** A case of one verdict; a value is compared where the verdict is to accept. */
function single(
  one: Json,
  run: (engine: Parameters<ConformanceCase['run']>[0]) => EngineResult,
  value?: string,
): ConformanceCase {
  const verdict = verdictOf(one);
  return makeCase(one, [verdict.ok ? { ...verdict, value } : verdict], (engine) => [run(engine)]);
}

function canonicalCases(data: Json): readonly ConformanceCase[] {
  const cases = data.cases.map((one: Json) =>
    single(
      one,
      (engine) => engine.canonical(encoder.encode(one.json)),
      `${one.expected.canonical} ${one.expected.sha256}`,
    ),
  );
  const rejects = data.rejects.map((one: Json) => single(one, (engine) => engine.canonical(encoder.encode(one.json))));
  const domains = data.domains.digests.map((digest: Json) => {
    const domain = /^MPCP:([A-Za-z]+):1\.0:$/.exec(digest.prefix)?.[1] as Domain;
    // An intent is reduced to its members before it is hashed; this value is none, and its prefix is tested by its own file.
    const run = (engine: Parameters<ConformanceCase['run']>[0]) => engine.digest(domain, bytesOf(data.domains.value));
    return single({ id: `domain ${digest.prefix}`, expected: { ok: true } }, run, digest.sha256);
  });
  return [...cases, ...rejects, ...domains];
}

function policyHashCases(data: Json): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(
      { ...one, expected: { ok: true } },
      (engine) => engine.digest('Policy', bytesOf(one.policyDocument)),
      one.expected.policyHash,
    ),
  );
}

function intentHashCases(data: Json): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => engine.intentHash(bytesOf(one.intent)), one.expected.intentHash),
  );
}

function trustBundleCases(data: Json, fixtures: Fixtures): readonly ConformanceCase[] {
  const verify = data.verify.map((one: Json) =>
    single(one, (engine) => {
      const root = one.rootKey === null || one.rootKey === undefined ? undefined : keyNamed(fixtures, one.rootKey);
      const pem = one.rootPublicKeyPem ?? root.publicKeyPem;
      return engine.admit(
        bundleNamed(fixtures, one.bundle),
        pem,
        one.expectedKeyId ?? root?.kid,
        data.device,
        one.nowMs,
      );
    }),
  );
  const resolve = data.resolve.map((one: Json) => {
    const key = one.embedded?.x ?? one.expected.x;
    const value = key === undefined ? undefined : Buffer.from(key, 'base64url').toString('hex');
    return single(
      one,
      (engine) => engine.resolve(setupOf(one, fixtures, NO_ROLES), one.issuer, one.issuerKeyId),
      value,
    );
  });
  return [...verify, ...resolve];
}

function policyGrantCases(data: Json, fixtures: Fixtures): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => {
      const config = {
        ...data.recommendedConfig,
        clockDriftToleranceMs: one.clockDriftToleranceMs ?? data.recommendedConfig.clockDriftToleranceMs,
      };
      return engine.grant(setupOf(one, fixtures, config), bytesOf(one.wire));
    }),
  );
}

function sbaCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => {
      const drift = one.input.clockDriftToleranceMs ?? chains.clockDriftToleranceMs;
      const setup = setupOf(one, fixtures, { ...chains, clockDriftToleranceMs: drift }, SBA_ONLY);
      const request = { ...one.payment, sessionId: one.input.sessionId, policyHash: one.input.decision?.policyHash };
      return pay({ ...setup, budgetSpentMinor: one.input.cumulativeSpentMinor }, { sba: one.sba }, request, engine);
    }),
  );
}

function chainCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => payChain(one, one.context ?? {}, fixtures, data.recommendedConfig ?? chains, engine)),
  );
}

function mutationCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  const run = (artifacts: Json, engine: Parameters<ConformanceCase['run']>[0]) =>
    payChain(
      { ...artifacts, decision: data.decision, trustBundles: data.trustBundles, nowMs: data.nowMs },
      {},
      fixtures,
      chains,
      engine,
    );
  const base = single({ id: 'base', expected: data.baseExpected }, (engine) => run(data.base, engine));
  return [base, ...data.mutations.map((one: Json) => single(one, (engine) => run(mutated(data.base, one), engine)))];
}

function spaChainCases(data: Json, fixtures: Fixtures): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => {
      const setup = setupOf(one, fixtures, data.recommendedConfig, { budgetUse: 'reuse' });
      const { amount, rail, asset, destination } = one.settlement;
      const policyHash = one.decision?.policyHash;
      const request = {
        amountMinor: amount,
        rail,
        asset,
        destination,
        policyHash,
        unit: { kind: 'atomic' },
      } as PaymentRequest;
      const { grant, sba, spa, settlementIntent } = one;
      return pay(
        { ...setup, budgetSpentMinor: one.cumulativeSpentMinor },
        { grant, sba, spa, settlementIntent },
        request,
        engine,
      );
    }),
  );
}

function fleetPolicyCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) => {
      const setup = setupOf(one, fixtures, chains);
      // The pinned key is taken without a look at the kid, as the reference does.
      const kid = one.fpa?.issuerKeyId ?? one.fpa?.keyId;
      const pinned = setup.pinned.map((key) => ({ ...key, kid }));
      return engine.fleetPolicy({ ...setup, pinned }, bytesOf(one.fpa), bytesOf(one.grant));
    }),
  );
}

function merchantCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  const cases = data.cases.map((one: Json) =>
    single(one, (engine) => {
      const { amount, currency, merchantId, paymentRail } = one.options;
      const request = {
        amountMinor: amount,
        destination: merchantId,
        rail: paymentRail,
        unit: { kind: 'fiat', currency },
      } as PaymentRequest;
      return pay(setupOf(one, fixtures, chains, SBA_ONLY), { sba: one.sba }, request, engine);
    }),
  );
  const headers = data.headers.map((one: Json) => single(one, (engine) => engine.header(one.authorization)));
  const sequences = data.sequences.map((one: Json) =>
    sequence(one, setupOf(one, fixtures, chains, { ...SBA_ONLY, spendRule: 'grant-total' }), 'totalAfter', (step) => ({
      sba: step.sba,
      idempotencyKey: step.idempotencyKey,
    })),
  );
  return [...cases, ...headers, ...sequences];
}

function statefulCases(data: Json, fixtures: Fixtures, chains: Configuration): readonly ConformanceCase[] {
  return data.sequences.map((one: Json) =>
    sequence(one, setupOf(one, fixtures, chains, { budgetUse: 'single-use' }), 'grantTotalAfter', (step) => ({
      grant: one.grant,
      sba: step.sba,
    })),
  );
}

function sessionProofCases(data: Json, fixtures: Fixtures): readonly ConformanceCase[] {
  return data.cases.map((one: Json) =>
    single(one, (engine) =>
      engine.sessionProof(
        one.payload,
        encoder.encode(one.body),
        one.proof,
        publicKeyOf(keyNamed(fixtures, one.sessionKey)),
        one.nowMs,
        one.maxSkewMs,
      ),
    ),
  );
}

/** Steps on one state: a sequence is one case. From where the verdicts differ on, the total follows this project's. */
function sequence(
  one: Json,
  setup: VerifierSetup,
  totalMember: string,
  artifacts: (step: Json) => Json,
): ConformanceCase {
  const expected: Expected[] = [];
  let total = 0n;
  let diverged = false;
  for (const step of one.steps) {
    const verdict = verdictOf(step);
    diverged ||= step.embedded?.differs === true;
    total = diverged ? total + (verdict.ok ? BigInt(step.amountMinor) : 0n) : BigInt(step[totalMember]);
    expected.push({ ...verdict, value: total.toString() });
  }
  const steps: SequenceStep[] = one.steps.map((step: Json) => ({
    presentation: bytesOf(artifacts(step)),
    request: { amountMinor: step.amountMinor },
  }));
  return makeCase(one, expected, (engine) => engine.payments(setup, steps));
}

const NO_ROLES: Configuration = { grantIssuers: [], sbaIssuers: [] };
const SBA_ONLY = { sbaOnly: { maxAmountMinor: '9'.repeat(AMOUNT_DIGITS) }, budgetUse: 'reuse' } as const;

/** The verifier of a case: its bundles and pinned keys by name, its time, and the configuration given. */
function setupOf(
  one: Json,
  fixtures: Fixtures,
  config: Configuration,
  more: Partial<VerifierSetup['configuration']> = {},
): VerifierSetup {
  const sbaIssuers: { [issuer: string]: readonly string[] } = { '*': config.sbaIssuers };
  for (const issuer of config.grantIssuers) sbaIssuers[issuer] = config.sbaIssuers;
  return {
    configuration: {
      grantIssuers: config.grantIssuers,
      sbaIssuers,
      driftMs: config.clockDriftToleranceMs ?? DEFAULT_DRIFT_MS,
      ...more,
    },
    pinned: pinnedOf(one.pinned, fixtures),
    bundles: (one.trustBundles ?? []).map((name: string) => bundleNamed(fixtures, name)),
    nowMs: one.nowMs,
  };
}

function pay(
  setup: VerifierSetup,
  artifacts: Json,
  request: PaymentRequest,
  engine: Parameters<ConformanceCase['run']>[0],
): EngineResult {
  return engine.payments(setup, [{ presentation: bytesOf(artifacts), request }])[0] as EngineResult;
}

/** A chain case: price, rail, asset and the chosen quote's destination from the decision, the rest from the context. */
function payChain(
  one: Json,
  context: Json,
  fixtures: Fixtures,
  config: Configuration,
  engine: Parameters<ConformanceCase['run']>[0],
): EngineResult {
  const { decision } = one;
  const quote = decision.settlementQuotes?.find((offered: Json) => offered.quoteId === decision.chosen?.quoteId);
  const request: PaymentRequest = {
    amountMinor: decision.priceFiat.amountMinor,
    unit: { kind: 'fiat', currency: decision.priceFiat.currency },
    policyHash: decision.policyHash,
    rail: decision.rail,
    asset: decision.asset,
    destination: quote?.destination,
    purpose: context.purpose ?? decision.purpose,
    gateway: context.gatewayAddress,
    actorId: context.expectedActorId,
  };
  const setup: VerifierSetup = {
    ...setupOf(one, fixtures, config, { budgetUse: context.budgetIdAlreadySeen ? 'single-use' : 'reuse' }),
    grantSpentMinor: context.grantCumulativeSpentMinor,
    budgetSpentMinor: context.cumulativeSpentMinor,
    seen: context.budgetIdAlreadySeen,
  };
  const artifacts = { grant: one.grant, sba: one.sba, fleetPolicyAuthorization: context.fleetPolicyAuthorization };
  return pay(setup, artifacts, request, engine);
}

/** The artifacts with one member set, removed, or swapped with another. */
function mutated(base: Json, mutation: Json): Json {
  const copy = structuredClone(base);
  const [parent, name] = locate(copy, mutation.path);
  if (mutation.op === 'set') parent[name] = mutation.value;
  else if (mutation.op === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(name), 1);
    else delete parent[name];
  } else if (mutation.op === 'swap') {
    const [otherParent, otherName] = locate(copy, mutation.with);
    [parent[name], otherParent[otherName]] = [otherParent[otherName], parent[name]];
  } else throw new Error(`mutation op ${mutation.op} is not known`);
  return copy;
}

function locate(root: Json, path: readonly (string | number)[]): readonly [Json, string | number] {
  const parent = path.slice(0, -1).reduce((at: Json, name) => at[name], root);
  return [parent, path[path.length - 1] as string | number];
}

const ROLES = {
  policyGrant: 'policyGrant',
  grant: 'policyGrant',
  sba: 'sba',
  spa: 'spa',
  fpa: 'fleetPolicyAuthorization',
} as const;

function pinnedOf(pinned: Json, fixtures: Fixtures): readonly PinnedKeyData[] {
  const keys: PinnedKeyData[] = [];
  for (const [name, entry] of Object.entries(pinned ?? {}) as [keyof typeof ROLES, Json][]) {
    const role = ROLES[name];
    if (role === undefined) throw new Error(`pinned role ${name} is not known`);
    const key = keyNamed(fixtures, entry.key);
    // A key of a curve that is not built in cannot be pinned; what it signed is then refused.
    if (key.jwk.crv === 'Ed25519') keys.push({ role, kid: entry.kid, publicKey: publicKeyOf(key) });
  }
  return keys;
}

function publicKeyOf(key: Json): Uint8Array {
  return new Uint8Array(Buffer.from(key.jwk.x, 'base64url'));
}

function keyNamed(fixtures: Fixtures, name: string): Json {
  const key = fixtures.keys[name];
  if (key === undefined) throw new Error(`there is no key "${name}" in the folder's keys file`);
  return key;
}

function bundleNamed(fixtures: Fixtures, name: string): Uint8Array {
  const bundle = fixtures.bundles[name];
  if (bundle === undefined) throw new Error(`there is no bundle "${name}" in the folder's bundles file`);
  return bytesOf(bundle);
}
