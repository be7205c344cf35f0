// `keygen` and `jwks`: private keys stay with their owner.

import { createHash } from 'node:crypto';
import { existsSync, linkSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readSigningKey } from '../../../../host-sim/signing/keys.ts';
import { Bench, run } from '../run.ts';

const bench = new Bench();
afterAll(() => bench.remove());

describe('keygen', () => {
  it('writes the private key for its owner only, and prints public key, kid and fingerprint', async () => {
    const { stdout } = await bench.ok(
      'keygen',
      '--kid',
      'k-1',
      '--out',
      bench.path('a.jwk'),
      '--public-out',
      bench.path('a.pub.jwk'),
    );
    const key = readSigningKey(bench.text('a.jwk'));
    expect(statSync(bench.path('a.jwk')).mode & 0o777).toBe(0o600);
    expect(bench.json('a.pub.jwk')).not.toHaveProperty('d');
    expect(stdout).toContain(bench.json('a.pub.jwk').x);
    expect(stdout).toContain('kid          k-1\n');
    expect(stdout).toContain(createHash('sha256').update(key.publicKey).digest('hex'));
    expect(stdout).not.toContain(bench.json('a.jwk').d);
  });

  it('writes PEM too', async () => {
    await bench.ok('keygen', '--format', 'pem', '--out', bench.path('a.pem'), '--public-out', bench.path('a.pub.pem'));
    expect(bench.text('a.pem')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect(bench.text('a.pub.pem')).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    expect(statSync(bench.path('a.pem')).mode & 0o777).toBe(0o600);
  });

  it('does not overwrite, unless it is forced; then the file is for its owner only, whatever it was', async () => {
    writeFileSync(bench.path('old'), 'old', { mode: 0o644 });
    const refused = await run('keygen', '--out', bench.path('old'), '--public-out', bench.path('new'));
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('it exists (--force overwrites it)');
    expect(bench.text('old')).toBe('old');
    expect(existsSync(bench.path('new'))).toBe(false);
    await bench.ok('keygen', '--out', bench.path('old'), '--force');
    expect(statSync(bench.path('old')).mode & 0o777).toBe(0o600);
  });

  it('writes no private key where the public one cannot be written', async () => {
    const refused = await run('keygen', '--out', bench.path('lonely'), '--public-out', bench.path('nowhere/x'));
    expect(refused.code).toBe(2);
    expect(existsSync(bench.path('lonely'))).toBe(false);
  });

  it.each([
    ['by another spelling', 'ka', '././ka'],
    ['through a folder that is a link', 'kb', 'here/kb'],
    ['through a symbolic link', 'kc', 'soft'],
    ['through a hard link', 'kd', 'hard'],
  ])('does not write the public key over the private one: %s', async (how, name, other) => {
    if (!existsSync(bench.path('here'))) symlinkSync('.', bench.path('here'));
    if (name === 'kc') symlinkSync('kc', bench.path('soft'));
    if (name === 'kd') {
      await bench.ok('keygen', '--out', bench.path('kd'));
      linkSync(bench.path('kd'), bench.path('hard'));
    }
    const old = existsSync(bench.path(name)) ? bench.text(name) : undefined;
    for (const force of [['--force'], []]) {
      const words = ['--out', bench.path(name), '--public-out', `${bench.folder}/${other}`, ...force];
      const refused = await run('keygen', ...words);
      expect(refused, how).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toBe('mpcp-embedded keygen: --out and --public-out are the same file\n');
      expect(existsSync(bench.path(name)) ? bench.text(name) : undefined).toBe(old);
    }
    expect(readdirSync(bench.folder).filter((file) => file.startsWith('.'))).toEqual([]);
  });

  it.each([[''], ['k'.repeat(1025)], ['é'.repeat(513)]])('takes no kid that no device would: %j', async (kid) => {
    for (const words of [['keygen'], ['jwks', bench.path('a.pub.jwk')]]) {
      const refused = await run(...words, '--kid', kid);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      expect(refused.stderr).toMatch(
        /^mpcp-embedded (keygen|jwks): option '--kid <kid>' argument '.*' is invalid\. It /,
      );
    }
  });

  it('prints the private key where no file is named', async () => {
    const { stdout, stderr } = await bench.ok('keygen', '--kid', 'k');
    expect(readSigningKey(stdout).kid).toBe('k');
    expect(stderr).toContain('fingerprint');
    const document = JSON.parse((await bench.ok('keygen', '--json')).stdout);
    expect(readSigningKey(JSON.stringify(document.privateKey)).kid).toBe(document.kid);
  });

  it('never prints a private key that goes to a file', async () => {
    const { stdout, stderr } = await bench.ok('keygen', '--out', bench.path('b.jwk'), '--json');
    expect(Object.keys(JSON.parse(stdout))).toEqual(['kid', 'publicKey', 'fingerprint', 'written']);
    expect(stdout + stderr).not.toContain(bench.json('b.jwk').d);
  });
});

describe('jwks', () => {
  it('holds public keys only, of private and public files, JWK and PEM', async () => {
    for (const name of ['x', 'y'])
      await bench.ok(
        'keygen',
        '--kid',
        name,
        '--out',
        bench.path(`${name}.jwk`),
        '--public-out',
        bench.path(`${name}.pub.jwk`),
      );
    await bench.ok('keygen', '--format', 'pem', '--out', bench.path('z.pem'));
    const { stdout } = await bench.ok('jwks', bench.path('x.jwk'), bench.path('y.pub.jwk'), bench.path('z.pem'));
    const document = JSON.parse(stdout);
    expect(document.version).toBe('1.0');
    expect(document.keys.map((key: { kid: string }) => key.kid).slice(0, 2)).toEqual(['x', 'y']);
    for (const key of document.keys) expect(Object.keys(key)).toEqual(['kty', 'crv', 'x', 'kid', 'use', 'alg']);
    expect(document.keys[2].kid).toHaveLength(43);
    expect(stdout).not.toContain(bench.json('x.jwk').d);
  });

  it('names keys as it is told', async () => {
    const { stdout } = await bench.ok(
      'jwks',
      bench.path('x.jwk'),
      bench.path('z.pem'),
      '--kid',
      'one',
      '--kid',
      'two',
      '--json',
    );
    expect(JSON.parse(stdout).keys.map((key: { kid: string }) => key.kid)).toEqual(['one', 'two']);
  });

  it('refuses two keys with one kid', async () => {
    const { code, stderr } = await run('jwks', bench.path('x.jwk'), bench.path('x.pub.jwk'));
    expect(code).toBe(2);
    expect(stderr).toContain('two keys have the kid x');
  });
});
