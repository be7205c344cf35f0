// What XS is built for: 32-bit x86, the same with the interpreter's bounds checks, and rv32 (the ESP32-C3's instructions)
// under QEMU; which compiler and flags, and which Debian package where a program is missing.

import { execFileSync } from 'node:child_process';
import { EngineMissing } from './project.ts';

/** The machines that can be built. */
export type TargetName = 'm32' | 'm32-bounds' | 'rv32';

/** All of them, in the order they are tried in. */
export const TARGETS: readonly TargetName[] = ['m32', 'm32-bounds', 'rv32'];

/** How to build and start a machine. */
export interface Target {
  readonly name: TargetName;
  readonly compiler: string;
  readonly flags: readonly string[];
  readonly linkFlags: readonly string[];
  /** The program and its words that run a built binary with arguments. */
  command(binary: string, words: readonly string[]): readonly [string, readonly string[]];
}

/** The meter counts the interpreter's steps: the same in every run. */
const METER = '-DmxMetering=1';
/** x87 registers would round twice what a device rounds once. */
const X86 = ['-m32', '-msse2', '-mfpmath=sse', '-O2', METER];

const RV32_FLAGS = [
  // What `-march=rv32imc_zicsr` would say; that name makes this compiler link 64-bit libraries, without a word.
  '-march=rv32imac',
  '-misa-spec=2.2',
  '-mabi=ilp32',
  '--specs=picolibc.specs',
  '-O2',
  '-ffunction-sections',
  '-fdata-sections',
];
const RV32_LINK = [
  '--oslib=semihost',
  '--crt0=semihost',
  '-Wl,--gc-sections',
  '-Wl,--defsym=__flash=0x80000000',
  '-Wl,--defsym=__flash_size=0x1000000',
  '-Wl,--defsym=__ram=0x81000000',
  '-Wl,--defsym=__ram_size=0x6000000',
  '-Wl,--defsym=__stack_size=0x40000',
];
const QEMU = 'qemu-system-riscv32';
/** One instruction takes one tick, whatever the machine that emulates does: counts are exact and repeatable. */
const QEMU_WORDS = ['-machine', 'virt', '-m', '256M', '-display', 'none', '-bios', 'none', '-icount', 'shift=0'];
/** What the program prints comes out on stdout; left to itself QEMU takes stderr. */
const QEMU_OUTPUT = ['-serial', 'none', '-monitor', 'none', '-chardev', 'stdio,id=output'];

const direct: Target['command'] = (binary, words) => [binary, words];

const targets: { readonly [name in TargetName]: Target } = {
  m32: { name: 'm32', compiler: 'gcc', flags: X86, linkFlags: [], command: direct },
  'm32-bounds': {
    name: 'm32-bounds',
    compiler: 'gcc',
    flags: [...X86, '-DmxBoundsCheck=1'],
    linkFlags: [],
    command: direct,
  },
  rv32: {
    name: 'rv32',
    compiler: 'riscv64-unknown-elf-gcc',
    flags: RV32_FLAGS,
    linkFlags: RV32_LINK,
    command: (binary, words) => {
      // In QEMU's list a comma ends a word, and two are one. The program gets one line with blanks between words, and takes them
      // apart again (c/main.c).
      const list = ['xs', ...words].map((word) => `,arg=${withoutBlanks(word).replaceAll(',', ',,')}`).join('');
      const semihosting = `enable=on,target=native,chardev=output${list}`;
      return [QEMU, [...QEMU_WORDS, ...QEMU_OUTPUT, '-semihosting-config', semihosting, '-kernel', binary]];
    },
  },
};

/** What may end a word is a percent sign and two digits. */
function withoutBlanks(word: string): string {
  return word.replace(/[ \t\n\r\v\f%"'\\]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A target. @throws EngineMissing where a program it needs is not on this machine */
export function targetNamed(name: TargetName): Target {
  const target = targets[name];
  if (name === 'rv32') {
    need(target.compiler, ['--version'], 'gcc-riscv64-unknown-elf', name);
    need(
      target.compiler,
      ['--specs=picolibc.specs', '-E', '-x', 'c', '/dev/null'],
      'picolibc-riscv64-unknown-elf',
      name,
    );
    need(QEMU, ['--version'], 'qemu-system-misc', name);
  } else {
    need(target.compiler, ['--version'], 'gcc', name);
    need(target.compiler, ['-m32', '-E', '-include', 'stdio.h', '-x', 'c', '/dev/null'], 'gcc-multilib', name);
  }
  return target;
}

function need(program: string, words: readonly string[], debianPackage: string, name: TargetName): void {
  try {
    execFileSync(program, words, { stdio: 'ignore' });
  } catch {
    throw new EngineMissing(`XS for ${name} needs a Debian package that is not here: apt-get install ${debianPackage}`);
  }
}

/** The compiler's own words about its version: another compiler makes another binary. */
export function compilerVersion(target: Target): string {
  return execFileSync(target.compiler, ['--version'], { encoding: 'utf8' });
}
