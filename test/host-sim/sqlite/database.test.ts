// The services' database: what a statement has changed is there after a kill at any moment, one process has the file, and what
// is not such a file is refused and left as it is.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chdir, cwd } from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { Database, DatabaseProblem } from '../../../host-sim/sqlite/database.ts';
import { FileInUse } from '../../../host-sim/sqlite/sole-use.ts';

const folder = mkdtempSync(join(tmpdir(), 'mpcp-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function fresh(): string {
  return join(folder, `database-${++files}.db`);
}

function policies(database: Database): readonly unknown[] {
  return database.all('SELECT policyHash FROM policies ORDER BY policyHash').map(({ policyHash }) => policyHash);
}

function put(database: Database, name: string): void {
  database.run('INSERT INTO policies VALUES (?, ?)', name, '{}');
}

describe('a database', () => {
  it('keeps in its file what was put into it, and leaves nothing else behind when it is closed', async () => {
    const path = fresh();
    const first = await Database.open(path);
    put(first, 'a');
    first.close();
    const name = path.slice(folder.length + 1);
    expect(readdirSync(folder).filter((file) => file.startsWith(name))).toEqual([name]);
    const second = await Database.open(path);
    expect(policies(second)).toEqual(['a']);
    second.close();
  });

  it('in memory is another one each time', async () => {
    const [one, other] = [await Database.open(), await Database.open()];
    put(one, 'a');
    expect([policies(one), policies(other)]).toEqual([['a'], []]);
    one.close();
    other.close();
  });

  it('does not take text for a shorter one that ends at a zero byte', async () => {
    const database = await Database.open();
    put(database, 'grant');
    expect(database.all('SELECT * FROM policies WHERE policyHash = ?', 'grant\0x')).toEqual([]);
    database.close();
  });

  it('is opened as it was, whenever the process is killed: at every change of its files, as they are then', async () => {
    const path = fresh();
    const database = await Database.open(path);
    const filler = 'x'.repeat(20_000);
    for (let i = 0; i < 8; i++) {
      database.run('INSERT INTO policies VALUES (?, ?)', `policy-${i}`, filler);
      database.run('INSERT INTO revocations (grantId, revokedAtMs) VALUES (?, ?)', `grant-${i}`, i);
      // What a kill leaves: the files as the system has them, the note and the lock of a process that is gone.
      const copy = fresh();
      for (const end of ['', '-wal']) cpSync(path + end, copy + end);
      mkdirSync(`${copy}.lock`);
      writeFileSync(`${copy}.owner`, '4194304999 1');
      const again = await Database.open(copy);
      expect(policies(again)).toHaveLength(i + 1);
      expect(again.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
      again.close();
    }
    database.close();
  });

  it('holds everything that was put into it before a kill -9 in the middle of the next change', async () => {
    const path = fresh();
    const engine = createRequire(import.meta.url).resolve('node-sqlite3-wasm');
    (await Database.open(path)).close();
    const code = `
      const { Database } = require(${JSON.stringify(engine)});
      const database = new Database(${JSON.stringify(path)});
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL');
      for (let i = 0; ; i++) {
        database.run('INSERT INTO policies VALUES (?, ?)', [String(i).padStart(9, '0'), 'x'.repeat(9000)]);
        require('node:fs').writeSync(1, i + ' ');
      }`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    for await (const chunk of child.stdout) {
      said += chunk;
      if (said.length > 800) child.kill('SIGKILL');
    }
    const answered = Number(said.slice(0, said.lastIndexOf(' ')).split(' ').at(-1)) + 1;
    expect(existsSync(`${path}.lock`)).toBe(true);
    const database = await Database.open(path);
    // The one that was under way may be there.
    expect([answered, answered + 1]).toContain(policies(database).length);
    database.close();
  });
});

it('has nothing of a change that a kill -9 broke off when half of it was on the disk', async () => {
  const path = fresh();
  const database = await Database.open(path);
  const before = 'a'.repeat(9000);
  for (let i = 0; i < 50; i++) database.run('INSERT INTO policies VALUES (?, ?)', `policy-${i}`, before);
  database.close();
  const engine = createRequire(import.meta.url).resolve('node-sqlite3-wasm');
  // A cache of five pages: the rest is written before the change is whole.
  const code = `
    const { Database } = require(${JSON.stringify(engine)});
    const database = new Database(${JSON.stringify(path)});
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = 5; BEGIN');
    database.run('UPDATE policies SET document = ?', ['b'.repeat(9000)]);
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['-e', code], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
  const again = await Database.open(path);
  expect(again.all('SELECT count(*) AS n FROM policies WHERE document = ?', before)).toEqual([{ n: 50 }]);
  expect(again.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  again.close();
});

describe('a file', () => {
  it('that is open is not opened again', async () => {
    const path = fresh();
    const database = await Database.open(path);
    await expect(Database.open(path)).rejects.toThrow(FileInUse);
    await expect(Database.open(path)).rejects.toThrow(`in use by process ${process.pid}`);
    put(database, 'still usable');
    database.close();
    (await Database.open(path)).close();
  });

  it('of a process that was killed is opened, and its number given again to another is no reason not to', async () => {
    const path = fresh();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    writeFileSync(`${path}.owner`, `${child.pid} 1`);
    (await Database.open(path)).close();
    child.kill();
    await once(child, 'exit');
    writeFileSync(`${path}.owner`, '');
    (await Database.open(path)).close();
    expect(existsSync(`${path}.owner`)).toBe(false);
  });

  it.each([
    ['a folder', (note: string) => mkdirSync(note)],
    ['a link to nowhere', (note: string) => symlinkSync('nowhere', note)],
  ])('whose note is %s is refused, not waited for', async (_, make) => {
    const path = fresh();
    make(`${path}.owner`);
    await expect(Database.open(path)).rejects.toThrow(`${path}.owner cannot be taken`);
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.includes('.owner.'))).toEqual([]);
  });

  it.each(['no SQLite, only text. '.repeat(60), '-----BEGIN'])(
    'that is something else is refused and stays',
    async (text) => {
      const path = fresh();
      writeFileSync(path, text);
      await expect(Database.open(path)).rejects.toThrow(DatabaseProblem);
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(existsSync(`${path}.owner`)).toBe(false);
    },
  );

  it("with another program's tables, or those of another version, is refused and stays", async () => {
    for (const [mark, reason] of [
      ['application_id = 7', 'another program'],
      ['user_version = 999', 'version 999'],
    ] as const) {
      const path = fresh();
      const database = await Database.open(path);
      database.execute(`PRAGMA ${mark}`);
      database.close();
      const before = readFileSync(path);
      await expect(Database.open(path)).rejects.toThrow(reason);
      expect(readFileSync(path)).toEqual(before);
    }
  });

  it('is one file, whatever link it is opened by: not twice at once, and with what a kill left beside it', async () => {
    const path = fresh();
    const link = fresh();
    symlinkSync(path, link);
    const database = await Database.open(link);
    await expect(Database.open(path)).rejects.toThrow(FileInUse);
    put(database, 'a');
    // As a kill leaves it, and then it is opened by its own name.
    const copy = fresh();
    for (const end of ['', '-wal']) cpSync(path + end, copy + end);
    database.close();
    const other = fresh();
    symlinkSync(copy, other);
    const again = await Database.open(other);
    expect(policies(again)).toEqual(['a']);
    again.close();
  });

  it("is a file where its name is one of SQLite's own for memory", async () => {
    const before = cwd();
    chdir(folder);
    try {
      for (const name of [':memory:', 'file:x.db?mode=memory']) {
        const database = await Database.open(name);
        put(database, 'a');
        database.close();
        const again = await Database.open(name);
        expect(policies(again)).toEqual(['a']);
        again.close();
      }
    } finally {
      chdir(before);
    }
  });

  it('that is a pipe or a device is refused: a pipe would be waited for', async () => {
    const pipe = fresh();
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/null']) await expect(Database.open(path)).rejects.toThrow(/is not a file/);
    expect(existsSync('/dev/null.owner')).toBe(false);
  });

  it('that was not there is not left behind where it cannot be made a database', async () => {
    const path = fresh();
    // What the engine's lock is taken for: a folder that is not empty cannot be removed.
    mkdirSync(join(`${path}.lock`, 'something'), { recursive: true });
    await expect(Database.open(path)).rejects.toThrow(/ENOTEMPTY/);
    expect([existsSync(path), existsSync(`${path}.owner`)]).toEqual([false, false]);
  });

  it('that somebody else has taken and not made yet is not made, nor removed', async () => {
    const [path, taken] = [fresh(), fresh()];
    const database = await Database.open(path);
    cpSync(`${path}.owner`, `${taken}.owner`);
    await expect(Database.open(taken)).rejects.toThrow(FileInUse);
    expect([existsSync(taken), existsSync(`${taken}.owner`)]).toEqual([false, true]);
    database.close();
  });

  it('that a link names, and is not there, is made where the link says', async () => {
    const [path, link] = [fresh(), fresh()];
    symlinkSync(path.slice(folder.length + 1), link);
    const database = await Database.open(link);
    expect([existsSync(path), existsSync(`${path}.owner`), existsSync(`${link}.owner`)]).toEqual([true, true, false]);
    database.close();
  });

  it('that is to be where a path ends as a folder does, and nothing is, is not made', async () => {
    const path = fresh();
    await expect(Database.open(`${path}/`)).rejects.toThrow(/EISDIR|ENOENT/);
    expect(existsSync(path)).toBe(false);
  });

  it('that cannot be made says what the system says', async () => {
    await expect(Database.open(join(folder, 'nowhere', 'x.db'))).rejects.toThrow(/ENOENT/);
    await expect(Database.open(folder)).rejects.toThrow(/EISDIR/);
  });
});
