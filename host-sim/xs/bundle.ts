// From a TypeScript entry to the one module that a device has in flash. Every function, closure and name costs slots there: one
// bundle is made of all files, and written in the forms that take the fewest.

import { type Esbuild, LANGUAGE, loadEsbuild, makeArchive, reasonOf } from './archive.ts';
import { EngineProblem, projectFolder } from './project.ts';

/** What names begin with that become short. No name of the sources does. */
const SHORTENED = 'short$';

/** What a bundle may take from elsewhere. */
export interface BundleOptions {
  /** Modules that are there at run time, as esbuild has them: `embedded:*`. */
  readonly external?: readonly string[];
  /** What stands for a global name. */
  readonly define?: { readonly [name: string]: string };
}

/**
 * The text of a device's module: an ES module with the entry's exports. It does what the files do that it is made of, but for
 * what only a debugger sees: private members are properties with short names.
 *
 * @param entry a file, relative to the project's folder or absolute
 * @throws EngineProblem where a file cannot be read, or cannot be written in these forms: the sentence says why
 */
export async function makeBundle(entry: string, { external = [], define = {} }: BundleOptions = {}): Promise<string> {
  const esbuild = await loadEsbuild();
  try {
    const { outputFiles } = await esbuild.build({
      absWorkingDir: projectFolder(),
      entryPoints: [entry],
      bundle: true,
      write: false,
      external: [...external],
      define: { ...define },
      format: 'esm',
      platform: 'neutral',
      target: LANGUAGE,
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
    });
    const { text, numbers } = await withoutNumbers(esbuild, withoutComments(outputFiles[0]?.text ?? ''));
    const { code } = await esbuild.transform(withFewerSlots(text), {
      loader: 'js',
      format: 'esm',
      target: LANGUAGE,
      charset: 'utf8',
      minifyIdentifiers: true,
      minifySyntax: true,
      define: numbers,
      mangleProps: new RegExp(`^${SHORTENED.replace('$', '\\$')}`),
      // A `let` at module level that begins with a value.
      logOverride: { 'assign-to-constant': 'error' },
      logLevel: 'silent',
    });
    return code;
  } catch (error) {
    throw new EngineProblem(`${entry} cannot be made one module: ${reasonOf(error)}`);
  }
}

/** An archive of a device's module alone. Errors as `makeBundle`. */
export async function bundleArchive(entry: string): Promise<Uint8Array> {
  return makeArchive({ entry: 'bundle', generated: { bundle: await makeBundle(entry) } });
}

/** esbuild keeps comments before members. */
function withoutComments(text: string): string {
  return text.replace(/^ *\/\*\*(?:[^*]|\*(?!\/))*\*\/\n/gm, '').replace(/^ *\/\/.*\n/gm, '');
}

/** A constant at module level, and members of a frozen object there that are all constants. */
const CONSTANT = /^var ([\w$]+) = ([-\w$. +*/%|&<>()]+);\n/gm;
const CONSTANTS = /^var ([\w$]+) = Object\.freeze\(\{\s([-\w$. +*/%|&<>():,\s]+)\}\);\n/gm;
const EXPORTED = /^export \{[\s\S]*?^\};/gm;

/**
 * Numbers of modules stand where they are used: a function takes a slot for each variable of its module that it refers to.
 *
 * @returns the text without them, and what stands for each
 */
async function withoutNumbers(esbuild: Esbuild, bundled: string) {
  const numbers: { [name: string]: string } = {};
  let text = bundled;
  for (let known = -1; known < Object.keys(numbers).length; ) {
    known = Object.keys(numbers).length;
    const found = constantsIn(text);
    const values = await numbersOf(
      esbuild,
      found.flatMap(({ parts }) => parts.map(([, value]) => value)),
      numbers,
    );
    for (const { whole, parts } of found) {
      const own = values.splice(0, parts.length);
      if (own.includes(undefined)) continue;
      parts.forEach(([name], i) => {
        numbers[name] = own[i] as string;
      });
      text = text.replace(whole, () => '');
    }
  }
  return { text, numbers };
}

/** Declarations that might be numbers, with what each name stands for. */
function constantsIn(text: string) {
  const exported = (text.match(EXPORTED) ?? []).join(' ');
  const single = [...text.matchAll(CONSTANT)]
    .filter(([whole, name = '']) => !usesOf(name, text, whole).some((use) => ASSIGNED.test(use)))
    .map(([whole, name = '', value = '']) => ({ whole, name, parts: [[name, value] as const] }));
  const objects = [...text.matchAll(CONSTANTS)].map(([whole, name = '', list = '']) => {
    const members = list.split(',').map((one) => /^\s*(\w+): ([^:]+?)\s*$/.exec(one) ?? []);
    return { whole, name, parts: members.map(([, member = '', value = '']) => [`${name}.${member}`, value] as const) };
  });
  // An object of which more is used than these members stays whole.
  const taken = objects.filter(({ whole, name, parts }) =>
    usesOf(name, text, whole).every((use) => parts.some(([part]) => part === `${name}${/^\.\w+/.exec(use)?.[0]}`)),
  );
  return [...single, ...taken].filter(({ name }) => !exported.includes(name));
}

const ASSIGNED = /^ ?(?:(?:[-+*/%&|^]|\*\*|<<|>>>?|\?\?|&&|\|\|)?=(?![=>])|\+\+|--)/;

/** What follows a name, wherever it stands but in its declaration. */
function usesOf(name: string, text: string, declaration: string): readonly string[] {
  const pattern = new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])(.{0,40})`, 'g');
  return [...text.replace(declaration, '').matchAll(pattern)].map(([, after = '']) => after);
}

/** esbuild reckons. Undefined where a value is no number, as far as is known. */
async function numbersOf(esbuild: Esbuild, values: readonly string[], known: { readonly [name: string]: string }) {
  const list = values.map((value, i) => `export const value${i} = ${value};\n`).join('');
  const { code } = await esbuild.transform(list, { define: known, minifySyntax: true });
  const numbers: (string | undefined)[] = values.map(() => undefined);
  for (const [, i, number] of code.matchAll(/\bvalue(\d+) = (-?[\d.]+(?:e\d+)?)(?=[,;])/g)) numbers[Number(i)] = number;
  return numbers;
}

/** Changes what esbuild printed. There, what is at module level begins at the margin, and so does its last bracket. */
export function withFewerSlots(text: string): string {
  return withMethods(withConstants(withProperties(text)));
}

/** A class as it is printed, up to its last bracket: its head and its members. What follows it may begin on that line. */
const CLASS = /^(.*?([\w$]+) = class(?: [\w$]+)?(?: extends ([\w$]+))? \{\n)([\s\S]*?)(?=^\})/gm;
const DECLARED = /^ {2}(?:(?:static|get|set|async) )*#(\w+)/gm;
const USED = /(?<=\.|^ {2}(?:(?:static|get|set|async) )*)#(\w+)/gm;

/**
 * Private members become properties. In XS each is a variable that every method which uses it refers to, and each private
 * method takes a slot of every instance. Fields that begin with nothing are left out: the constructor makes them.
 */
function withProperties(text: string): string {
  const classes = new Map<string, { readonly base: string | undefined; readonly names: ReadonlySet<string> }>();
  for (const [, , name = '', base, members = ''] of text.matchAll(CLASS)) {
    const names = new Set([...members.matchAll(DECLARED)].map((found) => found[1] as string));
    for (let above: string | undefined = base; above !== undefined; above = classes.get(above)?.base)
      for (const one of names)
        if (classes.get(above)?.names.has(one)) throw new Error(`${name} and ${above}, its base, both have #${one}`);
    classes.set(name, { base, names });
  }
  return text
    .replace(CLASS, (_, head: string, _name, base: string | undefined, members: string) => {
      // What an Error begins with stands in its prototype, which cannot be written in flash.
      const kept = base === undefined ? members.replace(/^ {2}#?\w+;\n/gm, '') : members.replace(/^ {2}#\w+;\n/gm, '');
      return head + kept;
    })
    .replace(USED, (_, name: string) => `${SHORTENED}${name}`);
}

/** esbuild makes variables of all that is at module level; a device sets memory aside for each that is no constant. */
function withConstants(text: string): string {
  return text.replace(/^var (?=[\w$]+ =)/gm, 'const ').replace(/^var (?=[\w$]+;)/gm, 'let ');
}

/**
 * Functions at module level become methods of an object that is empty afterwards: a method takes two slots, a function, which
 * might be called with `new`, six.
 */
function withMethods(text: string): string {
  const names: string[] = [];
  const methods: string[] = [];
  const constructors = new Set([...text.matchAll(/\bnew ([\w$]+)/g)].map((found) => found[1]));
  const others = text.replace(/^function ([\w$]+)(\([\s\S]*?\n\})$/gm, (whole, name: string, rest: string) => {
    if (constructors.has(name)) return whole;
    names.push(`${SHORTENED}${name}: ${name}`);
    methods.push(`${SHORTENED}${name}${rest},\n`);
    return '';
  });
  if (names.length === 0) return others;
  const object = `const ${SHORTENED} = {\n${methods.join('')}};\nconst { ${names.join(', ')} } = ${SHORTENED};\n`;
  return `${object}for (const name in ${SHORTENED}) delete ${SHORTENED}[name];\nObject.freeze(${SHORTENED});\n${others}`;
}
